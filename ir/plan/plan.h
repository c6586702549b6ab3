/* The plan: which nodes are computed together (kernels), where every value lives (storage) and in which layout. Made by the
 * passes from fuse on, turned into machine code by codegen. A plan belongs to one graph. */
#ifndef MLC_IR_PLAN_PLAN_H
#define MLC_IR_PLAN_PLAN_H

#include "ir/graph/graph.h"

/* How a tensor's elements lie in memory. PLAIN is row-major without gaps. PANEL (rank 2 only) cuts axis `axis` into panels of
 * `width` columns: with p = index along axis, q = index along the other axis whose size is n,
 *     element offset = (p / width) * n * width + q * width + p % width.
 * The last panel is padded to full width with zeros, which every writer keeps zero. */
typedef enum { LAYOUT_PLAIN, LAYOUT_PANEL } LayoutKind;
typedef struct {
    uint8_t kind, axis;
    uint16_t width;
} Layout;

size_t layout_bytes(Layout layout, DType dtype, Shape shape);            /* with padding */
int64_t layout_offset(Layout layout, Shape shape, const int64_t *index); /* in elements */
bool layout_equal(Layout a, Layout b);

typedef enum {
    STORAGE_NONE, /* not in memory: computed inside the kernels that use it */
    STORAGE_SLAB, /* offset: byte offset in the slab of the program, or in the thread's own, a multiple of 64; PLAN_UNPLACED before
                    * pass plan */
    STORAGE_STATE, /* index: into Plan.states */
    STORAGE_INPUT, /* index: symbol number */
    STORAGE_OUTPUT /* index: output number, each stored exactly once; offset: byte offset in the output block, likewise */
} StorageKind;
#define PLAN_UNPLACED SIZE_MAX
typedef struct {
    StorageKind kind;
    uint32_t index;
    size_t offset;
    Layout layout;
    bool
        replicated; /* SLAB: in the thread's own slab, because a replicated kernel stores it; else in the slab that all threads share */
} Storage;

/* One stored form of a state. The first entry of a symbol is the primary one, further ones are copies in other layouts that
 * every update writes too. */
typedef struct {
    uint32_t symbol;
    Layout layout;
} PlanState;

typedef enum {
    KERNEL_MAP,    /* elementwise over `space` */
    KERNEL_REDUCE, /* root is a reduction; `space` is the shape of its result, prologue before, epilogue after it */
    KERNEL_SCAN, /* root walks along an axis; `space` is the shape of its result, prologue before, epilogue after it. A root that
                    * comes back to elements it has written (scatter_add) is stored in the slab, whoever reads it */
    KERNEL_MATMUL, /* root is a matmul; `space` is its shape; epilogue on the tile */
    KERNEL_GEMM,   /* root is a matmul handed to OpenBLAS; operands and result plain, no epilogue */
    KERNEL_KINDS
} KernelKind;
extern const char *const kernel_names[KERNEL_KINDS];
/* Elements in a vector of generated code: one AVX-512 register of f32; narrower machines use two or four. */
enum { LANES = 16 };

enum { PLAN_ROWS = 16 }; /* rows that kernels by rows never part: they have a multiple of that */

/* The value of `node` at index i of the kernel's space is written to `to` at i. Where the shape of the node differs (by a
 * reshape), `to` is plain and i stands for the place in row-major order. The node is one of Kernel.nodes, or a constant,
 * or a value in memory (an input, a state, a result of another kernel): then the store is a copy.
 * A kernel loads what it needs at an index (MATMUL: for a tile) before it stores there: it may update states in place. */
typedef struct {
    NodeId node;
    Storage to;
} Store;

typedef struct {
    KernelKind kind;
    NodeId root; /* NODE_NONE for MAP */
    Shape space;
    /* The nodes computed inside, ascending (root, prologue and epilogue; constants and iota need not be listed). Every other
     * operand is read from Plan.storage. Values of nodes in the list that are needed elsewhere are among the stores. */
    NodeId *nodes;
    uint32_t node_count;
    Store *stores;
    uint32_t store_count;
    /* MATMUL and GEMM; zero in the other kinds. */
    struct {
        /* MATMUL: the tile runs along the last axis of the product (columns = n) or, swapped, along m: then it computes the
         * transposed product, operands exchanged. Chosen so that columns are contiguous in what is read and written. */
        bool swapped;
        /* MATMUL: the operand that is read element by element along the tile's rows comes from bytes of the data, where zeros are
         * common: blocks of zeros are left out where that changes no bit. */
        bool skips_zeros;
        /* Where operands 0 and 1 are read: a form of a state, or the slab. Not always Plan.storage: a state may have several forms,
         * and inputs and constants are copied into the slab for the product. GEMM has one store: the product, to the slab. */
        Storage left, right;
        /* MATMUL: the node whose windows are the rows of operand 0 (or, transposed, its columns): they are not in memory but read
         * out of the picture, which `left` says where to find. NODE_NONE: operand 0 is in memory itself. */
        NodeId windows;
    } product;
    /* MAP, REDUCE, MATMUL: shared out by rows (axis 0 of the space) and in step with the others of this kind between two barriers: the
     * thread that computes some rows of one computes these rows of all of them, in the order of the plan. So they need no barrier
     * between them where they read what others store in the rows at hand only. All have the same number of rows. */
    bool by_rows;
    /* MAP: replicated, not divided among threads: every thread that needs the values computes all of them, into its own slab, before
     * its first piece of a kernel that reads them (reads_replicated). A replicated kernel reads nothing but inputs. */
    bool replicated, reads_replicated;
    uint32_t max_threads; /* so many are worth having: small kernels run on fewer. Those for one run in order on one */
    uint32_t pieces;      /* of what each of them gets: one that has done its own takes some of the others' */
    bool barrier_before; /* a value this kernel reads or overwrites crosses threads: all kernels before it are to be finished */
} Kernel;

typedef struct Plan {
    const Graph *graph;
    Arena *arena; /* owned */
    Kernel *kernels;
    uint32_t kernel_count;
    /* [graph->node_count]: the primary storage of each node's value. A reshape may have the (plain) storage of its operand:
     * kernels that read it do not list it. */
    Storage *storage;
    PlanState *states;
    uint32_t state_count;
    size_t slab_bytes;        /* all values that cross kernels; 64-byte aligned base expected */
    size_t thread_slab_bytes; /* what replicated kernels store; every thread has a slab of this size, likewise aligned */
    size_t output_bytes;
} Plan;

void plan_free(Plan *plan);
/* The node that a MATMUL or GEMM kernel reads operand i of its product from: the operand, or the picture of its windows. */
NodeId kernel_operand(const Plan *plan, const Kernel *kernel, uint32_t i);
/* Where products find the picture of windows in memory: the operand, [N,H,W,C]; or, if that is a turned copy turned back
 * (passes/plan/straighten.c), the copy, [N,C,H,W]. */
typedef struct {
    NodeId node;
    int64_t image, row, pixel, channel; /* elements from one to the next */
} WindowsPicture;
WindowsPicture windows_picture(const Graph *graph, const Node *windows);
/* Kernels with their nodes, reads and stores, then what is in memory; as '#' comment lines that graph_read skips. */
void plan_print(const Plan *plan, FILE *out);

#endif
