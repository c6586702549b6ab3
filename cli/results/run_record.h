/* The state of a training, read from its folder: the lines of metrics.jsonl, and whether it is
 * still running. */
#ifndef MLC_CLI_RESULTS_RUN_RECORD_H
#define MLC_CLI_RESULTS_RUN_RECORD_H

#include "engine/files/files.h"

#include <jansson.h>
#include <sys/types.h>

typedef enum {
    RUN_RUNNING, /* a process holds the folder's lock */
    RUN_DONE,
    RUN_STOPPED,   /* stopped by a signal; --resume continues it */
    RUN_NONFINITE, /* a loss or weight was not finite */
    RUN_FAILED,    /* ended by an error after the start */
    RUN_KILLED     /* there is no end line, and no process that will write one */
} RunState;

typedef struct {
    Path folder;
    RunState state;
    RunState told;          /* the state according to the lines alone */
    json_t *start;          /* the last start line; never NULL */
    json_t *epochs;         /* the epoch lines, ascending; epoch 0 is the untrained network */
    json_t *best;           /* the best of them by keep_best; NULL: nothing was held out */
    const char *best_score; /* "test_accuracy", "valid_loss"; NULL if `best` is */
    bool higher_is_better;
    double seconds; /* the seconds of all epochs */
    json_t *steps;  /* the lines of steps, ascending; NULL: they are not kept */
    size_t taken;   /* the bytes of metrics.jsonl that have been read, and the inode of that file */
    ino_t file;
} RunRecord;

/* Reads the folder of a run. false: it has no start line; nothing is reported or kept then. */
bool run_record_read(const char *folder, RunRecord *record);
/* The same with the lines of steps. */
bool run_record_read_steps(const char *folder, RunRecord *record);
/* Reads what has been written since the last call. The training does not wait for it. false: the
 * run is gone. */
bool run_record_update(RunRecord *record);
void run_record_free(RunRecord *record);
/* The last epoch line; NULL: there is none. */
const json_t *run_record_last(const RunRecord *record);
/* A number of an epoch line, NaN if the line has none. */
double run_record_number(const json_t *line, const char *key);
/* "running", "done", "stopped", "nonfinite", "failed", "killed" */
const char *run_state_name(RunState state);
/* BLAKE3 of last.safetensors: equal trainings have equal hashes. Empty if there is no such file. */
void run_record_hash(const RunRecord *record, char hash[65]);

#endif
