/* Calls: each function of the interface that may fail runs inside of the boundary of its network,
 * and in surroundings of its own. */
#include "lib/network/network.h"

#include <fenv.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* -- the surroundings -- */

/* What a caller may have set otherwise: numbers are read and printed with a point, arithmetic
 * rounds to nearest and keeps small numbers, and a file that becomes too large is an error instead
 * of a signal. */
typedef struct {
    locale_t locale;
    fenv_t floats;
    sigset_t signals;
    bool was_pending;
} Surroundings;

static void file_signal(sigset_t *set) {
    sigemptyset(set);
    sigaddset(set, SIGXFSZ);
}

static void enter(Surroundings *surroundings, locale_t locale) {
    sigset_t file, pending;
    surroundings->locale = uselocale(locale);
    fegetenv(&surroundings->floats);
    fesetenv(FE_DFL_ENV);
    file_signal(&file);
    sigpending(&pending);
    surroundings->was_pending = sigismember(&pending, SIGXFSZ) == 1;
    pthread_sigmask(SIG_BLOCK, &file, &surroundings->signals);
}

static void leave(Surroundings *surroundings) {
    sigset_t file, pending;
    file_signal(&file);
    sigpending(&pending);
    if (!surroundings->was_pending && sigismember(&pending, SIGXFSZ) == 1)
        sigtimedwait(&file, NULL, &(struct timespec){0});
    pthread_sigmask(SIG_SETMASK, &surroundings->signals, NULL);
    fesetenv(&surroundings->floats);
    uselocale(surroundings->locale);
}

/* -- a call -- */

typedef struct {
    mlc_network *network;
    Body *body;
    void *arguments;
    Status status;
} NetworkCall;

/* Keeps the text of the messages, cut if it is very long. */
static void keep_message(mlc_network *network, const Diagnostics *diag) {
    MemoryStream stream;
    if (diag_is_empty(diag)) return;
    memory_stream_begin(&stream);
    diag_print(diag, stream.out);
    char *text = memory_stream_end(&stream);
    snprintf(network->message, sizeof network->message, "%s", text);
    free(text);
}

/* The first call is that of mlc_open, whose diagnostics live on with the texts of the model. */
static void run(void *context) {
    NetworkCall *call = context;
    mlc_network *network = call->network;
    bool opens = !network->texts;
    if (opens) network->texts = diag_new();
    Diagnostics *diag = opens ? network->texts : diag_new_with(network->texts);
    network->session.build.diag = diag;
    bool good = call->body(network, call->arguments, diag);
    call->status = diag_outcome(diag, good);
    keep_message(network, diag);
    network->session.build.diag = network->texts;
    if (opens)
        diag_clear(diag);
    else
        diag_free(diag);
}

/* Why the boundary was left. */
static mlc_status failed(mlc_network *network, Failure failure) {
    mlc_status status = failure == FAILURE_MEMORY ? MLC_NO_MEMORY : MLC_BUG;
    bool lost = boundary_is_lost(network->boundary);
    snprintf(network->message, sizeof network->message, "mlc: %s: %s\n%s",
             failure == FAILURE_MEMORY ? "error" : "a bug in mlc", boundary_text(network->boundary),
             lost ? "  help: close this network, and open it again\n" : "");
    if (lost) network->failed = status;
    network->is_lost = lost;
    network->session.build.diag = network->texts;
    return status;
}

mlc_status network_call(mlc_network *network, BoundaryUse use, Body *body, void *arguments) {
    Surroundings surroundings;
    NetworkCall call = {.network = network, .body = body, .arguments = arguments};
    if (!network) return MLC_USAGE;
    if (network->failed) return network->failed;
    *network->message = 0;
    if (network->process != getpid()) {
        snprintf(network->message, sizeof network->message,
                 "mlc: error: the network was opened in another process, before a fork\n");
        return MLC_USAGE;
    }
    enter(&surroundings, network->locale);
    Failure failure = boundary_run(network->boundary, use, run, &call);
    leave(&surroundings);
    return failure ? failed(network, failure) : (mlc_status)call.status;
}

const char *mlc_message(const mlc_network *network) {
    return network ? network->message : "mlc: error: no memory\n";
}

const char *mlc_version(void) { return MLC_VERSION; }
