/* Counter-based random numbers, and the initial values of states. On reals only + - * / and sqrt
 * are used, each rounded once in a written order, so the numbers are the same on every machine. The
 * C library's log, sin and cos are not. */
#include "ir/ops/random.h"
#include "ir/base/hash.h"
#include "ir/base/memory.h"
#include "ir/ops/shapes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- Philox 4x32-10; the constants are those of the paper -- */

void philox_4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3], k0 = key[0],
             k1 = key[1];
    for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
    }
    memcpy(out, (uint32_t[]){c0, c1, c2, c3}, 4 * sizeof *out);
}

/* Four indices share a block: the bits of indices 4 * block .. 4 * block + 3. */
static void random_block(uint64_t seed, Stream stream, uint32_t sub, uint64_t block,
                         uint32_t out[4]) {
    uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), sub, (uint32_t)stream};
    philox_4x32(counter, (uint32_t[]){(uint32_t)seed, (uint32_t)(seed >> 32)}, out);
}

uint32_t random_bits(uint64_t seed, Stream stream, uint32_t sub, uint64_t index) {
    uint32_t out[4];
    random_block(seed, stream, sub, index / 4, out);
    return out[index % 4];
}

static float unit_of_bits(uint32_t bits) { return (float)(bits >> 8) * 0x1p-24f; }

float random_unit(uint64_t seed, Stream stream, uint32_t sub, uint64_t index) {
    return unit_of_bits(random_bits(seed, stream, sub, index));
}

void random_permutation(uint64_t seed, Stream stream, uint32_t sub, uint32_t count,
                        int32_t *order) {
    for (uint32_t i = 0; i < count; i++) order[i] = (int32_t)i;
    for (uint32_t i = count; i-- > 1;) {
        uint32_t j = (uint32_t)((uint64_t)random_bits(seed, stream, sub, i) * (i + 1) >> 32);
        int32_t exchanged = order[i];
        order[i] = order[j];
        order[j] = exchanged;
    }
}

uint32_t hash_name(const char *name) { return hash32(HASH32_START, name, strlen(name)); }

/* -- the normal distribution -- */

/* ln(x) for a normal positive x: x = m * 2^e with m in [sqrt(1/2), sqrt(2)), and ln(m) = 2
 * artanh((m - 1) / (m + 1)) as a series. Relative error below 1e-15. */
static double portable_log(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint64_t above = bits - NORMAL_SQRT_HALF;
    int64_t exponent = (int64_t)above >> 52;
    bits -= (uint64_t)exponent << 52;
    double m;
    memcpy(&m, &bits, sizeof m);
    double s = (m - 1) / (m + 1), z = s * s, series = 0;
    for (int i = 23; i > 1; i -= 2) series = (series + 1.0 / i) * z;
    return (double)exponent * NORMAL_LN_2 + 2 * (s + s * series);
}

const NormalRatio normal_middle = {
    {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
     1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
     3.3430575583588128105e4, 2.5090809287301226727e3},
    {1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
     2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4,
     5.2264952788528545610e3}};
const NormalRatio normal_tail = {
    {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
     3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
     2.27238449892691845833e-2, 7.74545014278341407640e-4},
    {1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
     1.05075007164441684324e-9}};

static double polynomial(const double *coefficients, double x) {
    double value = 0;
    for (int i = NORMAL_TERMS; i-- > 0;) value = value * x + coefficients[i];
    return value;
}

static double normal_quantile(double p) {
    double q = p - 0.5;
    if (fabs(q) <= NORMAL_MIDDLE) {
        double r = NORMAL_SQUARE - q * q;
        return q * polynomial(normal_middle.above, r) / polynomial(normal_middle.below, r);
    }
    double r = sqrt(-portable_log(q < 0 ? p : 1 - p)) - NORMAL_ROOT;
    double distance = polynomial(normal_tail.above, r) / polynomial(normal_tail.below, r);
    return q < 0 ? -distance : distance;
}

/* A normal random number from 32 bits. The bits give the centre of an interval of probabilities, so
 * the probability is never 0 or 1, and the result is at most 6.3 deviations from 0. */
static double normal_of_bits(uint32_t bits) { return normal_quantile((bits + 0.5) * 0x1p-32); }

/* -- states -- */

/* The random numbers of a state, in order. */
typedef struct {
    uint64_t seed, index;
    uint32_t sub, block[4];
} Sequence;

static uint32_t sequence_next(Sequence *sequence) {
    if (sequence->index % 4 == 0)
        random_block(sequence->seed, STREAM_INIT, sequence->sub, sequence->index / 4,
                     sequence->block);
    return sequence->block[sequence->index++ % 4];
}

static void fill_constant(const Symbol *symbol, int64_t count, void *data) {
    for (int64_t i = 0; i < count; i++) {
        if (symbol->dtype == DTYPE_F32)
            ((float *)data)[i] = symbol->init.a;
        else if (symbol->dtype == DTYPE_I32)
            ((int32_t *)data)[i] =
                (int32_t)fmax(INT32_MIN, fmin(INT32_MAX, (double)symbol->init.a));
        else if (symbol->dtype == DTYPE_I8)
            ((int8_t *)data)[i] = (int8_t)fmax(INT8_MIN, fmin(INT8_MAX, (double)symbol->init.a));
        else
            ((uint8_t *)data)[i] = (uint8_t)fmax(0, fmin(UINT8_MAX, (double)symbol->init.a));
    }
}

float uniform_largest(Init init) { return nextafterf(init.b, init.a); }

static void fill_uniform(const Symbol *symbol, Sequence *sequence, int64_t count, float *data) {
    float low = symbol->init.a, high = symbol->init.b;
    for (int64_t i = 0; i < count; i++) {
        double unit = (double)unit_of_bits(sequence_next(sequence));
        float value = (float)((double)low + ((double)high - (double)low) * unit);
        data[i] = value < high || high <= low ? value : uniform_largest(symbol->init);
    }
}

static void fill_normal(const Symbol *symbol, Sequence *sequence, int64_t count, float *data) {
    for (int64_t i = 0; i < count; i++)
        data[i] = (float)((double)symbol->init.a +
                          (double)symbol->init.b * normal_of_bits(sequence_next(sequence)));
}

static double dot(const double *a, const double *b, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* Gram-Schmidt, each step done twice because rounding spoils the orthogonality after one:
 * vectors[i] becomes orthogonal to those before it, with length 1. */
static void orthogonalize(double *vectors, int64_t count, int64_t n) {
    for (int64_t i = 0; i < count; i++) {
        double *v = vectors + i * n;
        for (int64_t pass = 0; pass < 2 * i; pass++) {
            const double *before = vectors + pass % i * n;
            double part = dot(v, before, n);
            for (int64_t j = 0; j < n; j++) v[j] -= part * before[j];
        }
        double length = sqrt(dot(v, v, n));
        for (int64_t j = 0; j < n; j++) v[j] /= length;
    }
}

/* The state is seen as a matrix [first axis, the rest]. Its rows, or its columns if these are
 * fewer, become orthonormal and are multiplied by the gain. The vectors start as normal random
 * numbers in the state's row-major order, so every direction is equally likely. */
static void fill_orthogonal(const Symbol *symbol, Sequence *sequence, int64_t elements,
                            float *data) {
    int64_t rows = symbol->shape.rank > 1 ? symbol->shape.dim[0] : 1, columns = elements / rows;
    bool by_rows = rows <= columns;
    int64_t count = by_rows ? rows : columns, n = by_rows ? columns : rows;
    double *vectors =
        memory_array((size_t)elements, sizeof *vectors, "the first values of a weight");
    for (int64_t i = 0; i < elements; i++) {
        int64_t row = i / columns, column = i % columns;
        vectors[by_rows ? i : column * n + row] = normal_of_bits(sequence_next(sequence));
    }
    orthogonalize(vectors, count, n);
    for (int64_t i = 0; i < elements; i++)
        data[i] =
            (float)((double)symbol->init.a * vectors[by_rows ? i : i % columns * n + i / columns]);
    free(vectors);
}

void state_initialize(const Symbol *symbol, uint64_t seed, void *data) {
    int64_t count = shape_elements(symbol->shape);
    Sequence sequence = {.seed = seed, .sub = hash_name(symbol->name)};
    switch (symbol->init.kind) {
    case INIT_CONSTANT:
    case INIT_FITTED: fill_constant(symbol, count, data); break;
    case INIT_UNIFORM: fill_uniform(symbol, &sequence, count, data); break;
    case INIT_NORMAL: fill_normal(symbol, &sequence, count, data); break;
    default: fill_orthogonal(symbol, &sequence, count, data); break;
    }
}
