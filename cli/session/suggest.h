/* Suggestions for arguments that mlc does not take. The errors have been reported already; these
 * functions add help to them. */
#ifndef MLC_CLI_SESSION_SUGGEST_H
#define MLC_CLI_SESSION_SUGGEST_H

#include "cli/session/options.h"

/* An option that the command does not have; `name` with its dashes and without "=VALUE". False:
 * nothing is known of it. */
bool suggest_option(const char *name, uint64_t allowed, Diagnostics *diag);
/* An operand too many. False: it says nothing. */
bool suggest_operand(const char *operand, const Options *options, uint64_t allowed,
                     Diagnostics *diag);
/* A model file that cannot be read: models of its folder, or the run that the folder is. */
void suggest_model(const char *path, Diagnostics *diag);

#endif
