/* Models, runs and splits as the command line names them: opens them by engine/. */
#ifndef MLC_CLI_SESSION_BUILD_H
#define MLC_CLI_SESSION_BUILD_H

#include "cli/session/options.h"
#include "engine/session/session.h"

/* The options that say how a model is loaded and compiled. */
BuildOptions options_build(const Options *options);
GraphKind options_graph_kind(const Options *options);   /* of --kind */
const char *options_checkpoint(const Options *options); /* the file that --checkpoint chooses */

/* The text of a model file, which the caller frees; NULL after reporting errors. */
char *build_read_text(const char *path, size_t *length, Diagnostics *diag);
/* Reads and checks a model file; relative data paths start in its folder. false after reporting
 * errors. */
bool build_open(Build *build, const char *path, const Options *options, Diagnostics *diag);
/* The model of a run, as it was trained. false after reporting errors. */
bool build_open_run(Build *build, const char *run, const Options *options, Diagnostics *diag);
/* build_load_shared with the options of the command line. */
bool build_open_shared(Build *build, const char *path, const char *folder, DataCache *data,
                       const Options *options, Diagnostics *diag);
/* Opens the model of the run RUN (operand 0), which is a trained network. */
bool session_open_run(Session *session, const Options *options, Diagnostics *diag);
/* The split of --split, as session_find_split. */
bool session_split(const Session *session, const Options *options, Split *split);

/* --device auto takes this for the number of rows, if the data must be read to count them. */
enum { BUILD_USUAL_ROWS = 10000 };
/* What --device auto compares devices by: a pass over so many rows. 0: not known, and few. */
void build_describe_forward(Build *build, GraphKind kind, int64_t rows);
/* Prints on stderr what --device auto has chosen, if it was given. */
void build_print_choice(const Build *build);

/* Finds a pass by name. false after reporting a STATUS_USAGE error with a suggestion. */
bool build_find_pass(const char *name, PassId *pass, Diagnostics *diag);

#endif
