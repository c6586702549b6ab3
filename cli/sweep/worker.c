/* The loop of a worker:
 *
 *     for each rung whose trials are known, for each of its trials without a result:
 *         claim it; train it in a child process, from its checkpoint if there is one;
 *         write its result; release the claim
 *     if nothing could be claimed: wait for the other workers, or end if all is done
 *
 * With a study, one worker claims the question for the values of a setting before its first trial,
 * and one claims the answer with the score after its last trial. */
#include "cli/sweep/worker.h"
#include "cli/results/journal.h"
#include "cli/results/run_record.h"
#include "cli/session/stops.h"
#include "cli/sweep/claims.h"
#include "cli/sweep/study.h"
#include "cli/sweep/trial.h"
#include "ir/base/display.h"
#include "ir/base/memory.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGE_MAX = 400 };

typedef struct {
    Results *results;
    TrialRunner runner;
    Diagnostics *diag;
    bool first; /* of the workers of this process: it speaks for all */
} TrialWorker;

/* -- the result of a trial -- */

/* The first error that the training has printed, without "error: ". */
static json_t *message_of(const SweepPlan *plan, uint32_t trial) {
    size_t length;
    char *text = file_read_plain(plan_trial(plan, trial, ".log").path, &length);
    const char *error = text ? strstr(text, "error: ") : NULL;
    json_t *message =
        error ? json_stringn(error + 7, strnlen(error + 7, strcspn(error + 7, "\n"))) : NULL;
    free(text);
    return message ? message : json_string("");
}

static void put_record(json_t *line, const RunRecord *record) {
    char hash[65];
    const json_t *last = run_record_last(record);
    run_record_hash(record, hash);
    json_object_set(line, "epoch", json_object_get(last, "epoch"));
    if (record->best_score) {
        json_object_set_new(line, "score_of", json_string(record->best_score));
        json_object_set(line, "higher_is_better",
                        json_object_get(record->start, "higher_is_better"));
        json_object_set(line, "score", json_object_get(record->best, record->best_score));
        json_object_set(line, "best_epoch", json_object_get(record->best, "epoch"));
    } else {
        json_object_set_new(line, "score_of", json_string("train_loss"));
        json_object_set(line, "score", json_object_get(last, "train_loss"));
    }
    json_object_set(line, "last", (json_t *)last);
    json_object_set_new(line, "hash", json_string(hash));
    json_object_set_new(line, "seconds", json_real(record->seconds));
}

static const char *state_of(Status status) {
    return status == STATUS_NONFINITE ? "nonfinite" : "failed";
}

/* The result of a trial that has ended. NULL: it has none, as it was interrupted or the machine
 * failed. */
static json_t *result_of(const TrialWorker *worker, uint32_t trial, uint32_t rung,
                         int wait_status) {
    const SweepPlan *plan = worker->results->plan;
    RunRecord record = {0};
    Status status = WIFEXITED(wait_status) ? (Status)WEXITSTATUS(wait_status) : STATUS_BUG;
    bool read = run_record_read(plan_trial(plan, trial, "").path, &record);
    double epoch = read ? run_record_number(run_record_last(&record), "epoch") : 0;
    bool reached = read && plan->epochs[rung] && epoch >= plan->epochs[rung],
         done = status == STATUS_OK || (reached && status == STATUS_INTERRUPTED);
    bool settled = done || status == STATUS_NONFINITE || status == STATUS_MODEL ||
                   status == STATUS_DATA || status == STATUS_USAGE;
    json_t *line = NULL;
    if (settled) {
        line = json_pack("{s:I, s:I, s:I}", "trial", (json_int_t)trial, "setting",
                         (json_int_t)(trial / plan->repeats), "rung", (json_int_t)rung);
        json_object_set_new(line, "state", json_string(done ? "done" : state_of(status)));
        if (done)
            put_record(line, &record);
        else
            json_object_set_new(line, "message", message_of(plan, trial));
    }
    run_record_free(&record);
    return line;
}

static void report_failure(const TrialWorker *worker, uint32_t trial, int wait_status) {
    const SweepPlan *plan = worker->results->plan;
    if (WIFSIGNALED(wait_status)) {
        diag_error(worker->diag, STATUS_FILE, (Span){0},
                   "trial %u was killed %d times by signal %d", trial, TRIAL_TRIES,
                   WTERMSIG(wait_status));
        diag_help(worker->diag, "memory may be short: --workers 1 trains one at a time");
        return;
    }
    json_t *message = message_of(plan, trial);
    diag_error(worker->diag, (Status)WEXITSTATUS(wait_status), (Span){0}, "trial %u: %.*s", trial,
               MESSAGE_MAX, json_string_value(message));
    diag_help(worker->diag, "'%s' has all that it printed; 'mlc sweep --join %s' goes on",
              plan_trial(plan, trial, ".log").path, plan->folder.path);
    json_decref(message);
}

/* Writes one line about a trial to stderr, in one piece: all workers write there. */
static void report_trial(const TrialWorker *worker, uint32_t trial, const json_t *line) {
    char text[4096];
    const char *name = json_string_value(json_object_get(line, "score_of"));
    int length = snprintf(text, sizeof text, "trial %u: %s", trial,
                          json_string_value(json_object_get(line, "state")));
    if (name)
        length += snprintf(text + length, sizeof text - (size_t)length,
                           ", %s %.6g, epoch %lld, %.1f s", name, run_record_number(line, "score"),
                           (long long)json_integer_value(json_object_get(line, "epoch")),
                           run_record_number(line, "seconds"));
    size_t i;
    json_t *set;
    json_array_foreach(plan_setting(worker->results->plan, trial / worker->results->plan->repeats),
                       i, set) {
        if (length < (int)sizeof text - 1)
            length += snprintf(text + length, sizeof text - (size_t)length, "%s%s", i ? " " : "  ",
                               json_string_value(set));
    }
    if (!worker->runner.common->quiet) {
        display_text(text, stderr);
        putc('\n', stderr);
    }
}

/* Trains a claimed trial and writes its result. false: the worker has to end. */
static bool finish_trial(const TrialWorker *worker, uint32_t trial, uint32_t rung,
                         const char *claim) {
    const SweepPlan *plan = worker->results->plan;
    int status = trial_run(&worker->runner, trial, plan->epochs[rung], claim);
    if (status < 0) {
        diag_error(worker->diag, STATUS_FILE, (Span){0}, "cannot start a training: %s",
                   strerror(errno));
        return false;
    }
    json_t *line = result_of(worker, trial, rung, status);
    if (!line) {
        if (!trial_stop) report_failure(worker, trial, status);
        return false;
    }
    if (json_object_get(line, "score_of")) unlink(plan_trial(plan, trial, ".log").path);
    json_incref(line);
    bool written = results_put(worker->results, trial, rung, line, worker->diag);
    if (written) report_trial(worker, trial, line);
    json_decref(line);
    return written && !trial_stop;
}

/* -- the loop -- */

/* The larger one tells more about several works. */
typedef enum { WORK_DONE, WORK_WAITING, WORK_TAKEN, WORK_FAILED } TrialWork;

static TrialWork more_of(TrialWork a, TrialWork b) { return a > b ? a : b; }

/* What a worker does for a trial while it has a claim. false: it has to end. */
typedef bool ClaimedWork(const TrialWorker *worker, uint32_t trial, uint32_t rung,
                         const char *claim);

static TrialWork try_work(const TrialWorker *worker, uint32_t trial, uint32_t rung,
                          const char *suffix, ClaimedWork *work) {
    Path claim = plan_trial(worker->results->plan, trial, suffix);
    if (trial_stop) return WORK_FAILED;
    ClaimResult taken = claim_take(claim.path);
    if (taken == CLAIM_HELD) return WORK_WAITING;
    if (taken == CLAIM_FAILED) {
        diag_error(worker->diag, STATUS_FILE, (Span){0}, "cannot make '%s': %s", claim.path,
                   strerror(errno));
        return WORK_FAILED;
    }
    bool good = work(worker, trial, rung, claim.path);
    claim_release(claim.path);
    return good ? WORK_TAKEN : WORK_FAILED;
}

/* Another worker may have finished the trial between the look for its result and the claim. */
static bool train(const TrialWorker *worker, uint32_t trial, uint32_t rung, const char *claim) {
    return results_get(worker->results, trial, rung) || finish_trial(worker, trial, rung, claim);
}

static bool ask(const TrialWorker *worker, uint32_t trial, uint32_t rung, const char *claim) {
    const SweepPlan *plan = worker->results->plan;
    (void)rung;
    return study_ask(plan, trial / plan->repeats, claim, worker->diag) && !trial_stop;
}

static bool tell(const TrialWorker *worker, uint32_t trial, uint32_t rung, const char *claim) {
    uint32_t setting = trial / worker->results->plan->repeats;
    (void)rung;
    return study_tell(worker->results, setting, claim, worker->diag) && !trial_stop;
}

/* Trains those trials of a setting that have no result. */
static TrialWork try_trials(const TrialWorker *worker, uint32_t setting, uint32_t rung) {
    const SweepPlan *plan = worker->results->plan;
    TrialWork most = WORK_DONE;
    for (uint32_t i = 0; i < plan->repeats && most < WORK_FAILED; i++) {
        uint32_t trial = plan_first(plan, setting) + i;
        if (!results_get(worker->results, trial, rung))
            most = more_of(most, try_work(worker, trial, rung, PLAN_CLAIM, train));
    }
    return most;
}

/* Takes a setting through its time in a study. While another worker asks for the values, there is
 * nothing to do. */
static TrialWork try_asked(const TrialWorker *worker, uint32_t setting) {
    const SweepPlan *plan = worker->results->plan;
    uint32_t first = plan_first(plan, setting);
    TrialWork most = WORK_DONE;
    if (!study_has_asked(plan, setting)) most = try_work(worker, first, 0, PLAN_ASKING, ask);
    if (most == WORK_WAITING || most == WORK_FAILED) return most;
    most = more_of(most, try_trials(worker, setting, 0));
    if (most == WORK_FAILED || results_rung(worker->results, setting) < 0 ||
        study_has_told(plan, setting))
        return most;
    return more_of(most, try_work(worker, first, 0, PLAN_TELLING, tell));
}

static TrialWork try_rung(const TrialWorker *worker, uint32_t rung) {
    const SweepPlan *plan = worker->results->plan;
    TrialWork most = WORK_DONE;
    for (uint32_t setting = 0; setting < plan->settings; setting++) {
        if (!results_alive(worker->results, rung, setting)) continue;
        TrialWork one =
            plan->study ? try_asked(worker, setting) : try_trials(worker, setting, rung);
        if (one == WORK_FAILED || trial_stop) return WORK_FAILED;
        most = more_of(most, one);
    }
    return most;
}

static TrialWork try_all(const TrialWorker *worker) {
    for (uint32_t rung = 0; rung < worker->results->plan->rungs; rung++) {
        if (!results_decided(worker->results, rung)) return WORK_WAITING;
        TrialWork work = try_rung(worker, rung);
        if (work != WORK_DONE) return work;
    }
    return WORK_DONE;
}

static struct timespec folder_changed(const SweepPlan *plan) {
    struct stat status = {0};
    stat(path_join(plan->folder.path, SWEEP_TRIALS_FOLDER).path, &status);
    return status.st_mtim;
}

/* Waits until another worker has made or removed a file. Now and then it returns without that: a
 * worker that has died changes nothing, but its claims are free. */
static void wait_for_others(const SweepPlan *plan) {
    enum { PAUSE = 50000, PAUSES = 20 }; /* microseconds */
    struct timespec before = folder_changed(plan), now = before;
    for (int i = 0; i < PAUSES && !trial_stop; i++) {
        if (now.tv_sec != before.tv_sec || now.tv_nsec != before.tv_nsec) return;
        usleep(PAUSE);
        now = folder_changed(plan);
    }
}

/* Says for whom this machine waits. false: for its own workers alone. */
static bool tell_waiting(const TrialWorker *worker) {
    const SweepPlan *plan = worker->results->plan;
    char host[CLAIM_HOST];
    for (uint32_t trial = 0; trial < plan_trials(plan); trial++) {
        if (!claim_is_remote(plan_trial(plan, trial, PLAN_CLAIM).path, host)) continue;
        fprintf(stderr, "waiting for trial %u, which '", trial);
        display_text(host, stderr);
        fprintf(stderr, "' trains; if its worker has died, for %d minutes\n", CLAIM_SECONDS / 60);
        return true;
    }
    return false;
}

static void release_all(const SweepPlan *plan, uint32_t trial) {
    static const char *const claims[] = {PLAN_CLAIM, PLAN_ASKING, PLAN_TELLING};
    for (size_t i = 0; i < (plan->study ? 3 : 1); i++)
        claim_release(plan_trial(plan, trial, claims[i]).path);
}

static Status work_on(const TrialWorker *worker) {
    const SweepPlan *plan = worker->results->plan;
    TrialWork work;
    bool silent = !worker->first || worker->runner.common->quiet;
    while ((work = try_all(worker)) == WORK_TAKEN || work == WORK_WAITING) {
        if (trial_stop) break;
        if (work != WORK_WAITING) continue;
        silent = silent || tell_waiting(worker);
        wait_for_others(plan);
    }
    /* claims that are left when all is done, of workers that were killed after they had written a
     * result */
    for (uint32_t trial = 0; work == WORK_DONE && trial < plan_trials(plan); trial++)
        release_all(plan, trial);
    return trial_stop ? stop_status(trial_stop) : diag_outcome(worker->diag, work == WORK_DONE);
}

/* -- several workers -- */

static pid_t start_worker(const TrialWorker *like, bool first) {
    pid_t parent = getpid(), child = fork();
    if (child != 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(STATUS_TERMINATED);
    TrialWorker worker = *like;
    worker.diag = diag_new();
    worker.first = first;
    Status status = work_on(&worker);
    diag_print(worker.diag, stderr);
    fflush(NULL);
    _exit((int)status);
}

/* Waits for all workers and passes signals to stop on to them. Returns the status of such a signal,
 * or else the highest status of a worker. */
static Status wait_workers(const pid_t *workers, uint32_t count) {
    Status worst = STATUS_OK;
    for (uint32_t i = 0; i < count; i++) {
        int status;
        while (waitpid(workers[i], &status, 0) < 0 && errno == EINTR)
            for (uint32_t k = i; k < count && trial_stop; k++) kill(workers[k], trial_stop);
        Status one = WIFEXITED(status) ? (Status)WEXITSTATUS(status) : STATUS_TERMINATED;
        if (one > worst) worst = one;
    }
    return trial_stop ? stop_status(trial_stop) : worst;
}

/* Fills the stock for the first trial without a result, before workers are started that share
 * it. */
static void fill_first(const TrialWorker *worker) {
    const SweepPlan *plan = worker->results->plan;
    for (uint32_t trial = 0; trial < plan_trials(plan); trial++) {
        if (results_get(worker->results, trial, 0)) continue;
        trial_fill(&worker->runner, trial);
        return;
    }
}

static Status run_several(const TrialWorker *worker, uint32_t count) {
    pid_t *workers = memory_array(count, sizeof *workers, "the workers of a sweep");
    uint32_t started = 0;
    fill_first(worker);
    fflush(NULL);
    for (; started < count && !trial_stop; started++)
        if ((workers[started] = start_worker(worker, started == 0)) < 0) break;
    if (started < count && !trial_stop)
        diag_error(worker->diag, STATUS_FILE, (Span){0}, "cannot start a worker: %s",
                   strerror(errno));
    Status status = wait_workers(workers, started);
    free(workers);
    return status == STATUS_OK ? diag_status(worker->diag) : status;
}

Status workers_run(Results *results, const Options *common, uint32_t count,
                   const TrialTraining *training, Diagnostics *diag) {
    Stock stock;
    const TrialWorker worker = {results, {results->plan, common, training, &stock}, diag, true};
    stock_open(&stock);
    trial_catch_stops();
    Status status = count == 1 ? work_on(&worker) : run_several(&worker, count);
    stock_close(&stock);
    return status;
}
