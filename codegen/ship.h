/* Shipped objects: networks as an object file that needs nothing else. Its functions take what the
 * data of the model consist of, such as bytes of an image or a row of a table, and give the outputs
 * of the model, with the bits of the graph. */
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

/* Where a field of the source lies in the arguments. */
typedef struct {
    bool given; /* by the caller */
    ShipType type;
    uint32_t argument;
    size_t offset; /* bytes from the beginning of a line */
} ShipField;

/* What a transform of the data was fitted to. */
typedef struct {
    const char *name;                 /* of the Fit */
    const double *values, *deviation; /* of each element; deviation: NULL, or values are means */
    int64_t count;
} ShipFitted;

/* A function for a number of rows:
 *
 *     int32_t SYMBOL(const void *argument..., float *output..., void *scratch)
 *
 * It returns 0; or 1, and does nothing else, if scratch is not aligned to SHIP_ALIGNMENT. */
typedef struct {
    const char *symbol;
    const Plan *plan; /* of a GRAPH_PREDICT, for one thread */
    /* [plan->state_count]: where in the weights each state begins, in bytes */
    const size_t *states;
} ShipFunction;
enum { SHIP_ALIGNMENT = 64 };

typedef struct {
    const char
        *name; /* the weights are the symbol NAME_weights, in the section .rodata.NAME_weights */
    const void *weights;
    size_t weights_bytes;
    const ShipFunction *functions;
    uint32_t function_count;
    const SourceSchema *schema;
    const ShipField *fields; /* [schema->field_count] */
    /* of each argument: the bytes of a line. Arguments are arrays of numbers or of structs, with
     * `lines` lines for each row of the call. */
    const size_t *line_bytes;
    uint32_t argument_count;
    /* 1, or the length of the window of rows that the network reads; line `before` is the row
     * itself */
    int64_t lines, before;
    const ShipFitted *fitted;
    uint32_t fitted_count;
} ShipRequest;

typedef struct {
    size_t scratch; /* bytes that the caller gives */
    size_t stack;   /* the deepest use of the stack, return addresses included */
} ShipSizes;

typedef struct {
    void *object; /* the file; freed by shipped_free */
    size_t object_bytes;
    size_t code_bytes;  /* of code, and of constants other than the weights */
    ShipSizes *sizes;   /* [function_count] */
    char *target, *cpu; /* LLVM's names */
} Shipped;

/* The name of this machine's platform, of those in codegen/target/platforms.def. */
const char *codegen_platform(void);

/* Makes the object for options->platform and cpu. The code need not run here. False after reporting
 * an error. The caller calls shipped_free in either case. */
bool codegen_ship(const ShipRequest *request, const CodegenOptions *options, Shipped *shipped,
                  Diagnostics *diag);
void shipped_free(Shipped *shipped);

/* Why an input of a graph cannot be computed from fields of the source: "reads the text of dates";
 * NULL: it can. */
const char *ship_refuses(const SourceSchema *schema, const ShipField *fields, const char *input,
                         Arena *arena);

#endif
