/* A new state with the first weights of a training: the numbers of state_initialize
 * (ir/ops/random.c), by the same operations in the same order.
 *
 *     draw(words, sub, block, seed)    words[0..3]: the block of random bits
 *     normal(bits)                     a double with normal distribution
 *     fresh(state, seed)               for each element: words, then its value
 */
#include "codegen/emit/arithmetic.h"
#include "codegen/ship/ship_module.h"
#include "ir/ops/random.h"

#include <string.h>

/* The smallest end of a uniform distribution whose parts of 2^-23 are f32 without error. */
#define MIN_EXACT_END 0x1p-100F

typedef struct {
    Emitter *e;
    const ShipRequest *request;
    const Target *target;
    LLVMValueRef draw, normal; /* functions */
    LLVMValueRef words, seed;  /* of the function `fresh` */
} Fresh;

/* Whether values are L * j * 2^-23 with whole numbers j: random.c's low + (high - low) * unit is
 * then exact before it is rounded to f32, and a product of f32 is rounded in the same way. */
static bool is_symmetric(Init init) {
    return init.kind == INIT_UNIFORM && init.a == -init.b && init.b >= MIN_EXACT_END;
}

FirstValues ship_first_values(Init init) {
    if (init.kind == INIT_CONSTANT || is_symmetric(init)) return FIRST_IN_F32;
    return init.kind == INIT_ORTHOGONAL ? FIRST_UNKNOWN : FIRST_IN_F64;
}

static LLVMTypeRef f64_of(const Emitter *e) { return LLVMDoubleTypeInContext(e->context); }
static LLVMValueRef f64(const Emitter *e, double value) { return LLVMConstReal(f64_of(e), value); }
static LLVMValueRef long_of(Emitter *e, LLVMValueRef number) {
    return LLVMBuildZExt(e->builder, number, e->i64, "");
}

/* -- random bits -- */

static LLVMValueRef word_at(Emitter *e, LLVMValueRef words, int i) {
    return pointer_after(e, words, (size_t)i * sizeof(uint32_t));
}

/* The high word of a product of two 32-bit numbers goes to *high. Returns the low one. */
static LLVMValueRef product(Emitter *e, uint32_t factor, LLVMValueRef number, LLVMValueRef *high) {
    LLVMValueRef whole =
        LLVMBuildMul(e->builder, LLVMConstInt(e->i64, factor, false), long_of(e, number), "");
    *high = ship_high_word(e, whole);
    return LLVMBuildTrunc(e->builder, whole, e->i32, "");
}

/* A key of a round: the first one, and a constant for each round before. */
static LLVMValueRef round_key(Emitter *e, LLVMValueRef first, LLVMValueRef round, uint32_t step) {
    LLVMValueRef number = LLVMBuildTrunc(e->builder, round, e->i32, "");
    LLVMValueRef steps = LLVMBuildMul(e->builder, number, LLVMConstInt(e->i32, step, false), "");
    return LLVMBuildAdd(e->builder, first, steps, "");
}

/* philox_4x32 (ir/ops/random.c) on the counter in `words`. */
static void emit_philox(Emitter *e, LLVMValueRef words, LLVMValueRef seed) {
    LLVMValueRef low = LLVMBuildTrunc(e->builder, seed, e->i32, ""), high = ship_high_word(e, seed),
                 c[4], high0, high2;
    Loop round = loop_begin(e, const_i64(e, 0));
    for (int i = 0; i < 4; i++) c[i] = load(e, e->i32, word_at(e, words, i));
    LLVMValueRef low0 = product(e, 0xD2511F53u, c[0], &high0),
                 low2 = product(e, 0xCD9E8D57u, c[2], &high2);
    LLVMValueRef first = LLVMBuildXor(e->builder, high2, c[1], ""),
                 third = LLVMBuildXor(e->builder, high0, c[3], "");
    first = LLVMBuildXor(e->builder, first, round_key(e, low, round.index, 0x9E3779B9u), "");
    third = LLVMBuildXor(e->builder, third, round_key(e, high, round.index, 0xBB67AE85u), "");
    const LLVMValueRef next[] = {first, low2, third, low0};
    for (int i = 0; i < 4; i++) store(e, next[i], word_at(e, words, i));
    loop_end(e, round, const_i64(e, 10), 1);
}

/* Begins a function that only `fresh` calls. */
static LLVMValueRef begin_inner(Fresh *fresh, const char *name, LLVMTypeRef result,
                                LLVMTypeRef *types, uint32_t count) {
    Emitter *e = fresh->e;
    unsigned apart = LLVMGetEnumAttributeKindForName("noinline", strlen("noinline"));
    ship_begin_typed(e, fresh->target, arena_format(e->arena, "%s_%s", fresh->request->name, name),
                     LLVMFunctionType(result, types, count, false));
    LLVMSetLinkage(e->function, LLVMInternalLinkage);
    LLVMAddAttributeAtIndex(e->function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                            LLVMCreateEnumAttribute(e->context, apart, 0));
    return e->function;
}

static LLVMValueRef call(Emitter *e, LLVMValueRef function, LLVMValueRef *args, unsigned count) {
    return LLVMBuildCall2(e->builder, LLVMGlobalGetValueType(function), function, args, count, "");
}

static void emit_draw(Fresh *fresh) {
    Emitter *e = fresh->e;
    LLVMTypeRef types[] = {e->pointer, e->i32, e->i32, e->i64};
    fresh->draw = begin_inner(fresh, "draw", e->nothing, types, 4);
    LLVMValueRef words = LLVMGetParam(e->function, 0);
    const LLVMValueRef counter[] = {LLVMGetParam(e->function, 2), const_i32(e, 0),
                                    LLVMGetParam(e->function, 1), const_i32(e, STREAM_INIT)};
    for (int i = 0; i < 4; i++) store(e, counter[i], word_at(e, words, i));
    emit_philox(e, words, LLVMGetParam(e->function, 3));
    LLVMBuildRetVoid(e->builder);
}

/* -- the normal distribution -- */

#define REAL(name, build)                                                                          \
    static LLVMValueRef name(Emitter *e, LLVMValueRef a, LLVMValueRef b) {                         \
        return build(e->builder, a, b, "");                                                        \
    }
REAL(real_add, LLVMBuildFAdd)
REAL(real_sub, LLVMBuildFSub)
REAL(real_mul, LLVMBuildFMul)
REAL(real_div, LLVMBuildFDiv)
#undef REAL

static LLVMValueRef emit_polynomial(Emitter *e, const double *coefficients, LLVMValueRef x) {
    LLVMValueRef value = f64(e, coefficients[NORMAL_TERMS - 1]);
    for (int i = NORMAL_TERMS - 1; i-- > 0;)
        value = real_add(e, real_mul(e, value, x), f64(e, coefficients[i]));
    return value;
}

static LLVMValueRef emit_ratio(Emitter *e, NormalRatio ratio, LLVMValueRef x) {
    return real_div(e, emit_polynomial(e, ratio.above, x), emit_polynomial(e, ratio.below, x));
}

/* portable_log (ir/ops/random.c). */
static LLVMValueRef emit_log(Emitter *e, LLVMValueRef x) {
    LLVMBuilderRef b = e->builder;
    LLVMValueRef bits = LLVMBuildBitCast(b, x, e->i64, ""), one = f64(e, 1);
    LLVMValueRef above = LLVMBuildSub(b, bits, LLVMConstInt(e->i64, NORMAL_SQRT_HALF, false), "");
    LLVMValueRef exponent = LLVMBuildAShr(b, above, const_i64(e, 52), "");
    bits = LLVMBuildSub(b, bits, LLVMBuildShl(b, exponent, const_i64(e, 52), ""), "");
    LLVMValueRef m = LLVMBuildBitCast(b, bits, f64_of(e), "");
    LLVMValueRef s = real_div(e, real_sub(e, m, one), real_add(e, m, one)), z = real_mul(e, s, s),
                 series = f64(e, 0);
    for (int i = 23; i > 1; i -= 2) series = real_mul(e, real_add(e, series, f64(e, 1.0 / i)), z);
    LLVMValueRef part = real_add(e, s, real_mul(e, s, series));
    exponent = LLVMBuildTrunc(b, exponent, e->i32, "");
    LLVMValueRef whole = LLVMBuildSIToFP(b, exponent, f64_of(e), "");
    return real_add(e, real_mul(e, whole, f64(e, NORMAL_LN_2)), real_mul(e, f64(e, 2), part));
}

static LLVMValueRef unary(Emitter *e, const char *name, LLVMValueRef x) {
    LLVMTypeRef type = f64_of(e);
    return call_intrinsic(e, name, &type, 1, &x, 1);
}

/* normal_of_bits (ir/ops/random.c). */
static void emit_normal(Fresh *fresh) {
    Emitter *e = fresh->e;
    LLVMBuilderRef b = e->builder;
    fresh->normal = begin_inner(fresh, "normal", f64_of(e), &e->i32, 1);
    LLVMValueRef bits = LLVMBuildUIToFP(b, LLVMGetParam(e->function, 0), f64_of(e), "");
    LLVMValueRef p = real_mul(e, real_add(e, bits, f64(e, 0.5)), f64(e, 0x1p-32)),
                 q = real_sub(e, p, f64(e, 0.5));
    LLVMValueRef below = LLVMBuildFCmp(b, LLVMRealOLT, q, f64(e, 0), ""),
                 near = LLVMBuildFCmp(b, LLVMRealOLE, unary(e, "llvm.fabs", q),
                                      f64(e, NORMAL_MIDDLE), "");
    LLVMValueRef square = real_sub(e, f64(e, NORMAL_SQUARE), real_mul(e, q, q)),
                 middle = real_mul(e, q, emit_polynomial(e, normal_middle.above, square));
    middle = real_div(e, middle, emit_polynomial(e, normal_middle.below, square));
    LLVMValueRef end = choose(e, below, p, real_sub(e, f64(e, 1), p)),
                 root = unary(e, "llvm.sqrt", LLVMBuildFNeg(b, emit_log(e, end), ""));
    LLVMValueRef far = emit_ratio(e, normal_tail, real_sub(e, root, f64(e, NORMAL_ROOT)));
    far = choose(e, below, LLVMBuildFNeg(b, far, ""), far);
    LLVMBuildRet(b, choose(e, near, middle, far));
}

/* -- the values of a weight -- */

static LLVMValueRef f32_rounded(Emitter *e, LLVMValueRef value) {
    return LLVMBuildFPTrunc(e->builder, value, e->f32, "");
}

static LLVMValueRef uniform_value(Emitter *e, Init init, LLVMValueRef bits) {
    LLVMValueRef unit = LLVMBuildLShr(e->builder, bits, const_i32(e, 8), "");
    if (is_symmetric(init)) {
        LLVMValueRef j = LLVMBuildSub(e->builder, unit, const_i32(e, 1 << 23), "");
        return real_mul(e, LLVMBuildSIToFP(e->builder, j, e->f32, ""),
                        LLVMConstReal(e->f32, (double)init.b * 0x1p-23));
    }
    double low = (double)init.a, width = (double)init.b - low;
    LLVMValueRef part = LLVMBuildUIToFP(e->builder, unit, f64_of(e), "");
    part = real_mul(e, f64(e, width), real_mul(e, part, f64(e, 0x1p-24)));
    LLVMValueRef value = f32_rounded(e, real_add(e, f64(e, low), part)),
                 high = LLVMConstReal(e->f32, (double)init.b),
                 under = LLVMConstReal(e->f32, (double)uniform_largest(init));
    if (init.b <= init.a) return value;
    return choose(e, LLVMBuildFCmp(e->builder, LLVMRealOLT, value, high, ""), value, under);
}

static LLVMValueRef normal_value(const Fresh *fresh, Init init, LLVMValueRef bits) {
    Emitter *e = fresh->e;
    LLVMValueRef normal = call(e, fresh->normal, &bits, 1);
    LLVMValueRef far = real_mul(e, f64(e, (double)init.b), normal);
    return f32_rounded(e, real_add(e, f64(e, (double)init.a), far));
}

/* The value of element `index` of a weight. */
static LLVMValueRef value_at(const Fresh *fresh, const Symbol *symbol, LLVMValueRef index) {
    Emitter *e = fresh->e;
    Init init = symbol->init;
    if (init.kind == INIT_CONSTANT) return LLVMConstReal(e->f32, (double)init.a);
    LLVMValueRef block = LLVMBuildLShr(e->builder, index, const_i64(e, 2), ""),
                 place = bit_and(e, index, const_i64(e, 3));
    LLVMValueRef args[] = {fresh->words, LLVMConstInt(e->i32, hash_name(symbol->name), false),
                           LLVMBuildTrunc(e->builder, block, e->i32, ""), fresh->seed};
    call(e, fresh->draw, args, 4);
    LLVMValueRef bits =
        load(e, e->i32, LLVMBuildGEP2(e->builder, e->i32, fresh->words, &place, 1, ""));
    return init.kind == INIT_NORMAL ? normal_value(fresh, init, bits)
                                    : uniform_value(e, init, bits);
}

static void fill_block(const Fresh *fresh, const ShipBlock *block) {
    Emitter *e = fresh->e;
    const Symbol *symbol = block->symbol;
    Elements at = elements_begin(e, symbol);
    LLVMValueRef value = value_at(fresh, symbol, element_offset(e, &at, (Layout){0}));
    LLVMValueRef to = pointer_after(e, LLVMGetParam(e->function, 0), block->offset);
    store(e, value, element_pointer(e, to, symbol->dtype, element_offset(e, &at, block->layout)));
    elements_end(e, &at);
}

/* Whether a block belongs to a tensor of the network. Others, such as the moments of an optimizer,
 * have their first values already. */
static bool is_network(const ShipTraining *training, const ShipBlock *block) {
    for (uint32_t i = 0; i < training->tensor_count; i++)
        if (!strcmp(training->blocks[training->tensors[i]].symbol->name, block->symbol->name))
            return true;
    return false;
}

void ship_emit_fresh(Emitter *e, const ShipRequest *request, const Target *target) {
    const ShipTraining *training = request->training;
    Fresh fresh = {.e = e, .request = request, .target = target};
    bool normal = false;
    for (uint32_t i = 0; i < training->block_count; i++)
        normal = normal || training->blocks[i].symbol->init.kind == INIT_NORMAL;
    emit_draw(&fresh);
    if (normal) emit_normal(&fresh);
    LLVMTypeRef types[] = {e->pointer, e->i64};
    ship_begin_typed(e, target, training->fresh, LLVMFunctionType(e->nothing, types, 2, false));
    fresh.words = LLVMBuildAlloca(e->builder, LLVMArrayType2(e->i64, 2), "");
    fresh.seed = LLVMGetParam(e->function, 1);
    LLVMValueRef state = LLVMGetParam(e->function, 0);
    call(e, LLVMGetNamedFunction(e->module, training->make), &state, 1);
    ship_set_seed(e, state, fresh.seed);
    for (uint32_t i = 0; i < training->block_count; i++)
        if (is_network(training, &training->blocks[i])) fill_block(&fresh, &training->blocks[i]);
    LLVMBuildRetVoid(e->builder);
}
