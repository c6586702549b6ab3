/* The LLVM module of a plan: a function for each kernel,
 *
 *     kernel_N(args, first, last, table) { if (first < last) { units [first, last) of kernel N } }
 *
 * and a table of them. Which thread runs which units is decided at run time
 * (runtime/threads/work.c). */
#include "codegen/llvm/step.h"
#include "codegen/kernels/kernels.h"
#include "codegen/matmul/matmul.h"
#include "codegen/llvm/openblas.h"
#include "ir/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int64_t EmitKernel(Emitter *e, LLVMValueRef first, LLVMValueRef last);
static EmitKernel *const kernel_emitters[KERNEL_KINDS] = {
    [KERNEL_MAP] = kernel_map,           [KERNEL_REDUCE] = kernel_reduce,
    [KERNEL_ROW] = kernel_row,           [KERNEL_SCAN] = kernel_scan,
    [KERNEL_WINOGRAD] = kernel_winograd, [KERNEL_MATMUL] = kernel_matmul,
    [KERNEL_GEMM] = kernel_gemm};

void function_set_attribute(Emitter *e, LLVMValueRef function, const char *key, const char *value) {
    LLVMAttributeRef attribute = LLVMCreateStringAttribute(e->context, key, (unsigned)strlen(key),
                                                           value, (unsigned)strlen(value));
    LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, attribute);
}

/* The function is for this CPU, may use its widest registers, and never unwinds. */
void function_set_target(Emitter *e, LLVMValueRef function, const Target *target) {
    function_set_attribute(e, function, "target-cpu", target->cpu);
    function_set_attribute(e, function, "target-features", target->features);
    function_set_attribute(e, function, "prefer-vector-width", "512");
    unsigned kind = LLVMGetEnumAttributeKindForName("nounwind", strlen("nounwind"));
    LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                            LLVMCreateEnumAttribute(e->context, kind, 0));
}

Emitter emitter_new(LLVMContextRef context, LLVMModuleRef module, const Target *target) {
    LLVMSetTarget(module, target->triple);
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(target->machine);
    LLVMSetModuleDataLayout(module, layout);
    size_t word_bytes = LLVMPointerSize(layout);
    bool narrow = word_bytes == sizeof(int32_t);
    LLVMDisposeTargetData(layout);
    enum { GLOBAL = 1 }; /* LLVM's address space of a GPU's memory */
    Emitter e = {.context = context,
                 .module = module,
                 .builder = LLVMCreateBuilderInContext(context),
                 .f32 = LLVMFloatTypeInContext(context),
                 .i64 = LLVMInt64TypeInContext(context),
                 .i32 = LLVMInt32TypeInContext(context),
                 .i8 = LLVMInt8TypeInContext(context),
                 .i1 = LLVMInt1TypeInContext(context),
                 .pointer = LLVMPointerTypeInContext(context, 0),
                 .nothing = LLVMVoidTypeInContext(context),
                 .global = LLVMPointerTypeInContext(context, target->threads ? GLOBAL : 0),
                 .word = LLVMIntTypeInContext(context, (unsigned)word_bytes * 8),
                 .word_bytes = word_bytes,
                 .many_registers = target->many_registers,
                 .short_vectors = target->short_vectors,
                 .core = target->core,
                 .tiles = target->tiles,
                 .fma = target->fma,
                 .pairs = target->pairs,
                 .x86 = target->x86,
                 .threads = target->threads,
                 .single = target->threads,
                 .no_vectors = target->no_vectors,
                 .cortex_m = target->cortex_m,
                 .narrow = narrow || target->threads};
    if (e.fma == FMA_EMULATED) function_set_target(&e, fused_function(&e), target);
    return e;
}

void emitter_close(Emitter *e) { LLVMDisposeBuilder(e->builder); }

static LLVMBasicBlockRef block_new(Emitter *e, const char *name) {
    return LLVMAppendBasicBlockInContext(e->context, e->function, name);
}

/* The kernel's table. On CPUs the entries of constants are 0: compile.c fills in a copy of the
 * table for each program. */
LLVMValueRef step_table(Emitter *e) {
    LLVMValueRef *entries = ARENA_ARRAY(e->arena, LLVMValueRef, e->binding_count + 1);
    for (uint32_t i = 0; i < e->binding_count; i++) {
        int64_t entry = e->bindings[i].where;
        if (e->bindings[i].kind == STORAGE_TABLE)
            entry = e->threads ? graph_node(e->graph, (NodeId)entry)->attrs.value.bits : 0;
        entries[i] = LLVMConstInt(e->word, (uint64_t)entry, true);
    }
    LLVMValueRef values = LLVMConstArray2(e->word, entries, e->binding_count);
    LLVMValueRef table = LLVMAddGlobalInAddressSpace(e->module, LLVMTypeOf(values), "table",
                                                     LLVMGetPointerAddressSpace(e->global));
    LLVMSetInitializer(table, values);
    LLVMSetGlobalConstant(table, true);
    LLVMSetLinkage(table, LLVMPrivateLinkage);
    return table;
}

/* Records which entries of the kernel's table are constants. */
static void note_constants(Emitter *e, uint32_t kernel) {
    StepTables *tables = e->tables;
    tables->sizes[kernel] = e->binding_count;
    for (uint32_t i = 0; i < e->binding_count; i++) {
        if (e->bindings[i].kind != STORAGE_TABLE) continue;
        ARENA_ROOM(tables->arena, tables->constants, tables->count, tables->capacity);
        tables->constants[tables->count++] =
            (struct TableConstant){kernel, i, (NodeId)e->bindings[i].where};
    }
}

EmittedKernel step_kernel(Emitter *e, uint32_t number, const Target *target) {
    char name[32];
    snprintf(name, sizeof name, "kernel_%u", number);
    LLVMTypeRef parameters[] = {e->pointer, e->word, e->word, e->pointer};
    EmittedKernel result = {
        .function =
            LLVMAddFunction(e->module, name, LLVMFunctionType(e->nothing, parameters, 4, false))};
    e->function = result.function;
    LLVMSetLinkage(e->function, LLVMInternalLinkage);
    LLVMSetUnnamedAddress(e->function, LLVMGlobalUnnamedAddr); /* LLVM may merge equal functions */
    function_set_target(e, e->function, target);
    emit_begin_kernel(e, &e->plan->kernels[number]);
    e->entry = block_new(e, "entry");
    LLVMBasicBlockRef body = block_new(e, "work"), end = block_new(e, "end");
    LLVMPositionBuilderAtEnd(e->builder, e->entry);
    LLVMValueRef first = LLVMGetParam(e->function, 1), last = LLVMGetParam(e->function, 2);
    LLVMBuildCondBr(e->builder, LLVMBuildICmp(e->builder, LLVMIntSLT, first, last, ""), body, end);
    LLVMPositionBuilderAtEnd(e->builder, body);
    first = LLVMBuildIntCast2(e->builder, first, e->i64, true, "");
    last = LLVMBuildIntCast2(e->builder, last, e->i64, true, "");
    e->single = e->no_vectors && !kernel_needs_lanes(e);
    e->short_indices = e->no_vectors;
    result.units = kernel_emitters[e->kernel->kind](e, first, last);
    LLVMBuildBr(e->builder, end);
    LLVMPositionBuilderAtEnd(e->builder, end);
    LLVMBuildRetVoid(e->builder);
    e->single = e->short_indices = false;
    result.table = step_table(e);
    if (e->tables) note_constants(e, number);
    emit_end_kernel(e);
    return result;
}

/* -- the table of kernels, in the layout of CompiledKernel -- */

static void emit_kernels(Emitter *e, const Target *target) {
    uint32_t count = e->plan->kernel_count;
    LLVMValueRef *constants = memory_array(count, sizeof *constants, "the kernels of a step");
    for (uint32_t i = 0; i < count; i++) {
        EmittedKernel kernel = step_kernel(e, i, target);
        LLVMValueRef fields[] = {kernel.function, kernel.table, const_i64(e, kernel.units)};
        constants[i] = LLVMConstStructInContext(e->context, fields, 3, false);
    }
    LLVMTypeRef fields[] = {e->pointer, e->pointer, e->i64},
                kernel_type = LLVMStructTypeInContext(e->context, fields, 3, false);
    LLVMValueRef values = LLVMConstArray2(kernel_type, constants, count);
    free(constants);
    LLVMValueRef kernels = LLVMAddGlobal(e->module, LLVMTypeOf(values), STEP_KERNELS);
    LLVMSetInitializer(kernels, values);
    LLVMSetGlobalConstant(kernels, true);
}

LLVMModuleRef step_module(LLVMContextRef context, const Plan *plan, const Target *target,
                          StepTables *tables) {
    LLVMModuleRef module = LLVMModuleCreateWithNameInContext(plan->graph->name, context);
    Emitter e = emitter_new(context, module, target);
    e.plan = plan;
    e.graph = plan->graph;
    e.tables = tables;
    Arena *arena = arena_new();
    if (tables) tables->sizes = ARENA_ARRAY(tables->arena, uint32_t, plan->kernel_count);
    e.computed_in = ARENA_ARRAY(arena, uint32_t, plan->graph->node_count);
    emit_kernels(&e, target);
    arena_free(arena);
    emitter_close(&e);
    return module;
}
