/* Starts the processes of a training on this machine and waits for them. */
#include "ir/base/clock.h"
#include "ir/base/memory.h"
#include "runtime/peers/local.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE_SECONDS 5.0 /* for the last processes, once others have ended */

typedef struct {
    int size;
    int *sockets; /* [size][size]: that of the first rank to the second; -1: none */
    pid_t *processes;
    int *results; /* as wait() gives them */
    int running;
    bool kills;       /* it has killed those that outlast the others */
    int received;     /* the last signal that this process got; 0: none */
    sigset_t awaited; /* blocked here; `inherited` are those that were blocked before */
    sigset_t inherited;
} Launch;

/* Signals that wait_for_all takes one by one. A handler could run between its look at what came and
 * its wait for more, and then be overlooked. Under nohup, SIGHUP stays ignored. */
static sigset_t awaited_signals(void) {
    struct sigaction hang_up;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGCHLD);
    if (sigaction(SIGHUP, NULL, &hang_up) == 0 && hang_up.sa_handler != SIG_IGN)
        sigaddset(&set, SIGHUP);
    return set;
}

static bool make_sockets(Launch *launch) {
    int size = launch->size;
    for (int i = 0; i < size * size; i++) launch->sockets[i] = -1;
    for (int a = 0; a < size; a++)
        for (int b = a + 1; b < size; b++) {
            int pair[2];
            if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) return false;
            launch->sockets[a * size + b] = pair[0];
            launch->sockets[b * size + a] = pair[1];
        }
    return true;
}

/* Closes the sockets of all ranks but `own`; -1: of all. */
static void close_sockets(const Launch *launch, int own) {
    for (int i = 0; i < launch->size * launch->size; i++)
        if (i / launch->size != own && launch->sockets[i] >= 0) close(launch->sockets[i]);
}

static void launch_free(Launch *launch) {
    free(launch->sockets);
    free(launch->processes);
    free(launch->results);
}

/* Runs in the new process. The kernel sends it SIGTERM if the parent dies, so it stops and
 * saves. */
static Transport *begin_process(Launch *launch, int rank, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(STATUS_RANK);
    sigprocmask(SIG_SETMASK, &launch->inherited, NULL);
    close_sockets(launch, rank);
    Transport *transport =
        local_transport(rank, launch->size, &launch->sockets[rank * launch->size]);
    launch_free(launch);
    return transport;
}

static void signal_all(const Launch *launch, int number) {
    for (int rank = 0; rank < launch->size; rank++)
        if (launch->processes[rank] > 0) kill(launch->processes[rank], number);
}

/* Rank 0 writes all files, and says how the training has ended. */
static void report_killed(const Launch *launch, int rank) {
    bool complete = rank && launch->results[0] == STATUS_OK;
    fprintf(stderr,
            "mlc: rank %d (process %ld) has not ended %.0f s after the others, and was killed%s\n",
            rank, (long)launch->processes[rank], GRACE_SECONDS,
            complete ? "; the run is complete" : "");
}

static void take_result(Launch *launch, pid_t process, int result) {
    int rank = 0;
    while (rank < launch->size && launch->processes[rank] != process) rank++;
    if (rank == launch->size) return;
    if (launch->kills && WIFSIGNALED(result))
        report_killed(launch, rank);
    else if (WIFSIGNALED(result) && WTERMSIG(result) != launch->received)
        fprintf(stderr, "mlc: rank %d was ended by signal %d (%s)\n", rank, WTERMSIG(result),
                strsignal(WTERMSIG(result)));
    launch->processes[rank] = 0;
    launch->results[rank] = result;
    launch->running--;
}

/* Passes a signal on. A terminal sends its signals to all processes by itself. */
static void take_signal(Launch *launch, const siginfo_t *info) {
    if (info->si_signo == SIGCHLD) return;
    launch->received = info->si_signo;
    if (info->si_code <= 0) signal_all(launch, info->si_signo); /* sent by kill() */
}

/* Processes end together, or because one of them is lost, or because each has its own failure. Only
 * after the first two all others must end soon. */
static bool ends_all(int result) {
    if (!WIFEXITED(result)) return false;
    int status = WEXITSTATUS(result);
    return status == STATUS_OK || status == STATUS_RANK || status > 128;
}

/* Waits for the processes. Those that are left some time after the others have ended do not answer:
 * they are killed. */
static void wait_for_all(Launch *launch) {
    const struct timespec pause = {0, 20000000};
    double ended = 0; /* when the first one has ended; 0: none has */
    while (launch->running) {
        int result;
        siginfo_t info;
        pid_t process = waitpid(-1, &result, WNOHANG);
        if (process < 0) return;
        if (process > 0) {
            take_result(launch, process, result);
            if (ends_all(result)) ended = seconds_now();
            continue;
        }
        if (ended > 0 && seconds_now() - ended > GRACE_SECONDS) {
            launch->kills = true;
            signal_all(launch, SIGKILL);
        }
        if (sigtimedwait(&launch->awaited, &info, ended > 0 ? &pause : NULL) > 0)
            take_signal(launch, &info);
    }
}

/* The exit status of the whole: the first one that is not 0, in the order of the ranks. A process
 * that a signal has ended is lost, unless mlc itself got that signal. */
static Status whole_status(const Launch *launch) {
    for (int rank = 0; rank < launch->size; rank++) {
        int result = launch->results[rank];
        if (WIFEXITED(result) && WEXITSTATUS(result)) return (Status)WEXITSTATUS(result);
    }
    for (int rank = 0; rank < launch->size; rank++)
        if (WIFSIGNALED(launch->results[rank]))
            return WTERMSIG(launch->results[rank]) == launch->received
                       ? (Status)(128 + launch->received)
                       : STATUS_RANK;
    return STATUS_OK;
}

/* Reports what the system has refused. Returns false. */
static bool refuse(Diagnostics *diag, const char *what) {
    diag_error(diag, STATUS_FILE, (Span){0}, "the system refuses %s: %s", what, strerror(errno));
    diag_help(diag, "try fewer processes: --processes 2");
    return false;
}

/* Makes the processes; in each of them, *transport becomes its own. */
static bool make_processes(Launch *launch, Transport **transport, Diagnostics *diag) {
    pid_t parent = getpid();
    if (!make_sockets(launch)) return refuse(diag, "sockets for the processes of a training");
    for (int rank = 0; rank < launch->size && !*transport; rank++) {
        pid_t process = fork();
        if (process < 0) {
            refuse(diag, "the processes of a training");
            signal_all(launch, SIGKILL);
            return false;
        }
        if (process == 0) {
            *transport = begin_process(launch, rank, parent);
            return true;
        }
        launch->processes[rank] = process;
        launch->running++;
    }
    return true;
}

/* Signals are blocked before the first process is made: until it takes them itself, they wait. */
Transport *local_launch(int size, Status *status, Diagnostics *diag) {
    size_t count = (size_t)size;
    Launch launch = {.size = size,
                     .sockets = memory_array(count * count, sizeof(int), "the other processes"),
                     .processes = memory_array(count, sizeof(pid_t), "the other processes"),
                     .results = memory_array(count, sizeof(int), "the other processes"),
                     .awaited = awaited_signals()};
    Transport *transport = NULL;
    fflush(NULL);             /* or every process would write what is buffered */
    signal(SIGCHLD, SIG_DFL); /* if it is ignored, nobody learns how a process ends */
    sigprocmask(SIG_BLOCK, &launch.awaited, &launch.inherited);
    bool made = make_processes(&launch, &transport, diag);
    if (transport) return transport;
    close_sockets(&launch, -1);
    wait_for_all(&launch);
    *status = made ? whole_status(&launch) : STATUS_FILE;
    launch_free(&launch);
    return NULL;
}
