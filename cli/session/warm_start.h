/* A training that begins with the weights of another: --weights RUN|FILE, or the key `weights` of
 * the train block. */
#ifndef MLC_CLI_SESSION_WARM_START_H
#define MLC_CLI_SESSION_WARM_START_H

#include "cli/session/session.h"

/* Writes the weights that fit over the session's first ones, and says on stderr which did not,
 * unless --quiet is given. *from, in the session's arena, is the file; NULL: none is asked for. The
 * states must be there; a later states_initialize would undo it. false after reporting an error. */
bool warm_start(Session *session, const char **from);

#endif
