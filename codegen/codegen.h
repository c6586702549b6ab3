/* The public header of codegen/: a plan becomes machine code. The only folder that knows LLVM and
 * OpenBLAS. */
#ifndef MLC_CODEGEN_CODEGEN_H
#define MLC_CODEGEN_CODEGEN_H

#include "ir/ir.h"

/* WebAssembly of 32 bits with vectors of 128 bits. RELAXED uses an instruction that multiplies and
 * adds, which rounds once on most machines. EXACT computes the same by other instructions. */
typedef enum { WASM_NONE, WASM_RELAXED, WASM_EXACT } CodegenWasm;

/* How a matrix product is computed: tile by tile, each of `rows` rows by `vectors` vectors of 16
 * columns, with `steps` steps of the summed axis in an iteration of the loop. No bit of the product
 * depends on it. */
typedef struct {
    int rows, vectors, steps;
} ProductTile;

/* Chooses the tiles of products instead of the cost model, to measure them. */
enum { MAX_PRODUCT_TILES = 12, MAX_PRODUCT_STEPS = 8 };
typedef struct {
    void *context;
    /* Called when the code of kernel `kernel` is made. product: a text without blanks, equal for
     * products with the same best tile on one machine. tiles: those that can be taken; the first
     * is the cost model's. steps may also be 1, 2, 4 or MAX_PRODUCT_STEPS. Any other answer
     * counts as the first tile. */
    ProductTile (*choose)(void *context, uint32_t kernel, const char *product,
                          const ProductTile *tiles, uint32_t count);
} TileChooser;

typedef struct {
    int level;       /* -O: how much LLVM optimizes */
    const char *cpu; /* an LLVM CPU name; NULL: the host, with all its features */
    /* a name of codegen/target/platforms.def: code for another machine, where cpu NULL is the
     * platform's least CPU. NULL: code that runs here */
    const char *platform;
    /* of codegen_ship, for x86 with AVX2: the object also has code for AVX-512, which calls take
     * where the machine has it */
    bool also_wide;
    CodegenWasm wasm; /* instead of a platform */
    /* instead of a platform, for codegen_ptx: "sm_75" or "sm_80", the oldest GPUs that run the code */
    const char *gpu;
    bool timed;   /* of codegen_ptx: the code notes when each block ends each kernel (GpuKernel) */
    bool verbose; /* times and sizes on stderr */
    /* The folder of the code cache, of at most 64 MB; NULL: none. Its files are executed, so it is
     * used only if no other user may write there. It is created if it does not exist. */
    const char *cache_folder;
    /* NULL: the tiles that tiles_keep has stored in the cache folder for this CPU, and the cost
     * model's for other products */
    const TileChooser *tiles;
} CodegenOptions;

/* The tile of a product, as measured. */
typedef struct {
    const char *product; /* as a TileChooser gets it */
    ProductTile tile;
} MeasuredTile;
/* Stores tiles in the cache folder for the CPU of the options, besides or instead of those that are
 * there. Every later compilation with that folder and CPU uses them. false after reporting errors
 * (STATUS_FILE). */
bool tiles_keep(const CodegenOptions *options, const MeasuredTile *tiles, uint32_t count,
                Diagnostics *diag);
/* Removes the tiles stored for the CPU; true also if there are none. */
bool tiles_forget(const CodegenOptions *options, Diagnostics *diag);

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

/* Whether mlc is built with code for GPUs; false after reporting an error (STATUS_USAGE). */
bool codegen_has_gpus(Diagnostics *diag);
/* The step of a plan for NVIDIA's GPUs, as text in their assembly language PTX, to be freed.
 * options->gpu must be set. NULL after reporting an error (STATUS_USAGE): the GPU is unknown, or
 * OpenBLAS would multiply matrices. */
char *codegen_ptx(const Plan *plan, const CodegenOptions *options, Diagnostics *diag);

/* What predictions know of a GPU. */
typedef struct {
    const char *name;
    int processors;     /* streaming multiprocessors */
    int adders;         /* multiply-adds of f32 that a processor begins in a cycle */
    double clock;       /* cycles a second */
    double memory_rate; /* bytes a second */
    double cache;       /* bytes of the second-level cache */
} CodegenGpu;
/* Known GPUs by their data sheets (codegen/cuda/gpus.def): [*count]. */
const CodegenGpu *codegen_gpus(uint32_t *count);

/* The predicted seconds of a step: by a model of a GPU, not measured (codegen/cuda/cuda_predict.c). */
typedef struct {
    uint32_t stages; /* after each, all blocks wait for each other */
    double kernels, barriers;
} CodegenPrediction;
/* Predicts for `count` GPUs. options: as for codegen_ptx. false after reporting an error. */
bool codegen_predict(const Plan *plan, const CodegenOptions *options, const CodegenGpu *gpus,
                     uint32_t count, CodegenPrediction *predictions, Diagnostics *diag);
double codegen_predicted_step(const CodegenPrediction *prediction); /* seconds in all */

/* A kernel of a step on a GPU. Code that is timed gets one more parameter, the address of u64
 * [steps][1 + marks][blocks] in the GPU's memory. For each step and block, it stores there the time in
 * nanoseconds when the step begins, and then the cycles that the block's processor has counted at
 * each mark: mark 0 is the begin of the step. */
typedef struct {
    uint32_t stage;   /* 0, 1, ...: kernels of a stage run side by side */
    uint32_t mark;    /* the kernel ends at this mark, and begins at the one before */
    int64_t blocks;   /* how many blocks have work, if there are so many */
    double predicted; /* seconds of the block with the most work */
    double bound;     /* a lower bound in seconds: operations / rate, or bytes / rate */
} GpuKernel;
/* Describes all kernels of a plan on a GPU: kernels[kernel_count]. *marks: the number of marks of a
 * step. options: as for codegen_ptx. false after reporting an error. */
bool codegen_gpu_kernels(const Plan *plan, const CodegenOptions *options, const CodegenGpu *gpu,
                         GpuKernel *kernels, uint32_t *marks, Diagnostics *diag);

/* The bounds of kernels that compute: f32 operations per second of one thread of this machine. */
typedef struct {
    double operations; /* a fused multiply-add counts as two */
    double divisions, roots;
} PeakRates;
/* Takes about 40 ms. false after reporting an error. */
bool codegen_measure_peak(const CodegenOptions *options, PeakRates *rates, Diagnostics *diag);

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
