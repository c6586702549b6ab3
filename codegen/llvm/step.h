/* Internal to codegen/: the module of a whole plan. */
#ifndef MLC_CODEGEN_LLVM_STEP_H
#define MLC_CODEGEN_LLVM_STEP_H

#include "codegen/emit/emit.h"

/* An entry of the module's array STEP_KERNELS, which has one for each kernel of the plan. */
typedef struct {
    /* computes units [first, last); in code for 32-bit targets, all integers have 32 bits */
    void (*run)(const StepArgs *args, int64_t first, int64_t last, const int64_t *table);
    const int64_t *table;
    int64_t units;
} CompiledKernel;
#define STEP_KERNELS "kernels"
Emitter emitter_new(LLVMContextRef context, LLVMModuleRef module, const Target *target);
void emitter_close(Emitter *e);

/* A kernel as a function of the module, which has the parameters of CompiledKernel.run. */
typedef struct {
    LLVMValueRef function;
    LLVMValueRef table; /* the offsets of the kernel's bindings */
    int64_t units;      /* of the kernel; they depend on its shape alone */
} EmittedKernel;
/* Emits kernel `number` of the emitter's plan. */
EmittedKernel step_kernel(Emitter *e, uint32_t number, const Target *target);
/* The table of the emitted kernel as a constant of the module. */
LLVMValueRef step_table(Emitter *e);
/* Sets an attribute of a function in text form, as LLVM's manual lists them. */
void function_set_attribute(Emitter *e, LLVMValueRef function, const char *key, const char *value);
void function_set_target(Emitter *e, LLVMValueRef function, const Target *target);
/* The constants in the tables of a module (STORAGE_TABLE). */
struct StepTables {
    Arena *arena; /* owned */
    struct TableConstant {
        uint32_t kernel, entry;
        NodeId node;
    } * constants;
    uint32_t count, capacity;
    uint32_t *sizes; /* [kernel_count]: entries of each table */
};

/* The module of a plan. Entries for constants in the tables are 0. `tables` receives their
 * positions; NULL: the plan has none. */
LLVMModuleRef step_module(LLVMContextRef context, const Plan *plan, const Target *target,
                          StepTables *tables);

#endif
