/* The plan of a graph: which nodes are computed together (kernels), where every value lies
 * (storage) and in which layout. The passes from fuse on make it; codegen turns it into machine
 * code. passes/plan/plan_verify.h lists the rules that a plan keeps. */
#ifndef MLC_IR_PLAN_PLAN_H
#define MLC_IR_PLAN_PLAN_H

#include "ir/graph/graph.h"

/* The layout of a tensor in memory. PLAIN is row-major without gaps. PANEL (rank 2 only) cuts axis
 * `axis` into panels of `width` columns. With p the index along this axis, and q the index along
 * the other axis of size n, the offset of an element is
 *
 *     (p / width) * n * width + q * width + p % width
 *
 * The last panel is padded to full width with zeros, which every writer keeps zero. With `fours`,
 * four neighbouring q of a column lie together, and n is padded to a multiple of four:
 *
 *     (p / width) * n * width + (q / 4) * 4 * width + p % width * 4 + {0, 2, 1, 3}[q % 4]
 *
 * Bytes 0 and 2 of such a word, which one instruction makes two i16, are neighbours in q. */
typedef enum { LAYOUT_PLAIN, LAYOUT_PANEL } LayoutKind;
typedef struct {
    uint8_t kind, axis;
    uint16_t width;
    bool fours;
} Layout;
enum { LAYOUT_FOUR = 4 };

size_t layout_bytes(Layout layout, DType dtype, Shape shape);            /* with padding */
int64_t layout_offset(Layout layout, Shape shape, const int64_t *index); /* in elements */
bool layout_equal(Layout a, Layout b);

typedef enum {
    STORAGE_NONE, /* not in memory: the kernels that use it compute it */
    STORAGE_TABLE, /* a constant that the code reads from a table, so that other plans can share it */
    STORAGE_SLAB,  /* offset: in bytes, a multiple of 64; PLAN_UNPLACED before pass plan */
    STORAGE_STATE, /* index: into Plan.states */
    STORAGE_INPUT, /* index: symbol number */
    /* index: output number, each stored exactly once; offset: byte offset in the output block,
     * likewise */
    STORAGE_OUTPUT
} StorageKind;
#define PLAN_UNPLACED SIZE_MAX
typedef struct {
    StorageKind kind;
    uint32_t index;
    size_t offset;
    Layout layout;
    /* SLAB: in the slab of each thread, as a replicated kernel stores it; else in the slab that all
     * threads share */
    bool replicated;
} Storage;

/* One stored form of a state. The first form of a symbol is the primary one. Further forms are
 * copies in other layouts; every update writes all forms. */
typedef struct {
    uint32_t symbol;
    Layout layout;
} PlanState;

/* Around the root, the prologue is what the root is computed from, and the epilogue what is
 * computed from its result. */
typedef enum {
    KERNEL_MAP, /* elementwise over `space` */
    /* root is a reduction; `space` is the shape of its result. Beside a reduce_max, the nodes may
     * have the argmax of the same elements, which is computed like a root */
    KERNEL_REDUCE,
    /* rows along the last axis of `space`: elementwise, with sums and largest elements of the row,
     * which the same row uses. Values of which a row has one are stored once a row */
    KERNEL_ROW,
    /* root walks along an axis; `space` is the shape of its result. A scatter_add is always stored
     * in the slab, as it reads elements again that it has written */
    KERNEL_SCAN,
    KERNEL_WINOGRAD, /* root convolves tiles of pictures; `space` is the shape of its result */
    /* root is a matmul; `space` is its shape; the epilogue is computed on the tile */
    KERNEL_MATMUL,
    KERNEL_GEMM, /* root is a matmul handed to OpenBLAS; operands and result plain, no epilogue */
    KERNEL_KINDS
} KernelKind;
extern const char *const kernel_names[KERNEL_KINDS];
/* Elements in a vector of generated code: one AVX-512 register of f32; narrower machines use two or
 * four. */
enum { LANES = 16 };
/* Columns of a product that a processor without vectors computes side by side, at most. Of its 32
 * registers for f32, 16 hold the sums of two rows, 8 a row of the right factor, and two a column of
 * the left. PLAN_BYTE_COLUMNS: of products of bytes, whose sums are in the 13 registers for
 * integers. */
enum { PLAN_COLUMNS = 8, PLAN_BYTE_COLUMNS = 4 };

/* The number of rows of a kernel by rows is a multiple of this, and no thread gets a part of such a
 * group. */
enum { PLAN_ROWS = 16 };

/* Writes the value of `node` at index i of the kernel's space to `to` at i. If a reshape gave the
 * node another shape, `to` is plain, and i stands for the place in row-major order. The node is one
 * of Kernel.nodes; or it is a constant or a value in memory (an input, a state, a result of another
 * kernel), and the store is a copy. A kernel loads what it needs at an index (MATMUL: for a tile)
 * before it stores there, so it may update states in place. */
typedef struct {
    NodeId node;
    Storage to;
} Store;

typedef struct {
    KernelKind kind;
    NodeId root; /* NODE_NONE for MAP and ROW */
    Shape space;
    /* The nodes that the kernel computes, ascending: prologue, root, epilogue. Constants and iota
     * need not be listed. All other operands are read from Plan.storage. */
    NodeId *nodes;
    uint32_t node_count;
    Store *stores;
    uint32_t store_count;
    /* MATMUL and GEMM; zero in the other kinds. */
    struct {
        /* MATMUL: whether the columns of a tile run along axis m instead of n: the kernel then
         * computes the transposed product with exchanged operands. The pass layout chooses it so
         * that loads and stores are contiguous. */
        bool swapped;
        /* MATMUL: the operand for the rows of the tile comes from bytes of the data, where zeros
         * are common. Blocks of zeros are skipped where that changes no bit. */
        bool skips_zeros;
        /* Where operands 0 and 1 are read: a form of a state, or the slab. This may differ from
         * Plan.storage, because a state may have several forms, and inputs and constants are copied
         * into the slab for a product. A GEMM has one store: its product, to the slab. */
        Storage left, right;
        /* MATMUL: a windows node whose windows are the rows of operand 0 (its columns if it is
         * stored transposed). They are not in memory: the kernel reads the image, whose storage is
         * `left`, instead. NODE_NONE: operand 0 is in memory. */
        NodeId windows;
    } product;
    /* MAP, REDUCE, MATMUL: threads divide the kernel by rows, axis 0 of the space. Between two
     * barriers, the thread that computes some rows of one such kernel computes these rows of all of
     * them, in the order of the plan. No barrier is needed between two of them if the second reads
     * only the rows that it computes. All have the same number of rows. */
    bool by_rows;
    /* MAP: replicated, not divided among threads. Every thread computes all values into its own
     * slab, before its first piece of a kernel that reads them (reads_replicated). A replicated
     * kernel reads nothing but inputs. */
    bool replicated, reads_replicated;
    /* the most threads that make it faster; kernels for one thread run in order on one thread */
    uint32_t max_threads;
    /* into how many pieces the part of each thread is cut; a thread that is done takes pieces of
     * others */
    uint32_t pieces;
    /* all kernels before this one must be finished: it reads or overwrites values of other
     * threads */
    bool barrier_before;
} Kernel;

typedef struct Plan {
    const Graph *graph;
    Arena *arena; /* owned */
    Kernel *kernels;
    uint32_t kernel_count;
    /* [graph->node_count]: the primary storage of each node's value. A reshape may have the storage
     * of its operand, if that is plain; kernels that read it do not list it. */
    Storage *storage;
    PlanState *states;
    uint32_t state_count;
    /* Of the slab that all threads share: values that one kernel stores and another reads; aligned
     * to 64 bytes. */
    size_t slab_bytes;
    /* of each thread's own slab: what replicated kernels store; aligned to 64 bytes */
    size_t thread_slab_bytes;
    size_t output_bytes;
} Plan;

void plan_free(Plan *plan);
/* The bytes of weights, moments and running statistics in the layouts of a program. */
size_t stored_state_bytes(const Graph *graph, const PlanState *states, uint32_t count);
/* Whether two plans have the same code except for the values of constants that no kernel stores
 * (STORAGE_NONE or STORAGE_TABLE). [node_count]: sets differs[id] for each of these whose values
 * differ. What is read at run time may differ: names, and the initial values of states. */
bool plan_same_code(const Plan *a, const Plan *b, bool *differs);
/* The node that a MATMUL or GEMM kernel reads operand i of its product from: the operand, or the
 * image of its windows. */
NodeId kernel_operand(const Plan *plan, const Kernel *kernel, uint32_t i);
/* The image in memory from which a product reads its windows. It is the operand of the windows
 * node, [N,H,W,C]. If this operand is a copy [N,C,H,W] or [H,W,C,N] that is transposed back
 * (passes/plan/straighten.c), it is the copy. */
typedef struct {
    NodeId node;
    int64_t image, row, pixel, channel; /* elements from one to the next */
    bool images_adjoin;                 /* the copy is [H,W,C,N] */
} WindowsImage;
WindowsImage windows_image(const Graph *graph, const Node *windows);
/* Prints the kernels with their nodes, reads and stores, then the values in memory, as '#' comment
 * lines, which graph_read skips. */
void plan_print(const Plan *plan, FILE *out);

#endif
