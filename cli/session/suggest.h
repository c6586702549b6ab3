/* Suggestions for wrong arguments. The caller has reported the error; these functions add help to
 * it. */
#ifndef MLC_CLI_SESSION_SUGGEST_H
#define MLC_CLI_SESSION_SUGGEST_H

#include "cli/session/options.h"

/* Helps with an option that the command does not have: `name` with its dashes, without "=VALUE".
 * False: no suggestion. */
bool suggest_option(const char *name, OptionSet allowed, Diagnostics *diag);
/* Helps with an operand too many. False: no suggestion. */
bool suggest_operand(const char *operand, const Options *options, OptionSet allowed,
                     Diagnostics *diag);
/* Helps with an unreadable model file: names models in its folder, or the run if it is a run
 * folder. */
void suggest_model(const char *path, Diagnostics *diag);

#endif
