/* The passes of a CRF: the best paths of the sentences of a batch, and forward and backward over one sentence. */

#include "kernel.h"

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
 * batch, num_tags), of which column c is number order[c] of the batch; `tags` (time, columns), not written at padding.
 * Every level_every steps the best score is taken off. 0, or 1 where memory is short. */
EXPORT FAST int gatewise_best_paths(const struct path_scores *scores, const float *emissions, const int64_t *order,
                                    const int64_t *lengths, int64_t batch, int64_t columns, int64_t level_every,
                                    int64_t *tags) {
    const int64_t width = UNITS * scores->blocks, num_tags = scores->num_tags;
    const __mmask16 last = (__mmask16)(0xffff >> (width - num_tags)); /* those of the last block that are tags */
    int64_t longest = 0;
    for (int64_t column = 0; column < columns; column++)
        longest = lengths[column] > longest ? lengths[column] : longest;
    float *best = zeros((size_t)longest * width * sizeof(float)); /* (time, width) of one column after the other */
    if (!best) return 1;
    for (int64_t column = 0; column < columns; column++) {
        const int64_t length = lengths[column];
        for (int64_t t = 0; t < length; t++) {
            float *now = best + t * width;
            if (t) step_of_path(scores, now - width, now);
            else memcpy(now, scores->start, width * sizeof(float));
            const float *emission = emissions + (t * batch + order[column]) * num_tags;
            for (int64_t at = 0; at < width; at += UNITS) {
                const __mmask16 there = at + UNITS < width ? 0xffff : last;
                const __m512 sum = _mm512_add_ps(_mm512_load_ps(now + at), _mm512_maskz_loadu_ps(there, emission + at));
                _mm512_store_ps(now + at, sum);
            }
            if (t && t % level_every == 0) level(now, scores->blocks);
        }
        const float *after = scores->end;
        for (int64_t t = length - 1; t >= 0; t--) {
            const int64_t tag = first_largest(best + t * width, after, scores->blocks);
            tags[t * columns + column] = tag;
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
