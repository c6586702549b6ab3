/* Emitting the value of a graph node at a place. Internal to codegen/.
 *
 * Code is emitted for LANES elements at a time. A Place gives their position: an index into a
 * shape, with a Coordinate for each axis. For example, the place [row, 16 * v + lane] of a matrix
 * has a uniform coordinate and one with step 1. A view maps the place of its result to the place of
 * its operand, so no view is copied. A LaneValue is a scalar if all lanes have the same value, and
 * a vector of LANES otherwise.
 *
 * Processors without vectors and the threads of a GPU compute single elements. All places are
 * uniform there, and all values are scalars. Where the order of a sum needs LANES lanes of a row,
 * they are LANES threads of a GPU, and vectors elsewhere. */
#ifndef MLC_CODEGEN_EMIT_EMIT_H
#define MLC_CODEGEN_EMIT_EMIT_H

#include "codegen/target/target.h"
#include "ir/ir.h"

typedef struct {
    LLVMValueRef base; /* i64: the index of lane 0, or <LANES x i64> if irregular */
    int64_t step;      /* the index of lane l is base + l * step */
    bool irregular;
    bool aligned; /* base is a multiple of LANES */
} Coordinate;

typedef struct {
    /* the coordinates index this shape; place_in_shape converts to another shape with as many
     * elements */
    Shape shape;
    Coordinate axis[SHAPE_MAX_RANK];
    /* <LANES x i1>: the lanes that exist; NULL: all. On a GPU an i1: whether the thread's element
     * exists; if not, the coordinates are those of another element, which can be read. */
    LLVMValueRef mask;
} Place;

typedef struct {
    LLVMValueRef value;
    bool uniform; /* a scalar that stands for all lanes */
} LaneValue;

typedef struct Memo Memo;
typedef struct Frame Frame;

/* An entry of a kernel's table. A kernel reads its byte offsets from this table, so kernels that
 * differ only in offsets have the same code. Of STORAGE_TABLE, the entry holds the bits of a
 * constant instead. */
typedef struct {
    StorageKind kind;
    bool replicated;
    /* a byte offset in the slab, in the outputs, or in the array of pointers to states or inputs;
     * of STORAGE_TABLE: the NodeId of the constant */
    int64_t where;
    LLVMValueRef base; /* the address or the constant, loaded in the kernel's entry block */
} StorageBinding;

/* The memory of a shipped object differs from that of the JIT in three ways. The rows of an input
 * are contiguous. StepArgs.states points to the states themselves, not to an array of pointers.
 * Arrays that the JIT puts on the stack lie in the thread slab, after the values of the plan. */
typedef struct {
    const size_t *states; /* [plan->state_count]: bytes from StepArgs.states */
    size_t slot_bytes;    /* of the arrays of the kernel that is being emitted */
} ShippedMemory;

typedef struct StepTables StepTables; /* codegen/llvm/step.h */

typedef struct Emitter {
    LLVMContextRef context;
    LLVMModuleRef module;
    LLVMBuilderRef builder;
    LLVMTypeRef f32, i64, i32, i8, i1, pointer, nothing;
    /* a pointer to what StepArgs leads to: on a GPU one to global memory, else the same as
     * pointer */
    LLVMTypeRef global;
    LLVMTypeRef word;         /* an integer as long as an address: of tables and units of kernels */
    size_t word_bytes;        /* also of a field of StepArgs: 8, or 4 in code for 32-bit targets */
    bool many_registers;      /* of the target */
    bool short_vectors;       /* of the target */
    const Core *core;         /* of the target */
    const TileChooser *tiles; /* of the target */
    bool narrow;              /* indices fit into 32 bits, as the target's addresses do */
    bool threads;             /* the target is a GPU: a thread computes single elements */
    /* All places are uniform, and all values are scalars: on a GPU, and on a processor without
     * vectors in kernels that do not need the LANES lanes of a row. */
    bool single;
    bool no_vectors;        /* of the target */
    bool cortex_m;          /* of the target */
    bool short_indices;     /* in kernels for a processor without vectors: arithmetic.h */
    FmaKind fma;            /* of the target */
    PairProduct pairs;      /* of the target */
    bool x86;               /* of the target */
    LLVMValueRef fused;     /* of FMA_EMULATED: fused_function */
    ShippedMemory *shipped; /* NULL: code for the JIT */
    StepTables *tables; /* receives the positions of constants in the tables; NULL: not wanted */
    const Plan *plan;
    const Graph *graph;
    Arena *arena; /* places and memos of the current kernel */
    /* the kernel that is being emitted */
    const Kernel *kernel;
    uint32_t kernel_number;
    uint32_t *computed_in; /* [node_count]: number of the last kernel that computes the node */
    /* the kernel's table, in the order in which the code first needs the entries */
    StorageBinding *bindings;
    uint32_t binding_count, binding_capacity;
    /* On a GPU, i64: the thread's number among the LANES threads of a row. i1: whether the thread's
     * unit exists; if not, nothing is stored. NULL: each thread has a unit of its own. */
    LLVMValueRef lane, active;
    LLVMValueRef function, rows; /* rows: StepArgs.rows, loaded in the entry block */
    LLVMBasicBlockRef entry;
    Memo *memo;    /* values known in the present region of code */
    Frame *frames; /* the stack of emit_value */
    uint32_t frame_count, frame_capacity;
    struct {
        /* In the code that is being emitted, all lanes of `place` read part `number` of the concat
         * `of`. `of` NULL: no such part is known. */
        const Node *of;
        const Place *place;
        uint32_t number;
    } part;
} Emitter;

/* -- values.c -- */
LLVMTypeRef dtype_type(const Emitter *e, DType dtype, bool in_memory);
LLVMTypeRef lanes_of(LLVMTypeRef type);
LLVMValueRef const_i64(const Emitter *e, int64_t value);
LLVMValueRef const_i32(const Emitter *e, int32_t value);
LLVMValueRef value_splat(Emitter *e, LaneValue value); /* as a vector, even if it is uniform */
LLVMValueRef lane_numbers(const Emitter *e);           /* <0, 1, ...> as i64 */
/* Lanes first .. first + count - 1 of vectors a and b, counted as if b followed a. */
LLVMValueRef lanes_from(Emitter *e, LLVMValueRef a, LLVMValueRef b, int first, int count);
LLVMValueRef call_intrinsic(Emitter *e, const char *name, LLVMTypeRef *types, unsigned type_count,
                            LLVMValueRef *args, unsigned count);
/* Instructions as text, with the operands $0, $1, ...: first the results, then the arguments. LLVM's
 * manual describes the constraints. They keep their order among loads and stores. */
enum { MAX_ASSEMBLY_OPERANDS = 20 };
LLVMValueRef call_assembly(Emitter *e, LLVMTypeRef result, const char *text,
                           const char *constraints, LLVMValueRef *args, unsigned count);

/* -- fused.c -- */
/* a * b + c, rounded once: of f32, or of vectors of LANES. */
LLVMValueRef emit_fused(Emitter *e, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c);
/* The same for vectors in a hot loop. tiny (i1): whether some lane of a or b is tiny, by
 * fused_tiny; NULL where fused_tiny gives NULL. */
LLVMValueRef fused_hot(Emitter *e, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c,
                       LLVMValueRef tiny);
/* i1: whether some lane of x is tiny, that is 0 < |x| < 2^-65. NULL: the target's fused
 * multiply-add does not depend on it. */
LLVMValueRef fused_tiny(Emitter *e, LLVMValueRef x);
/* The same for a number: 0 < |x| < 2^-65. For FMA_EMULATED only. */
LLVMValueRef fused_tiny_number(Emitter *e, LLVMValueRef x);
/* LANES numbers of f32 as doubles, in pairs: sums of FMA_EMULATED stay so during a hot loop. */
enum { WIDE_PAIRS = LANES / 2 };
typedef struct {
    LLVMValueRef pair[WIDE_PAIRS]; /* <2 x double> */
} Wide;
Wide wide_of(Emitter *e, LLVMValueRef vector);
LLVMValueRef wide_narrowed(Emitter *e, const Wide *wide);
LLVMTypeRef wide_pair_type(const Emitter *e);
/* x * columns + sums, rounded once to f32, unless some sum may be the middle between two floats.
 * Then *found (<4 x i32>, at first 0) has a lane that is not 0, and the sums must be computed again
 * by emit_fused. x and the columns must not be tiny. */
Wide fused_wide(Emitter *e, LLVMValueRef x, const Wide *columns, const Wide *sums,
                LLVMValueRef *found);
LLVMTypeRef wide_found_type(const Emitter *e);
LLVMValueRef wide_has_found(Emitter *e, LLVMValueRef found); /* i1 */
/* Defines the function that FMA_EMULATED calls. */
LLVMValueRef fused_function(Emitter *e);

/* -- ops.c -- */
LaneValue emit_elementwise(Emitter *e, const Node *node, const LaneValue *operands);

/* -- place.c -- */
Coordinate coordinate_uniform(LLVMValueRef index);
Place *place_new(Emitter *e, Shape shape, LLVMValueRef mask);
/* The place of the same elements in another shape with as many elements. */
const Place *place_in_shape(Emitter *e, const Place *place, Shape shape);
/* The place of the operand of a view. For pad, concat and gather use view_source. */
const Place *place_through_view(Emitter *e, const Node *node, const Place *place);
bool place_uniform(const Place *place);
/* The place as a row-major index into its shape. */
Coordinate place_linear(Emitter *e, const Place *place);
/* The lanes are consecutive in row-major order, and lane 0 is at a multiple of LANES. */
bool place_contiguous(const Place *place);
/* <LANES x i1>: base + lane < n, for a base that is a multiple of LANES; NULL (all lanes) if n is
 * one too. */
LLVMValueRef lanes_below(Emitter *e, LLVMValueRef base, int64_t n);
/* Lets the lanes run along an axis from `base`, a multiple of LANES, on: its index `base` + lane.
 * Lanes from `size` on do not exist. */
void place_set_lanes(Emitter *e, Place *place, int axis, LLVMValueRef base, int64_t size);

LLVMValueRef coordinate_vector(Emitter *e, Coordinate c);
Coordinate coordinate_scale(Emitter *e, Coordinate c, int64_t factor);
Coordinate coordinate_add(Emitter *e, Coordinate a, Coordinate b);

/* -- memory.c -- */
LaneValue load_at(Emitter *e, NodeId node, Storage storage, const Place *place);
void store_at(Emitter *e, NodeId node, Storage storage, const Place *place, LaneValue value);
/* A constant whose storage is STORAGE_TABLE. */
LaneValue load_constant(Emitter *e, NodeId id);
/* The address of the element at a uniform place. */
LLVMValueRef store_pointer(Emitter *e, NodeId node, Storage storage, const Place *place);
LLVMValueRef storage_base(Emitter *e, Storage storage);
/* The address `count` words after another one. */
LLVMValueRef word_after(Emitter *e, LLVMValueRef base, size_t count);
/* Load and store LANES consecutive elements, in the lanes of the mask; NULL: in all lanes. The
 * other lanes are loaded as 0. */
LLVMValueRef load_vector(Emitter *e, LLVMTypeRef type, LLVMValueRef pointer, unsigned alignment,
                         LLVMValueRef mask);
void store_vector(Emitter *e, LLVMValueRef vector, LLVMValueRef pointer, unsigned alignment,
                  LLVMValueRef mask);
LLVMValueRef element_pointer(Emitter *e, LLVMValueRef base, DType dtype, LLVMValueRef offset);
/* Prefetches the cache line at an address, which need not exist. PREFETCH_LATER fetches it into the
 * second-level cache only. */
typedef enum { PREFETCH_READ, PREFETCH_WRITE, PREFETCH_LATER } Prefetch;
void prefetch_line(Emitter *e, LLVMValueRef pointer, Prefetch how);
/* Prefetches row `row` of the batch of an input. The rows of a batch lie anywhere in the data set,
 * so the processor cannot predict the next one. */
void prefetch_batch_row(Emitter *e, Storage storage, LLVMValueRef row);

/* Room for an array in the thread slab of shipped code, aligned to a cache line. */
LLVMValueRef shipped_slot(Emitter *e, LLVMTypeRef type);

/* -- views.c -- */
typedef struct {
    const Place *place; /* where an operand of a view is read; NULL: nowhere */
    /* pad, concat: i1, whether the element comes from this operand; value NULL: always */
    LaneValue inside;
} Source;
/* The operand of a gather that holds indices. Its value is emitted before the other operand's
 * place. */
enum { GATHER_INDEX = 1 };
/* i64: the number of the part of a concat that all lanes of a place read; NULL: lanes may
 * differ. */
LLVMValueRef concat_part_number(Emitter *e, const Node *concat, const Place *place);
/* Whether e->part gives the part of the concat that all lanes of the place read. */
bool concat_part_known(const Emitter *e, const Node *concat, const Place *place);
Source view_source(Emitter *e, const Node *node, uint32_t operand, const Place *place);
/* an i32 index as a coordinate, clamped to 0 .. size - 1 */
Coordinate gathered_index(Emitter *e, LaneValue index, int64_t size);
LaneValue view_choose(Emitter *e, const Node *node, const Source *sources,
                      const LaneValue *operands);
/* The value of a concat of single columns in memory, loaded as one vector per column and
 * interleaved. value NULL: the node is something else. */
LaneValue view_interleaved(Emitter *e, const Node *node, const Place *place);

/* -- memo.c -- */
/* The memo holds values per region: until a region ends, code emitted in it dominates what
 * follows. */
typedef struct {
    Memo *memo;
} Region;
Region region_begin(Emitter *e);
void region_end(Emitter *e, Region region);
/* value NULL: not known. */
LaneValue memo_find(const Emitter *e, NodeId node, const Place *place);
/* Sets the value of a node at a place. Kernels whose own loop computes the root set it this way. */
void emit_set(Emitter *e, NodeId node, const Place *place, LaneValue value);
/* Sets a reduction of a ROW kernel, which has one value at all places of the current row. */
void emit_set_everywhere(Emitter *e, NodeId node, LaneValue value);

/* -- emit.c -- */
void emit_begin_kernel(Emitter *e, const Kernel *kernel);
void emit_end_kernel(Emitter *e);
bool emit_computes(const Emitter *e, NodeId node); /* the current kernel computes the node */
/* Whether the kernel needs the node's value at the very place that is being computed: to store it,
 * or as an operand of an elementwise op or a reshape. */
bool emit_in_place(const Emitter *e, NodeId node);
LaneValue emit_value(Emitter *e, NodeId node, const Place *place);
/* The values of all stores of the kernel at a place in its space. Stores nothing. */
const LaneValue *emit_store_values(Emitter *e, const Place *place);
void emit_stores(Emitter *e, const Place *place); /* computes and stores them */

/* -- loops.c -- */
typedef struct {
    LLVMValueRef index;   /* i64 */
    LLVMValueRef counter; /* the index as it is counted: i32 on a processor without vectors */
    LLVMBasicBlockRef body, exit, before;
} Loop;
/* do { ... index += step } while (index < to): the body runs at least once, so callers know that
 * from < to or guard the loop. */
Loop loop_begin(Emitter *e, LLVMValueRef from);
void loop_end(Emitter *e, Loop loop, LLVMValueRef to, int64_t step);
/* The same, where LLVM may put so many turns of the body behind each other. */
void loop_end_unrolled(Emitter *e, Loop loop, LLVMValueRef to, int64_t step, int count);
/* for each segment of [from, to), which is cut at the multiples of `size` and not empty: the body
 * runs with the segment [.from, .to). It lies in [.start, .start + size), where .start = loop.index
 * * size. Example: [5, 12) and size 4 give [5, 8) and [8, 12). */
typedef struct {
    Loop loop;
    LLVMValueRef start, from, to, end;
} SegmentLoop;
SegmentLoop segments_begin(Emitter *e, LLVMValueRef from, LLVMValueRef to, int64_t size);
void segments_end(Emitter *e, SegmentLoop segments);
/* for each unit of [first, last), at least one; on a GPU the unit `first` alone. */
Loop units_begin(Emitter *e, LLVMValueRef first);
void units_end(Emitter *e, Loop loop, LLVMValueRef last);
/* if (condition) { ... }; condition NULL: always. */
typedef struct {
    LLVMBasicBlockRef after;
} If;
If if_begin(Emitter *e, LLVMValueRef condition);
void if_end(Emitter *e, If branch);
/* if (condition) { ... } else { ... } */
typedef struct {
    LLVMBasicBlockRef otherwise, after;
} Fork;
Fork fork_begin(Emitter *e, LLVMValueRef condition);
void fork_else(Emitter *e, Fork branch);
void fork_end(Emitter *e, Fork branch);
/* A variable of the emitted function, allocated in its entry block. LLVM turns most slots that are
 * no arrays into registers. */
LLVMValueRef stack_slot(Emitter *e, LLVMTypeRef type, unsigned alignment);

#endif
