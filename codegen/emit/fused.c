/* Fused multiply-add: a * b + c with one rounding. Targets without such an instruction compute it
 * in double:
 *
 *     product = a * b                         exact: 24 + 24 bits
 *     sum = product + c                       rounded to 53 bits
 *     if (sum is suspect) sum = product + c   rounded to odd
 *     result = (float)sum
 *
 * Rounding twice is wrong only if the first rounding led exactly to the middle between two floats.
 * The bits of such a suspect sum end in 1 and 28 zeros, if it rounds to a normal float. Below
 * 2^-126 floats have fewer bits, so every sum with |sum| < 2^-126 except 0 is suspect.
 *
 * Hot loops test the operands instead of such small sums. If |a| and |b| are 0 or at least 2^-65,
 * then the product is 0 or a multiple of 2^-176. A sum below 2^-126 is then exact, as it has at
 * most 50 bits.
 *
 * Rounding an inexact sum to odd takes the one of its two neighbours whose last bit is 1. As double
 * has at least two more bits than float, rounding this to float gives the right result. The proof
 * is in Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using
 * rounding to odd", 2008. TwoSum gives the error of the sum, whose sign tells on which side the
 * exact sum lies:
 *
 *     towards 0: bits = (bits - 1) | 1        away from 0: bits = bits | 1
 *
 * The sign of error * sum decides. All error terms are multiples of 2^-298 and less than 2^257, so
 * this product neither vanishes nor overflows. Infinite sums and NaNs have errors that are NaN, and
 * stay as they are.
 *
 * A sum that becomes 0 as a float is not suspect. It is at most 2^-150, and exact: either c is 0,
 * or the product has no bits below 2^-203. */
#include "codegen/emit/arithmetic.h"

enum { PART = 4, HALF = 2 }; /* lanes of a vector of 128 bits: of floats, of doubles */
enum { SMALL = -65 };        /* operands below 2^-65 but not 0 are tiny */

/* Lanes [first, first + 4) of a vector. */
static LLVMValueRef part_of(Emitter *e, LLVMValueRef vector, int first) {
    return lanes_from(e, vector, LLVMGetPoison(LLVMTypeOf(vector)), first, PART);
}

/* Joins the four parts of a vector. */
static LLVMValueRef join(Emitter *e, const LLVMValueRef parts[LANES / PART]) {
    LLVMValueRef low = lanes_from(e, parts[0], parts[1], 0, 2 * PART),
                 high = lanes_from(e, parts[2], parts[3], 0, 2 * PART);
    return lanes_from(e, low, high, 0, LANES);
}

/* -- emulation -- */

/* Two lanes of a * b + c. */
typedef struct {
    LLVMValueRef product, addend, sum;
} Sum;

static LLVMTypeRef doubles(const Emitter *e) {
    return LLVMVectorType(LLVMDoubleTypeInContext(e->context), HALF);
}

static LLVMTypeRef words(const Emitter *e) { return LLVMVectorType(e->i64, HALF); }

/* Lanes 0 and 1, or 2 and 3, as double. */
static LLVMValueRef widened(Emitter *e, LLVMValueRef part, int half) {
    LLVMValueRef nothing = LLVMGetPoison(LLVMTypeOf(part));
    if (half) part = lanes_from(e, part, nothing, HALF, PART);
    return LLVMBuildFPExt(e->builder, lanes_from(e, part, nothing, 0, HALF), doubles(e), "");
}

/* Four lanes as float, from two pairs of doubles. */
static LLVMValueRef narrowed(Emitter *e, LLVMValueRef low, LLVMValueRef high) {
    LLVMTypeRef type = LLVMVectorType(e->f32, HALF);
    return lanes_from(e, LLVMBuildFPTrunc(e->builder, low, type, ""),
                      LLVMBuildFPTrunc(e->builder, high, type, ""), 0, PART);
}

static Sum sum_of(Emitter *e, const LLVMValueRef in[3], int half) {
    LLVMValueRef product = LLVMBuildFMul(e->builder, widened(e, in[0], half),
                                         widened(e, in[1], half), ""),
                 addend = widened(e, in[2], half);
    return (Sum){product, addend, fadd(e, product, addend)};
}

static LLVMValueRef in_all_lanes(Emitter *e, uint32_t number) {
    LLVMValueRef lanes[PART];
    for (int i = 0; i < PART; i++) lanes[i] = const_i32(e, (int32_t)number);
    return LLVMConstVector(lanes, PART);
}

/* <4 x i1>: the sum ends in 1 and 28 zeros, which the lower halves of its bits show. middle: these 29
 * bits, and then 3 zeros, in all lanes. */
#define MIDDLE 0x80000000
static LLVMValueRef is_middle(Emitter *e, const Sum sums[PART / HALF], LLVMValueRef middle) {
    enum { OTHER_BITS = 3 };
    LLVMTypeRef type = LLVMVectorType(e->i32, PART);
    LLVMValueRef lanes[PART];
    for (int i = 0; i < PART; i++) lanes[i] = const_i32(e, 2 * i);
    LLVMValueRef lower_halves = LLVMBuildShuffleVector(
        e->builder, LLVMBuildBitCast(e->builder, sums[0].sum, type, ""),
        LLVMBuildBitCast(e->builder, sums[1].sum, type, ""), LLVMConstVector(lanes, PART), "");
    LLVMValueRef ends = LLVMBuildShl(e->builder, lower_halves, in_all_lanes(e, OTHER_BITS), "");
    return eq(e, ends, middle);
}

/* Whether 0 < |x| < 2^exponent: twice_less_one < tiny_limit. Doubling the bits drops the sign. Then
 * 2 * bits - 1 < limit is an unsigned comparison, in which 0 has become the largest number. The
 * comparison is signed, so both sides get 2^31 added. offset: 2^31 - 1. */
static uint32_t tiny_limit(int exponent) {
    enum { BIAS = 127 };
    return (uint32_t)(exponent + BIAS) << 24 ^ 0x80000000; /* twice the bits of 2^exponent */
}
static LLVMValueRef twice_less_one(Emitter *e, LLVMValueRef bits, LLVMValueRef offset) {
    return add(e, add(e, bits, bits), offset);
}

/* <4 x i1> */
static LLVMValueRef is_tiny(Emitter *e, LLVMValueRef part, int exponent) {
    LLVMValueRef bits = LLVMBuildBitCast(e->builder, part, LLVMVectorType(e->i32, PART), "");
    return lt(e, twice_less_one(e, bits, in_all_lanes(e, INT32_MAX)),
              in_all_lanes(e, tiny_limit(exponent)));
}

/* i1: some lane of <4 x i1> is true. */
static LLVMValueRef any_lane(Emitter *e, LLVMValueRef lanes) {
    LLVMTypeRef bits = LLVMIntTypeInContext(e->context, PART);
    return ne(e, LLVMBuildBitCast(e->builder, lanes, bits, ""), LLVMConstNull(bits));
}

/* Rounds product + addend to odd, by TwoSum:
 *     part = sum - product
 *     error = (product - (sum - part)) + (addend - part)
 *     bits of sum: -1 if error * sum < 0; then | 1 if error * sum != 0 */
static LLVMValueRef rounded_to_odd(Emitter *e, const Sum *s) {
    LLVMBuilderRef b = e->builder;
    LLVMValueRef part = LLVMBuildFSub(b, s->sum, s->product, ""),
                 rest = LLVMBuildFSub(b, s->sum, part, "");
    LLVMValueRef error =
        fadd(e, LLVMBuildFSub(b, s->product, rest, ""), LLVMBuildFSub(b, s->addend, part, ""));
    LLVMValueRef side = LLVMBuildFMul(b, error, s->sum, ""), zero = LLVMConstNull(doubles(e));
    LLVMValueRef towards = LLVMBuildFCmp(b, LLVMRealOLT, side, zero, ""),
                 away = LLVMBuildFCmp(b, LLVMRealOGT, side, zero, "");
    LLVMValueRef bits = LLVMBuildBitCast(b, s->sum, words(e), "");
    bits = add(e, bits, LLVMBuildSExt(b, towards, words(e), ""));
    bits = bit_or(e, bits, LLVMBuildZExt(b, bit_or(e, towards, away), words(e), ""));
    return LLVMBuildBitCast(b, bits, doubles(e), "");
}

/* a * b + c for four lanes. Results below 2^-126 are suspect, as is 2^-126 itself: smaller sums may
 * have been rounded to it. */
static LLVMValueRef emulated(Emitter *e, const LLVMValueRef in[3]) {
    enum { SMALLEST = -126 };
    Sum sums[PART / HALF] = {sum_of(e, in, 0), sum_of(e, in, 1)};
    LLVMValueRef fast = narrowed(e, sums[0].sum, sums[1].sum);
    LLVMValueRef suspect =
        bit_or(e, is_middle(e, sums, in_all_lanes(e, MIDDLE)), is_tiny(e, fast, SMALLEST + 1));
    LLVMBasicBlockRef before = LLVMGetInsertBlock(e->builder);
    If branch = if_begin(e, any_lane(e, suspect));
    LLVMBasicBlockRef then = LLVMGetInsertBlock(e->builder);
    LLVMValueRef slow = narrowed(e, rounded_to_odd(e, &sums[0]), rounded_to_odd(e, &sums[1]));
    if_end(e, branch);
    LLVMValueRef result = LLVMBuildPhi(e->builder, LLVMTypeOf(fast), "");
    LLVMAddIncoming(result, (LLVMValueRef[]){fast, slow}, (LLVMBasicBlockRef[]){before, then}, 2);
    return result;
}

static LLVMTypeRef function_type(const Emitter *e) {
    LLVMTypeRef part = LLVMVectorType(e->f32, PART), types[] = {part, part, part};
    return LLVMFunctionType(part, types, 3, false);
}

LLVMValueRef fused_function(Emitter *e) {
    LLVMValueRef function = LLVMAddFunction(e->module, "fused", function_type(e));
    LLVMSetLinkage(function, LLVMInternalLinkage);
    e->function = function;
    LLVMPositionBuilderAtEnd(e->builder,
                             LLVMAppendBasicBlockInContext(e->context, function, "entry"));
    const LLVMValueRef in[] = {LLVMGetParam(function, 0), LLVMGetParam(function, 1),
                               LLVMGetParam(function, 2)};
    LLVMBuildRet(e->builder, emulated(e, in));
    return e->fused = function;
}

/* -- all kinds -- */

static LLVMValueRef fused_part(Emitter *e, LLVMValueRef in[3]) {
    if (e->fma == FMA_RELAXED) {
        LLVMTypeRef type = LLVMTypeOf(in[0]);
        return call_intrinsic(e, "llvm.wasm.relaxed.madd", &type, 1, in, 3);
    }
    return LLVMBuildCall2(e->builder, function_type(e), e->fused, in, 3, "");
}

typedef struct {
    LLVMValueRef in[3];
} Part;

static Part take_part(Emitter *e, const LLVMValueRef in[3], int number) {
    Part part;
    for (int i = 0; i < 3; i++) part.in[i] = part_of(e, in[i], number * PART);
    return part;
}

LLVMValueRef emit_fused(Emitter *e, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c) {
    LLVMValueRef in[] = {a, b, c}, zero = const_i32(e, 0), parts[LANES / PART], wide[3];
    LLVMTypeRef type = LLVMTypeOf(a);
    if (e->fma == FMA_INSTRUCTION) return call_intrinsic(e, "llvm.fma", &type, 1, in, 3);
    if (LLVMGetTypeKind(type) != LLVMVectorTypeKind) { /* a scalar is lane 0 of a vector */
        LLVMValueRef none = LLVMConstNull(LLVMVectorType(e->f32, PART));
        for (int i = 0; i < 3; i++)
            wide[i] = LLVMBuildInsertElement(e->builder, none, in[i], zero, "");
        return LLVMBuildExtractElement(e->builder, fused_part(e, wide), zero, "");
    }
    for (int i = 0; i < LANES / PART; i++) parts[i] = fused_part(e, take_part(e, in, i).in);
    return join(e, parts);
}

/* -- hot loops -- */

LLVMValueRef fused_tiny(Emitter *e, LLVMValueRef x) {
    LLVMValueRef found = NULL;
    if (e->fma != FMA_EMULATED) return NULL;
    for (int i = 0; i < LANES / PART; i++) {
        LLVMValueRef tiny = is_tiny(e, part_of(e, x, i * PART), SMALL);
        found = found ? bit_or(e, found, tiny) : tiny;
    }
    return any_lane(e, found);
}

/* fast = (float)(a * b + c) in double, for all lanes; if an operand is tiny, or some sum may be a
 * middle: emit_fused for all lanes. */
LLVMValueRef fused_hot(Emitter *e, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c,
                       LLVMValueRef tiny) {
    LLVMValueRef fast[LANES / PART], found = NULL, in[] = {a, b, c};
    if (e->fma != FMA_EMULATED) return emit_fused(e, a, b, c);
    for (int i = 0; i < LANES / PART; i++) {
        Part part = take_part(e, in, i);
        Sum sums[PART / HALF] = {sum_of(e, part.in, 0), sum_of(e, part.in, 1)};
        LLVMValueRef middle = is_middle(e, sums, in_all_lanes(e, MIDDLE));
        found = found ? bit_or(e, found, middle) : middle;
        fast[i] = narrowed(e, sums[0].sum, sums[1].sum);
    }
    LLVMValueRef result = join(e, fast), suspect = bit_or(e, any_lane(e, found), tiny);
    LLVMBasicBlockRef before = LLVMGetInsertBlock(e->builder);
    If branch = if_begin(e, suspect);
    LLVMValueRef slow = emit_fused(e, a, b, c);
    LLVMBasicBlockRef then = LLVMGetInsertBlock(e->builder);
    if_end(e, branch);
    LLVMValueRef either = LLVMBuildPhi(e->builder, LLVMTypeOf(c), "");
    LLVMAddIncoming(either, (LLVMValueRef[]){result, slow}, (LLVMBasicBlockRef[]){before, then}, 2);
    return either;
}

/* -- sums that stay double -- */

/* Widening and narrowing take more instructions than the multiply-add in between. Sums that stay
 * double are only rounded: double to float and back. */

LLVMTypeRef wide_pair_type(const Emitter *e) { return doubles(e); }

LLVMValueRef fused_tiny_number(Emitter *e, LLVMValueRef x) {
    LLVMValueRef bits = LLVMBuildBitCast(e->builder, x, e->i32, "");
    return lt(e, twice_less_one(e, bits, const_i32(e, INT32_MAX)),
              const_i32(e, (int32_t)tiny_limit(SMALL)));
}

Wide wide_of(Emitter *e, LLVMValueRef vector) {
    Wide wide;
    for (int i = 0; i < WIDE_PAIRS; i++)
        wide.pair[i] = widened(e, part_of(e, vector, i / HALF * PART), i % HALF);
    return wide;
}

LLVMValueRef wide_narrowed(Emitter *e, const Wide *wide) {
    LLVMValueRef parts[LANES / PART];
    for (int i = 0; i < LANES / PART; i++)
        parts[i] = narrowed(e, wide->pair[HALF * i], wide->pair[HALF * i + 1]);
    return join(e, parts);
}

/* x in both halves of a pair. */
static LLVMValueRef wide_splat(Emitter *e, LLVMValueRef x) {
    LLVMValueRef number = LLVMBuildFPExt(e->builder, x, LLVMDoubleTypeInContext(e->context), ""),
                 pair = LLVMGetPoison(doubles(e));
    for (int i = 0; i < HALF; i++)
        pair = LLVMBuildInsertElement(e->builder, pair, number, const_i32(e, i), "");
    return pair;
}

/* A pair rounded to float. */
static LLVMValueRef rounded_pair(Emitter *e, LLVMValueRef pair) {
    LLVMTypeRef type = LLVMVectorType(e->f32, HALF);
    return LLVMBuildFPExt(e->builder, LLVMBuildFPTrunc(e->builder, pair, type, ""), doubles(e), "");
}

LLVMTypeRef wide_found_type(const Emitter *e) { return LLVMVectorType(e->i32, PART); }

LLVMValueRef wide_has_found(Emitter *e, LLVMValueRef found) {
    return any_lane(e, ne(e, found, LLVMConstNull(wide_found_type(e))));
}

/* The end of a sum that may have been rounded wrongly, for is_middle. If x is a power of two, such as
 * 1 or a white pixel, products have 24 bits. Their sums lie in the middle often, but then they are
 * exact: a sum is inexact only if one of its terms is less than 2^-29 of the other one, and the
 * middle is 2^-25 or more away from that. So no sum has the end that is looked for, 28 zeros and 1. */
static LLVMValueRef middle_of(Emitter *e, LLVMValueRef x) {
    const int32_t mantissa = 0x7fffff;
    LLVMValueRef bits = LLVMBuildBitCast(e->builder, x, e->i32, ""),
                 all = LLVMGetPoison(wide_found_type(e));
    LLVMValueRef is_power = eq(e, bit_and(e, bits, const_i32(e, mantissa)), const_i32(e, 0));
    LLVMValueRef end = choose(e, is_power, const_i32(e, 1), const_i32(e, (int32_t)MIDDLE));
    for (int i = 0; i < PART; i++)
        all = LLVMBuildInsertElement(e->builder, all, end, const_i32(e, i), "");
    return all;
}

Wide fused_wide(Emitter *e, LLVMValueRef x, const Wide *columns, const Wide *sums,
                LLVMValueRef *found) {
    Wide result;
    LLVMValueRef factor = wide_splat(e, x), middle = middle_of(e, x);
    for (int i = 0; i < WIDE_PAIRS; i += HALF) {
        Sum both[HALF];
        for (int k = 0; k < HALF; k++) {
            LLVMValueRef product = LLVMBuildFMul(e->builder, columns->pair[i + k], factor, "");
            both[k].sum = fadd(e, product, sums->pair[i + k]);
            result.pair[i + k] = rounded_pair(e, both[k].sum);
        }
        LLVMValueRef some = is_middle(e, both, middle);
        *found = bit_or(e, *found, LLVMBuildSExt(e->builder, some, wide_found_type(e), ""));
    }
    return result;
}
