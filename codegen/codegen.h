/* The public header of codegen/: a plan becomes machine code. The only folder that knows LLVM and OpenBLAS. */
#ifndef MLC_CODEGEN_CODEGEN_H
#define MLC_CODEGEN_CODEGEN_H

#include "ir/ir.h"

typedef struct {
    int level;       /* -O: how much LLVM optimizes */
    const char *cpu; /* an LLVM CPU name; NULL: the host, with all its features */
    bool verbose;    /* times and sizes on stderr */
    /* Compiled code is kept here and found here, by the hash of all it is made from. It is run: the folder must be private to
     * the user (made so if it is not there), or it is not used. At most 64 MB. NULL: none. */
    const char *cache_folder;
} CodegenOptions;

/* Compiles the step. Takes over the compilation's plan and graph (freed by program_free). NULL after reporting an error
 * (unknown CPU: STATUS_USAGE; a CPU this machine cannot run is refused). */
Program *codegen_compile(Plan *plan, Graph *graph, const CodegenOptions *options, Diagnostics *diag);

/* The LLVM IR after optimization, or the assembly text, of the same code. */
typedef enum { CODEGEN_LLVM, CODEGEN_ASM } CodegenText;
bool codegen_print(const Plan *plan, const CodegenOptions *options, CodegenText text, FILE *out, Diagnostics *diag);

/* The rate of f32 fused multiply-adds of one thread of this machine (one counts as two operations), in operations a second:
 * the bound of every kernel. Takes about 20 ms. 0 after reporting an error. */
double codegen_measure_peak(const CodegenOptions *options, Diagnostics *diag);

/* Code that reads memory, or adds to every element of it, as fast as the machine can: the bound of what kernels read and write. Memory
 * is aligned to 64 bytes; elements are a multiple of STREAM_ELEMENTS. */
enum { STREAM_ELEMENTS = 128 };
typedef struct {
    void *code;
    void (*read)(float *memory, int64_t elements); /* leaves something in the first elements */
    void (*add)(float *memory, int64_t elements);
} Streams;
bool streams_open(Streams *streams, const CodegenOptions *options, Diagnostics *diag); /* false after reporting an error */
void streams_close(Streams *streams);

/* To be called once, before the constructors of LLVM: where LLVM is refused memory, the process ends as ir/base/memory.h says. */
void codegen_begin(void);

const char *codegen_version(void); /* "LLVM 19.1.7" */

#endif
