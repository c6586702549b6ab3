/* The LLVM module of a shipped object. Internal to codegen/. */
#ifndef MLC_CODEGEN_SHIP_SHIP_MODULE_H
#define MLC_CODEGEN_SHIP_SHIP_MODULE_H

#include "codegen/emit/emit.h"
#include "codegen/llvm/step.h"
#include "codegen/ship.h"
#include "codegen/ship/ship_math.h"
#include "codegen/target/target.h"

/* The kernels of a plan as code for one target. */
typedef struct {
    Emitter *e; /* NULL: there is no such code */
    const Target *target;
    EmittedKernel *kernels; /* [plan->kernel_count] */
} ShipBody;

/* A function that is being emitted. */
typedef struct {
    Emitter *e;
    const ShipRequest *request;
    const ShipFunction *function;
    const Target *target;
    ShipBody body, wide;     /* wide: for target->wide */
    LLVMValueRef takes_wide; /* i1: whether this call runs `wide`; NULL: there is none */
    LLVMValueRef weights;
    /* the pieces of scratch: bytes from its beginning; then the bytes of a part's thread slab */
    size_t outputs, thread_slab, inputs, end, part_bytes;
    uint32_t numbers; /* i32 parameters, which come before the pointers */
    /* on the stack: a StepArgs, the array StepArgs.inputs, a RunClock */
    LLVMValueRef args, input_pointers, clock;
} Shipping;

/* -- ship_module.c -- */

/* Makes the module; sizes[i].scratch becomes that of function i. math: which functions of
 * ship_math.h it contains. */
LLVMModuleRef ship_module(LLVMContextRef context, const ShipRequest *request, const Target *target,
                          ShipMath math, ShipSizes *sizes);

/* Begins a function of the object that a caller sees. Its parameters are i32 numbers and then
 * pointers; it returns an i32, or nothing. The builder stands in its first block. */
void ship_begin_function(Emitter *e, const Target *target, const char *symbol, uint32_t numbers,
                         uint32_t pointers, bool returns);
/* The same, for any type of a function. */
void ship_begin_typed(Emitter *e, const Target *target, const char *symbol, LLVMTypeRef type);
/* Begins a function that runs kernels: checks scratch and state. */
void ship_begin_call(Shipping *shipping, const char *symbol, uint32_t numbers);
/* Fills what kernels read: the clock, the addresses of inputs, those of memory. part: the number of
 * the part, whose thread slab is taken; NULL: 0. */
void ship_prepare_call(const Shipping *shipping, LLVMValueRef part);
/* Computes the inputs that are not arguments. */
void ship_compute_inputs(const Shipping *shipping);
/* The units of a kernel, which depend on the body that the call runs. */
LLVMValueRef ship_units(const Shipping *shipping, uint32_t k);
/* Runs units [first, last) of a kernel, or all of them. */
void ship_call_kernel(const Shipping *shipping, uint32_t k, LLVMValueRef first, LLVMValueRef last);
void ship_call_whole_kernel(const Shipping *shipping, uint32_t k);
/* Gives the outputs to the caller, and ends a step. May return from the function. */
void ship_finish(const Shipping *shipping);
LLVMValueRef pointer_after(Emitter *e, LLVMValueRef base, size_t bytes);
/* if (address % SHIP_ALIGNMENT) return SHIP_MISALIGNED */
void ship_check_alignment(Emitter *e, LLVMValueRef pointer);
/* if (condition) return status */
void return_if(Emitter *e, LLVMValueRef condition, int32_t status);

/* -- ship_parts.c -- */

/* Emits function->part_symbol. Returns the number of its phases. */
uint32_t ship_emit_parts(Shipping *shipping);

/* -- ship_weights.c -- */

/* Adds memory of a module for WebAssembly, filled with 0. */
LLVMValueRef ship_add_buffer(LLVMModuleRef module, const char *name, size_t bytes);
/* Adds the weights to the module that reads them: as constants, as memory, or as a symbol of
 * another object. NULL: the caller gives them to each function. */
LLVMValueRef ship_add_weights(LLVMModuleRef module, const ShipRequest *request);
/* Makes the module that defines request->weights_symbol, and nothing else. */
LLVMModuleRef ship_weights_module(LLVMContextRef context, const ShipRequest *request);

/* -- ship_state.c: what training keeps -- */

/* The functions that make a state, and read the network's tensors out of it. */
void ship_state_functions(Emitter *e, const ShipRequest *request, const Target *target,
                          LLVMValueRef weights);
/* The upper half of an i64, as an i32. */
LLVMValueRef ship_high_word(Emitter *e, LLVMValueRef number);
/* Stores the seed of a training in its state. */
void ship_set_seed(Emitter *e, LLVMValueRef state, LLVMValueRef seed);
/* A loop over the elements of a state, in row-major order. The offset is that of the element in a
 * layout. */
typedef struct {
    int64_t rows, columns;
    Loop row, column;
} Elements;
Elements elements_begin(Emitter *e, const Symbol *symbol);
LLVMValueRef element_offset(Emitter *e, const Elements *all, Layout layout);
void elements_end(Emitter *e, const Elements *all);
/* Emits code that returns SHIP_WRONG_STATE if the state was not made by this object. */
void ship_check_state(Emitter *e, uint64_t magic, LLVMValueRef state);
/* Fills a RunClock for the step that the state has come to. */
void ship_fill_clock(Emitter *e, const ShipTraining *training, LLVMValueRef state,
                     LLVMValueRef clock);
/* After a step: counts it, and copies updated blocks to blocks of the same tensor in other
 * layouts. */
void ship_finish_step(Emitter *e, const ShipTraining *training, LLVMValueRef state);

/* -- ship_fresh.c -- */

/* Emits training->fresh. */
void ship_emit_fresh(Emitter *e, const ShipRequest *request, const Target *target);

#endif
