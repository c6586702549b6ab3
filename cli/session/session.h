/* What train, eval and predict have in common: a model, its data, the programs it needs, the states they share, threads. */
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
    bool is_trained;  /* opened by session_open_model */
    bool trains_anew; /* the states get their first values, as soon as they are there */
    Threads *threads;
} Session;

/* How many rows each split will have, by what the model's schema says before the data are read; false if that is not known. */
bool session_expect_rows(const Session *session, int64_t rows[SPLIT_COUNT]);
/* Reads the data that the model names. false after reporting errors. */
bool session_open_data(Session *session);
/* Gives the data set what transforms of columns have learnt: of its own rows, or, of a trained network, by the checkpoint. false after
 * reporting errors. */
bool session_learn(Session *session);
/* Whether there is a column for every class that the model chooses one for. false after reporting errors. */
bool session_check_classes(const Session *session);
/* Begins to compile what is wanted so far, and to make the states of that. */
bool session_begin(Session *session);
/* Compiles the programs wanted, makes their states and starts the threads. */
bool session_start(Session *session);
/* Before training: fits the transforms of the data to the training rows. */
bool session_fit(Session *session);
/* Warns of rows in which the network computes a whole number that it has no column for, or adds it to the findings (NULL: there are none);
 * after session_fit or session_load_weights. false after reporting errors (cli/session/choices.c). */
bool session_check_choices(Session *session, const int32_t *rows, int64_t count, Findings *findings);
/* Warns of numbers that lose digits where the network computes with them, or adds them to the findings; after session_open_data
 * (cli/digits.c). */
void session_check_digits(Session *session, Findings *findings);
/* Opens a trained network for eval and predict: the model of the run RUN (operand 0), without its data... */
bool session_open_model(Session *session, const Options *options, Diagnostics *diag);
/* ... and with them. */
bool session_open_run(Session *session, const Options *options, Diagnostics *diag);
/* Loads the weights that --checkpoint asks for; `session_start` comes before. */
bool session_load_weights(Session *session, CheckpointInfo *info);
void session_close(Session *session);

/* The split that --split asks for; without it, test, or valid where the model has no test rows, or train. Reports a
 * STATUS_USAGE error if it has no rows. */
bool session_split(const Session *session, Split *split);

#endif
