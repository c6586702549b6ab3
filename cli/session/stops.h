/* The signals that ask a training to stop: it saves, and ends with a status of its own. */
#ifndef MLC_CLI_SESSION_STOPS_H
#define MLC_CLI_SESSION_STOPS_H

#include "ir/base/diag.h"

#include <signal.h>

static inline Status stop_status(int number) {
    return number == SIGTERM  ? STATUS_TERMINATED
           : number == SIGHUP ? STATUS_HUNG_UP
                              : STATUS_INTERRUPTED;
}

#endif
