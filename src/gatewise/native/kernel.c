/* What takes the time of tagging: an LSTM layer on whole numbers of 8 bits, emissions, the passes of a CRF.
 *
 * One direction of a layer, by AVX-512 VNNI or the tiles of AMX.
 * In: counts of x, (time, batch, 64 * input_tiles), each times a fixed step and raised by 128; weights as counts, packed
 * into tiles by integer_lstm.py; the lengths of the columns. Out: the states, float32, and if asked for their counts for
 * the layer above. The products of counts are exact in 32 bits, with either instruction; all else is float32. So no number
 * of a column depends on what else is in the batch.
 *
 *     pre = step_ih * (weight_ih @ x) + step_hh * (weight_hh @ counts of h) + bias      blocks i|f|g|o
 *     c = sigmoid(f) * c + sigmoid(i) * tanh(g);   h = sigmoid(o) * tanh(c);   counts of h = round(127 * h)
 *
 * Columns are taken longest first, so those that have a token at step t are the first rows of every matrix, and no row is
 * padding. Units go in blocks of 16, a register of float32; rows in blocks of 32, two tiles. What the products read and in
 * which order: Intel 64 and IA-32 Architectures Software Developer's Manual, VPDPBUSD and TDPBUSD.
 */

#include <cpuid.h>
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define FAST __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma,amx-tile,amx-int8")))
#define INLINE static inline FAST __attribute__((always_inline))

enum { UNITS = 16, ROWS = 16, BLOCK_ROWS = 2 * ROWS, WIDTH = 64, TILE = ROWS * WIDTH, GATES = 4, MOST = 127, RAISED = 128 };

/* The weights of a direction; blocks = ceil(hidden / 16), state_tiles = ceil(hidden / 64). */
struct direction {
    const int8_t *weight_ih;  /* (blocks, gates, input_tiles, 16, 64) */
    const int8_t *weight_hh;  /* (blocks, gates, state_tiles, 16, 64) */
    const float *step_ih;     /* (blocks, gates, 16): a step of the row times the step of x */
    const float *step_hh;     /* (blocks, gates, 16): a step of the row times the step of h */
    const float *bias;        /* (blocks, gates, 16) */
    const int32_t *raised_ih; /* (blocks, gates, 16): what 128 in place of each count of x adds to its product */
    const int32_t *raised_hh; /* the same of h */
    int32_t blocks, input_tiles, state_tiles, reverse;
};

struct batch {
    const int32_t *lengths;   /* (batch,) of each column */
    const int32_t *columns;   /* (batch,) their numbers, longest first */
    int32_t time, batch;
};

/* Where the states go, (time, batch, width): those of this direction from the first number of a row on, 16 * blocks of
 * them, 0 at padding. `counts`: the same as counts, for the layer above, or NULL. */
struct output {
    float *states;
    uint8_t *counts;
    int64_t states_width, counts_width;
};

/* What a step reads and writes, row after row: counts of x, of h before and after it, and the cells. */
struct rows {
    uint8_t *x, *before, *after;
    float *cells;
    int64_t x_width, h_width, c_width;
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

/* e to the power of x times the factor, 2^40 at most: 2^n * 2^f, the second by the polynomial of degree 5 with the smallest
 * relative error from -1/2 to 1/2, 7.5e-8 (Remez). */
INLINE __m512 power(__m512 x, float factor) {
    const float log2_of_e = 1.44269504088896341f;
    const __m512 y = _mm512_min_ps(_mm512_mul_ps(x, _mm512_set1_ps(factor * log2_of_e)), _mm512_set1_ps(40.0f));
    const __m512 n = _mm512_roundscale_ps(y, _MM_FROUND_TO_NEAREST_INT), f = _mm512_sub_ps(y, n);
    __m512 p = _mm512_set1_ps(1.3276471993e-3f);
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(9.6755413345e-3f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(5.5507132735e-2f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(2.4022119724e-1f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(6.9314696706e-1f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0000000717f));
    return _mm512_scalef_ps(p, n);
}

/* 1 / x: an estimate of 14 bits, and a step of Newton's. */
INLINE __m512 reciprocal(__m512 x) {
    const __m512 guess = _mm512_rcp14_ps(x);
    return _mm512_mul_ps(guess, _mm512_fnmadd_ps(x, guess, _mm512_set1_ps(2.0f)));
}

/* 16 numbers of at most 127 in size as whole ones, raised by 128. */
INLINE __m128i raised_counts(__m512 numbers) {
    return _mm512_cvtepi32_epi8(_mm512_add_epi32(_mm512_cvtps_epi32(numbers), _mm512_set1_epi32(RAISED)));
}

/* Sums of 16 units by row, of a block of 32 rows: [gate][row * 16 + unit]. */
typedef int32_t sums_of_block[GATES][BLOCK_ROWS * UNITS];

/* The first `some` rows times the weights of a block of units, by VPDPBUSD: four rows and four gates at a time. */
INLINE void products_vnni(const uint8_t *rows, ptrdiff_t stride, int some, const int8_t *weights, int tiles,
                          sums_of_block sums) {
    const size_t gate = (size_t)tiles * TILE;
    for (int first = 0; first < some; first += 4) {
        const uint8_t *a = rows + first * stride, *b = a + stride, *c = b + stride, *d = c + stride;
        __m512i a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3;
        a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = c0 = c1 = c2 = c3 = d0 = d1 = d2 = d3 = _mm512_setzero_si512();
        for (int k = 0; k < tiles * ROWS; k++) {
            const int8_t *w = weights + (size_t)WIDTH * k;
            const __m512i w0 = _mm512_load_si512(w), w1 = _mm512_load_si512(w + gate);
            const __m512i w2 = _mm512_load_si512(w + 2 * gate), w3 = _mm512_load_si512(w + 3 * gate);
            __m512i x;
#define ROW(name)                                                      \
    x = _mm512_set1_epi32(*(const int32_t *)(name + 4 * k));           \
    name##0 = _mm512_dpbusd_epi32(name##0, x, w0);                     \
    name##1 = _mm512_dpbusd_epi32(name##1, x, w1);                     \
    name##2 = _mm512_dpbusd_epi32(name##2, x, w2);                     \
    name##3 = _mm512_dpbusd_epi32(name##3, x, w3);
            ROW(a) ROW(b) ROW(c) ROW(d)
#undef ROW
        }
#define ROW(name, number)                                              \
    _mm512_store_si512(sums[0] + (first + number) * UNITS, name##0);   \
    _mm512_store_si512(sums[1] + (first + number) * UNITS, name##1);   \
    _mm512_store_si512(sums[2] + (first + number) * UNITS, name##2);   \
    _mm512_store_si512(sums[3] + (first + number) * UNITS, name##3);
        ROW(a, 0) ROW(b, 1) ROW(c, 2) ROW(d, 3)
#undef ROW
    }
}

/* The same by TDPBUSD: 16 or 32 rows and two gates at a time. */
INLINE void products_amx(const uint8_t *rows, ptrdiff_t stride, int some, const int8_t *weights, int tiles,
                         sums_of_block sums) {
    const int two = some > ROWS;
    for (int gate = 0; gate < GATES; gate += 2) {
        const int8_t *first = weights + (size_t)gate * tiles * TILE, *second = first + (size_t)tiles * TILE;
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
        for (int k = 0; k < tiles; k++) {
            _tile_loadd(4, rows + WIDTH * k, stride);
            _tile_loadd(6, first + (size_t)TILE * k, WIDTH);
            _tile_dpbusd(0, 4, 6);
            _tile_loadd(7, second + (size_t)TILE * k, WIDTH);
            _tile_dpbusd(1, 4, 7);
            if (two) {
                _tile_loadd(5, rows + ROWS * stride + WIDTH * k, stride);
                _tile_dpbusd(2, 5, 6);
                _tile_dpbusd(3, 5, 7);
            }
        }
        _tile_stored(0, sums[gate], WIDTH);
        _tile_stored(1, sums[gate + 1], WIDTH);
        if (two) {
            _tile_stored(2, sums[gate] + ROWS * UNITS, WIDTH);
            _tile_stored(3, sums[gate + 1] + ROWS * UNITS, WIDTH);
        }
    }
}

struct tile_shapes {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
};

static void *zeros(size_t bytes) {
    const size_t whole = (bytes + 63) / 64 * 64;
    void *found = aligned_alloc(64, whole);
    return found ? memset(found, 0, whole) : NULL;
}

/* Where the token of a column stands that is read at this step. */
static inline int64_t token_at(const struct direction *layer, const struct batch *of, int column, int step) {
    const int t = layer->reverse ? of->lengths[column] - 1 - step : step;
    return (int64_t)t * of->batch + column;
}

/* The equations, for a block of 16 units of one row. */
INLINE void one_step(const struct direction *layer, int block, const int32_t *const of_x[GATES],
                     const int32_t *const of_h[GATES], float *cell, float *state, __m128i *counted) {
    __m512 pre[GATES];
    for (int gate = 0; gate < GATES; gate++) {
        const size_t at = ((size_t)block * GATES + gate) * UNITS;
        const __m512i ih = _mm512_sub_epi32(_mm512_load_si512(of_x[gate]), _mm512_load_si512(layer->raised_ih + at));
        const __m512i hh = _mm512_sub_epi32(_mm512_load_si512(of_h[gate]), _mm512_load_si512(layer->raised_hh + at));
        pre[gate] = _mm512_load_ps(layer->bias + at);
        pre[gate] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(ih), _mm512_load_ps(layer->step_ih + at), pre[gate]);
        pre[gate] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(hh), _mm512_load_ps(layer->step_hh + at), pre[gate]);
    }
    /* sigmoid(x) = 1 / (1 + e^-x), tanh(x) = (1 - e^-2x) / (1 + e^-2x); what is divided is divided once, at the end */
    const __m512 one = _mm512_set1_ps(1.0f);
    const __m512 i = _mm512_add_ps(one, power(pre[0], -1)), f = _mm512_add_ps(one, power(pre[1], -1));
    const __m512 g = power(pre[2], -2), o = _mm512_add_ps(one, power(pre[3], -1));
    const __m512 i_g = _mm512_mul_ps(i, _mm512_add_ps(one, g)); /* sigmoid(i) * tanh(g) = (1 - g) / i_g */
    const __m512 kept = _mm512_mul_ps(_mm512_load_ps(cell), i_g);
    const __m512 c = _mm512_mul_ps(_mm512_fmadd_ps(_mm512_sub_ps(one, g), f, kept), reciprocal(_mm512_mul_ps(f, i_g)));
    const __m512 e = power(c, -2);
    const __m512 h = _mm512_mul_ps(_mm512_sub_ps(one, e), reciprocal(_mm512_mul_ps(o, _mm512_add_ps(one, e))));
    _mm512_store_ps(cell, c);
    _mm512_storeu_ps(state, h);
    *counted = raised_counts(_mm512_mul_ps(h, _mm512_set1_ps((float)MOST)));
}

/* The products of some rows with the weights of a block. */
INLINE void products(const uint8_t *rows, int64_t stride, int some, const int8_t *weights, int tiles, int with_tiles,
                     sums_of_block sums) {
    if (with_tiles) products_amx(rows, stride, some, weights, tiles, sums);
    else products_vnni(rows, stride, some, weights, tiles, sums);
}

INLINE void products_of_x(const struct direction *layer, const struct rows *rows, int block, int first, int some,
                          int with_tiles, sums_of_block sums) {
    const int8_t *weights = layer->weight_ih + (size_t)block * GATES * layer->input_tiles * TILE;
    products(rows->x + first * rows->x_width, rows->x_width, some, weights, layer->input_tiles, with_tiles, sums);
}

/* A step of the first `running` rows. Of a sentence that is alone, `ahead` has the products of x of this step and of
 * those about it, by block. */
INLINE void all_rows(const struct direction *layer, const struct batch *of, const struct rows *rows, int step,
                     int running, const sums_of_block *ahead, int with_tiles, const struct output *out) {
    _Alignas(64) sums_of_block of_these, of_h;
    for (int block = 0; block < layer->blocks; block++) {
        const int8_t *weight_hh = layer->weight_hh + (size_t)block * GATES * layer->state_tiles * TILE;
        const int64_t unit = (int64_t)UNITS * block;
        for (int first = 0; first < running; first += BLOCK_ROWS) {
            const int some = running - first < BLOCK_ROWS ? running - first : BLOCK_ROWS;
            const int32_t(*of_x)[BLOCK_ROWS * UNITS] = ahead ? ahead[block] : of_these;
            if (!ahead) products_of_x(layer, rows, block, first, some, with_tiles, of_these);
            products(rows->before + first * rows->h_width, rows->h_width, some, weight_hh, layer->state_tiles,
                     with_tiles, of_h);
            for (int r = 0; r < some; r++) {
                const int row = first + r, x_at = (ahead ? step % BLOCK_ROWS : r) * UNITS, h_at = r * UNITS;
                const int64_t token = token_at(layer, of, of->columns[row], step);
                const int32_t *const ih[GATES] = {of_x[0] + x_at, of_x[1] + x_at, of_x[2] + x_at, of_x[3] + x_at};
                const int32_t *const hh[GATES] = {of_h[0] + h_at, of_h[1] + h_at, of_h[2] + h_at, of_h[3] + h_at};
                __m128i counted;
                one_step(layer, block, ih, hh, rows->cells + row * rows->c_width + unit,
                         out->states + token * out->states_width + unit, &counted);
                _mm_storeu_si128((__m128i *)(rows->after + row * rows->h_width + unit), counted);
                if (out->counts)
                    _mm_storeu_si128((__m128i *)(out->counts + token * out->counts_width + unit), counted);
            }
        }
    }
}

/* Counts of x into the rows: of the columns that run at this step, or of a sentence that is alone its next 32 tokens. How
 * many. */
static int gather(const struct direction *layer, const struct batch *of, const uint8_t *x, const struct rows *rows,
                  int step, int running) {
    const int alone = of->batch == 1, left = of->lengths[0] - step;
    const int some = !alone ? running : left < BLOCK_ROWS ? left : BLOCK_ROWS;
    for (int row = 0; row < some; row++) {
        const int64_t token = alone ? token_at(layer, of, 0, step + row) : token_at(layer, of, of->columns[row], step);
        memcpy(rows->x + row * rows->x_width, x + token * rows->x_width, rows->x_width);
    }
    return some;
}

/* All steps; the tiles are set. */
INLINE void all_steps(const struct direction *layer, const struct batch *of, const uint8_t *x, struct rows *rows,
                      sums_of_block *ahead, int with_tiles, const struct output *out) {
    int running = of->batch;
    for (int step = 0; step < of->time; step++) {
        while (running && of->lengths[of->columns[running - 1]] <= step) running--;
        if (!ahead) gather(layer, of, x, rows, step, running);
        else if (running && step % BLOCK_ROWS == 0) {
            const int some = gather(layer, of, x, rows, step, running);
            for (int block = 0; block < layer->blocks; block++)
                products_of_x(layer, rows, block, 0, some, with_tiles, ahead[block]);
        }
        all_rows(layer, of, rows, step, running, (const sums_of_block *)ahead, with_tiles, out);
        uint8_t *swapped = rows->before;
        rows->before = rows->after, rows->after = swapped;
    }
}

/* 0, or 1 where memory is short. */
EXPORT FAST int gatewise_lstm(const struct direction *layer, const struct batch *of, const uint8_t *x,
                              const struct output *out, int with_tiles) {
    const size_t count = ((size_t)of->batch + BLOCK_ROWS - 1) / BLOCK_ROWS * BLOCK_ROWS;
    struct rows rows = {.x_width = (int64_t)WIDTH * layer->input_tiles,
                        .h_width = (int64_t)WIDTH * layer->state_tiles,
                        .c_width = (int64_t)UNITS * layer->blocks};
    rows.x = zeros(count * rows.x_width);
    rows.before = zeros(count * rows.h_width);
    rows.after = zeros(count * rows.h_width);
    rows.cells = zeros(count * rows.c_width * sizeof(float));
    const int alone = of->batch == 1;
    sums_of_block *ahead = alone ? zeros(layer->blocks * sizeof(sums_of_block)) : NULL;
    const int failed = !rows.x || !rows.before || !rows.after || !rows.cells || (alone && !ahead);
    if (!failed) {
        struct tile_shapes shapes = {.palette = 1}, others;
        for (int tile = 0; tile < 8; tile++) shapes.bytes[tile] = WIDTH, shapes.rows[tile] = ROWS;
        if (with_tiles) {
            _tile_storeconfig(&others);
            _tile_loadconfig(&shapes);
        }
        memset(rows.before, RAISED, count * rows.h_width);
        all_steps(layer, of, x, &rows, ahead, with_tiles, out);
        if (with_tiles && others.palette) _tile_loadconfig(&others); /* onnxruntime may have set them on this thread */
        else if (with_tiles) _tile_release();
        for (int column = 0; column < of->batch; column++)
            for (int64_t t = of->lengths[column]; t < of->time; t++) {
                const int64_t token = t * of->batch + column;
                memset(out->states + token * out->states_width, 0, rows.c_width * sizeof(float));
                if (out->counts) memset(out->counts + token * out->counts_width, RAISED, rows.c_width);
            }
    }
    free(rows.x), free(rows.before), free(rows.after), free(rows.cells), free(ahead);
    return failed;
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

/* emissions (rows, tags) = states (rows, width) @ weight (width, 16 * blocks) + bias: 4 rows and 32 tags at a time. */
EXPORT FAST void gatewise_emissions(const float *states, int64_t rows, int64_t width, const float *weight,
                                    const float *bias, int64_t blocks, int64_t tags, float *emissions) {
    const int64_t weight_width = UNITS * blocks;
    for (int64_t block = 0; block < blocks; block += 2) {
        const int both = block + 1 < blocks;
        const float *of_block = weight + UNITS * block;
        for (int64_t row = 0; row < rows; row += 4) {
            const int64_t some = rows - row < 4 ? rows - row : 4;
            const float *from[4];
            __m512 sums[4][2];
            for (int r = 0; r < 4; r++) {
                from[r] = states + (row + (r < some ? r : 0)) * width;
                sums[r][0] = _mm512_loadu_ps(bias + UNITS * block);
                sums[r][1] = both ? _mm512_loadu_ps(bias + UNITS * (block + 1)) : _mm512_setzero_ps();
            }
            for (int64_t k = 0; k < width; k++) {
                const __m512 first = _mm512_loadu_ps(of_block + k * weight_width);
                const __m512 second = both ? _mm512_loadu_ps(of_block + k * weight_width + UNITS) : first;
                for (int r = 0; r < 4; r++) {
                    const __m512 state = _mm512_set1_ps(from[r][k]);
                    sums[r][0] = _mm512_fmadd_ps(state, first, sums[r][0]);
                    sums[r][1] = _mm512_fmadd_ps(state, second, sums[r][1]);
                }
            }
            for (int r = 0; r < some; r++)
                for (int half = 0; half <= both; half++) {
                    const int64_t at = UNITS * (block + half), left = tags - at;
                    const __mmask16 there = left >= UNITS ? 0xffff : (__mmask16)((1u << left) - 1);
                    _mm512_mask_storeu_ps(emissions + (row + r) * tags + at, there, sums[r][half]);
                }
        }
    }
}

/* Scores of paths over num_tags tags, rows filled up to 16 * blocks with minus infinity. */
struct path_scores {
    const float *from_to; /* (num_tags, 16 * blocks): transitions, a row a tag that one comes from */
    const float *to_from; /* the same, a row a tag that one goes to */
    const float *start, *end;
    int64_t num_tags, blocks;
};

/* What all paths of a sentence have in common is taken off, so that sums stay as fine as they were at its beginning. */
INLINE void level(float *best, int64_t blocks) {
    __m512 most = _mm512_load_ps(best);
    for (int64_t block = 1; block < blocks; block++) most = _mm512_max_ps(most, _mm512_load_ps(best + UNITS * block));
    const float peak = _mm512_reduce_max_ps(most);
    if (peak - peak != 0) return; /* no path, or one of infinite score */
    for (float *at = best; at < best + UNITS * blocks; at += UNITS)
        _mm512_store_ps(at, _mm512_sub_ps(_mm512_load_ps(at), _mm512_set1_ps(peak)));
}

/* The first place of the largest of a[n] + b[n], n below 16 * blocks. */
INLINE int64_t first_largest(const float *a, const float *b, int64_t blocks) {
    __m512 most = _mm512_set1_ps(-__builtin_inff());
    for (int64_t at = 0; at < UNITS * blocks; at += UNITS)
        most = _mm512_max_ps(most, _mm512_add_ps(_mm512_load_ps(a + at), _mm512_load_ps(b + at)));
    most = _mm512_set1_ps(_mm512_reduce_max_ps(most));
    for (int64_t at = 0; at < UNITS * blocks; at += UNITS) {
        const __m512 sum = _mm512_add_ps(_mm512_load_ps(a + at), _mm512_load_ps(b + at));
        const __mmask16 found = _mm512_cmp_ps_mask(sum, most, _CMP_EQ_OQ);
        if (found) return at + __builtin_ctz(found);
    }
    return 0;
}

/* best[to] = max over from of before[from] + transitions[from, to]; two blocks at a time, from even and from odd tags. */
INLINE void step_of_path(const struct path_scores *scores, const float *before, float *best) {
    const int64_t width = UNITS * scores->blocks, last = scores->num_tags - 1;
    for (int64_t at = 0; at < width; at += 2 * UNITS) {
        const int64_t second = at + UNITS < width ? UNITS : 0;
        __m512 a, b, c, d;
        a = b = c = d = _mm512_set1_ps(-__builtin_inff());
        for (int64_t from = 0; from <= last; from += 2) {
            const int64_t odd = from < last ? from + 1 : from;
            const float *row = scores->from_to + from * width + at, *next = scores->from_to + odd * width + at;
            const __m512 even_best = _mm512_set1_ps(before[from]), odd_best = _mm512_set1_ps(before[odd]);
            a = _mm512_max_ps(a, _mm512_add_ps(even_best, _mm512_load_ps(row)));
            b = _mm512_max_ps(b, _mm512_add_ps(even_best, _mm512_load_ps(row + second)));
            c = _mm512_max_ps(c, _mm512_add_ps(odd_best, _mm512_load_ps(next)));
            d = _mm512_max_ps(d, _mm512_add_ps(odd_best, _mm512_load_ps(next + second)));
        }
        _mm512_store_ps(best + at, _mm512_max_ps(a, c));
        _mm512_store_ps(best + at + second, _mm512_max_ps(b, d));
    }
}

/* The best path of each column, of equal ones that with the smaller tag number, last tag first. `emissions` (time,
 * num_tags, batch), `tags` (time, batch), not written at padding. Every level_every steps the best score is taken off.
 * 0, or 1 where memory is short. */
EXPORT FAST int gatewise_best_paths(const struct path_scores *scores, const float *emissions, const int64_t *lengths,
                                    int64_t batch, int64_t level_every, int64_t *tags) {
    const int64_t width = UNITS * scores->blocks, num_tags = scores->num_tags;
    int64_t longest = 0;
    for (int64_t column = 0; column < batch; column++) longest = lengths[column] > longest ? lengths[column] : longest;
    float *best = zeros((size_t)longest * width * sizeof(float)); /* (time, width) of one column after the other */
    if (!best) return 1;
    for (int64_t column = 0; column < batch; column++) {
        const int64_t length = lengths[column];
        for (int64_t t = 0; t < length; t++) {
            float *now = best + t * width;
            if (t) step_of_path(scores, now - width, now);
            else memcpy(now, scores->start, width * sizeof(float));
            const float *emission = emissions + t * num_tags * batch + column;
            for (int64_t tag = 0; tag < num_tags; tag++) now[tag] += emission[tag * batch];
            if (t && t % level_every == 0) level(now, scores->blocks);
        }
        const float *after = scores->end;
        for (int64_t t = length - 1; t >= 0; t--) {
            const int64_t tag = first_largest(best + t * width, after, scores->blocks);
            tags[t * batch + column] = tag;
            after = scores->to_from + tag * width;
        }
    }
    free(best);
    return 0;
}

/* out[b] = sum over a of factors[a] * rows[a][b], rows (num_tags, num_tags): 16 of b at a time. */
INLINE void sum_of_rows(const double *factors, const double *rows, int64_t num_tags, double *out) {
    for (int64_t at = 0; at < num_tags; at += 16) {
        const int64_t left = num_tags - at;
        const __mmask16 there = left >= 16 ? 0xffff : (__mmask16)((1u << left) - 1);
        const __mmask8 low = (__mmask8)there, high = (__mmask8)(there >> 8);
        __m512d first = _mm512_setzero_pd(), second = _mm512_setzero_pd();
        for (int64_t a = 0; a < num_tags; a++) {
            const __m512d factor = _mm512_set1_pd(factors[a]);
            const double *row = rows + a * num_tags + at;
            first = _mm512_fmadd_pd(factor, _mm512_maskz_loadu_pd(low, row), first);
            second = _mm512_fmadd_pd(factor, _mm512_maskz_loadu_pd(high, row + 8), second);
        }
        _mm512_mask_storeu_pd(out + at, low, first);
        _mm512_mask_storeu_pd(out + at + 8, high, second);
    }
}

/* Both passes of forward-backward over one sentence, each step of both divided by `scale` (time,), alpha's sum: `odds`,
 * `alpha`, `beta` (time, num_tags); `from_to` (num_tags, num_tags) the exponentials of the transitions, `to_from` the same
 * turned, `ends` (num_tags,). */
EXPORT FAST void gatewise_passes(const double *odds, int64_t time, int64_t num_tags, const double *from_to,
                                 const double *to_from, const double *ends, double *restrict alpha,
                                 double *restrict beta, double *restrict scale) {
    for (int64_t t = 0; t < time; t++) {
        double *now = alpha + t * num_tags, total = 0;
        if (t) sum_of_rows(now - num_tags, from_to, num_tags, now);
        for (int64_t tag = 0; tag < num_tags; tag++) {
            now[tag] = odds[t * num_tags + tag] * (t ? now[tag] : 1);
            total += now[tag];
        }
        for (int64_t tag = 0; tag < num_tags; tag++) now[tag] /= total;
        scale[t] = total;
    }
    double *reached = scale + time; /* (num_tags,) to work in */
    memcpy(beta + (time - 1) * num_tags, ends, num_tags * sizeof(double));
    for (int64_t t = time - 2; t >= 0; t--) {
        for (int64_t tag = 0; tag < num_tags; tag++) {
            const int64_t after = (t + 1) * num_tags + tag;
            reached[tag] = odds[after] / scale[t + 1] * beta[after];
        }
        sum_of_rows(reached, to_from, num_tags, beta + t * num_tags);
    }
}
