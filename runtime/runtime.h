/* The public header of runtime/: all that happens while running. Data sets, threads, programs bound to memory, the training
 * and evaluation loops, checkpoints. Knows programs only through ir/interp/program.h. */
#ifndef MLC_RUNTIME_RUNTIME_H
#define MLC_RUNTIME_RUNTIME_H

#include "ir/ir.h"

/* -- data sets (runtime/data/dataset.c, idx.c, fetch.c) -- */
typedef struct Dataset Dataset;
typedef enum { SPLIT_TRAIN, SPLIT_VALID, SPLIT_TEST, SPLIT_COUNT } Split;
const char *split_name(Split split); /* "train" */

SchemaFunction dataset_schema; /* answers from headers, or from what is known of a named set; context unused */
/* Reads the data into memory as stored. NULL after reporting errors (STATUS_DATA): missing files (says where it looked and
 * how to get them: `mlc data get NAME`), truncated, over-long, mislabelled or inconsistent files. */
Dataset *dataset_open(const DataSource *source, const SplitRequest *request, Diagnostics *diag);
/* Answers dataset_schema and dataset_open, and reads a table once for both: what its columns are is known only when it is read. */
typedef struct DataKeeper DataKeeper;
DataKeeper *keeper_new(void);
void keeper_free(DataKeeper *keeper); /* NULL is allowed */
SchemaFunction keeper_schema;         /* context: a DataKeeper, also of the next one */
ClassesFunction keeper_classes;
Dataset *keeper_open(DataKeeper *keeper, const DataSource *source, const SplitRequest *request, Diagnostics *diag);
/* Rows that no reader has read, all of them in SPLIT_TRAIN: fields (copied) and their elements (malloc'ed; taken over). like: as that of
 * a DataSource, or NULL. */
Dataset *dataset_new(const SourceField *fields, uint32_t count, void *const *data, int64_t rows, const SourceSchema *like);
Dataset *dataset_share(Dataset *dataset); /* is freed as often as it is shared, and once more */
void dataset_free(Dataset *dataset);
/* The rows that each split will have once the data are read; false if the schema does not know, or the split is not possible. */
bool dataset_expect_rows(const SourceSchema *schema, const SplitRequest *request, int64_t rows[SPLIT_COUNT]);
/* Leaves only the rows of each split around which the rows are there that a model looks at, in the same split, file and series; every
 * stride-th of a series. Reports a split that had rows and has none then. series: the rows around others are asked for, even if these
 * are not looked at in every row. */
bool dataset_look_around(Dataset *dataset, const SourceRows *rows, bool series, Diagnostics *diag);
/* All rows of a split, with or without others around them. */
int64_t dataset_all_rows(const Dataset *dataset, Split split);
const int32_t *dataset_all_split(const Dataset *dataset, Split split);
int64_t dataset_rows(const Dataset *dataset, Split split);
/* The row numbers of a split: they index dataset_field. Between the training rows and test rows of their own there may be numbers
 * without rows, where the files are mapped. */
const int32_t *dataset_split(const Dataset *dataset, Split split);
/* Where a row was read from. */
typedef struct {
    const char *file; /* NULL: from none */
    int64_t row;      /* in its file, from 0 and without the line of names; -1: the file is the row, a picture */
    int64_t line;     /* of a table: where the row begins, from 1; else 0 */
} RowPlace;
RowPlace dataset_row_place(const Dataset *dataset, int32_t row);
/* The same in words: "line 38 of 'iris.csv'", "row 5 of 'x.npy'", "'cats/1.png'". field: whose element is meant, or NULL. */
enum { PLACE_TEXT = 320 };
const char *dataset_place_text(const Dataset *dataset, const char *field, int32_t row, char text[PLACE_TEXT]);
/* The same without the file, where all rows come from one: "line 38". */
const char *dataset_place_brief(const Dataset *dataset, int32_t row, char text[PLACE_TEXT]);
/* Row 0 of a field, or of columns side by side (source_columns_name), all splits in one array; NULL: none. */
const void *dataset_field(const Dataset *dataset, const char *name);
/* The same with its dtype and row; NULL: none. */
const SourceField *dataset_find(const Dataset *dataset, const char *name, const void **data);
/* Whether an input that dataset_find has found has no number in a row: a cell is missing that it is computed of, or it looks at a row
 * that is not there. */
bool dataset_lacks(const Dataset *dataset, const char *name, int32_t row);
/* What transforms have learnt of columns (Fit.column), in f64. */
typedef struct {
    const char *name;           /* of the Fit */
    Shape row;                  /* of the column */
    double *values, *deviation; /* values: means, where there is a deviation */
} Learnt;
/* Lets the transforms learn that have a column, each after those before it. Reports columns without a number (STATUS_DATA). */
bool dataset_learn(Dataset *dataset, const Fit *fits, uint32_t count, Diagnostics *diag);
/* Takes over what has been learnt of other data; copied. */
void dataset_take_learnt(Dataset *dataset, const Learnt *learnt, uint32_t count);
const Learnt *dataset_learnt(const Dataset *dataset, uint32_t *count);
/* The numbers that an input of the model holds in some rows, in f64 and with the digits of the files; NaN where one is missing.
 * [count][elements of a row], malloc'ed; NULL: the data set does not have it, or it is text. */
double *dataset_numbers(const Dataset *dataset, const char *name, const int32_t *rows, int64_t count);
/* An element of a row of a field of the source, by the field's number, likewise; of text the number of the category, NaN: it has none. */
double dataset_number(const Dataset *dataset, uint32_t field, int32_t row, int64_t element);
/* What makes rows of a field equal: their elements, with the digits of the files; returns their bytes. */
size_t dataset_row_bytes(const Dataset *dataset, uint32_t field, int32_t row, const void **bytes);
/* The cell of a column of text, as the file has it, also where it is no category; NULL: it is missing. */
const char *dataset_text(const Dataset *dataset, uint32_t field, int32_t row);
/* Makes sure of a derived column (ir/data/derived.h): false after reporting, at `span`, an element that has no value. True where the
 * columns that it reads are not there, too: then dataset_find says NULL. */
bool dataset_derive(const Dataset *dataset, const char *name, Span span, Diagnostics *diag);
/* Whether no number is missing that an input is made of, in any row of a split; else a STATUS_DATA error at `span`. */
bool dataset_check_present(const Dataset *dataset, const char *name, Span span, Diagnostics *diag);
const SourceSchema *dataset_fields(const Dataset *dataset);
/* The columns that classes(...) makes, as far as they have been asked for, the first one first; the array is the arena's. */
const SourceField **dataset_class_columns(const Dataset *dataset, Arena *arena, uint32_t *count);
/* Whether every whole number of a field is a class from 0 to below classes[i], for each element i of a row (0: any number will do);
 * else a STATUS_DATA error at spans[i] (NULL: nowhere). */
bool dataset_check_classes(const Dataset *dataset, const char *field, const int64_t *classes, const Span *spans,
                           Diagnostics *diag);
const char *dataset_class_name(const Dataset *dataset, const char *field, int32_t label); /* "Ankle boot", or NULL */
const char *dataset_schema_text(const Dataset *dataset); /* for checkpoints: fields and categories, as JSON */
const char *dataset_digest(const Dataset *dataset);      /* BLAKE3 of the files' contents, 64 hex digits */
double dataset_seconds(const Dataset *dataset);          /* spent reading */
/* The data file that is mapped into memory at an address; NULL: none. For a handler of SIGBUS, which is raised where a file is read
 * that has become shorter. */
const char *data_file_at(const void *address);

/* -- looking at data: `mlc data FILE.mdl` -- */
typedef struct {
    int64_t count;
    double mean, square;      /* square: the sum of squared distances from the mean */
    double first, from_first; /* the first value, and how far the mean is from it */
} Moments;
typedef struct {
    Moments moments; /* of finite values */
    double least, most;
    bool has_fractions;        /* a value is no whole number */
    int64_t missing, infinite; /* missing: NaN; text without a category */
} Statistics;
double statistics_deviation(const Statistics *statistics); /* NaN without a value */

/* What a field's elements are like (runtime/data/statistics.c). */
enum { FACTS_COLUMNS = 64 };
typedef struct {
    SourceField field; /* of the source, or made of it by a model */
    int64_t
        width; /* elements of a row, each with statistics of its own; 0 where they are no list, or one of more than FACTS_COLUMNS */
    Statistics whole[SPLIT_COUNT], *columns[SPLIT_COUNT];
    const char
        *dates; /* the format by which a column is read as dates: its statistics are of their seconds; NULL: it is none */
} FieldFacts;
FieldFacts *field_facts_new(Arena *arena, const SourceField *field);
void field_facts_add(FieldFacts *facts, Split split, const void *rows, int64_t count); /* one row after the other */
void field_facts_number(FieldFacts *facts, Split split, int64_t element, double number);

/* How many rows each class has (runtime/data/class_counts.c). */
typedef struct {
    const SourceField *field;
    bool is_label;
    int64_t classes;              /* those known, or else up to the largest that occurs */
    int64_t *counts[SPLIT_COUNT]; /* [classes] */
} ClassCounts;

/* Something suspicious (runtime/data/inspect.c, which states the rules). */
typedef struct {
    const char *kind;  /* "missing", "outlier"... */
    const char *field; /* NULL: whole rows */
    int64_t count;     /* of elements, rows or classes */
    const char *text;
} Finding;
typedef struct {
    Arena *arena;
    Finding *items;
    uint32_t count, capacity;
} Findings;
void findings_add(Findings *findings, const char *kind, const char *field, int64_t count, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void findings_missing(Findings *findings, const FieldFacts *facts); /* elements that are missing or infinite */

typedef struct {
    FieldFacts **fields; /* of the source, [field_count] */
    uint32_t field_count;
    ClassCounts *classes; /* of the fields that hold classes */
    uint32_t class_count;
    Findings findings;
} DataFacts;
/* Whether a field of one number a row is the same in all rows of a split, of which there are several. */
bool dataset_all_alike(const Dataset *dataset, const char *field, Split split);
/* label: the source's field that holds the classes to be learnt, or NULL. dates: of each field the format by which it is read as dates, or
 * NULL; NULL: none is. */
DataFacts *dataset_inspect(const Dataset *dataset, const char *label, const char *const *dates, Arena *arena);

/* -- pictures (runtime/formats/bitmap.c) -- */
typedef struct {
    int height, width, channels; /* 1: grey; 3: red, green, blue */
    bool coloured;               /* the file's pixels are; `channels` may have been asked for */
    uint8_t *pixels;             /* [channels][height][width] */
} Bitmap;
/* What kind of picture a file is by its first bytes: "PNG", "GIF"...; NULL: none, or no file that can be read. readable: mlc decodes
 * that kind. */
const char *bitmap_kind(const char *path, bool *readable);
/* Whether a name ends as those of pictures do that mlc reads: .png, .JPG... */
bool bitmap_has_ending(const char *name);
/* Reads a picture, whatever its name; channels 1 or 3 makes it grey or coloured, 0 takes it as it is. STATUS_DATA error and false if it
 * cannot be read. */
bool bitmap_open(const char *path, int channels, Bitmap *bitmap, Diagnostics *diag);
void bitmap_free(Bitmap *bitmap);
/* Stretched or shrunk to another size, every pixel the mean of the area it covers; fills to[channels][height][width]. */
void bitmap_resize(const Bitmap *bitmap, int height, int width, uint8_t *to);
/* The mean over an area of one channel's plane, which may lie outside of the picture: there it is `outside`. */
typedef struct {
    double top, left, height, width;
} Area;
double bitmap_mean(const Bitmap *bitmap, int channel, Area area, double outside);

/* mlc data get: downloads a named set into its folder, checking SHA-256. from: a folder or URL prefix, or NULL for the mirrors. */
bool data_get(const char *name, const char *from, bool quiet, Diagnostics *diag);
const char *const *data_names(uint32_t *count);
/* Where a named set is looked for: $MLC_DATA/NAME, else the cache folder; a table's file lies beside these folders. Writes into buffer. */
const char *data_folder(const char *name, char *buffer, size_t size);
/* Where a named set was found; false: nowhere. */
bool data_find(const char *name, char *buffer, size_t size);

/* -- threads (runtime/threads/threads.c) -- */
typedef struct Threads Threads;
/* count - 1 worker threads; the caller is thread 0. Waiting spins for a few microseconds, then yields, then sleeps (futex). */
Threads *threads_new(int count);
void threads_free(Threads *threads);
int threads_count(const Threads *threads);
/* Runs work(context, thread) on all threads and waits for all. How they share the work of a step: runtime/threads/work.h. */
void threads_run(Threads *threads, void (*work)(void *context, int thread), void *context);
int threads_online(void); /* cores this process may use */

/* -- states: the memory that programs share (runtime/program/states.c) -- */
typedef struct States States;
States *states_new(void);
void states_free(States *states);
/* Makes sure every state of the program has its memory; binds by name. New ones are zero until initialized. */
bool states_bind(States *states, const Program *program, Diagnostics *diag);
/* Makes sure of the states of a graph that no program has: they are initialized, saved and loaded with the others. */
void states_keep(States *states, const Graph *graph);
/* The pointer array for StepArgs.states; lives as long as the States. */
void *const *states_pointers(States *states, const Program *program);
void states_initialize(States *states, uint64_t seed);
/* Plain-layout copy out and in, by name (all copies in other layouts are refreshed). */
bool states_read(const States *states, const char *name, void *data);
bool states_write(States *states, const char *name, const void *data);

/* -- running one program over rows (runtime/program/run.c) -- */
typedef struct Runner Runner; /* a program with its slab, outputs and input bindings */
Runner *runner_new(const Program *program, States *states, Threads *threads, Diagnostics *diag);
void runner_free(Runner *runner);
void runner_input(Runner *runner, const char *name, const void *data); /* by symbol name; ignored if the program has none */
void runner_step(Runner *runner, const int32_t *rows);
/* Runs over `count` rows in batches, the last of which is filled up with its own first rows; calls see after each one, with the
 * place of its first row among them and the number of its rows. */
typedef void RunnerSee(void *context, const Runner *runner, int64_t first, int64_t count);
void runner_rows(Runner *runner, const int32_t *rows, int64_t count, RunnerSee *see, void *context);
/* Binds every input that the data set has; false after reporting one that it has not. */
bool runner_data(Runner *runner, const Dataset *dataset, Diagnostics *diag);
const void *runner_output(const Runner *runner, const char *name); /* plain; NULL: none */
/* Called by a thread before it runs some units of a kernel, and after. NULL: nobody watches. */
typedef void RunWatch(void *context, int thread, uint32_t kernel, bool begins);
void runner_watch(Runner *runner, RunWatch *watch, void *context);

/* -- what transforms of the data learn (runtime/train/fit.c) -- */
/* Fits the transforms that have no column to the training rows, each after those before it, and writes what they learn into their states,
 * which states_initialize leaves alone. `program` computes GRAPH_FIT (frontend). Reports columns without a number (STATUS_DATA). */
bool fits_run(const Program *program, const Dataset *dataset, States *states, Threads *threads, const Fit *fits, uint32_t count,
              Diagnostics *diag);

/* -- checkpoints: safetensors files. Nothing in them depends on the time, the machine or the number of
 * threads: the same training gives the same bytes, stopped and resumed or not. -- */
typedef struct {
    uint64_t step, epoch, seed; /* epoch: whole epochs done; step: steps done over the whole run */
    uint64_t epochs;            /* that the run was to have; 0: not known */
    double loss_sum;            /* of the epoch begun: the losses so far, times their rows */
    double best;         /* what best.safetensors was chosen by, with a minus where less is better; NaN: there is none yet */
    uint64_t best_epoch; /* the epoch that it is of; 0: there is none yet */
    double gained;       /* the best of what StopRule looks at, likewise */
    uint64_t waited;     /* epochs since then */
    uint64_t numerics;   /* NUMERICS_VERSION of the mlc that wrote it; saving writes this one's */
    char model_hash[65], data_digest[65];
    const char *schema;   /* of the data, by dataset_schema_text; NULL: leave it out. Loading sets it to NULL */
    const Learnt *learnt; /* of the data, which checkpoint_learnt reads back */
    uint32_t learnt_count;
} CheckpointInfo;

/* -- training (runtime/train/train.c) -- */
typedef struct {
    const Program *full, *last; /* batch rows, and the smaller last batch; last NULL if the rows divide evenly */
    uint32_t batch;
} ProgramPair;

enum { RUNTIME_MAX_METRICS = 16 };
/* The metrics, by name, are outputs of the graph `finish`, computed in double. Its VALUE inputs are the means, over the rows of the
 * split, of the outputs of the programs that have their names; of i32 outputs, which are counts, the sums over the batches. finish
 * NULL: the metrics are such means themselves. */
typedef struct {
    const char *const *names;
    uint32_t count;
    const Graph *finish;
} Metrics;

typedef struct {
    const Dataset *dataset;
    States *states;
    Threads *threads;
    ProgramPair train, valid, test; /* pairs may share programs; full may be NULL when a split has fewer rows than batch */
    Metrics metrics;
    uint32_t epochs;
    uint32_t accumulate; /* batches whose gradients make one step; 0: one */
    uint64_t seed;
    bool initialized; /* the states have their first values, of this seed, already */
    bool shuffle;
    Judge keep_best;
    StopRule stop;
    const char *folder;     /* run folder, exists; NULL: write nothing */
    const char *model_hash; /* goes into the checkpoint: BLAKE3 of the resolved text without train.epochs */
    const char *resume;     /* path of a checkpoint to continue from, or NULL */
} TrainOptions;

typedef struct {
    double loss, metrics[RUNTIME_MAX_METRICS]; /* over all rows */
    const double *counts[RUNTIME_MAX_METRICS]; /* of a metric that is a matrix, its elements (then its number is NaN), or NULL;
                                                * the events of the training keep it for the call only */
    int64_t rows;
    double seconds;
} Evaluation;

/* What the caller is told, `step` on any of the threads, one call after the other; any function may be NULL. */
typedef struct {
    void *context;
    void (*step)(void *context, uint32_t epoch, uint64_t step, uint64_t steps_per_epoch,
                 double loss); /* about 10 times a second */
    /* epoch 0: the untrained network (train_loss is NaN then). valid, test: NULL if the split has no rows. */
    void (*epoch)(void *context, uint32_t epoch, double train_loss, double seconds, int64_t rows, const Evaluation *valid,
                  const Evaluation *test);
    void (*begin)(void *context); /* just before the first step */
    /* After the last epoch, or when the training ends before it; early: because the StopRule says so. */
    void (*end)(void *context, const CheckpointInfo *info, bool early);
} TrainEvents;

typedef enum { TRAIN_DONE, TRAIN_STOPPED, TRAIN_NONFINITE, TRAIN_FAILED } TrainResult;
/* Initializes the states from the seed, or loads them from options->resume; evaluates as epoch 0 unless resuming; trains. In
 * options->folder, last.safetensors is written after the first step, then about every ten seconds, at the end of each epoch
 * (after the epoch's event) and when stopped; best.safetensors when keep_best is better than ever before (on the validation rows, or else
 * the test rows).
 * TRAIN_STOPPED: train_request_stop was called (SIGHUP 129, SIGINT 130, SIGTERM 143): the checkpoint is written and resumes bit for bit.
 * TRAIN_NONFINITE: a loss on training or held-out rows, a weight or another state is not finite: reported with the op and line that went
 * wrong first. The last checkpoint stays: none is written whose states are not finite. */
TrainResult train(const TrainOptions *options, const TrainEvents *events, Diagnostics *diag);
void train_request_stop(void); /* async-signal-safe */
/* counts go into the arena. A loss that is not finite is reported (STATUS_NONFINITE), and true returned. */
bool evaluation_run(const Dataset *dataset, Split split, const ProgramPair *pair, States *states, Threads *threads,
                    const Metrics *metrics, Arena *arena, Evaluation *result, Diagnostics *diag);

/* -- reading and writing checkpoints (runtime/train/checkpoint.c) -- */
/* Written to a temporary file in the same folder, synced, renamed, folder synced. STATUS_FILE errors. */
bool checkpoint_save(const char *path, const States *states, const CheckpointInfo *info, Diagnostics *diag);
/* Reads into states bound before; every name, dtype and shape must agree (errors say which), else nothing is changed.
 * partial, for evaluation: the file may hold more than is bound (moments of an optimizer), and need not be mlc's own (*info
 * is zero then). */
bool checkpoint_load(const char *path, States *states, bool partial, CheckpointInfo *info, Diagnostics *diag);
/* Reads what transforms of columns have learnt, for the data set. */
bool checkpoint_learnt(const char *path, const Fit *fits, uint32_t count, Dataset *dataset, Diagnostics *diag);
/* Reads the info alone. */
bool checkpoint_info(const char *path, CheckpointInfo *info, Diagnostics *diag);
/* Reads the schema of the data alone, into the arena; false, without a report, if there is none. */
bool checkpoint_schema(const char *path, Arena *arena, SourceSchema *schema);

/* -- weights of another training (runtime/train/warm_start.c) -- */
typedef struct {
    const char *there, *here; /* a tensor's or a layer's name in the file, and in the model */
} WeightMap;
typedef struct {
    const char **items;
    uint32_t count, capacity;
} TextList;
typedef struct {
    uint32_t count; /* tensors taken */
    TextList anew,
        unused; /* of the model: what keeps its first values, and why; of the file: what nothing in the model asks for */
} WeightsTaken;
/* Writes into the states whatever weights and running statistics of `network` the file has under the same name (after `maps`)
 * with the same dtype and shape. Texts go into the arena. STATUS_FILE errors: the file cannot be read, or nothing in it fits; STATUS_USAGE:
 * a map names what is not there. */
bool weights_take(const char *path, States *states, const Graph *network, const WeightMap *maps, uint32_t map_count,
                  Arena *arena, WeightsTaken *taken, Diagnostics *diag);
void blake3_hex(const void *data, size_t bytes, char hex[65]);

#endif
