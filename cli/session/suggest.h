/* What was meant by arguments that mlc does not take: remedies for errors that have been reported already. */
#ifndef MLC_CLI_SESSION_SUGGEST_H
#define MLC_CLI_SESSION_SUGGEST_H

#include "cli/session/options.h"

/* An option that the command does not have; `name` with its dashes and without "=VALUE". False: nothing is known of it. */
bool guess_option(const char *name, uint64_t allowed, Diagnostics *diag);
/* An operand too many. False: it says nothing. */
bool guess_operand(const char *operand, const Options *options, uint64_t allowed, Diagnostics *diag);
/* A model file that cannot be read: models of its folder, or the run that the folder is. */
void guess_model(const char *path, Diagnostics *diag);

#endif
