/* The module of a plan for a GPU: a function for each kernel, and the kernel "step" that calls
 * them.
 *
 *     kernel_N(args, thread, threads, table)
 *         for (unit = thread; unit < units; unit += threads): unit of kernel N
 *
 *     step(args, steps, arrivals, arrived)
 *         for each step: for each stage
 *             for each kernel N of the stage:
 *                 if N reads what the block has stored in this stage: its threads meet
 *                 kernel_N(args[step], (thread - first thread of N) mod threads, threads, table_N)
 *             barrier(arrivals, arrived += blocks)
 *
 *     barrier(arrivals, target)
 *         all threads of the block meet
 *         thread 0: *arrivals += 1, and wait until it has reached the target
 *         all threads of the block meet
 *
 * The counter never goes back, so no block can take one barrier for another.
 *
 * Timed code notes clocks at the begin of the step, after each kernel, and after each barrier:
 *
 *     mark(place)
 *         all threads of the block meet
 *         thread 0: *place = clock */
#include "codegen/cuda/cuda_step.h"
#include "codegen/cuda/ptx.h"
#include "codegen/matmul/element_product.h"
#include "codegen/kernels/kernels.h"
#include "codegen/llvm/step.h"

#include <stdio.h>
#include <string.h>

typedef int64_t EmitThreads(Emitter *e, LLVMValueRef unit, LLVMValueRef last);
static EmitThreads *const thread_emitters[KERNEL_KINDS] = {
    [KERNEL_MAP] = kernel_map,   [KERNEL_REDUCE] = kernel_reduce,   [KERNEL_ROW] = kernel_row,
    [KERNEL_SCAN] = kernel_scan, [KERNEL_WINOGRAD] = cuda_winograd, [KERNEL_MATMUL] = cuda_matmul};

/* LLVM must not move code that other threads wait for into or out of branches. */
static LLVMAttributeRef convergent(const Emitter *e) {
    unsigned kind = LLVMGetEnumAttributeKindForName("convergent", strlen("convergent"));
    return LLVMCreateEnumAttribute(e->context, kind, 0);
}

static LLVMBasicBlockRef begin_function(Emitter *e, const char *name, LLVMTypeRef type,
                                        const Target *target) {
    e->function = LLVMAddFunction(e->module, name, type);
    function_set_target(e, e->function, target);
    LLVMAddAttributeAtIndex(e->function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                            convergent(e));
    e->entry = LLVMAppendBasicBlockInContext(e->context, e->function, "entry");
    LLVMPositionBuilderAtEnd(e->builder, e->entry);
    return e->entry;
}

/* -- the units of a kernel -- */

/* for (at = first; at < units; at += step). Emitting the body tells the number of units, so the
 * branch at the head is emitted last. */
typedef struct {
    LLVMBasicBlockRef head, body;
    LLVMValueRef at, step;
} UnitLoop;

static UnitLoop stride_begin(Emitter *e, LLVMValueRef first, LLVMValueRef step) {
    UnitLoop loop = {.head = LLVMAppendBasicBlockInContext(e->context, e->function, "head"),
                     .body = LLVMAppendBasicBlockInContext(e->context, e->function, "unit"),
                     .step = step};
    LLVMBuildBr(e->builder, loop.head);
    LLVMPositionBuilderAtEnd(e->builder, loop.head);
    loop.at = LLVMBuildPhi(e->builder, e->i64, "");
    LLVMAddIncoming(loop.at, &first, &e->entry, 1);
    LLVMPositionBuilderAtEnd(e->builder, loop.body);
    return loop;
}

static void stride_end(Emitter *e, const UnitLoop *loop, int64_t units) {
    LLVMBasicBlockRef latch = LLVMGetInsertBlock(e->builder),
                      end = LLVMAppendBasicBlockInContext(e->context, e->function, "end");
    LLVMValueRef next = add(e, loop->at, loop->step);
    LLVMBuildBr(e->builder, loop->head);
    LLVMAddIncoming(loop->at, &next, &latch, 1);
    LLVMPositionBuilderAtEnd(e->builder, loop->head);
    LLVMBuildCondBr(e->builder, lt(e, loop->at, const_i64(e, units)), loop->body, end);
    LLVMPositionBuilderAtEnd(e->builder, end);
}

/* A warp computes two rows side by side, LANES threads a row. All its threads go through the same
 * turns of the loop, since they exchange values. So in the last turn, threads may have no row: they
 * compute the last one again, and store nothing. */
static int64_t emit_rows(Emitter *e, int64_t units) {
    enum { TOGETHER = CUDA_WARP / LANES };
    LLVMValueRef thread = LLVMGetParam(e->function, 1), threads = LLVMGetParam(e->function, 2);
    LLVMValueRef first = times(e, over(e, thread, CUDA_WARP), TOGETHER),
                 inside = modulo(e, over(e, thread, LANES), TOGETHER),
                 last = const_i64(e, units - 1);
    e->lane = modulo(e, thread, LANES);
    UnitLoop loop = stride_begin(e, first, over(e, threads, LANES));
    LLVMValueRef unit = add(e, loop.at, inside);
    e->active = units % TOGETHER ? le(e, unit, last) : NULL;
    if (e->active) unit = choose(e, e->active, unit, last);
    thread_emitters[e->kernel->kind](e, unit, NULL);
    stride_end(e, &loop, units);
    e->lane = e->active = NULL;
    return units;
}

static int64_t emit_elements(Emitter *e) {
    UnitLoop loop = stride_begin(e, LLVMGetParam(e->function, 1), LLVMGetParam(e->function, 2));
    int64_t units = thread_emitters[e->kernel->kind](e, loop.at, NULL);
    stride_end(e, &loop, units);
    return units;
}

static LLVMTypeRef kernel_type(const Emitter *e) {
    LLVMTypeRef parameters[] = {e->global, e->i64, e->i64, e->global};
    return LLVMFunctionType(e->nothing, parameters, 4, false);
}

/* Blocks take tiles of a product as threads take units. */
static void emit_tiles(Emitter *e, const CudaWork *work) {
    LLVMValueRef block = over(e, LLVMGetParam(e->function, 1), DEVICE_BLOCK),
                 blocks = over(e, LLVMGetParam(e->function, 2), DEVICE_BLOCK);
    UnitLoop loop = stride_begin(e, block, blocks);
    cuda_tiles(e, &work->tile, loop.at);
    stride_end(e, &loop, work->units);
}

/* Emits kernel `number`. work: how it is divided if it is a product; of others, it receives that. */
static EmittedKernel emit_kernel(Emitter *e, uint32_t number, const Target *target,
                                 CudaWork *work) {
    char name[32];
    snprintf(name, sizeof name, "kernel_%u", number);
    emit_begin_kernel(e, &e->plan->kernels[number]);
    begin_function(e, name, kernel_type(e), target);
    LLVMSetLinkage(e->function, LLVMInternalLinkage);
    LLVMSetUnnamedAddress(e->function, LLVMGlobalUnnamedAddr); /* LLVM may merge equal functions */
    int64_t rows = kernel_shared_units(e);
    if (rows) work->division = CUDA_ROWS;
    switch (work->division) {
    case CUDA_TILES: emit_tiles(e, work); break;
    case CUDA_ROWS: work->units = emit_rows(e, rows); break;
    case CUDA_ELEMENTS: work->units = emit_elements(e); break;
    }
    LLVMBuildRetVoid(e->builder);
    EmittedKernel kernel = {.function = e->function, .table = step_table(e)};
    emit_end_kernel(e);
    return kernel;
}

/* The first choice for a product. */
static CudaWork divide_product(Emitter *e, const Kernel *kernel) {
    emit_begin_kernel(e, kernel);
    ElementProduct p = product_of(e);
    KernelWork all = kernel_work(e->plan, kernel);
    CudaWork work = {.batch = p.batch,
                     .rows = p.rows,
                     .columns = p.columns,
                     .depth = product_depth(&p),
                     .together = cuda_together(kernel)};
    work.end = cuda_element_cycles(&all, p.batch * p.rows * p.columns, work.depth);
    cuda_divide_product(&work);
    emit_end_kernel(e);
    return work;
}

/* Products come last: how they are divided depends on the other kernels. */
static void emit_kernels(Emitter *e, const Target *target, CudaWork *work, EmittedKernel *kernels) {
    const Plan *plan = e->plan;
    for (uint32_t k = 0; k < plan->kernel_count; k++) {
        work[k] = (CudaWork){0};
        if (plan->kernels[k].kind == KERNEL_MATMUL)
            work[k] = divide_product(e, &plan->kernels[k]);
        else
            kernels[k] = emit_kernel(e, k, target, &work[k]);
    }
    cuda_divide(plan, work);
    for (uint32_t k = 0; k < plan->kernel_count; k++)
        if (plan->kernels[k].kind == KERNEL_MATMUL)
            kernels[k] = emit_kernel(e, k, target, &work[k]);
}

/* -- the barrier of the grid -- */

static LLVMValueRef special_register(Emitter *e, const char *name) {
    char full[48];
    snprintf(full, sizeof full, "llvm.nvvm.read.ptx.sreg.%s.x", name);
    return call_intrinsic(e, full, NULL, 0, NULL, 0);
}

/* Assembly that all threads of a block run together. */
static LLVMValueRef call_together(Emitter *e, LLVMTypeRef result, const char *text,
                                  const char *constraints, LLVMValueRef *args, unsigned count) {
    LLVMValueRef call = call_assembly(e, result, text, constraints, args, count);
    LLVMAddCallSiteAttribute(call, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, convergent(e));
    return call;
}

/* *arrivals += 1. Other blocks that read the new count see what this block has stored before. */
static void arrive(Emitter *e, LLVMValueRef arrivals) {
    call_together(e, e->nothing, "red.release.gpu.global.add.u32 [$0], $1;", "l,r,~{memory}",
                  (LLVMValueRef[]){arrivals, const_i32(e, 1)}, 2);
}

/* do count = *arrivals while (count - target < 0): the difference is right even after the counter
 * has passed 2^32. */
static void await(Emitter *e, LLVMValueRef arrivals, LLVMValueRef target) {
    LLVMBasicBlockRef wait = LLVMAppendBasicBlockInContext(e->context, e->function, "wait"),
                      there = LLVMAppendBasicBlockInContext(e->context, e->function, "there");
    LLVMBuildBr(e->builder, wait);
    LLVMPositionBuilderAtEnd(e->builder, wait);
    LLVMValueRef count = call_together(e, e->i32, "ld.acquire.gpu.global.u32 $0, [$1];",
                                       "=r,l,~{memory}", &arrivals, 1);
    LLVMBuildCondBr(e->builder, lt(e, sub(e, count, target), const_i32(e, 0)), wait, there);
    LLVMPositionBuilderAtEnd(e->builder, there);
}

/* All threads of the block meet. */
static LLVMValueRef block_barrier(Emitter *e) {
    return call_intrinsic(e, "llvm.nvvm.barrier0", NULL, 0, NULL, 0);
}

static LLVMTypeRef barrier_type(const Emitter *e) {
    LLVMTypeRef parameters[] = {e->global, e->i32};
    return LLVMFunctionType(e->nothing, parameters, 2, false);
}

static LLVMValueRef emit_barrier(Emitter *e, const Target *target) {
    begin_function(e, "barrier", barrier_type(e), target);
    LLVMSetLinkage(e->function, LLVMInternalLinkage);
    LLVMValueRef arrivals = LLVMGetParam(e->function, 0);
    block_barrier(e);
    If first = if_begin(e, eq(e, special_register(e, "tid"), const_i32(e, 0)));
    arrive(e, arrivals);
    await(e, arrivals, LLVMGetParam(e->function, 1));
    if_end(e, first);
    block_barrier(e);
    LLVMBuildRetVoid(e->builder);
    return e->function;
}

/* -- clocks -- */

/* `clock64`: cycles of the processor; `globaltimer`: nanoseconds. Memory is part of the statement, so
 * that no load or store changes its place. */
static LLVMValueRef read_clock(Emitter *e, const char *name) {
    char text[48];
    snprintf(text, sizeof text, "mov.u64 $0, %%%s;", name);
    return call_together(e, e->i64, text, "=l,~{memory}", NULL, 0);
}

static LLVMTypeRef mark_type(const Emitter *e) {
    LLVMTypeRef parameters[] = {e->global};
    return LLVMFunctionType(e->nothing, parameters, 1, false);
}

/* void mark_CLOCK(u64 *place) */
static LLVMValueRef emit_mark(Emitter *e, const char *clock, const Target *target) {
    char name[32];
    snprintf(name, sizeof name, "mark_%s", clock);
    begin_function(e, name, mark_type(e), target);
    LLVMSetLinkage(e->function, LLVMInternalLinkage);
    block_barrier(e);
    If first = if_begin(e, eq(e, special_register(e, "tid"), const_i32(e, 0)));
    store(e, read_clock(e, clock), LLVMGetParam(e->function, 0));
    if_end(e, first);
    LLVMBuildRetVoid(e->builder);
    return e->function;
}

/* -- the step -- */

/* The functions that the step calls, and the values that all calls need. */
typedef struct {
    const EmittedKernel *kernels;
    CudaStages stages;
    LLVMValueRef barrier;
    LLVMValueRef mark_time, mark_cycles; /* functions of timed code; else NULL */
    LLVMValueRef thread, threads, blocks;
    LLVMValueRef arrived; /* a slot: the counter after the next barrier is this + blocks */
    LLVMValueRef mark;    /* of timed code, a slot: where the block notes the next clock */
} StepCalls;

/* The threads of a block are numbered without gaps, and so are those of the next block. */
static void number_threads(Emitter *e, StepCalls *calls) {
    LLVMValueRef size = special_register(e, "ntid");
    calls->blocks = special_register(e, "nctaid");
    LLVMValueRef thread =
        add(e, mul(e, special_register(e, "ctaid"), size), special_register(e, "tid"));
    calls->thread = LLVMBuildZExt(e->builder, thread, e->i64, "");
    calls->threads = LLVMBuildZExt(e->builder, mul(e, calls->blocks, size), e->i64, "");
}

static LLVMValueRef block_words(Emitter *e, const StepCalls *calls) {
    return times(e, LLVMBuildZExt(e->builder, calls->blocks, e->i64, ""), sizeof(uint64_t));
}

/* The clocks of a block follow each other at the distance of all blocks. */
static void call_mark(Emitter *e, const StepCalls *calls, LLVMValueRef mark) {
    if (!calls->mark) return;
    LLVMValueRef place = load(e, e->global, calls->mark), step = block_words(e, calls);
    LLVMBuildCall2(e->builder, mark_type(e), mark, &place, 1, "");
    store(e, LLVMBuildGEP2(e->builder, e->i8, place, &step, 1, ""), calls->mark);
}

static void call_barrier(Emitter *e, const StepCalls *calls) {
    LLVMValueRef target = add(e, load(e, e->i32, calls->arrived), calls->blocks);
    store(e, target, calls->arrived);
    LLVMValueRef args[] = {LLVMGetParam(e->function, 2), target};
    LLVMBuildCall2(e->builder, barrier_type(e), calls->barrier, args, 2, "");
    call_mark(e, calls, calls->mark_cycles);
}

/* (thread - first thread of block `first`) mod threads */
static LLVMValueRef thread_from(Emitter *e, const StepCalls *calls, int64_t first) {
    if (!first) return calls->thread;
    LLVMValueRef block = LLVMBuildURem(e->builder, const_i32(e, (int32_t)first), calls->blocks, "");
    LLVMValueRef shift = times(e, LLVMBuildZExt(e->builder, block, e->i64, ""), DEVICE_BLOCK),
                 thread = sub(e, calls->thread, shift);
    return choose(e, lt(e, thread, const_i64(e, 0)), add(e, thread, calls->threads), thread);
}

/* Block `first` gets the first units of the kernel. */
static void call_kernel(Emitter *e, const StepCalls *calls, LLVMValueRef args, uint32_t number,
                        int64_t first) {
    const EmittedKernel *kernel = &calls->kernels[number];
    LLVMValueRef arguments[] = {args, thread_from(e, calls, first), calls->threads, kernel->table};
    LLVMBuildCall2(e->builder, kernel_type(e), kernel->function, arguments, 4, "");
    call_mark(e, calls, calls->mark_cycles);
}

/* Each stage ends with a barrier; the last one too, as the next step reads the states that it has
 * stored. */
static void call_stages(Emitter *e, const StepCalls *calls, LLVMValueRef args) {
    const CudaStages *stages = &calls->stages;
    for (uint32_t s = 0; s < stages->count; s++) {
        for (uint32_t i = stages->begin[s]; i < stages->begin[s + 1]; i++) {
            uint32_t kernel = stages->kernels[i];
            if (stages->waits[kernel]) block_barrier(e);
            call_kernel(e, calls, args, kernel, stages->block[kernel]);
        }
        call_barrier(e, calls);
    }
}

/* Blocks of the kernel have DEVICE_BLOCK threads, and a processor need not run several at once: so
 * the assembler may give them all registers. */
static void set_block_size(Emitter *e, LLVMValueRef function) {
    const struct {
        const char *name;
        int value;
    } limits[] = {{"reqntidx", DEVICE_BLOCK}, {"minctasm", 1}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        LLVMMetadataRef parts[] = {
            LLVMValueAsMetadata(function),
            LLVMMDStringInContext2(e->context, limits[i].name, strlen(limits[i].name)),
            LLVMValueAsMetadata(const_i32(e, limits[i].value))};
        LLVMMetadataRef note = LLVMMDNodeInContext2(e->context, parts, 3);
        LLVMAddNamedMetadataOperand(e->module, "nvvm.annotations",
                                    LLVMMetadataAsValue(e->context, note));
    }
}

/* Block b notes its first clock at word b. */
static void open_marks(Emitter *e, StepCalls *calls) {
    LLVMValueRef block = LLVMBuildZExt(e->builder, special_register(e, "ctaid"), e->i64, ""),
                 at = times(e, block, sizeof(uint64_t));
    calls->mark = stack_slot(e, e->global, sizeof(uint64_t));
    store(e, LLVMBuildGEP2(e->builder, e->i8, LLVMGetParam(e->function, 4), &at, 1, ""),
          calls->mark);
}

static void begin_step(Emitter *e, const Target *target, bool timed) {
    enum { PTX_KERNEL = 71 }; /* LLVM's number of the calling convention */
    LLVMTypeRef parameters[] = {e->global, e->i64, e->global, e->i32, e->global};
    LLVMTypeRef type = LLVMFunctionType(e->nothing, parameters, timed ? 5 : 4, false);
    begin_function(e, "step", type, target);
    LLVMSetFunctionCallConv(e->function, PTX_KERNEL);
    set_block_size(e, e->function);
}

static void emit_step(Emitter *e, StepCalls *calls, const Target *target) {
    begin_step(e, target, calls->mark_cycles);
    number_threads(e, calls);
    if (calls->mark_cycles) open_marks(e, calls);
    LLVMValueRef steps = LLVMGetParam(e->function, 1), args = LLVMGetParam(e->function, 0);
    calls->arrived = stack_slot(e, e->i32, sizeof(int32_t));
    store(e, LLVMGetParam(e->function, 3), calls->arrived);
    If some = if_begin(e, lt(e, const_i64(e, 0), steps));
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef at = times(e, loop.index, (int64_t)sizeof(StepArgs));
    call_mark(e, calls, calls->mark_time);
    call_mark(e, calls, calls->mark_cycles);
    call_stages(e, calls, LLVMBuildGEP2(e->builder, e->i8, args, &at, 1, ""));
    loop_end(e, loop, steps, 1);
    if_end(e, some);
    LLVMBuildRetVoid(e->builder);
}

LLVMModuleRef cuda_module(LLVMContextRef context, const Plan *plan, const Target *target,
                          const CudaSettings *settings) {
    LLVMModuleRef module = LLVMModuleCreateWithNameInContext(plan->graph->name, context);
    Arena *arena = arena_new();
    Emitter e = emitter_new(context, module, target);
    e.plan = plan;
    e.graph = plan->graph;
    e.computed_in = ARENA_ARRAY(arena, uint32_t, plan->graph->node_count);
    EmittedKernel *kernels = ARENA_ARRAY(arena, EmittedKernel, plan->kernel_count);
    CudaWork *work =
        settings->work ? settings->work : ARENA_ARRAY(arena, CudaWork, plan->kernel_count);
    emit_kernels(&e, target, work, kernels);
    StepCalls calls = {.kernels = kernels, .stages = cuda_stages(plan, work, arena)};
    calls.barrier = emit_barrier(&e, target);
    if (settings->timed) {
        calls.mark_time = emit_mark(&e, "globaltimer", target);
        calls.mark_cycles = emit_mark(&e, "clock64", target);
    }
    emit_step(&e, &calls, target);
    emitter_close(&e);
    arena_free(arena);
    return module;
}
