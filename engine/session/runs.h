/* The folder of a run, runs/N or --out DIR, and the names of its files. */
#ifndef MLC_ENGINE_SESSION_RUNS_H
#define MLC_ENGINE_SESSION_RUNS_H

#include "engine/build/build.h"
#include "engine/files/files.h"

#define RUN_MODEL "resolved.mdl"
#define RUN_METRICS "metrics.jsonl"
#define RUN_CURVES "curves.png"
#define RUN_LAST "last.safetensors"
#define RUN_BEST "best.safetensors"

/* Makes the folder of a new run: `out`, which must be new or empty, or runs/N if `out` is NULL.
 * false after reporting an error. */
bool run_create(const char *out, Path *folder, Diagnostics *diag);
/* Whether `out` is new, or an empty folder. false after reporting an error. */
bool run_can_create(const char *out, Diagnostics *diag);
/* The same without a report, for a folder that is no run. */
bool folder_is_free(const char *path);
/* Finds the numbered run with the highest number in a folder; false: there is none. */
bool run_newest(const char *folder, Path *newest);
/* Waits until no process writes into the folder of a run, or some seconds have passed. */
void run_wait(const char *folder, int seconds);
/* Locks a folder for one training. The lock is held until the returned file descriptor is closed.
 * -1 after reporting an error, such as another training there. */
int run_lock(const char *folder, Diagnostics *diag);
/* Loads the model of a run as it was trained; `like` as in build_load. false after reporting
 * errors. */
bool run_open_model(Build *build, const char *folder, const SourceSchema *like,
                    const BuildOptions *options, Diagnostics *diag);
/* Writes the resolved text of the model into the folder. false after reporting an error. */
bool run_write_model(const Build *build, const char *folder);

#endif
