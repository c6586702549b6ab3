/* The module of a shipped object: the weights, the kernels of each plan, and for each plan a
 * function
 *
 *     SYMBOL(argument..., output..., scratch) {
 *         if (scratch is not aligned) return 1
 *         compute the inputs into scratch
 *         run kernel 0, 1, ... with all their units
 *         copy the outputs out of scratch
 *         return 0
 *     }
 *
 * A function with a state also checks the state's alignment and magic number, and its kernels read
 * the weights there. After a step, the count of steps in the state is increased.
 *
 * Scratch holds, in this order: the slab, the outputs, the thread slab with the arrays of kernels,
 * one for each part of a call, and the inputs that are computed. */
#include "codegen/ship/ship_module.h"
#include "codegen/emit/arithmetic.h"
#include "codegen/llvm/step.h"
#include "codegen/ship/ship_inputs.h"
#include "codegen/ship/ship_math.h"
#include "ir/data/run_clock.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static size_t aligned(size_t bytes) { return (size_t)round_up((int64_t)bytes, SHIP_ALIGNMENT); }

static size_t symbol_bytes(const Symbol *symbol) {
    return aligned((size_t)shape_elements(symbol->shape) * dtype_bytes(symbol->dtype));
}

/* Whether an input is computed from the arguments. Otherwise it is an argument, or a number of the
 * clock such as "step". */
static bool is_computed(const Shipping *shipping, const Symbol *symbol) {
    return symbol->kind == SYMBOL_BATCH && symbol->node &&
           ship_passed(shipping->request, symbol) < 0;
}

/* Makes LLVM report the function's frame, and makes the frame all of the stack that the function
 * uses: nothing lies below the stack pointer, and the stack is not realigned for vectors. */
static void measure_frame(Emitter *e, LLVMValueRef function) {
    unsigned kind = LLVMGetEnumAttributeKindForName("noredzone", strlen("noredzone"));
    function_set_attribute(e, function, "warn-stack-size", "0");
    function_set_attribute(e, function, "no-realign-stack", "");
    LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                            LLVMCreateEnumAttribute(e->context, kind, 0));
}

/* -- kernels -- */

/* Emits all kernels for the target of a body. Returns the most bytes of scratch that the arrays of
 * one kernel take. */
static size_t emit_body(const Shipping *shipping, ShipBody *body) {
    Emitter *e = body->e;
    const Plan *plan = shipping->function->plan;
    ShippedMemory memory = {.states = shipping->function->states};
    size_t slots = 0;
    e->plan = plan;
    e->graph = plan->graph;
    e->shipped = &memory;
    Arena *arena = e->arena;
    e->computed_in = ARENA_ARRAY(arena, uint32_t, plan->graph->node_count);
    e->kernel_number = 0;
    body->kernels = ARENA_ARRAY(arena, EmittedKernel, plan->kernel_count);
    for (uint32_t i = 0; i < plan->kernel_count; i++) {
        memory.slot_bytes = 0;
        body->kernels[i] = step_kernel(e, i, body->target);
        measure_frame(e, body->kernels[i].function);
        if (memory.slot_bytes > slots) slots = memory.slot_bytes;
    }
    e->arena = arena; /* step_kernel has used its own */
    e->shipped = NULL;
    return slots;
}

static void emit_kernels(Shipping *shipping) {
    const Plan *plan = shipping->function->plan;
    size_t slots = emit_body(shipping, &shipping->body),
           wide = shipping->wide.e ? emit_body(shipping, &shipping->wide) : 0;
    shipping->outputs = aligned(plan->slab_bytes);
    shipping->thread_slab = shipping->outputs + aligned(plan->output_bytes);
    shipping->part_bytes = aligned(plan->thread_slab_bytes) + (slots > wide ? slots : wide);
    shipping->inputs = shipping->thread_slab + shipping->request->parts * shipping->part_bytes;
    shipping->end = shipping->inputs;
    for (uint32_t i = 0; i < plan->graph->symbol_count; i++)
        if (is_computed(shipping, &plan->graph->symbols[i]))
            shipping->end += symbol_bytes(&plan->graph->symbols[i]);
}

/* -- the function -- */

LLVMValueRef pointer_after(Emitter *e, LLVMValueRef base, size_t bytes) {
    LLVMValueRef offset = const_i64(e, (int64_t)bytes);
    return LLVMBuildGEP2(e->builder, e->i8, base, &offset, 1, "");
}

void return_if(Emitter *e, LLVMValueRef condition, int32_t status) {
    LLVMBasicBlockRef wrong = LLVMAppendBasicBlockInContext(e->context, e->function, "wrong"),
                      right = LLVMAppendBasicBlockInContext(e->context, e->function, "right");
    LLVMBuildCondBr(e->builder, condition, wrong, right);
    LLVMPositionBuilderAtEnd(e->builder, wrong);
    LLVMBuildRet(e->builder, const_i32(e, status));
    LLVMPositionBuilderAtEnd(e->builder, right);
}

void ship_begin_typed(Emitter *e, const Target *target, const char *symbol, LLVMTypeRef type) {
    e->function = LLVMAddFunction(e->module, symbol, type);
    function_set_target(e, e->function, target);
    measure_frame(e, e->function);
    e->entry = LLVMAppendBasicBlockInContext(e->context, e->function, "entry");
    LLVMPositionBuilderAtEnd(e->builder, e->entry);
}

void ship_begin_function(Emitter *e, const Target *target, const char *symbol, uint32_t numbers,
                         uint32_t pointers, bool returns) {
    uint32_t parameters = numbers + pointers;
    LLVMTypeRef *types = ARENA_ARRAY(e->arena, LLVMTypeRef, parameters);
    for (uint32_t i = 0; i < parameters; i++) types[i] = i < numbers ? e->i32 : e->pointer;
    ship_begin_typed(e, target, symbol,
                     LLVMFunctionType(returns ? e->i32 : e->nothing, types, parameters, false));
}

static bool has_state(const Shipping *shipping) { return shipping->function->kind != SHIP_RUN; }

static LLVMValueRef state_of(const Shipping *shipping) {
    return LLVMGetParam(shipping->e->function, shipping->numbers);
}

static LLVMValueRef scratch_of(const Shipping *shipping) {
    return LLVMGetLastParam(shipping->e->function);
}

static LLVMValueRef argument_of(const Shipping *shipping, uint32_t i) {
    return LLVMGetParam(shipping->e->function, shipping->numbers + has_state(shipping) + i);
}

void ship_check_alignment(Emitter *e, LLVMValueRef pointer) {
    LLVMValueRef address = LLVMBuildPtrToInt(e->builder, pointer, e->i64, "");
    LLVMValueRef off = bit_and(e, address, const_i64(e, SHIP_ALIGNMENT - 1));
    return_if(e, ne(e, off, const_i64(e, 0)), SHIP_MISALIGNED);
}

/* An input that is neither an argument nor computed from arguments: a number of the clock. */
static LLVMValueRef clock_number(Emitter *e, const Symbol *symbol, LLVMValueRef clock) {
    RunClock fields;
    const int32_t *field = run_clock_field(&fields, symbol->name);
    size_t at = (size_t)((const char *)field - (const char *)&fields);
    return pointer_after(e, clock, at);
}

void ship_compute_inputs(const Shipping *shipping) {
    Emitter *e = shipping->e;
    const Graph *graph = shipping->function->plan->graph;
    uint32_t count = shipping->function->argument_count;
    LLVMValueRef *arguments = ARENA_ARRAY(e->arena, LLVMValueRef, count);
    size_t at = shipping->inputs;
    for (uint32_t i = 0; i < count; i++) arguments[i] = argument_of(shipping, i);
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (!is_computed(shipping, symbol)) continue;
        ship_compute(e, shipping->request, symbol, arguments,
                     pointer_after(e, scratch_of(shipping), at));
        at += symbol_bytes(symbol);
    }
}

/* Fills the array StepArgs.inputs. */
static void fill_inputs(const Shipping *shipping, LLVMValueRef inputs, LLVMValueRef clock) {
    Emitter *e = shipping->e;
    const Graph *graph = shipping->function->plan->graph;
    size_t at = shipping->inputs;
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        LLVMValueRef input;
        if (symbol->kind == SYMBOL_STATE || !symbol->node) continue;
        if (is_computed(shipping, symbol)) {
            input = pointer_after(e, scratch_of(shipping), at);
            at += symbol_bytes(symbol);
        } else
            input = symbol->kind == SYMBOL_BATCH
                        ? argument_of(shipping, (uint32_t)ship_passed(shipping->request, symbol))
                        : clock_number(e, symbol, clock);
        store(e, input, word_after(e, inputs, i));
    }
}

static void fill_args(const Shipping *shipping, LLVMValueRef inputs, LLVMValueRef part) {
    Emitter *e = shipping->e;
    LLVMValueRef scratch = scratch_of(shipping),
                 thread_slab = pointer_after(e, scratch, shipping->thread_slab);
    LLVMValueRef offset = part ? times(e, part, (int64_t)shipping->part_bytes) : NULL;
    if (offset) thread_slab = LLVMBuildGEP2(e->builder, e->i8, thread_slab, &offset, 1, "");
    const struct {
        size_t field;
        LLVMValueRef value;
    } fields[] = {
        {offsetof(StepArgs, slab), scratch},
        {offsetof(StepArgs, states), has_state(shipping) ? state_of(shipping) : shipping->weights},
        {offsetof(StepArgs, inputs), inputs},
        {offsetof(StepArgs, outputs), pointer_after(e, scratch, shipping->outputs)},
        {offsetof(StepArgs, thread_slab), thread_slab},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        store(e, fields[i].value, word_after(e, shipping->args, fields[i].field / sizeof(void *)));
}

static void call_body(const Shipping *shipping, const ShipBody *body, uint32_t k,
                      LLVMValueRef first, LLVMValueRef last) {
    Emitter *e = shipping->e;
    const EmittedKernel *kernel = &body->kernels[k];
    LLVMTypeRef type = LLVMGlobalGetValueType(kernel->function);
    LLVMValueRef values[] = {shipping->args,
                             LLVMBuildIntCast2(e->builder, first, e->word, true, ""),
                             LLVMBuildIntCast2(e->builder, last, e->word, true, ""), kernel->table};
    LLVMBuildCall2(e->builder, type, kernel->function, values, 4, "");
}

void ship_call_kernel(const Shipping *shipping, uint32_t k, LLVMValueRef first, LLVMValueRef last) {
    Emitter *e = shipping->e;
    if (!shipping->takes_wide) {
        call_body(shipping, &shipping->body, k, first, last);
        return;
    }
    Fork wide = fork_begin(e, shipping->takes_wide);
    call_body(shipping, &shipping->wide, k, first, last);
    fork_else(e, wide);
    call_body(shipping, &shipping->body, k, first, last);
    fork_end(e, wide);
}

LLVMValueRef ship_units(const Shipping *shipping, uint32_t k) {
    Emitter *e = shipping->e;
    LLVMValueRef units = const_i64(e, shipping->body.kernels[k].units);
    if (!shipping->takes_wide) return units;
    return choose(e, shipping->takes_wide, const_i64(e, shipping->wide.kernels[k].units), units);
}

void ship_call_whole_kernel(const Shipping *shipping, uint32_t k) {
    ship_call_kernel(shipping, k, const_i64(shipping->e, 0), ship_units(shipping, k));
}

/* for i < elements: to[i] = from[i] */
static void copy_output(Emitter *e, const Node *node, LLVMValueRef from, LLVMValueRef to) {
    LLVMTypeRef type = dtype_type(e, node->dtype, true);
    e->short_indices = e->no_vectors;
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef value = load(e, type, element_pointer(e, from, node->dtype, loop.index));
    store(e, value, element_pointer(e, to, node->dtype, loop.index));
    loop_end(e, loop, const_i64(e, shape_elements(node->shape)), 1);
    e->short_indices = false;
}

/* The position of an output among those that the function returns; -1: it is not returned. A step
 * returns the loss only. */
static int32_t given_output(const ShipFunction *function, uint32_t output) {
    if (function->kind != SHIP_STEP) return (int32_t)output;
    return strcmp(function->plan->graph->outputs[output].name, "loss") ? -1 : 0;
}

static void copy_outputs(const Shipping *shipping) {
    Emitter *e = shipping->e;
    const ShipFunction *function = shipping->function;
    const Plan *plan = function->plan;
    LLVMValueRef block = pointer_after(e, scratch_of(shipping), shipping->outputs);
    for (uint32_t k = 0; k < plan->kernel_count; k++)
        for (uint32_t i = 0; i < plan->kernels[k].store_count; i++) {
            Storage to = plan->kernels[k].stores[i].to;
            int32_t output = to.kind == STORAGE_OUTPUT ? given_output(function, to.index) : -1;
            if (output < 0) continue;
            const Node *node = graph_node(plan->graph, plan->graph->outputs[to.index].node);
            copy_output(e, node, pointer_after(e, block, to.offset),
                        argument_of(shipping, function->argument_count + (uint32_t)output));
        }
}

void ship_finish(const Shipping *shipping) {
    Emitter *e = shipping->e;
    copy_outputs(shipping);
    if (shipping->function->kind != SHIP_STEP) return;
    ship_finish_step(e, shipping->request->training, state_of(shipping));
    /* a step returns SHIP_NOT_FINITE if |loss| < infinity does not hold */
    LLVMValueRef loss = load(e, e->f32, argument_of(shipping, shipping->function->argument_count));
    LLVMValueRef size = call_intrinsic(e, "llvm.fabs", &e->f32, 1, &loss, 1);
    LLVMValueRef infinity = LLVMConstBitCast(const_i32(e, 0x7f800000), e->f32);
    return_if(e, LLVMBuildFCmp(e->builder, LLVMRealUGE, size, infinity, ""), SHIP_NOT_FINITE);
}

static LLVMValueRef words_on_stack(Emitter *e, size_t count) {
    return LLVMBuildAlloca(e->builder, LLVMArrayType2(e->word, count), "");
}

/* Whether the system keeps the registers of AVX-512 (XCR0, bits 5 to 7), which it does only where
 * the processor has them. All such processors run x86-64-v4, but for the Xeon Phi, which was made
 * until 2018. Asking costs some cycles, unlike CPUID, at which virtual machines stop. */
static LLVMValueRef has_wide_registers(Emitter *e) {
    enum { KEPT = 0xe0 };
    LLVMValueRef zero = const_i32(e, 0), kept = const_i64(e, KEPT);
    LLVMValueRef state = call_intrinsic(e, "llvm.x86.xgetbv", NULL, 0, &zero, 1);
    return eq(e, bit_and(e, state, kept), kept);
}

void ship_begin_call(Shipping *shipping, const char *symbol, uint32_t numbers) {
    Emitter *e = shipping->e;
    const ShipFunction *function = shipping->function;
    const Graph *graph = function->plan->graph;
    uint32_t outputs = function->kind == SHIP_STEP ? 1 : graph->output_count;
    shipping->numbers = numbers;
    ship_begin_function(e, shipping->target, symbol, numbers,
                        has_state(shipping) + function->argument_count + outputs + 1, true);
    shipping->args = words_on_stack(e, sizeof(StepArgs) / sizeof(void *));
    shipping->input_pointers = words_on_stack(e, graph->symbol_count);
    shipping->clock =
        LLVMBuildAlloca(e->builder, LLVMArrayType2(e->i64, (sizeof(RunClock) + 7) / 8), "");
    if (shipping->wide.e) shipping->takes_wide = has_wide_registers(e);
    ship_check_alignment(e, scratch_of(shipping));
    if (!has_state(shipping)) return;
    const ShipTraining *training = shipping->request->training;
    ship_check_alignment(e, state_of(shipping));
    ship_check_state(e, training ? training->magic : shipping->request->given_magic,
                     state_of(shipping));
}

void ship_prepare_call(const Shipping *shipping, LLVMValueRef part) {
    Emitter *e = shipping->e;
    if (shipping->function->kind == SHIP_STEP)
        ship_fill_clock(e, shipping->request->training, state_of(shipping), shipping->clock);
    else
        for (size_t i = 0; i < sizeof(RunClock) / sizeof(int32_t); i++)
            store(e, const_i32(e, 0), pointer_after(e, shipping->clock, i * sizeof(int32_t)));
    fill_inputs(shipping, shipping->input_pointers, shipping->clock);
    fill_args(shipping, shipping->input_pointers, part);
}

static void emit_function(Shipping *shipping) {
    Emitter *e = shipping->e;
    ship_begin_call(shipping, shipping->function->symbol, 0);
    ship_prepare_call(shipping, NULL);
    ship_compute_inputs(shipping);
    for (uint32_t k = 0; k < shipping->function->plan->kernel_count; k++)
        ship_call_whole_kernel(shipping, k);
    ship_finish(shipping);
    LLVMBuildRet(e->builder, const_i32(e, 0));
}

static void add_buffers(Emitter *e, const ShipRequest *request, const ShipSizes *sizes) {
    size_t scratch = 0;
    for (uint32_t i = 0; i < request->function_count; i++)
        if (sizes[i].scratch > scratch) scratch = sizes[i].scratch;
    ship_add_buffer(e->module, arena_format(e->arena, "%s_scratch", request->name), scratch);
    for (uint32_t i = 0; i < request->buffer_count; i++)
        ship_add_buffer(e->module, request->buffers[i].name, request->buffers[i].bytes);
}

LLVMModuleRef ship_module(LLVMContextRef context, const ShipRequest *request, const Target *target,
                          ShipMath math, ShipSizes *sizes) {
    LLVMModuleRef module = LLVMModuleCreateWithNameInContext(request->name, context);
    Emitter e = emitter_new(context, module, target), wide = {0};
    Arena *arena = e.arena = arena_new();
    if (target->wide) wide = emitter_new(context, module, target->wide);
    wide.arena = arena;
    if (e.fused) measure_frame(&e, e.fused);
    LLVMValueRef weights = ship_add_weights(module, request);
    for (uint32_t i = 0; i < request->function_count; i++) {
        Shipping shipping = {.e = &e,
                             .request = request,
                             .function = &request->functions[i],
                             .target = target,
                             .body = {.e = &e, .target = target},
                             .wide = {.e = target->wide ? &wide : NULL, .target = target->wide},
                             .weights = weights};
        emit_kernels(&shipping);
        emit_function(&shipping);
        if (shipping.function->part_symbol) sizes[i].phases = ship_emit_parts(&shipping);
        sizes[i].scratch = shipping.end;
    }
    if (request->buffers) add_buffers(&e, request, sizes);
    if (request->training) ship_state_functions(&e, request, target, weights);
    math_add(module, math);
    for (LLVMValueRef at = NULL; math && (at = math_next(module, at));) {
        function_set_target(&e, at, target);
        measure_frame(&e, at);
    }
    arena_free(arena);
    emitter_close(&e);
    if (target->wide) emitter_close(&wide);
    return module;
}
