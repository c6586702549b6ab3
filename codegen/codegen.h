/* The public header of codegen/: a plan becomes machine code. The only folder that knows LLVM and
 * OpenBLAS. */
#ifndef MLC_CODEGEN_CODEGEN_H
#define MLC_CODEGEN_CODEGEN_H

#include "ir/ir.h"

/* WebAssembly of 32 bits with vectors of 128 bits. RELAXED uses an instruction that multiplies and
 * adds, which rounds once on most machines. EXACT computes the same by other instructions. */
typedef enum { WASM_NONE, WASM_RELAXED, WASM_EXACT } CodegenWasm;

typedef struct {
    int level;       /* -O: how much LLVM optimizes */
    const char *cpu; /* an LLVM CPU name; NULL: the host, with all its features */
    /* a name of codegen/target/platforms.def: code for another machine, where cpu NULL is the
     * platform's least CPU. NULL: code that runs here */
    const char *platform;
    CodegenWasm wasm; /* instead of a platform */
    bool verbose;     /* times and sizes on stderr */
    /* The folder of the code cache, of at most 64 MB; NULL: none. Its files are executed, so it is
     * used only if no other user may write there. It is created if it does not exist. */
    const char *cache_folder;
} CodegenOptions;

/* Compiles the step of a plan. Takes over plan and graph, also on failure; program_free frees them.
 * NULL after reporting an error, such as a CPU that is unknown, or whose code this machine cannot
 * run (STATUS_USAGE). */
Program *codegen_compile(Plan *plan, Graph *graph, const CodegenOptions *options,
                         Diagnostics *diag);

/* A program for another plan that runs the code of a compiled one, which must outlive it. NULL: it
 * needs other code. It is the same code if only constants differ whose storage in the compiled plan
 * is STORAGE_TABLE. Takes over plan and graph unless it returns NULL. */
Program *codegen_share(const Program *program, Plan *plan, Graph *graph);

/* Prints the same code as LLVM IR after optimization, or as assembly. */
typedef enum { CODEGEN_LLVM, CODEGEN_ASM } CodegenText;
bool codegen_print(const Plan *plan, const CodegenOptions *options, CodegenText text, FILE *out,
                   Diagnostics *diag);

/* The bound of kernels that compute: operations per second of one thread of this machine. An f32
 * fused multiply-add counts as two. Takes about 20 ms. 0 after reporting an error. */
double codegen_measure_peak(const CodegenOptions *options, Diagnostics *diag);

/* The bound of kernels that read and write memory: code that reads memory, or adds to every element
 * of it, as fast as the machine can. Memory must be aligned to 64 bytes, and elements a multiple of
 * STREAM_ELEMENTS. */
enum { STREAM_ELEMENTS = 128 };
typedef struct {
    void *code;
    /* also writes the first elements, so that nothing is optimized away */
    void (*read)(float *memory, int64_t elements);
    void (*add)(float *memory, int64_t elements);
} Streams;
/* false after reporting an error */
bool streams_open(Streams *streams, const CodegenOptions *options, Diagnostics *diag);
void streams_close(Streams *streams);

/* To be called once, before LLVM is used: if LLVM gets no memory, the process then ends as
 * ir/base/memory.h says. */
void codegen_begin(void);
/* The same inside of another program: what belongs to the whole process stays as it is. */
void codegen_begin_inside(void);

const char *codegen_version(void); /* "LLVM 19.1.7" */

#endif
