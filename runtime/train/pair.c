/* The programs of a split: for the sizes of its batches, or of the shares of a batch. */
#include "runtime/train/pair.h"
#include "ir/base/integers.h"

#include <assert.h>

bool pair_open_unbound(RunnerPair *pair, const ProgramPair *programs, int64_t rows, States *states,
                       Threads *threads, Diagnostics *diag) {
    const Program *all[SHARE_SIZES] = {programs->full, programs->last, programs->smaller};
    *pair = (RunnerPair){.cut = {rows, programs->batch, max_i64(1, programs->replicas)}};
    if (rows == 0) return true;
    pair->batches = cut_batches(&pair->cut);
    for (ShareSize size = 0; size < SHARE_SIZES; size++) {
        if (!cut_size_rows(&pair->cut, size)) continue;
        assert(all[size] && "a program for every size that occurs");
        pair->runners[size] = runner_new(all[size], states, threads, diag);
        if (pair->runners[size]) continue;
        pair_close(pair);
        return false;
    }
    return true;
}

bool pair_open(RunnerPair *pair, const ProgramPair *programs, const Dataset *dataset, Split split,
               States *states, Threads *threads, Diagnostics *diag) {
    int64_t rows = dataset_rows(dataset, split);
    if (!pair_open_unbound(pair, programs, rows, states, threads, diag)) return false;
    for (ShareSize size = 0; size < SHARE_SIZES; size++) {
        if (!pair->runners[size] || runner_data(pair->runners[size], dataset, diag)) continue;
        pair_close(pair);
        return false;
    }
    return true;
}

void pair_close(RunnerPair *pair) {
    for (ShareSize size = 0; size < SHARE_SIZES; size++) runner_free(pair->runners[size]);
    *pair = (RunnerPair){0};
}

Runner *pair_runner(const RunnerPair *pair, int64_t share) {
    return pair->runners[cut_share_size(&pair->cut, share)];
}

/* Consecutive shares that the same runner runs. */
typedef struct {
    int64_t first;
    RunAfter *after;
    void *context;
    bool ended;
} Stretch;

static bool stretch_after(void *context, int64_t index, const void *outputs) {
    Stretch *stretch = context;
    bool more = stretch->after(stretch->context, stretch->first + index, outputs);
    stretch->ended |= !more;
    return more;
}

/* The end of the shares that the runner of `share` can run in a single loop: all shares of full
 * batches, or one share of the last batch. */
static int64_t stretch_end(const RunnerPair *pair, int64_t share, int64_t end) {
    int64_t whole = pair->cut.rows / pair->cut.batch * pair->cut.replicas;
    return min_i64(end, share < whole ? whole : share + 1);
}

int64_t pair_loop(const RunnerPair *pair, const int32_t *order, int64_t share, int64_t end,
                  const RunTimes *times, RunAfter *after, void *context) {
    Stretch stretch = {.after = after, .context = context};
    while (share < end && !stretch.ended) {
        Share now = cut_share(&pair->cut, share);
        stretch.first = share;
        share += runner_loop(
            pair_runner(pair, share), order + now.batch * pair->cut.batch + now.first,
            stretch_end(pair, share, end) - share, times, share, stretch_after, &stretch);
    }
    return share;
}
