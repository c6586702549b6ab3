/* A session of train, eval or predict: a model, its data, its compiled programs, their states and
 * threads. */
#ifndef MLC_ENGINE_SESSION_SESSION_H
#define MLC_ENGINE_SESSION_SESSION_H

#include "engine/build/programs.h"
#include "engine/session/runs.h"
#include "runtime/data/findings.h"
#include "runtime/threads/threads.h"
#include "runtime/train/checkpoint.h"

typedef struct {
    Arena *arena; /* freed at the end of the session */
    /* the schema of the training data, from the checkpoint of a trained network */
    SourceSchema like;
    Build build;
    Dataset *dataset;
    double data_time; /* when the data had been read, by seconds_now */
    /* of a trained network: the folder of its run, and its checkpoint in it */
    const char *run, *checkpoint;
    Programs programs;
    Graph *finish; /* computes the metrics from means over a split */
    States *states;
    /* opened by session_load_run: the checkpoint holds the fitted transforms of columns */
    bool is_trained;
    bool trains_anew; /* a new training: the states get their initial values when they are made */
    bool is_spread;   /* the training is spread over several processes */
    Threads *threads;
    /* [row_count]: rows that the command runs; NULL: all rows of all splits */
    const int32_t *rows;
    int64_t row_count;
} Session;

/* The steps of session_open that differ from command to command. All but `expect` return false
 * after reporting errors. */
typedef struct {
    void *context;
    bool (*model)(void *context); /* opens session->build */
    /* Requests the programs for the row counts that a file header states. NULL: nothing is compiled
     * before the data are read. */
    void (*expect)(void *context, const int64_t rows[SPLIT_COUNT]);
    /* Opens session->dataset, for instance by inputs_open. NULL: session_read_data does it. */
    bool (*data)(void *context);
    bool (*rows)(void *context); /* chooses rows and requests their programs */
    /* sets the states: session_load_weights or session_fit_graph */
    bool (*weights)(void *context);
} SessionHooks;

/* Opens a session in the order listed in session.c. false after reporting errors. The caller calls
 * session_close in either case. */
bool session_open(Session *session, const SessionHooks *hooks);
void session_close(Session *session);

/* -- for the hooks; each returns false after reporting errors -- */

/* Opens the model of a run, which is a trained network. checkpoint: RUN_LAST or RUN_BEST. Both
 * texts must live as long as the session. */
bool session_load_run(Session *session, const char *run, const char *checkpoint,
                      const BuildOptions *options, Diagnostics *diag);
/* Reads the data that the model names, fits the transforms of columns and checks the classes. */
bool session_read_data(Session *session);
/* Fits the transforms of columns, such as standardize(x), to the training rows. For a trained
 * network it reads the fitted values from the checkpoint. */
bool session_fit_columns(Session *session);
/* The fitted transforms of columns of a trained network, from its checkpoint, in the session's
 * arena. NULL after reporting errors. */
const FittedColumn *session_fitted(const Session *session, uint32_t *count);
/* Checks that every class in the data has an output column or an embedding row in the model. */
bool session_check_classes(const Session *session);
/* Fits the transforms that the graph computes to the training rows. */
bool session_fit_graph(Session *session);
/* Loads the weights of the checkpoint. */
bool session_load_weights(Session *session, CheckpointInfo *info);

/* Finds rows for which the network computes an index outside of its columns. Adds them to
 * `findings`, or warns if that is NULL. Needs fitted or loaded states. false after reporting errors
 * (choices.c). */
bool session_check_choices(Session *session, const int32_t *rows, int64_t count,
                           Findings *findings);
/* Finds numbers that lose digits as f32 in the inputs of a graph. Adds them to `findings`, or warns
 * if that is NULL. false after reporting errors (digits.c). */
bool session_check_digits(Session *session, GraphKind kind, Findings *findings);

/* The split that is wanted; NULL: the first of test, valid and train that has rows. Reports a
 * STATUS_USAGE error if the split has no rows. */
bool session_find_split(const Session *session, const Split *wanted, Split *split);

#endif
