/* Internal to codegen/: emitting the value of a graph node at an index.
 *
 * A Place is an index into a shape: per axis either a scalar index, possibly advancing by a constant step from lane to lane,
 * or, where lanes are irregular, a vector of indices. Views turn the place of their result into that of their operand, so that
 * a kernel never copies to view. Values are scalars where all lanes agree and vectors of LANES otherwise. */
#ifndef MLC_CODEGEN_EMIT_EMIT_H
#define MLC_CODEGEN_EMIT_EMIT_H

#include "codegen/target/target.h"
#include "ir/ir.h"

typedef struct {
    LLVMValueRef base; /* i64: the index of lane 0, or <LANES x i64> if irregular */
    int64_t step;      /* how much it grows from lane to lane */
    bool irregular;
    bool aligned; /* base is a multiple of LANES */
} Coordinate;

typedef struct {
    Shape shape; /* what the coordinates index; may differ from a node's shape if it has as many elements */
    Coordinate axis[SHAPE_MAX_RANK];
    LLVMValueRef mask; /* <LANES x i1>: which lanes are there; NULL: all */
} Place;

typedef struct {
    LLVMValueRef value;
    bool uniform; /* a scalar that stands for all lanes */
} Value;

typedef struct Memo Memo;
typedef struct Frame Frame;

/* Where a kernel finds something in memory: `where` is a byte offset in the slab, in the outputs or in the pointers to states or
 * inputs. It is not in the kernel's code but in a table that the kernel is passed, so that kernels that differ in nothing else
 * are the same code. */
typedef struct {
    StorageKind kind;
    bool replicated;
    int64_t where;
    LLVMValueRef base; /* the address, known from the kernel's entry on */
} Binding;

typedef struct Emitter {
    LLVMContextRef context;
    LLVMModuleRef module;
    LLVMBuilderRef builder;
    LLVMTypeRef f32, i64, i32, i8, i1, pointer, nothing;
    bool many_registers; /* of the target */
    const Plan *plan;
    const Graph *graph;
    Arena *arena; /* places and memos of the kernel at hand */
    /* the kernel at hand */
    const Kernel *kernel;
    uint32_t kernel_number;
    uint32_t *computed_in; /* [node_count]: number of the last kernel that computes the node */
    Binding *bindings;     /* in the order in which the code comes to need them */
    uint32_t binding_count, binding_capacity;
    LLVMValueRef function, rows; /* rows: loaded at entry when first used */
    LLVMBasicBlockRef entry;
    Memo *memo;    /* values known so far in the present region of code */
    Frame *frames; /* values on their way */
    uint32_t frame_count, frame_capacity;
    struct {
        const Node *of; /* a concat, of which all lanes take this part at this place in the code at hand */
        const Place *place;
        uint32_t number;
    } part;
} Emitter;

/* -- values.c -- */
LLVMTypeRef dtype_type(const Emitter *e, DType dtype, bool in_memory);
LLVMTypeRef lanes_of(LLVMTypeRef type);
LLVMValueRef const_i64(const Emitter *e, int64_t value);
LLVMValueRef const_i32(const Emitter *e, int32_t value);
LLVMValueRef value_splat(Emitter *e, Value value); /* always a vector */
LLVMValueRef lane_numbers(const Emitter *e);       /* <0, 1, ... > as i64 */
LLVMValueRef call_intrinsic(Emitter *e, const char *name, LLVMTypeRef *types, unsigned type_count, LLVMValueRef *args,
                            unsigned count);

/* -- ops.c: elementwise ops from the table -- */
Value emit_elementwise(Emitter *e, const Node *node, const Value *operands);

/* -- place.c -- */
Coordinate coordinate_uniform(LLVMValueRef index);
Place *place_new(Emitter *e, Shape shape, LLVMValueRef mask);
/* The same elements seen under another shape with as many elements. */
const Place *place_in_shape(Emitter *e, const Place *place, Shape shape);
/* Where the operand of a view is read; for pad and concat see views.c. */
const Place *place_through_view(Emitter *e, const Node *node, const Place *place);
bool place_uniform(const Place *place);
/* The place's position in row-major order of its shape. */
Coordinate place_linear(Emitter *e, const Place *place);
/* All lanes are neighbours in that order, and lane 0 is at a multiple of LANES. */
bool place_neighbours(const Place *place);
/* The mask of lanes whose index base + lane is below n; NULL if n is whole vectors, as base then is. */
LLVMValueRef lanes_below(Emitter *e, LLVMValueRef base, int64_t n);

/* Coordinates as arithmetic. */
LLVMValueRef coordinate_vector(Emitter *e, Coordinate c);
Coordinate coordinate_scale(Emitter *e, Coordinate c, int64_t factor);
Coordinate coordinate_add(Emitter *e, Coordinate a, Coordinate b);

/* -- memory.c -- */
Value load_at(Emitter *e, NodeId node, Storage storage, const Place *place);
void store_at(Emitter *e, NodeId node, Storage storage, const Place *place, Value value);
/* The address of the element at a uniform place. */
LLVMValueRef store_pointer(Emitter *e, NodeId node, Storage storage, const Place *place);
LLVMValueRef storage_base(Emitter *e, Storage storage);
LLVMValueRef element_pointer(Emitter *e, LLVMValueRef base, DType dtype, LLVMValueRef offset);
/* Asks for the cache line at an address, which need not exist, before it is read or written: soon, or later, from the second-level
 * cache. */
typedef enum { FETCH_TO_READ, FETCH_TO_WRITE, FETCH_FOR_LATER } Fetch;
void fetch_line(Emitter *e, LLVMValueRef pointer, Fetch fetch);
/* Asks for a row of an input that comes in batches: the rows of the data set lie anywhere, and no processor foresees the next. */
void fetch_batch_row(Emitter *e, Storage storage, LLVMValueRef row);

/* -- views.c -- */
typedef struct {
    const Place *place; /* where an operand of a view is read; NULL: it is not */
    Value inside;       /* pad, concat: whether the element comes from this operand; without a value: it does */
} Source;
enum { GATHER_INDEX = 1 }; /* the operand whose value says where the other one is read: it is emitted first */
/* Which part of a concat all lanes of a place take, as a number in the code; NULL if lanes may differ. */
LLVMValueRef concat_part_number(Emitter *e, const Node *concat, const Place *place);
bool emit_takes_part(const Emitter *e, const Node *concat, const Place *place); /* it is known which part is taken */
Source view_source(Emitter *e, const Node *node, uint32_t operand, const Place *place);
Coordinate gathered_index(Emitter *e, Value index, int64_t size); /* an i32 index within an axis: beyond its ends, the end */
Value view_choose(Emitter *e, const Node *node, const Source *sources, const Value *operands);
/* A concat of single columns in memory, read by lanes that begin at the first of them: its value; without one if it is something else. */
Value view_interleaved(Emitter *e, const Node *node, const Place *place);

/* -- memo.c -- */
/* Values are remembered per region: code that dominates what follows until the region ends. */
typedef struct {
    Memo *memo;
} Region;
Region region_begin(Emitter *e);
void region_end(Emitter *e, Region region);
/* Without a value if it is not known. */
Value memo_find(const Emitter *e, NodeId node, const Place *place);
void emit_set(Emitter *e, NodeId node, const Place *place, Value value); /* also presets a node: the root of a kernel */

/* -- emit.c -- */
void emit_begin_kernel(Emitter *e, const Kernel *kernel);
void emit_end_kernel(Emitter *e);
bool emit_computes(const Emitter *e, NodeId node); /* the kernel at hand computes the node */
/* The kernel stores the node, or uses it, at the place in its space that is being computed. */
bool emit_in_place(const Emitter *e, NodeId node);
Value emit_value(Emitter *e, NodeId node, const Place *place);
/* The values of all stores of the kernel at a place in its space; nothing is stored yet. */
const Value *emit_store_values(Emitter *e, const Place *place);
void emit_stores(Emitter *e, const Place *place); /* all stores of the kernel at a place in its space */

/* -- loops.c -- */
typedef struct {
    LLVMValueRef index; /* i64, or LLVM phi */
    LLVMBasicBlockRef body, exit, before;
} Loop;
Loop loop_begin(Emitter *e, LLVMValueRef from);
void loop_end(Emitter *e, Loop loop, LLVMValueRef to, int64_t step);
/* [from, to), which is not empty, cut at the multiples of `size`: the code that follows runs for each part, which is [from, to)
 * of the result and lies in the run loop.index, which begins at `start`. */
typedef struct {
    Loop loop;
    LLVMValueRef start, from, to, end;
} Runs;
Runs runs_begin(Emitter *e, LLVMValueRef from, LLVMValueRef to, int64_t size);
void runs_end(Emitter *e, Runs runs);
/* if (condition) { ... }; without a test if the condition is NULL */
typedef struct {
    LLVMBasicBlockRef after;
} If;
If if_begin(Emitter *e, LLVMValueRef condition);
void if_end(Emitter *e, If branch);
LLVMValueRef stack_slot(Emitter *e, LLVMTypeRef type, unsigned alignment); /* in the entry block */

#endif
