/* One training on several processes: who starts them, what they must have in common, and which of
 * them speaks. Rank 0 writes the run and prints; the others print only what they alone know. */
#include "cli/commands/training.h"
#include "engine/build/device.h"
#include "ir/base/clock.h"
#include "ir/base/integers.h"
#include "ir/base/memory.h"
#include "runtime/peers/local.h"
#include "runtime/peers/mpi.h"

#include <string.h>
#include <unistd.h>

bool training_is_first(const Training *training) {
    return !training->peers || peers_rank(training->peers) == 0;
}

/* -- starting -- */

bool training_wants_peers(const Options *options) {
    return options->processes > 1 || (!options->processes && mpi_launched() > 1);
}

bool training_check_spread(const Options *options, Diagnostics *diag) {
    bool on_device =
        !build_device_is_cpu(options->device) && !build_device_is_auto(options->device);
    if (on_device && options->folds > 1) {
        diag_error(diag, STATUS_USAGE, (Span){0},
                   "--device %s does not go with --folds, whose networks are trained side by side",
                   options->device);
        diag_help(diag, "--set data.fold=N trains with one of the folds held out");
        return false;
    }
    if (!training_wants_peers(options)) return true;
    const struct {
        bool given;
        const char *name, *reason;
    } others[] = {{options->folds > 1, "--folds", "its networks are trained side by side"},
                  {options->find_lr, "--find-lr", "rates are tried on one process"},
                  {on_device, "--device", "a training on a GPU takes one process"},
                  {options->gemm == CHOICE_gemm_openblas, "--gemm=openblas",
                   "OpenBLAS may differ between processes"}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (!others[i].given) continue;
        diag_error(diag, STATUS_USAGE, (Span){0}, "%s does not go with several processes: %s",
                   others[i].name, others[i].reason);
        diag_help(diag, "'--processes 1' trains on one process");
        return false;
    }
    return true;
}

static Transport *connect(const Options *options, Status *status, Diagnostics *diag) {
    int launched = mpi_launched();
    if (launched == 1) return local_launch((int)options->processes, status, diag);
    if (options->processes && options->processes != launched) {
        diag_error(diag, STATUS_USAGE, (Span){0},
                   "%d processes have been started, but --processes says %lld", launched,
                   (long long)options->processes);
        diag_help(diag, "mpirun and srun say how many there are; leave --processes out");
        return NULL;
    }
    return mpi_transport((double)options->rank_timeout, diag);
}

/* The threads of a process, if --threads does not say it: its part of the cores. A launcher may
 * have given it cores of its own. */
static int64_t default_threads(const Training *training) {
    int cores = threads_online(), all = (int)sysconf(_SC_NPROCESSORS_ONLN);
    return cores < all && mpi_launched() > 1
               ? cores
               : max_i64(1, cores / peers_neighbours(training->peers));
}

bool training_open_peers(Training *training, const volatile sig_atomic_t *signal, Status *status) {
    const Options *given = training->options;
    Options *own = &training->own_options;
    if (!training_wants_peers(given)) return true;
    Transport *transport = connect(given, status, training->diag);
    if (!transport) return false;
    const PeerOptions options = {(double)given->rank_timeout, signal};
    training->peers = peers_open(transport, &options, training->diag);
    if (!training->peers) return false;
    *own = *given;
    if (!given->threads) own->threads = default_threads(training);
    if (peers_rank(training->peers)) {
        own->quiet = true;
        own->verbose = own->json = own->tensorboard = false;
    }
    training->options = own;
    return true;
}

bool training_check_replicas(const ModelInfo *info, int processes, Diagnostics *diag) {
    if ((int64_t)processes <= info->replicas) return true;
    diag_error(diag, STATUS_USAGE, (Span){0},
               "%d processes share the replicas of a batch, but the model has only %u", processes,
               info->replicas);
    diag_help(
        diag,
        "--set train.replicas=%d cuts every batch into %d shares; up to %d processes then give the same bits",
        processes, processes, processes);
    return false;
}

/* -- comparing -- */

/* What this process would print. */
static void copy_errors(const Training *training, char errors[PEER_TEXT]) {
    MemoryStream stream;
    memory_stream_begin(&stream);
    diag_print(training->diag, stream.out);
    char *text = memory_stream_end(&stream);
    snprintf(errors, PEER_TEXT, "%s", text);
    free(text);
}

bool training_agree(Training *training, bool good) {
    if (!training->peers) return good;
    PeerFacts *facts = MEMORY_NEW(PeerFacts, "a comparison of processes");
    const Session *session = &training->session;
    good = good && build_hash_model(&session->build, training->model_hash);
    facts->status = good ? STATUS_OK : diag_outcome(training->diag, false);
    if (!good) copy_errors(training, facts->errors);
    if (good) {
        char number[32];
        peers_fact(facts, "the version of mlc", MLC_VERSION);
        peers_fact(facts, "the model", training->model_hash);
        peers_fact(facts, "the data", dataset_digest(session->dataset));
        snprintf(number, sizeof number, "%u", session->build.info->epochs);
        peers_fact(facts, "train.epochs", number);
    }
    bool agree = peers_agree(training->peers, facts, training->diag);
    free(facts);
    return agree;
}

/* -- ending -- */

/* Rank 0 measures and writes at the end, for at most as long as the training has lasted. */
Status training_part(Training *training, Status status) {
    if (!training->peers || peers_part(training->peers, seconds_now() - training->started))
        return status;
    training->speaks = diag_errors(training->diag) > 0;
    if (training->speaks && training_is_first(training) && status == STATUS_OK)
        diag_help(training->diag,
                  "'%s' is complete: the training had come to its end, and nothing is left to do",
                  training->folder.path);
    return peers_status(training->peers);
}

/* Prints the messages of a process at once, so that those of another one do not come between. */
static void print_as(int rank, Diagnostics *diag) {
    MemoryStream stream, whole;
    memory_stream_begin(&stream);
    diag_print(diag, stream.out);
    char *text = memory_stream_end(&stream), *rest;
    memory_stream_begin(&whole);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (rank) fprintf(whole.out, "[rank %d] ", rank);
        fprintf(whole.out, "%s\n", line);
    }
    free(text);
    text = memory_stream_end(&whole);
    fputs(text, stderr);
    free(text);
}

/* With MPI, the end of one process may end all at once: so the messages come first. */
void training_close_peers(Training *training, Status status) {
    Peers *peers = training->peers;
    if (!peers) return;
    int rank = peers_rank(peers);
    if (!rank || training->speaks) print_as(rank, training->diag);
    diag_clear(training->diag);
    fflush(NULL);
    peers_close(peers, status);
}
