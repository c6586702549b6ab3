/* Runs a trial in a child process, which has a copy of the worker's memory. So the worker fills the
 * stock once, and all its children have it. */
#include "cli/sweep/trial.h"
#include "engine/session/runs.h"
#include "cli/sweep/claims.h"
#include "ir/base/files.h"
#include "runtime/train/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LACKS_STOCK = 100, /* the exit status of a training that needs what the stock lacks */
    OTHERS_MAX = 24,   /* models with other values that trial_fill looks at */
    /* how long a training may take to save after its worker was killed */
    SAVING_SECONDS = 60
};

/* -- signals: the first one goes to the training, which saves; then the worker ends -- */

volatile sig_atomic_t trial_stop;

static void on_stop(int number) { trial_stop = number; }
static void on_alarm(int number) { (void)number; }

/* Without SA_RESTART, a signal makes waitpid return. */
void trial_catch_stops(void) {
    struct sigaction action = {.sa_handler = on_stop};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    action.sa_handler = on_alarm;
    sigaction(SIGALRM, &action, NULL);
}

static void restore_signals(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) signal(signals[i], SIG_DFL);
}

int trial_wait(pid_t child, const char *claim) {
    int status;
    bool told = false;
    if (claim) alarm(CLAIM_TOUCH);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
        if (trial_stop && !told) kill(child, trial_stop);
        told = trial_stop != 0;
        if (!claim) continue;
        claim_touch(claim);
        alarm(CLAIM_TOUCH);
    }
    alarm(0);
    return status;
}

/* -- the training -- */

static Options trial_options(const TrialRunner *runner, uint32_t trial, Arena *arena) {
    Options options = *runner->common;
    options.set = (OptionList){0};
    options.quiet = true;
    plan_sets(runner->plan, trial, arena, &options.set);
    return options;
}

/* The path of the model file, in the arena. */
static const char *model_file(const TrialRunner *runner, Arena *arena) {
    return arena_format(arena, "%s", path_join(runner->plan->folder.path, SWEEP_MODEL).path);
}

void trial_fill(const TrialRunner *runner, uint32_t trial) {
    Arena *arena = arena_new();
    OptionList *others = ARENA_ARRAY(arena, OptionList, OTHERS_MAX);
    Options options = trial_options(runner, trial, arena);
    const TrainingOrder order = {.model = model_file(runner, arena),
                                 .source = runner->plan->source.path,
                                 .stock = runner->stock};
    uint32_t count = plan_neighbours(runner->plan, trial, arena, others, OTHERS_MAX);
    runner->training->fill(&options, &order, others, count);
    arena_free(arena);
}

/* Sends what the training prints to a file beside its folder. */
static void redirect(const char *path) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) file = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
}

/* A worker that is killed takes its training along: the training stops and saves. */
static _Noreturn void train_in_child(const TrialRunner *runner, uint32_t trial, uint32_t until,
                                     pid_t parent) {
    const SweepPlan *plan = runner->plan;
    restore_signals();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(STATUS_TERMINATED);
    redirect(plan_trial(plan, trial, ".log").path);
    Arena *arena = arena_new();
    Diagnostics *diag = diag_new();
    Options options = trial_options(runner, trial, arena);
    Path folder = plan_trial(plan, trial, "");
    *(path_is_folder(folder.path) ? &options.resume : &options.out) = folder.path;
    run_wait(folder.path, SAVING_SECONDS);
    const TrainingOrder order = {.model = model_file(runner, arena),
                                 .source = plan->source.path,
                                 .until = until,
                                 .stock = runner->stock};
    Status status = runner->training->train(&options, &order, diag);
    diag_print(diag, stderr);
    fflush(NULL);
    _exit(runner->stock->lacks ? LACKS_STOCK : (int)status);
}

/* Whether the trial has already been trained so far, by a worker that ended before it wrote the
 * result. */
static bool is_trained(const SweepPlan *plan, uint32_t trial, uint32_t until) {
    CheckpointInfo info;
    Diagnostics *diag = diag_new();
    Path checkpoint = path_join(plan_trial(plan, trial, "").path, RUN_LAST);
    bool trained = until && file_is_there(checkpoint.path) &&
                   checkpoint_info(checkpoint.path, &info, diag) && info.epoch >= until;
    diag_free(diag);
    return trained;
}

/* Returns the wait status; -1: the child cannot be started. */
static int run_once(const TrialRunner *runner, uint32_t trial, uint32_t until, const char *claim) {
    fflush(NULL);
    pid_t parent = getpid(), child = fork();
    if (child == 0) train_in_child(runner, trial, until, parent);
    return child < 0 ? -1 : trial_wait(child, claim);
}

/* If the stock lacks what the training needs, it is filled and the training starts again. This time
 * the training makes for itself what is still missing. */
static int run_with_stock(const TrialRunner *runner, uint32_t trial, uint32_t until,
                          const char *claim) {
    runner->stock->is_strict = true;
    int status = run_once(runner, trial, until, claim);
    bool lacks = status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == LACKS_STOCK;
    runner->stock->is_strict = false;
    if (!lacks || trial_stop) return status;
    trial_fill(runner, trial);
    return run_once(runner, trial, until, claim);
}

int trial_run(const TrialRunner *runner, uint32_t trial, uint32_t until, const char *claim) {
    int status = 0;
    if (is_trained(runner->plan, trial, until)) return status;
    for (int tries = 0; tries < TRIAL_TRIES; tries++) {
        status = run_with_stock(runner, trial, until, claim);
        if (status < 0 || !WIFSIGNALED(status) || trial_stop) break;
    }
    return status;
}
