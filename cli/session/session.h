/* What train, eval and predict have in common: a model, its data, the programs it needs, the states
 * they share, threads. */
#ifndef MLC_CLI_SESSION_SESSION_H
#define MLC_CLI_SESSION_SESSION_H

#include "cli/session/programs.h"
#include "cli/session/runs.h"
#include "runtime/data/findings.h"
#include "runtime/threads/threads.h"
#include "runtime/train/checkpoint.h"

typedef struct {
    Arena *arena;      /* what the command keeps until its end */
    SourceSchema like; /* of a trained network: the schema of its data */
    Build build;
    Dataset *dataset;
    double data_time; /* when they were read, by seconds_now */
    Programs programs;
    Graph *finish; /* from means over a split to metrics */
    States *states;
    /* opened by session_open_run: the checkpoint has what transforms of columns have learnt */
    bool is_trained;
    bool trains_anew; /* the states get their first values, as soon as they are there */
    Threads *threads;
    /* [row_count]: those that the command runs; NULL: all rows of all splits */
    const int32_t *rows;
    int64_t row_count;
} Session;

/* What a command does while its session is opened. All but `expect` report errors and return
 * false. */
typedef struct {
    void *context;
    bool (*model)(void *context); /* opens session->build */
    /* Wants the programs for so many rows, which the header of the data promises; NULL: nothing is
     * compiled before the data are read. */
    void (*expect)(void *context, const int64_t rows[SPLIT_COUNT]);
    bool (*data)(void *context); /* opens session->dataset: session_read_data or inputs_open */
    bool (*rows)(void *context); /* chooses rows, and wants the programs that run them */
    /* gives the states their values: session_load_weights or session_fit */
    bool (*weights)(void *context);
} SessionHooks;

/* Puts a session together, in the order that is listed in session.c. false after reporting errors;
 * session_close frees it either way. */
bool session_open(Session *session, const SessionHooks *hooks);
void session_close(Session *session);

/* -- for the hooks; each returns false after reporting errors -- */

/* Opens the model of the run RUN (operand 0), which is a trained network. */
bool session_open_run(Session *session, const Options *options, Diagnostics *diag);
/* Reads the data that the model names, lets the transforms of columns learn and checks the
 * classes. */
bool session_read_data(Session *session);
/* Gives the data set what transforms of columns have learnt: from its own training rows, or, of a
 * trained network, by the checkpoint. */
bool session_learn(Session *session);
/* Whether there is a column for every class that the model chooses one for. */
bool session_check_classes(const Session *session);
/* Fits the transforms that are a part of the graph to the training rows. */
bool session_fit(Session *session);
/* Loads the weights that --checkpoint asks for. */
bool session_load_weights(Session *session, CheckpointInfo *info);

/* Warns of rows in which the network computes a whole number that it has no column for, or adds it
 * to the findings (NULL: there are none). Needs fitted or loaded states. false after reporting
 * errors (cli/session/choices.c). */
bool session_check_choices(Session *session, const int32_t *rows, int64_t count,
                           Findings *findings);
/* Warns of numbers that lose digits where the network computes with them in f32, or adds them to
 * the findings (cli/session/digits.c). */
void session_check_digits(Session *session, Findings *findings);

/* The split that --split asks for; without it, test, or valid where the model has no test rows, or
 * train. Reports a STATUS_USAGE error if it has no rows. */
bool session_split(const Session *session, Split *split);

#endif
