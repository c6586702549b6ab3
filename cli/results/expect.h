/* --expect METRIC>=VALUE: what the last epoch must reach. */
#ifndef MLC_CLI_RESULTS_EXPECT_H
#define MLC_CLI_RESULTS_EXPECT_H

#include "cli/session/build.h"
#include "cli/results/journal.h"

/* Checks the syntax of every --expect before the training. false after STATUS_USAGE errors. */
bool expect_parse(const Options *options, const ModelInfo *info, Diagnostics *diag);
/* Compares the last epoch with every --expect, on the test split or, without test rows, on the
 * valid split. false after STATUS_EXPECT errors. */
bool expect_check(const Options *options, const ModelInfo *info, const Journal *journal,
                  Diagnostics *diag);

#endif
