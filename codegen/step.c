/* The module of a plan: a function per kernel, and `step`, which every thread runs from the first kernel to the last. */
#include "codegen/emit.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef int64_t EmitKernel(Emitter *e, LLVMValueRef first, LLVMValueRef last);
static EmitKernel *const kernel_emitters[KERNEL_KINDS] = {
    [KERNEL_MAP] = kernel_map, [KERNEL_REDUCE] = kernel_reduce, [KERNEL_MATMUL] = kernel_matmul, [KERNEL_GEMM] = kernel_gemm};

typedef struct {
    LLVMValueRef function;
    LLVMTypeRef type;
    LLVMValueRef table; /* of the kernel's bindings */
    int64_t units; /* how many pieces the work comes in, by shape alone */
} EmittedKernel;

Emitter emitter_new(LLVMContextRef context, LLVMModuleRef module, const Target *target) {
    LLVMSetTarget(module, target->triple);
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(target->machine);
    LLVMSetModuleDataLayout(module, layout);
    LLVMDisposeTargetData(layout);
    return (Emitter){.context = context,
                     .module = module,
                     .builder = LLVMCreateBuilderInContext(context),
                     .f32 = LLVMFloatTypeInContext(context),
                     .i64 = LLVMInt64TypeInContext(context),
                     .i32 = LLVMInt32TypeInContext(context),
                     .i8 = LLVMInt8TypeInContext(context),
                     .i1 = LLVMInt1TypeInContext(context),
                     .pointer = LLVMPointerTypeInContext(context, 0),
                     .nothing = LLVMVoidTypeInContext(context),
                     .many_registers = target->many_registers};
}

void emitter_close(Emitter *e) { LLVMDisposeBuilder(e->builder); }

static void add_attribute(Emitter *e, LLVMValueRef function, const char *key, const char *value) {
    LLVMAttributeRef attribute =
        LLVMCreateStringAttribute(e->context, key, (unsigned)strlen(key), value, (unsigned)strlen(value));
    LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, attribute);
}

static void add_flag(Emitter *e, LLVMValueRef function, const char *name) {
    unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
    LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, LLVMCreateEnumAttribute(e->context, kind, 0));
}

/* The code is for this CPU, may use its widest registers, and does not unwind. */
void function_set_target(Emitter *e, LLVMValueRef function, const Target *target) {
    add_attribute(e, function, "target-cpu", target->cpu);
    add_attribute(e, function, "target-features", target->features);
    add_attribute(e, function, "prefer-vector-width", "512");
    add_flag(e, function, "nounwind");
}

static LLVMBasicBlockRef block_new(Emitter *e, const char *name) { return LLVMAppendBasicBlockInContext(e->context, e->function, name); }

static LLVMValueRef emit_table(Emitter *e) {
    LLVMValueRef *entries = ARENA_ARRAY(e->arena, LLVMValueRef, e->binding_count + 1);
    for (uint32_t i = 0; i < e->binding_count; i++) entries[i] = const_i64(e, e->bindings[i].where);
    LLVMValueRef values = LLVMConstArray2(e->i64, entries, e->binding_count);
    LLVMValueRef table = LLVMAddGlobal(e->module, LLVMTypeOf(values), "table");
    LLVMSetInitializer(table, values);
    LLVMSetGlobalConstant(table, true);
    LLVMSetLinkage(table, LLVMPrivateLinkage);
    return table;
}

/* kernel_N(args, first, last, table): does units [first, last) */
static EmittedKernel emit_kernel(Emitter *e, uint32_t number, const Target *target) {
    char name[32];
    snprintf(name, sizeof name, "kernel_%u", number);
    LLVMTypeRef parameters[] = {e->pointer, e->i64, e->i64, e->pointer};
    EmittedKernel result = {.type = LLVMFunctionType(e->nothing, parameters, 4, false)};
    result.function = e->function = LLVMAddFunction(e->module, name, result.type);
    LLVMSetLinkage(e->function, LLVMInternalLinkage);
    LLVMSetUnnamedAddress(e->function, LLVMGlobalUnnamedAddr); /* equal functions may become one */
    function_set_target(e, e->function, target);
    add_flag(e, e->function, "noinline");
    emit_begin_kernel(e, &e->plan->kernels[number]);
    e->entry = block_new(e, "entry");
    LLVMBasicBlockRef body = block_new(e, "work"), end = block_new(e, "end");
    LLVMPositionBuilderAtEnd(e->builder, e->entry);
    LLVMValueRef first = LLVMGetParam(e->function, 1), last = LLVMGetParam(e->function, 2);
    LLVMBuildCondBr(e->builder, LLVMBuildICmp(e->builder, LLVMIntSLT, first, last, ""), body, end);
    LLVMPositionBuilderAtEnd(e->builder, body);
    result.units = kernel_emitters[e->kernel->kind](e, first, last);
    LLVMBuildBr(e->builder, end);
    LLVMPositionBuilderAtEnd(e->builder, end);
    LLVMBuildRetVoid(e->builder);
    result.table = emit_table(e);
    emit_end_kernel(e);
    return result;
}

/* -- the step -- */

static LLVMValueRef load_argument(Emitter *e, size_t offset) {
    LLVMValueRef at = const_i64(e, (int64_t)offset);
    LLVMValueRef pointer = LLVMBuildGEP2(e->builder, e->i8, LLVMGetParam(e->function, 0), &at, 1, "");
    return LLVMBuildLoad2(e->builder, e->pointer, pointer, "");
}

/* All threads meet, if there are several. */
static void emit_barrier(Emitter *e, LLVMValueRef several, LLVMValueRef function, LLVMValueRef context) {
    LLVMBasicBlockRef meet = block_new(e, "meet"), go = block_new(e, "go");
    LLVMBuildCondBr(e->builder, several, meet, go);
    LLVMPositionBuilderAtEnd(e->builder, meet);
    LLVMTypeRef parameters[] = {e->pointer, e->i32};
    LLVMTypeRef type = LLVMFunctionType(e->nothing, parameters, 2, false);
    LLVMBuildCall2(e->builder, type, function, (LLVMValueRef[]){context, LLVMGetParam(e->function, 1)}, 2, "");
    LLVMBuildBr(e->builder, go);
    LLVMPositionBuilderAtEnd(e->builder, go);
}

/* Calls a kernel for this thread's share: units * thread / sharing up to units * (thread + 1) / sharing. Threads beyond the
 * kernel's limit get an empty share. */
static void emit_share(Emitter *e, const Kernel *kernel, const EmittedKernel *emitted, LLVMValueRef thread, LLVMValueRef threads) {
    LLVMValueRef units = const_i64(e, emitted->units), limit = const_i64(e, kernel->max_threads ? kernel->max_threads : 1);
    LLVMValueRef fewer = LLVMBuildICmp(e->builder, LLVMIntSLT, threads, limit, "");
    LLVMValueRef sharing = LLVMBuildSelect(e->builder, fewer, threads, limit, "");
    LLVMValueRef takes_part = LLVMBuildICmp(e->builder, LLVMIntSLT, thread, sharing, "");
    LLVMValueRef number = LLVMBuildSelect(e->builder, takes_part, thread, sharing, "");
    LLVMValueRef next = LLVMBuildAdd(e->builder, number, LLVMBuildZExt(e->builder, takes_part, e->i64, ""), "");
    LLVMValueRef first = LLVMBuildUDiv(e->builder, LLVMBuildMul(e->builder, units, number, ""), sharing, "");
    LLVMValueRef last = LLVMBuildUDiv(e->builder, LLVMBuildMul(e->builder, units, next, ""), sharing, "");
    LLVMValueRef args[] = {LLVMGetParam(e->function, 0), first, last, emitted->table};
    LLVMBuildCall2(e->builder, emitted->type, emitted->function, args, 4, "");
}

/* Notes the time: at times[2 kernel], or [2 kernel + 1] for its end. */
static void emit_time(Emitter *e, LLVMValueRef now, LLVMValueRef times, int64_t index) {
    LLVMTypeRef type = LLVMFunctionType(e->i64, NULL, 0, false);
    LLVMValueRef time = LLVMBuildCall2(e->builder, type, now, NULL, 0, ""), at = const_i64(e, index);
    LLVMBuildStore(e->builder, time, LLVMBuildGEP2(e->builder, e->i64, times, &at, 1, ""));
}

/* What the step consists of: stretches of so many kernels, each a function of its own. In a single one, LLVM's allocation of
 * registers would take time that grows with the square of the number of calls. */
enum { STRETCH = 64 };

typedef struct {
    Emitter *e;
    const EmittedKernel *kernels;
    const Target *target;
    bool profile;
    LLVMTypeRef type;
} StepEmitter;

/* A function (args, thread, threads), and the builder at its start. */
static LLVMValueRef begin_function(const StepEmitter *s, const char *name) {
    Emitter *e = s->e;
    e->function = LLVMAddFunction(e->module, name, s->type);
    function_set_target(e, e->function, s->target);
    LLVMPositionBuilderAtEnd(e->builder, block_new(e, "entry"));
    return e->function;
}

/* stretch_N(args, thread, threads): does this thread's share of kernels [first, last) */
static LLVMValueRef emit_stretch(const StepEmitter *s, uint32_t first, uint32_t last) {
    char name[32];
    Emitter *e = s->e;
    snprintf(name, sizeof name, "stretch_%u", first / STRETCH);
    LLVMValueRef function = begin_function(s, name);
    LLVMSetLinkage(function, LLVMInternalLinkage);
    add_flag(e, function, "noinline");
    LLVMValueRef thread = LLVMBuildSExt(e->builder, LLVMGetParam(function, 1), e->i64, "");
    LLVMValueRef threads = LLVMBuildSExt(e->builder, LLVMGetParam(function, 2), e->i64, "");
    LLVMValueRef several = LLVMBuildICmp(e->builder, LLVMIntSGT, threads, const_i64(e, 1), "");
    LLVMValueRef barrier = load_argument(e, offsetof(StepArgs, barrier)), context = load_argument(e, offsetof(StepArgs, barrier_context));
    LLVMValueRef now = s->profile ? load_argument(e, offsetof(StepArgs, now)) : NULL;
    LLVMValueRef times = s->profile ? load_argument(e, offsetof(StepArgs, times)) : NULL;
    for (uint32_t i = first; i < last; i++) {
        if (e->plan->kernels[i].barrier_before) emit_barrier(e, several, barrier, context);
        if (s->profile) emit_time(e, now, times, 2 * (int64_t)i);
        emit_share(e, &e->plan->kernels[i], &s->kernels[i], thread, threads);
        if (s->profile) emit_time(e, now, times, 2 * (int64_t)i + 1);
    }
    if (last == e->plan->kernel_count) emit_barrier(e, several, barrier, context);
    LLVMBuildRetVoid(e->builder);
    return function;
}

static void emit_step(const StepEmitter *s) {
    Emitter *e = s->e;
    uint32_t kernels = e->plan->kernel_count, count = 0;
    LLVMValueRef *stretches = ARENA_ARRAY(e->arena, LLVMValueRef, kernels / STRETCH + 1);
    for (uint32_t first = 0; first == 0 || first < kernels; first += STRETCH)
        stretches[count++] = emit_stretch(s, first, first + STRETCH < kernels ? first + STRETCH : kernels);
    LLVMValueRef step = begin_function(s, "step");
    LLVMValueRef args[] = {LLVMGetParam(step, 0), LLVMGetParam(step, 1), LLVMGetParam(step, 2)};
    for (uint32_t i = 0; i < count; i++) LLVMBuildCall2(e->builder, s->type, stretches[i], args, 3, "");
    LLVMBuildRetVoid(e->builder);
}

LLVMModuleRef step_module(LLVMContextRef context, const Plan *plan, const Target *target, bool profile) {
    LLVMModuleRef module = LLVMModuleCreateWithNameInContext(plan->graph->name, context);
    Emitter e = emitter_new(context, module, target);
    e.plan = plan;
    e.graph = plan->graph;
    Arena *arena = arena_new();
    e.computed_in = ARENA_ARRAY(arena, uint32_t, plan->graph->node_count);
    EmittedKernel *kernels = ARENA_ARRAY(arena, EmittedKernel, plan->kernel_count);
    for (uint32_t i = 0; i < plan->kernel_count; i++) kernels[i] = emit_kernel(&e, i, target);
    LLVMTypeRef parameters[] = {e.pointer, e.i32, e.i32};
    e.arena = arena;
    emit_step(&(StepEmitter){&e, kernels, target, profile, LLVMFunctionType(e.nothing, parameters, 3, false)});
    arena_free(arena);
    emitter_close(&e);
    return module;
}
