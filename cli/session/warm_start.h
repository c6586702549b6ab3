/* Starts a training with existing weights: --weights RUN|FILE, or the key `weights` of the train
 * block. */
#ifndef MLC_CLI_SESSION_WARM_START_H
#define MLC_CLI_SESSION_WARM_START_H

#include "cli/session/build.h"

/* Copies the weights that fit over the session's initial ones. Lists the others on stderr, unless
 * --quiet is given. *from becomes the path of the file, in the session's arena, or NULL without a
 * request. The states must exist, and states_initialize must not follow. false after reporting an
 * error. */
bool warm_start(Session *session, const char **from);

#endif
