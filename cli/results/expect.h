/* --expect METRIC>=VALUE: what the last epoch must reach. */
#ifndef MLC_CLI_RESULTS_EXPECT_H
#define MLC_CLI_RESULTS_EXPECT_H

#include "cli/session/build.h"
#include "cli/results/journal.h"

/* Checks that every expectation can be understood, so that a slip is not found after the training.
 * STATUS_USAGE errors. */
bool expect_parse(const Options *options, const ModelInfo *info, Diagnostics *diag);
/* Reports every expectation that the last epoch misses (STATUS_EXPECT): its test value, or valid
 * where there is no test split.
 */
bool expect_check(const Options *options, const ModelInfo *info, const Journal *journal,
                  Diagnostics *diag);

#endif
