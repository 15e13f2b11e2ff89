/* What the sources of the native kernel share. They take the time of tagging: layers and emissions (lstm.c), and the passes
 * of a CRF (paths.c). Each function that is exported is called by library.py, on arrays that Python owns. */

#include <immintrin.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define FAST __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma,amx-tile,amx-int8")))
#define INLINE static inline FAST __attribute__((always_inline))

enum { UNITS = 16 }; /* float32 numbers in a register: a block */

/* Memory that begins at a multiple of 64 bytes, all 0; NULL where there is none. */
static inline void *zeros(size_t bytes) {
    const size_t whole = (bytes + 63) / 64 * 64;
    void *found = aligned_alloc(64, whole);
    return found ? memset(found, 0, whole) : NULL;
}
