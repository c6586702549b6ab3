/* Shipped objects: networks as an object file that needs no library. Its functions take raw data,
 * such as the bytes of an image or a row of a table. They compute the outputs of the model, bit for
 * bit as the graph does. */
#ifndef MLC_CODEGEN_SHIP_H
#define MLC_CODEGEN_SHIP_H

#include "codegen/codegen.h"
#include "ir/data/source.h"

/* The type of numbers that the caller passes, and its name in C. */
typedef enum {
    SHIP_U8,  /* uint8_t */
    SHIP_I32, /* int32_t */
    SHIP_F32, /* float */
    SHIP_F64, /* double */
    SHIP_TYPES
} ShipType;
size_t ship_type_bytes(ShipType type);

/* The position of a field of the source in the arguments. */
typedef struct {
    bool given; /* by the caller */
    ShipType type;
    uint32_t argument;
    size_t offset; /* bytes from the beginning of a line */
} ShipField;

/* What a transform of the data was fitted to. */
typedef struct {
    const char *name; /* of the Fit */
    /* of each element; deviation NULL: the transform does not standardize. Otherwise, values are
     * the means */
    const double *values, *deviation;
    int64_t count;
} ShipFitted;

/* A function for a fixed number of rows. RUN computes the outputs with the weights of the object.
 * RUN_STATE takes the weights from a state, or from memory that the caller gives. STEP is a step of
 * training, which changes the state.
 *
 *     int32_t SYMBOL(const void *argument..., float *output..., void *scratch)
 *     int32_t SYMBOL(const void *state, const void *argument..., float *output..., void *scratch)
 *     int32_t SYMBOL(void *state, const void *argument..., float *loss, void *scratch)
 *
 * It returns 0 on success. It begins with two checks. It returns SHIP_MISALIGNED if scratch or
 * state is not aligned to SHIP_ALIGNMENT, and SHIP_WRONG_STATE if the state does not begin with its
 * magic number. It returns SHIP_NOT_FINITE after a step whose loss is not finite.
 *
 * In parts, three numbers come before the other arguments:
 *
 *     int32_t PART_SYMBOL(int32_t phase, int32_t part, int32_t parts, ...)
 *
 * In each phase 0, 1, ... all parts 0 .. parts - 1 are called, in any order or at the same time. A
 * phase begins when all calls of the phase before have returned. `parts` is at most
 * ShipRequest.parts, and the same in all phases, and so are the other arguments. The outputs are
 * there after the last phase. SHIP_WRONG_PART: one of the numbers is too large or too small.
 * SHIP_NOT_FINITE is returned by part 0 of the last phase. */
typedef enum { SHIP_RUN, SHIP_RUN_STATE, SHIP_STEP } ShipKind;
enum { SHIP_MISALIGNED = 1, SHIP_WRONG_STATE = 2, SHIP_NOT_FINITE = 3, SHIP_WRONG_PART = 4 };
typedef struct {
    ShipKind kind;
    const char *symbol;
    const Plan *
        plan; /* for one thread, or for several ones; of a GRAPH_PREDICT, or for STEP of a GRAPH_TRAIN */
    /* [plan->state_count]: where each state begins, in bytes from the weights or the state */
    const size_t *states;
    /* the function takes so many of the request's arguments, from the first on */
    uint32_t argument_count;
    /* the same function in parts, for several threads of the caller; NULL: not wanted */
    const char *part_symbol;
} ShipFunction;
enum { SHIP_ALIGNMENT = 64 };

/* A block of the state of a training: one tensor in one layout. The state is a single piece of
 * memory, a header and then the blocks. */
typedef struct {
    const Symbol *symbol;
    Layout layout;
    size_t offset; /* in the state */
    /* the offset in the weights from which a new state copies its bytes; SHIP_ZERO: they are 0 */
    size_t source;
    /* the block of the same symbol that a step writes: this one, or the one from which this one is
     * copied after the step */
    uint32_t written;
} ShipBlock;
#define SHIP_ZERO SIZE_MAX

/* How the object can compute the first values of a weight. */
typedef enum {
    FIRST_IN_F32,
    FIRST_IN_F64, /* on a processor that computes doubles */
    FIRST_UNKNOWN /* it cannot: they need more memory than a state */
} FirstValues;
FirstValues ship_first_values(Init init);

enum { SHIP_HEADER = 64 }; /* bytes before the first block */

typedef struct {
    size_t bytes;   /* of the state */
    uint64_t magic; /* its first 8 bytes; then an i32 counts the steps; byte 16 begins the seed */
    const ShipBlock *blocks;
    uint32_t block_count;
    /* the blocks of the network's tensors, in the order of the function `read` */
    const uint32_t *tensors;
    uint32_t tensor_count;
    /* of the training: batches in an epoch, batches whose gradients make one update, epochs */
    int64_t batches, accumulate, epochs;
    int64_t replicas, rows; /* shares of a batch, of which a step takes one; rows of a share */
    uint64_t seed;
    /* names of functions: void make(state), void read(state, float *), int32_t check(state) */
    const char *make, *read, *check;
    const char *write; /* void write(state, const float *), the reverse of read; NULL: not wanted */
    const char *fresh; /* void fresh(state, uint64_t seed): first weights; NULL: not wanted */
} ShipTraining;

/* Memory of a module, aligned to SHIP_ALIGNMENT. */
typedef struct {
    const char *name;
    size_t bytes;
} ShipBuffer;

typedef struct {
    const char
        *name; /* the weights are the symbol NAME_weights, in the section .rodata.NAME_weights */
    const void *weights;
    size_t weights_bytes;
    const ShipFunction *functions;
    uint32_t function_count;
    const ShipTraining *training; /* NULL: the object does not train */
    uint32_t parts; /* the most parts of a call; 1 if no function is wanted in parts */
    /* the magic number of weights that the caller gives, as the object has none; 0: the object has
     * them */
    uint64_t given_magic;
    /* the weights are this symbol of an object of their own, Shipped.weights_object; NULL: they are
     * not */
    const char *weights_symbol;
    const SourceSchema *schema;
    const ShipField *fields; /* [schema->field_count] */
    /* [argument_count]: bytes of a line. Arguments are arrays of numbers or of structs, with
     * `lines` lines for each row of the call. */
    const size_t *line_bytes;
    uint32_t argument_count;
    /* the length of the window of rows that the network reads, or 1; line `before` of it is the row
     * itself */
    int64_t lines, before;
    const ShipFitted *fitted;
    uint32_t fitted_count;
    /* Of a module for WebAssembly: memory for all arguments and outputs of its functions. The
     * module also gets memory for scratch as NAME_scratch, and for the weights as NAME_weights,
     * which the module itself does not contain. */
    const ShipBuffer *buffers;
    uint32_t buffer_count;
} ShipRequest;

typedef struct {
    size_t scratch; /* bytes of scratch that the caller gives */
    size_t stack;   /* the deepest use of the stack, return addresses included */
    /* of the function in parts */
    uint32_t phases;
    size_t part_stack;
} ShipSizes;

typedef struct {
    void *object; /* the file, or the module; freed by shipped_free */
    size_t object_bytes;
    size_t code_bytes;    /* of code, and of constants other than the weights */
    void *weights_object; /* defines ShipRequest.weights_symbol; freed by shipped_free */
    size_t weights_object_bytes;
    size_t memory;      /* bytes of the memory of a module */
    ShipSizes *sizes;   /* [function_count] */
    char *target, *cpu; /* LLVM's names */
    bool has_wide;      /* the code exists a second time, for AVX-512 */
} Shipped;

/* The name of this machine's platform, of those in codegen/target/platforms.def. */
const char *codegen_platform(void);
/* Whether code for a platform computes single elements. false for a name that no platform has. */
bool codegen_without_vectors(const char *platform);
/* Whether a platform's processor computes f32 only. */
bool codegen_without_doubles(const char *platform);

/* Makes the object for options->platform and cpu, or a module for options->wasm: it exports all
 * functions, its memory, and the addresses of its buffers. The code need not run here. False after
 * reporting an error. The caller calls shipped_free in either case. */
bool codegen_ship(const ShipRequest *request, const CodegenOptions *options, Shipped *shipped,
                  Diagnostics *diag);
void shipped_free(Shipped *shipped);

/* Prints the same functions as C99 that is also valid C++. They are static and called ship_SYMBOL;
 * all arguments have type ptr (unsigned char *), and the result is an i32 (uint32_t).
 * sizes[i].scratch becomes that of function i; sizes[i].stack is left alone, as it depends on the C
 * compiler. False after reporting an error. */
bool codegen_ship_source(const ShipRequest *request, FILE *out, ShipSizes *sizes,
                         Diagnostics *diag);

/* Prints the source that defines request->weights_symbol, in C99 that is also valid C++. */
void codegen_ship_weights_source(const ShipRequest *request, FILE *out);

/* The reason why an input of a graph cannot be computed from fields of the source, such as "reads
 * the text of dates"; NULL: it can. */
const char *ship_refuses(const SourceSchema *schema, const ShipField *fields, const char *input,
                         Arena *arena);

#endif
