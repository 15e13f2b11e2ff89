/* An LSTM layer on whole numbers of 8 bits, what it reads, and the emissions of heads.
 *
 * One direction of a layer, by AVX-512 VNNI or the tiles of AMX.
 * In: counts of x, (time, batch, 64 * input_tiles), each times a fixed step and raised by 128; weights as counts, packed
 * into tiles by integer_lstm.py; the lengths of the columns. Out: what the states add to the emissions, float32, or
 * their counts for the layer above; the states themselves never leave the cache. The products of counts are exact in 32
 * bits, with either instruction; all else is float32. So no number of a column depends on what else is in the batch.
 *
 *     pre = step_ih * (weight_ih @ x) + step_hh * (weight_hh @ counts of h) + bias      blocks i|f|g|o
 *     c = sigmoid(f) * c + sigmoid(i) * tanh(g);   h = sigmoid(o) * tanh(c);   counts of h = round(127 * h)
 *
 * Columns are taken longest first, so those that have a token at step t are the first rows of every matrix, and no row is
 * padding. Units go in blocks of 16, a register of float32; rows in blocks of 16, a tile, and their gates two rows at a
 * time: a row alone leaves the processor waiting for one result after the other. What the products read and in which
 * order: Intel 64 and IA-32 Architectures Software Developer's Manual, VPDPBUSD and TDPBUSD.
 */

#include <cpuid.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel.h"

enum { ROWS = 16, WIDTH = 64, TILE = ROWS * WIDTH, GATES = 4, MOST = 127, RAISED = 128 };
/* What is done at once: rows of products without tiles, rows of gates, rows and blocks of tags of emissions. */
enum { DOTTED_ROWS = 4, AT_ONCE = 2, EMITTED_ROWS = 8, EMITTED_BLOCKS = 3 };

/* The weights of a direction; blocks = ceil(hidden / 16), state_tiles = ceil(hidden / 64). */
struct direction {
    const int8_t *weight_ih;  /* (blocks, gates, input_tiles, 16, 64) */
    const int8_t *weight_hh;  /* (blocks, gates, state_tiles, 16, 64) */
    const float *step_ih;     /* (blocks, gates, 16): a step of the row times the step of x */
    const float *step_hh;     /* (blocks, gates, 16): a step of the row times the step of h */
    const float *bias;        /* (blocks, gates, 16) */
    const int32_t *less_ih;   /* (blocks, gates, 16): less what 128 more in each count of x adds to its product */
    const int32_t *less_hh;   /* the same of h */
    int32_t blocks, input_tiles, state_tiles, reverse;
};

struct batch {
    const int32_t *lengths;   /* (batch,) of each column */
    const int32_t *columns;   /* (batch,) their numbers, longest first */
    int32_t time, batch;
};

/* What is made of the states of the last layer. The direction that has a bias begins the sums, the other one goes on. */
struct head {
    const float *weight;      /* (16 * blocks of the direction, 16 * blocks): the rows of this direction */
    const float *rest;        /* (rest, 16 * blocks of the direction): those of a few tags behind the last block */
    const float *bias;        /* (16 * blocks + rest,), or NULL */
    float *emissions;         /* (time, batch, tags), not written at padding */
    int64_t tags, blocks, rest_tags;
};

/* Where a direction's states go: into the emissions of heads, or as counts to the layer above, (time, batch,
 * counts_width), from the first number of a row on. What is not asked for is NULL. */
struct output {
    uint8_t *counts;
    const struct head *heads;
    int64_t counts_width, num_heads;
};

/* What a step reads and writes. `count` rows, a multiple of 16, stand together, 64 counts or 16 numbers of each, as the
 * products and the gates read them: counts of x (input_tiles, count, 64), of h before and after the step (state_tiles,
 * count, 64), the cells and, for heads, the states (blocks, count, 16); and which token each row reads, by its place in
 * (time, batch). */
struct rows {
    uint8_t *x, *before, *after;
    float *cells, *states;
    int64_t *tokens;
    int64_t count;
};

enum { NOTHING = 0, VNNI = 1, AMX = 2 };

/* The best that this processor has and the system lets this process use. */
EXPORT int gatewise_supported(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !__builtin_cpu_supports("avx512vl")) return NOTHING;
    const unsigned wide = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31; /* AVX-512 F, DQ, BW, VL */
    if ((b & wide) != wide || !(c & 1u << 11)) return NOTHING;      /* VNNI */
    if (!(d & 1u << 24) || !(d & 1u << 25)) return VNNI;            /* AMX-TILE, AMX-INT8 */
    const long request_permission = 0x1023, tile_data = 18; /* ARCH_REQ_XCOMP_PERM, XFEATURE_XTILE_DATA */
    return syscall(SYS_arch_prctl, request_permission, tile_data) == 0 ? AMX : VNNI;
}

/* 2^(j/16), j from 0 to 15, less what the lower bits of a place in sixteenths add to it as they are shifted. */
static const _Alignas(64) int32_t SIXTEENTHS[16] = {
    0x3f800000, 0x3f7daac3, 0x3f7b95c2, 0x3f79c3d3, 0x3f7837f0, 0x3f76f532, 0x3f75fed7, 0x3f75583f,
    0x3f7504f3, 0x3f7508a4, 0x3f75672a, 0x3f76248c, 0x3f7744fd, 0x3f78ccdf, 0x3f7ac0c7, 0x3f7d257d,
};

/* e to the power of up to four times 16 numbers, each times the factor, which is below 0; from 2^-40 to 2^40. It is
 * 2^k * 2^f, k in sixteenths: the first from the table and the exponent, the second by 1 + f(a + bf) with the smallest
 * error from -1/32 to 1/32, 4.2e-7. Step by step for all of them, so that none waits for its own last result. */
INLINE void powers(int count, const __m512 *numbers, float factor, __m512 *found) {
    const float log2_of_e = 1.44269504088896341f;
    const __m512 scale = _mm512_set1_ps(factor * log2_of_e), most = _mm512_set1_ps(40.0f / (-factor * log2_of_e));
    const __m512 to_sixteenths = _mm512_set1_ps(0x1.8p19f); /* the last bit of such a number is a sixteenth */
    __m512 k[2 * AT_ONCE], f[2 * AT_ONCE], p[2 * AT_ONCE];
    const int smaller_in_size = 2; /* with the sign of the first */
    for (int n = 0; n < count; n++) f[n] = _mm512_range_ps(numbers[n], most, smaller_in_size);
    for (int n = 0; n < count; n++) k[n] = _mm512_fmadd_ps(f[n], scale, to_sixteenths);
    for (int n = 0; n < count; n++) p[n] = _mm512_sub_ps(k[n], to_sixteenths);
    for (int n = 0; n < count; n++) f[n] = _mm512_fmsub_ps(f[n], scale, p[n]);
    const __m512 a = _mm512_set1_ps(0.693187847f), b = _mm512_set1_ps(0.240226507f);
    for (int n = 0; n < count; n++) p[n] = _mm512_fmadd_ps(f[n], b, a);
    for (int n = 0; n < count; n++) p[n] = _mm512_mul_ps(p[n], f[n]);
    for (int n = 0; n < count; n++) {
        const __m512i bits = _mm512_castps_si512(k[n]);
        const __m512i part = _mm512_permutexvar_epi32(bits, _mm512_load_si512(SIXTEENTHS));
        k[n] = _mm512_castsi512_ps(_mm512_add_epi32(part, _mm512_slli_epi32(bits, 19)));
    }
    for (int n = 0; n < count; n++) found[n] = _mm512_fmadd_ps(k[n], p[n], k[n]);
}

/* 16 numbers of at most 127 in size as whole ones, raised by 128. */
INLINE __m128i raised_counts(__m512 numbers) {
    return _mm512_cvtepi32_epi8(_mm512_add_epi32(_mm512_cvtps_epi32(numbers), _mm512_set1_epi32(RAISED)));
}

/* Sums of 16 units by row, of a block of rows: [gate][row * 16 + unit]. */
typedef int32_t sums_of_block[GATES][ROWS * UNITS];

/* Up to four rows times the weights of some gates of a block of units, and `less`, (gates, 16), with it, by VPDPBUSD. A
 * tile of the rows begins `next` bytes behind the one before, and the weights of a gate `gate` bytes. */
INLINE void some_products(int count, int gates, const uint8_t *rows, ptrdiff_t next, const int8_t *weights, size_t gate,
                          const int32_t *less, int tiles, int32_t (*sums)[ROWS * UNITS]) {
    __m512i found[GATES][DOTTED_ROWS];
    for (int g = 0; g < gates; g++)
        for (int r = 0; r < count; r++) found[g][r] = _mm512_load_si512(less + g * UNITS);
    for (int tile = 0; tile < tiles; tile++, rows += next)
        _Pragma("GCC unroll 4") for (int k = 0; k < ROWS; k++, weights += WIDTH) {
            __m512i w[GATES];
            for (int g = 0; g < gates; g++) w[g] = _mm512_load_si512(weights + gate * g);
            for (int r = 0; r < count; r++) {
                const __m512i x = _mm512_set1_epi32(*(const int32_t *)(rows + WIDTH * r + 4 * k));
                for (int g = 0; g < gates; g++) found[g][r] = _mm512_dpbusd_epi32(found[g][r], x, w[g]);
            }
        }
    for (int g = 0; g < gates; g++)
        for (int r = 0; r < count; r++) _mm512_store_si512(sums[g] + r * UNITS, found[g][r]);
}

/* The first `some` rows times the weights of a block: four rows and two gates at a time, or all gates of one row. */
INLINE void products_vnni(const uint8_t *rows, ptrdiff_t next, int some, const int8_t *weights, const int32_t *less,
                          int tiles, sums_of_block sums) {
    const size_t gate = (size_t)tiles * TILE;
    if (some == 1) some_products(1, GATES, rows, next, weights, gate, less, tiles, sums);
    else
        for (int first = 0; first < some; first += DOTTED_ROWS)
            for (int g = 0; g < GATES; g += 2) {
                int32_t(*into)[ROWS * UNITS] = (int32_t(*)[ROWS * UNITS])(sums[g] + first * UNITS);
                some_products(DOTTED_ROWS, 2, rows + WIDTH * first, next, weights + g * gate, gate, less + g * UNITS,
                              tiles, into);
            }
}

/* The same by TDPBUSD, 16 rows and four gates at a time. */
INLINE void products_amx(const uint8_t *rows, ptrdiff_t next, const int8_t *weights, const int32_t *less, int tiles,
                         sums_of_block sums) {
    const size_t gate = (size_t)tiles * TILE;
    _tile_loadd(0, less, 0); /* the same in every row */
    _tile_loadd(1, less + UNITS, 0);
    _tile_loadd(2, less + 2 * UNITS, 0);
    _tile_loadd(3, less + 3 * UNITS, 0);
    for (int k = 0; k < tiles; k++, rows += next, weights += TILE) {
        _tile_loadd(4, rows, WIDTH);
        _tile_loadd(5, weights, WIDTH);
        _tile_dpbusd(0, 4, 5);
        _tile_loadd(6, weights + gate, WIDTH);
        _tile_dpbusd(1, 4, 6);
        _tile_loadd(7, weights + 2 * gate, WIDTH);
        _tile_dpbusd(2, 4, 7);
        _tile_loadd(5, weights + 3 * gate, WIDTH);
        _tile_dpbusd(3, 4, 5);
    }
    _tile_stored(0, sums[0], WIDTH);
    _tile_stored(1, sums[1], WIDTH);
    _tile_stored(2, sums[2], WIDTH);
    _tile_stored(3, sums[3], WIDTH);
}

struct tile_shapes {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
};

/* The equations, for a block of 16 units of one or two rows that follow one another; `of_x` and `of_h` [gate] are those
 * of the first row. The states are written where `states` is not NULL. */
INLINE void equations(int count, const struct direction *layer, int block, const int32_t *const of_x[GATES],
                      const int32_t *const of_h[GATES], float *cells, float *states, uint8_t *counts) {
    __m512 e[GATES * AT_ONCE], c[AT_ONCE], a[AT_ONCE], b[AT_ONCE];
    for (int gate = 0; gate < GATES; gate++)
        for (int n = 0; n < count; n++) {
            const size_t at = ((size_t)block * GATES + gate) * UNITS;
            const __m512 ih = _mm512_cvtepi32_ps(_mm512_load_si512(of_x[gate] + n * UNITS));
            const __m512 hh = _mm512_cvtepi32_ps(_mm512_load_si512(of_h[gate] + n * UNITS));
            const __m512 bias = _mm512_load_ps(layer->bias + at), step_ih = _mm512_load_ps(layer->step_ih + at);
            const __m512 step_hh = _mm512_load_ps(layer->step_hh + at);
            e[gate * count + n] = _mm512_fmadd_ps(hh, step_hh, _mm512_fmadd_ps(ih, step_ih, bias));
        }
    /* sigmoid(x) = 1 / (1 + e^-x), tanh(x) = (1 - e^-2x) / (1 + e^-2x); what is divided is divided once, at the end */
    __m512 *const i = e, *const f = e + count, *const g = e + 2 * count, *const o = e + 3 * count;
    powers(2 * count, i, -1, i);
    powers(count, g, -2, g);
    powers(count, o, -1, o);
    const __m512 one = _mm512_set1_ps(1.0f), two = _mm512_set1_ps(2.0f);
    for (int n = 0; n < count; n++) {
        a[n] = _mm512_add_ps(one, g[n]);
        a[n] = _mm512_fmadd_ps(i[n], a[n], a[n]); /* sigmoid(i) * tanh(g) = (1 - g) / a */
        f[n] = _mm512_add_ps(one, f[n]);
        c[n] = _mm512_mul_ps(_mm512_load_ps(cells + n * UNITS), a[n]);
        c[n] = _mm512_fmadd_ps(_mm512_sub_ps(one, g[n]), f[n], c[n]);
        a[n] = _mm512_mul_ps(f[n], a[n]);
    }
    for (int n = 0; n < count; n++) { /* c / a: by an estimate of 14 bits, and a step of Newton's */
        b[n] = _mm512_rcp14_ps(a[n]);
        c[n] = _mm512_mul_ps(_mm512_mul_ps(c[n], b[n]), _mm512_fnmadd_ps(a[n], b[n], two));
        _mm512_store_ps(cells + n * UNITS, c[n]);
    }
    powers(count, c, -2, c);
    for (int n = 0; n < count; n++) {
        a[n] = _mm512_add_ps(one, c[n]);
        a[n] = _mm512_fmadd_ps(o[n], a[n], a[n]);
        b[n] = _mm512_rcp14_ps(a[n]);
        c[n] = _mm512_mul_ps(_mm512_mul_ps(_mm512_sub_ps(one, c[n]), b[n]), _mm512_fnmadd_ps(a[n], b[n], two));
    }
    for (int n = 0; n < count; n++) {
        if (states) _mm512_store_ps(states + n * UNITS, c[n]);
        const __m128i counted = raised_counts(_mm512_mul_ps(c[n], _mm512_set1_ps((float)MOST)));
        _mm_store_si128((__m128i *)(counts + n * WIDTH), counted);
    }
}

/* The products of some rows, from `first` on, with the weights of a block. */
INLINE void products(const uint8_t *rows, int64_t count, int first, int some, const int8_t *weights,
                     const int32_t *less, int block, int tiles, int with_tiles, sums_of_block sums) {
    rows += WIDTH * first;
    weights += (size_t)block * GATES * tiles * TILE;
    less += block * GATES * UNITS;
    if (with_tiles && some > 1) products_amx(rows, WIDTH * count, weights, less, tiles, sums);
    else products_vnni(rows, WIDTH * count, some, weights, less, tiles, sums);
}

INLINE void products_of_x(const struct direction *layer, const struct rows *rows, int block, int first, int some,
                          int with_tiles, sums_of_block sums) {
    products(rows->x, rows->count, first, some, layer->weight_ih, layer->less_ih, block, layer->input_tiles, with_tiles,
             sums);
}

INLINE void products_of_h(const struct direction *layer, const struct rows *rows, int block, int first, int some,
                          int with_tiles, sums_of_block sums) {
    products(rows->before, rows->count, first, some, layer->weight_hh, layer->less_hh, block, layer->state_tiles, with_tiles,
             sums);
}

/* The equations of one or two rows from `row` on, whose sums stand from x_at and h_at on, and their states in the row
 * `into`. */
INLINE void gates(int count, const struct direction *layer, const struct rows *rows, int block, int row,
                  const sums_of_block of_x, int x_at, const sums_of_block of_h, int h_at, int into) {
    const int32_t *const ih[GATES] = {of_x[0] + x_at, of_x[1] + x_at, of_x[2] + x_at, of_x[3] + x_at};
    const int32_t *const hh[GATES] = {of_h[0] + h_at, of_h[1] + h_at, of_h[2] + h_at, of_h[3] + h_at};
    const int64_t of_block = block * rows->count, blocks_of_tile = WIDTH / UNITS;
    uint8_t *tile = rows->after + WIDTH * (block / blocks_of_tile * rows->count + row);
    equations(count, layer, block, ih, hh, rows->cells + UNITS * (of_block + row),
              rows->states ? rows->states + UNITS * (of_block + into) : NULL, tile + UNITS * (block % blocks_of_tile));
}

/* A step of the first `running` rows. Where their number is odd a row is taken along that nobody reads any more. */
INLINE void step_of_batch(const struct direction *layer, const struct rows *rows, int running, int with_tiles) {
    _Alignas(64) sums_of_block of_x, of_h;
    for (int block = 0; block < layer->blocks; block++)
        for (int first = 0; first < running; first += ROWS) {
            const int some = running - first < ROWS ? running - first : ROWS;
            products_of_x(layer, rows, block, first, some, with_tiles, of_x);
            products_of_h(layer, rows, block, first, some, with_tiles, of_h);
            for (int r = 0; r < some; r += AT_ONCE)
                gates(AT_ONCE, layer, rows, block, first + r, of_x, r * UNITS, of_h, r * UNITS, first + r);
        }
}

/* A step of a sentence that is alone; `of_x` [block] are the products of x of this step and of those about it, number
 * `place` its own. */
INLINE void step_alone(const struct direction *layer, const struct rows *rows, int place, const sums_of_block *of_x,
                       int with_tiles) {
    _Alignas(64) sums_of_block of_h;
    for (int block = 0; block < layer->blocks; block++) {
        products_of_h(layer, rows, block, 0, 1, with_tiles, of_h);
        gates(1, layer, rows, block, 0, of_x[block], place * UNITS, of_h, 0, place);
    }
}

/* What the states of the first `some` rows add to the emissions of their tokens: up to three blocks of 16 tags, from `at`
 * on, and eight rows at a time. */
INLINE void emit_tags(int blocks, const struct direction *layer, const struct head *head, const struct rows *rows,
                      int64_t at, int some) {
    const int64_t width = UNITS * head->blocks;
    __mmask16 there[EMITTED_BLOCKS];
    for (int block = 0; block < blocks; block++) {
        const int64_t left = head->tags - at - block * UNITS;
        there[block] = left >= UNITS ? 0xffff : (__mmask16)((1u << left) - 1);
    }
    for (int row = 0; row < some; row += EMITTED_ROWS) {
        const float *weight = head->weight + at;
        const int real = some - row < EMITTED_ROWS ? some - row : EMITTED_ROWS;
        float *emissions[EMITTED_ROWS];
        __m512 sums[EMITTED_ROWS][EMITTED_BLOCKS];
        for (int r = 0; r < EMITTED_ROWS; r++) {
            emissions[r] = head->emissions + rows->tokens[row + (r < real ? r : 0)] * head->tags + at;
            for (int block = 0; block < blocks; block++)
                sums[r][block] = head->bias ? _mm512_load_ps(head->bias + at + block * UNITS)
                                            : _mm512_maskz_loadu_ps(there[block], emissions[r] + block * UNITS);
        }
        for (int of_units = 0; of_units < layer->blocks; of_units++) {
            const float *states = rows->states + UNITS * (of_units * rows->count + row);
            for (int unit = 0; unit < UNITS; unit++, weight += width) {
                __m512 factors[EMITTED_BLOCKS];
                for (int block = 0; block < blocks; block++) factors[block] = _mm512_load_ps(weight + block * UNITS);
                for (int r = 0; r < EMITTED_ROWS; r++) {
                    const __m512 state = _mm512_set1_ps(states[UNITS * r + unit]);
                    for (int block = 0; block < blocks; block++)
                        sums[r][block] = _mm512_fmadd_ps(state, factors[block], sums[r][block]);
                }
            }
        }
        for (int r = 0; r < real; r++)
            for (int block = 0; block < blocks; block++)
                _mm512_mask_storeu_ps(emissions[r] + block * UNITS, there[block], sums[r][block]);
    }
}

/* The same of one tag behind the blocks, number `tag` of them, a block of units after the other. */
INLINE void emit_rest(const struct direction *layer, const struct head *head, const struct rows *rows, int64_t tag,
                      int some) {
    const float *weight = head->rest + UNITS * layer->blocks * tag;
    const int64_t at = UNITS * head->blocks + tag;
    for (int row = 0; row < some; row += EMITTED_ROWS) {
        const int real = some - row < EMITTED_ROWS ? some - row : EMITTED_ROWS;
        __m512 sums[EMITTED_ROWS];
        for (int r = 0; r < EMITTED_ROWS; r++) sums[r] = _mm512_setzero_ps();
        for (int of_units = 0; of_units < layer->blocks; of_units++) {
            const float *states = rows->states + UNITS * (of_units * rows->count + row);
            const __m512 factors = _mm512_load_ps(weight + UNITS * of_units);
            for (int r = 0; r < EMITTED_ROWS; r++)
                sums[r] = _mm512_fmadd_ps(factors, _mm512_load_ps(states + UNITS * r), sums[r]);
        }
        for (int r = 0; r < real; r++) {
            float *emission = head->emissions + rows->tokens[row + r] * head->tags + at;
            *emission = (head->bias ? head->bias[at] : *emission) + _mm512_reduce_add_ps(sums[r]);
        }
    }
}

INLINE void emit(const struct direction *layer, const struct output *out, const struct rows *rows, int some) {
    for (const struct head *head = out->heads; head < out->heads + out->num_heads; head++) {
        for (int64_t tag = 0; tag < head->rest_tags; tag++) emit_rest(layer, head, rows, tag, some);
        for (int64_t block = 0, left; (left = head->blocks - block) > 0;) {
            const int64_t at = UNITS * block;
            if (left == 1) emit_tags(1, layer, head, rows, at, some), block += 1;
            else if (left == 2 || left == 4) emit_tags(2, layer, head, rows, at, some), block += 2;
            else emit_tags(3, layer, head, rows, at, some), block += 3;
        }
    }
}

/* Which token the row reads from now on, and its counts of x. */
static inline void read_token(const struct direction *layer, const struct batch *of, const uint8_t *x,
                              const struct rows *rows, int row, int column, int step) {
    const int t = layer->reverse ? of->lengths[column] - 1 - step : step;
    rows->tokens[row] = (int64_t)t * of->batch + column;
    const uint8_t *counts = x + rows->tokens[row] * layer->input_tiles * WIDTH;
    for (int tile = 0; tile < layer->input_tiles; tile++)
        memcpy(rows->x + WIDTH * (tile * rows->count + row), counts + WIDTH * tile, WIDTH);
}

/* The states of a row of the step that is done, as counts to the layer above, if there is one. */
static inline void write_counts(const struct direction *layer, const struct output *out, const struct rows *rows,
                                int row, int64_t token) {
    uint8_t *counts = out->counts + token * out->counts_width;
    for (int block = 0; out->counts && block < layer->blocks; block++) {
        const int64_t tile = block * UNITS / WIDTH, at = block * UNITS % WIDTH;
        memcpy(counts + UNITS * block, rows->after + WIDTH * (tile * rows->count + row) + at, UNITS);
    }
}

/* All steps of a batch; the tiles are set. */
INLINE void all_steps(const struct direction *layer, const struct batch *of, const uint8_t *x, struct rows *rows,
                      int with_tiles, const struct output *out) {
    int running = of->batch;
    for (int step = 0; step < of->time; step++) {
        while (running && of->lengths[of->columns[running - 1]] <= step) running--;
        for (int row = 0; row < running; row++) read_token(layer, of, x, rows, row, of->columns[row], step);
        step_of_batch(layer, rows, running, with_tiles);
        emit(layer, out, rows, running);
        for (int row = 0; row < running; row++) write_counts(layer, out, rows, row, rows->tokens[row]);
        uint8_t *swapped = rows->before;
        rows->before = rows->after, rows->after = swapped;
    }
}

/* All steps of a sentence that is alone, whose x is read 16 tokens at a time; the tiles are set. */
INLINE void all_steps_alone(const struct direction *layer, const struct batch *of, const uint8_t *x, struct rows *rows,
                            sums_of_block *of_x, int with_tiles, const struct output *out) {
    for (int first = 0; first < of->lengths[0]; first += ROWS) {
        const int left = of->lengths[0] - first, some = left < ROWS ? left : ROWS;
        for (int row = 0; row < some; row++) read_token(layer, of, x, rows, row, 0, first + row);
        for (int block = 0; block < layer->blocks; block++)
            products_of_x(layer, rows, block, 0, some, with_tiles, of_x[block]);
        for (int place = 0; place < some; place++) {
            step_alone(layer, rows, place, (const sums_of_block *)of_x, with_tiles);
            write_counts(layer, out, rows, 0, rows->tokens[place]);
            uint8_t *swapped = rows->before;
            rows->before = rows->after, rows->after = swapped;
        }
        emit(layer, out, rows, some);
    }
}

/* 0, or 1 where memory is short. */
EXPORT FAST int gatewise_lstm(const struct direction *layer, const struct batch *of, const uint8_t *x,
                              const struct output *out, int with_tiles) {
    const size_t count = ((size_t)of->batch + ROWS - 1) / ROWS * ROWS;
    const size_t counts_of_h = count * WIDTH * layer->state_tiles;
    const size_t numbers = count * UNITS * layer->blocks * sizeof(float);
    const int alone = of->batch == 1;
    struct rows rows = {.count = count};
    rows.x = zeros(count * WIDTH * layer->input_tiles);
    rows.before = zeros(counts_of_h);
    rows.after = zeros(counts_of_h);
    rows.cells = zeros(numbers);
    rows.states = out->num_heads ? zeros(numbers) : NULL;
    rows.tokens = zeros(count * sizeof(int64_t));
    sums_of_block *of_x = alone ? zeros(layer->blocks * sizeof(sums_of_block)) : NULL;
    const int failed = !rows.x || !rows.before || !rows.after || !rows.cells || (out->num_heads && !rows.states)
                       || !rows.tokens || (alone && !of_x);
    if (!failed) {
        struct tile_shapes shapes = {.palette = 1}, others;
        for (int tile = 0; tile < 8; tile++) shapes.bytes[tile] = WIDTH, shapes.rows[tile] = ROWS;
        if (with_tiles) {
            _tile_storeconfig(&others);
            _tile_loadconfig(&shapes);
        }
        memset(rows.before, RAISED, counts_of_h);
        if (alone) all_steps_alone(layer, of, x, &rows, of_x, with_tiles, out);
        else all_steps(layer, of, x, &rows, with_tiles, out);
        if (with_tiles && others.palette) _tile_loadconfig(&others); /* onnxruntime may have set them on this thread */
        else if (with_tiles) _tile_release();
    }
    free(rows.x), free(rows.before), free(rows.after), free(rows.cells), free(rows.states), free(rows.tokens);
    free(of_x);
    return failed;
}

/* A part of x that stands in a table: of token n row ids[n], `width` counts. */
struct part {
    const uint8_t *table;
    const int64_t *ids;
    int64_t width;
};

/* Counts of x of tokens, part after part, to rows of `counts_width` bytes. */
EXPORT void gatewise_look_up(const struct part *parts, int64_t num_parts, int64_t tokens, uint8_t *counts,
                             int64_t counts_width) {
    for (int64_t token = 0; token < tokens; token++) {
        uint8_t *to = counts + token * counts_width;
        for (const struct part *part = parts; part < parts + num_parts; to += part->width, part++)
            memcpy(to, part->table + part->ids[token] * part->width, part->width);
    }
}

/* Counts of numbers in a step, at most 127 in size and raised by 128: rows of `width` numbers, `row_width` apart, to rows
 * of `counts_width` bytes. */
EXPORT FAST void gatewise_counts(const float *numbers, int64_t rows, int64_t width, int64_t row_width, float step,
                                 uint8_t *counts, int64_t counts_width) {
    const __m512 scale = _mm512_set1_ps(1.0f / step), most = _mm512_set1_ps((float)MOST);
    const __m512 least = _mm512_set1_ps((float)-MOST);
    for (int64_t row = 0; row < rows; row++)
        for (int64_t at = 0; at < counts_width; at += UNITS) {
            const int64_t left = width - at;
            const __mmask16 there = left >= UNITS ? 0xffff : left > 0 ? (__mmask16)((1u << left) - 1) : 0;
            __m512 n = _mm512_mul_ps(_mm512_maskz_loadu_ps(there, numbers + row * row_width + at), scale);
            const __m128i counted = raised_counts(_mm512_min_ps(_mm512_max_ps(n, least), most));
            _mm_storeu_si128((__m128i *)(counts + row * counts_width + at), counted);
        }
}
