/* A function in parts, which several threads of the caller share:
 *
 *     SYMBOL(phase, part, parts, argument..., output..., scratch) {
 *         check the numbers, scratch and the state
 *         if (only part 0 has work in this phase && part > 0) return 0
 *         switch (phase) {
 *         case 0: compute the inputs; for the kernels up to the first barrier: the units of `part`
 *         case 1: for the kernels up to the second barrier: ...
 *         ...
 *         }
 *         return 0
 *     }
 *
 * Phases are the stages between two barriers of the plan. In a stage, kernels are divided as
 * runtime/threads/work.c divides them: by groups of rows, by units, or not at all. Which part
 * computes a unit changes no bit. */
#include "codegen/emit/arithmetic.h"
#include "codegen/ship/ship_inputs.h"
#include "codegen/ship/ship_module.h"

/* Kernels [begin, end) of the plan, and what is done before and after them. */
typedef struct {
    uint32_t begin, end;
    bool computes_inputs, finishes;
    bool alone; /* part 0 does all of it */
} ShipPhase;

typedef struct {
    ShipPhase *items;
    uint32_t count;
} ShipPhases;

static bool is_divided(const Kernel *kernel) {
    return !kernel->replicated && kernel->max_threads > 1;
}

static bool has_computed_inputs(const Shipping *shipping) {
    return shipping->inputs < shipping->end;
}

/* The kernels up to the next barrier. */
static ShipPhase next_stage(const Plan *plan, uint32_t begin) {
    ShipPhase phase = {.begin = begin, .end = begin, .alone = true};
    for (; phase.end < plan->kernel_count; phase.end++) {
        const Kernel *kernel = &plan->kernels[phase.end];
        if (phase.end > begin && kernel->barrier_before) break;
        if (is_divided(kernel)) phase.alone = false;
    }
    return phase;
}

/* Inputs are computed, and outputs copied, by part 0: in the first and the last stage if it does
 * these alone, otherwise in phases of their own. */
static ShipPhases find_phases(const Shipping *shipping) {
    const Plan *plan = shipping->function->plan;
    ShipPhases phases = {.items =
                             ARENA_ARRAY(shipping->e->arena, ShipPhase, plan->kernel_count + 3)};
    ShipPhase *items = phases.items;
    ShipPhase stage = next_stage(plan, 0);
    if (has_computed_inputs(shipping) && !stage.alone)
        items[phases.count++] = (ShipPhase){.computes_inputs = true, .alone = true};
    else
        stage.computes_inputs = has_computed_inputs(shipping);
    items[phases.count++] = stage;
    while (items[phases.count - 1].end < plan->kernel_count) {
        stage = next_stage(plan, items[phases.count - 1].end);
        items[phases.count++] = stage;
    }
    if (!items[phases.count - 1].alone)
        items[phases.count++] =
            (ShipPhase){.begin = plan->kernel_count, .end = plan->kernel_count, .alone = true};
    items[phases.count - 1].finishes = true;
    return phases;
}

/* -- the numbers -- */

typedef struct {
    Shipping *shipping;
    ShipPhases phases;
    LLVMValueRef phase;       /* i32 */
    LLVMValueRef part, parts; /* i64 */
} Parts;

/* Returns SHIP_WRONG_PART unless part < parts <= most and phase < phases, without a sign. */
static void check_numbers(const Parts *parts) {
    Shipping *shipping = parts->shipping;
    Emitter *e = shipping->e;
    LLVMValueRef most = const_i64(e, shipping->request->parts),
                 phases = const_i32(e, (int32_t)parts->phases.count);
    LLVMValueRef right = bit_and(e, ult(e, parts->part, parts->parts),
                                 LLVMBuildICmp(e->builder, LLVMIntULE, parts->parts, most, ""));
    return_if(e, bit_not(e, bit_and(e, right, ult(e, parts->phase, phases))), SHIP_WRONG_PART);
}

/* Returns 0 from parts that have no work in a phase. They must not read the state, as part 0 may
 * change its count of steps. The phases stand in a table: C has no form for the masks that LLVM
 * would make of comparisons. */
static void leave_idle(const Parts *parts) {
    Emitter *e = parts->shipping->e;
    uint32_t count = parts->phases.count;
    LLVMValueRef *alone = ARENA_ARRAY(e->arena, LLVMValueRef, count);
    for (uint32_t i = 0; i < count; i++) alone[i] = const_i32(e, parts->phases.items[i].alone);
    LLVMValueRef values = LLVMConstArray2(e->i32, alone, count);
    LLVMValueRef table = LLVMAddGlobal(e->module, LLVMTypeOf(values), "alone");
    LLVMSetInitializer(table, values);
    LLVMSetGlobalConstant(table, true);
    LLVMSetLinkage(table, LLVMPrivateLinkage);
    LLVMValueRef at = LLVMBuildZExt(e->builder, parts->phase, e->i64, ""),
                 entry = LLVMBuildGEP2(e->builder, e->i32, table, &at, 1, "");
    LLVMValueRef is_alone = ne(e, load(e, e->i32, entry), const_i32(e, 0));
    return_if(e, bit_and(e, is_alone, ne(e, parts->part, const_i64(e, 0))), 0);
}

/* -- kernels -- */

/* Runs the units of the part, of which `threads` parts get some:
 *     used = min(parts, threads)
 *     groups [groups * min(part, used) / used, groups * min(part + 1, used) / used)
 * A group has `each` units. */
static void call_share(const Parts *parts, uint32_t k, LLVMValueRef groups, LLVMValueRef each,
                       uint32_t threads) {
    Emitter *e = parts->shipping->e;
    LLVMValueRef most = const_i64(e, threads), ends[2];
    LLVMValueRef used = choose(e, ult(e, parts->parts, most), parts->parts, most);
    for (int i = 0; i < 2; i++) {
        LLVMValueRef number = plus(e, parts->part, i);
        number = choose(e, ult(e, number, used), number, used);
        ends[i] = mul(e, udiv(e, mul(e, number, groups), used), each);
    }
    ship_call_kernel(parts->shipping, k, ends[0], ends[1]);
}

/* The kernels by rows of a stage are divided in the same way: for the most threads that one of them
 * is worth. */
static uint32_t row_threads(const Plan *plan, const ShipPhase *phase) {
    uint32_t threads = 1;
    for (uint32_t k = phase->begin; k < phase->end; k++) {
        const Kernel *kernel = &plan->kernels[k];
        if (is_divided(kernel) && kernel->by_rows && kernel->max_threads > threads)
            threads = kernel->max_threads;
    }
    return threads;
}

static void call_kernel(const Parts *parts, const ShipPhase *phase, uint32_t k) {
    Shipping *shipping = parts->shipping;
    Emitter *e = shipping->e;
    const Plan *plan = shipping->function->plan;
    const Kernel *kernel = &plan->kernels[k];
    if (kernel->replicated) return;
    if (phase->alone) {
        ship_call_whole_kernel(shipping, k);
    } else if (!is_divided(kernel)) {
        If first = if_begin(e, eq(e, parts->part, const_i64(e, 0)));
        ship_call_whole_kernel(shipping, k);
        if_end(e, first);
    } else if (kernel->by_rows) {
        LLVMValueRef groups = const_i64(e, kernel->space.dim[0] / PLAN_ROWS);
        LLVMValueRef each = udiv(e, ship_units(shipping, k), groups);
        call_share(parts, k, groups, each, row_threads(plan, phase));
    } else if (shipping->body.kernels[k].units) {
        call_share(parts, k, ship_units(shipping, k), const_i64(e, 1), kernel->max_threads);
    }
}

/* Runs replicated kernels before the first kernel that reads them: each part for itself. A phase
 * that part 0 does alone leaves the other parts without them. */
static void call_replicated(const Parts *parts, const ShipPhase *phase) {
    const Plan *plan = parts->shipping->function->plan;
    for (const ShipPhase *before = parts->phases.items; before <= phase; before++) {
        bool reads = false;
        for (uint32_t k = before->begin; k < before->end; k++)
            reads |= plan->kernels[k].reads_replicated;
        if (before < phase && reads && (!before->alone || phase->alone)) return;
        if (before == phase && !reads) return;
    }
    for (uint32_t k = 0; k < plan->kernel_count; k++)
        if (plan->kernels[k].replicated) ship_call_whole_kernel(parts->shipping, k);
}

static void emit_phases(const Parts *parts) {
    Emitter *e = parts->shipping->e;
    LLVMBasicBlockRef none = LLVMAppendBasicBlockInContext(e->context, e->function, "none");
    LLVMValueRef choice = LLVMBuildSwitch(e->builder, parts->phase, none, parts->phases.count);
    for (uint32_t i = 0; i < parts->phases.count; i++) {
        LLVMBasicBlockRef block = LLVMAppendBasicBlockInContext(e->context, e->function, "phase");
        LLVMAddCase(choice, const_i32(e, (int32_t)i), block);
        LLVMPositionBuilderAtEnd(e->builder, block);
        const ShipPhase *phase = &parts->phases.items[i];
        if (phase->computes_inputs) ship_compute_inputs(parts->shipping);
        call_replicated(parts, phase);
        for (uint32_t k = phase->begin; k < phase->end; k++) call_kernel(parts, phase, k);
        if (phase->finishes) ship_finish(parts->shipping);
        LLVMBuildRet(e->builder, const_i32(e, 0));
    }
    LLVMPositionBuilderAtEnd(e->builder, none);
    LLVMBuildRet(e->builder, const_i32(e, SHIP_WRONG_PART));
}

uint32_t ship_emit_parts(Shipping *shipping) {
    Emitter *e = shipping->e;
    ship_begin_call(shipping, shipping->function->part_symbol, 3);
    Parts parts = {.shipping = shipping,
                   .phases = find_phases(shipping),
                   .phase = LLVMGetParam(e->function, 0)};
    parts.part = LLVMBuildZExt(e->builder, LLVMGetParam(e->function, 1), e->i64, "");
    parts.parts = LLVMBuildZExt(e->builder, LLVMGetParam(e->function, 2), e->i64, "");
    check_numbers(&parts);
    leave_idle(&parts);
    ship_prepare_call(shipping, parts.part);
    emit_phases(&parts);
    return parts.phases.count;
}
