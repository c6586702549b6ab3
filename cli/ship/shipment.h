/* A shipment: a trained network that becomes an object file, C source or modules, and all facts
 * that the files beside it contain. */
#ifndef MLC_CLI_SHIP_SHIPMENT_H
#define MLC_CLI_SHIP_SHIPMENT_H

#include "cli/session/build.h"
#include "cli/ship/quantize.h"
#include "codegen/ship.h"

/* A field of the source that the caller passes: an array, or a member of struct NAME_row. */
typedef struct {
    const SourceField *field;
    const char *name; /* in C */
    ShipType type;
    int64_t elements; /* 1, or the numbers of a row of an array */
    bool is_member;
    bool for_training; /* only a step reads it, such as a label */
    bool has_gaps;     /* cells may be missing: the model fills them in */
    size_t offset;     /* of a member */
} ShipInput;

typedef struct {
    const ModelOutput *output;
    const char *name; /* in C */
    Shape row;
    int64_t elements;
} ShipOutput;

/* A function for a number of rows. */
typedef struct {
    int64_t rows;
    const char *symbol, *suffix; /* "digits_run_32", "_32" */
    Compilation compilation;
} ShipVariant;
enum { VARIANTS_MAX = 8 };

enum { SHIP_STEPS = 3 };
#define SHIP_FRESH_SEED 0x0123456789abcdef /* of the new state in the test program */

/* Rows of random numbers with the outputs that the interpreter computes for them. */
typedef struct {
    int64_t rows;                /* how many rows have outputs */
    int64_t lines;               /* of data: more than `rows` if the network reads windows */
    const void *const *data;     /* [input]: the elements of all lines, in the type of the field */
    const float *const *outputs; /* [output]: of all rows */
    /* Of a training: the losses of the first steps, which begin with the network's weights; then a
     * hash of the weights after them (64-bit FNV-1a), and the outputs with those weights. */
    float losses[SHIP_STEPS];
    uint64_t weights_hash;
    uint64_t fresh_hash; /* of the first weights with SHIP_FRESH_SEED */
    const float *const *trained;
} ShipExamples;

/* What the user of a page enters: a drawing, a picture of [1 or 3, height, width], or a row of a
 * table. */
typedef enum { PAGE_DRAWING, PAGE_PICTURE, PAGE_TABLE } PageKind;

/* Rows of the data in a page: `test` rows on which it measures the accuracy, then `kept` rows on
 * which it trains. */
typedef struct {
    PageKind kind;
    int64_t test, kept;
    char *bytes; /* for each input, one after the other, the numbers of all rows */
    size_t length;
} ShipPage;

typedef struct {
    const Options *options;
    Diagnostics *diag;
    Arena *arena; /* that of the session */
    Session session;
    CheckpointInfo checkpoint;
    /* of a network without a run: the data that its model names, and the batches of an epoch */
    Dataset *data;
    int64_t batches;
    const char *name;
    Graph *graph;      /* GRAPH_PREDICT for one row */
    ShipInput *inputs; /* ordered as in the source */
    uint32_t input_count;
    bool has_members; /* some inputs are members of the struct, which is the first argument */
    size_t struct_bytes;
    ShipOutput *outputs;
    uint32_t output_count;
    SourceRows window;
    ShipVariant variants[VARIANTS_MAX];
    uint32_t variant_count;
    /* --train: the state of a step, its rows, and its compilation; otherwise NULL */
    ShipTraining *training;
    int64_t step_rows;
    Compilation step;
    char *weights; /* all states in the forms of the plans, each aligned */
    size_t weights_bytes;
    char weights_hash[65], model_hash[65];
    ShipExamples examples;
    ShipPage page; /* --form html */
    ShipRequest request;
    Shipped shipped; /* of a source only the sizes of scratch; for browsers the exact module */
    Shipped relaxed; /* for browsers: the module with relaxed multiply-adds; the same sizes */
    Quantization *quantization; /* --int8; else NULL */
    char *source; /* NAME.c without its beginning and end; NULL: an object is shipped */
} Shipment;

/* Opens the run or the model file, compiles the object and computes the examples. false after reporting errors. The
 * caller calls shipment_close in either case. */
bool shipment_open(Shipment *shipment, const Options *options, Diagnostics *diag);
void shipment_close(Shipment *shipment);

/* The number of the argument that contains an input. */
uint32_t shipment_argument(const Shipment *shipment, const ShipInput *input);
/* The lines of the window of a row. */
int64_t shipment_lines(const Shipment *shipment);

/* Whether the network is shipped with its training. */
static inline bool shipment_trains(const Shipment *shipment) {
    return shipment->options->with_training;
}
/* Whether the program gives the weights to each call, from NAME.weights. */
static inline bool shipment_takes_weights(const Shipment *shipment) {
    return shipment->options->ship_weights == CHOICE_ship_weights_given;
}
/* Whether the weights are an object or a source of their own: NAME_weights.o or NAME_weights.c. */
static inline bool shipment_parts_weights(const Shipment *shipment) {
    return shipment->options->ship_weights == CHOICE_ship_weights_apart;
}
/* Whether its functions also exist in parts, for several threads of the program. */
static inline bool shipment_has_parts(const Shipment *shipment) {
    return shipment->options->parts > 1;
}
/* "x86_64-pc-linux-gnu, x86-64-v3", or "C99". */
const char *shipment_target(const Shipment *shipment);
static inline bool shipment_is_source(const Shipment *shipment) {
    return shipment->options->form == CHOICE_form_c;
}
/* Whether it is one page for browsers. */
static inline bool shipment_is_page(const Shipment *shipment) {
    return shipment->options->form == CHOICE_form_html;
}
/* Whether it is for browsers: two modules for WebAssembly. */
static inline bool shipment_is_web(const Shipment *shipment) {
    return shipment->options->form == CHOICE_form_wasm || shipment_is_page(shipment);
}
/* The sizes of a variant, and of the same with a state; those of the step. */
ShipSizes shipment_sizes(const Shipment *shipment, uint32_t variant);
ShipSizes shipment_step_sizes(const Shipment *shipment);

/* -- shipment_model.c -- */
/* Whether a model file is shipped, and not a run. */
bool shipment_is_model(const Shipment *shipment);
/* Opens the model file, and reads its data. */
bool shipment_open_model(Shipment *shipment);
/* Sets the states to the first weights of a training, and moves the data from the session to the
 * shipment. */
bool shipment_draw_weights(Shipment *shipment);

/* -- shipment_weights.c -- */
/* Places the states of all functions in the weights and in the state, and describes the
 * functions. */
bool shipment_place_weights(Shipment *shipment);

/* -- shipment_inputs.c -- */
/* Finds the fields that the network reads, and where they lie in the arguments; step: the graph of
 * a training, which reads more, or NULL. */
bool shipment_find_inputs(Shipment *shipment, const Graph *step);
bool shipment_find_outputs(Shipment *shipment);

/* -- shipment_modules.c -- */
/* Makes both modules for browsers. */
bool shipment_make_modules(Shipment *shipment, const CodegenOptions *options);

/* -- shipment_page.c -- */
/* Chooses what the user of the page enters, and reads the rows of the page. */
bool shipment_prepare_page(Shipment *shipment);
/* Writes a number as the type that the caller passes. */
void shipment_put_number(ShipType type, void *to, double number);

/* -- shipment_examples.c -- */
/* Makes the data set of the examples, and loads the fitted transforms. */
bool shipment_make_rows(Shipment *shipment);
/* Computes the outputs of the examples, and trains on them. */
bool shipment_run_rows(Shipment *shipment);

#endif
