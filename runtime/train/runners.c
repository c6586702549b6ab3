/* The programs of a split: for the sizes of its batches, or of the shares of a batch. */
#include "runtime/train/runners.h"
#include "ir/base/integers.h"

#include <assert.h>

bool runners_open_unbound(SplitRunners *runners, const SplitPrograms *programs, int64_t rows,
                          States *states, Threads *threads, Diagnostics *diag) {
    const Program *all[SHARE_SIZES] = {programs->full, programs->last, programs->smaller};
    *runners = (SplitRunners){.cut = {rows, programs->batch, max_i64(1, programs->replicas)}};
    if (rows == 0) return true;
    runners->batches = cut_batches(&runners->cut);
    for (ShareSize size = 0; size < SHARE_SIZES; size++) {
        if (!cut_size_rows(&runners->cut, size)) continue;
        assert(all[size] && "a program for every size that occurs");
        runners->by_size[size] = runner_new(all[size], states, threads, diag);
        if (runners->by_size[size]) continue;
        runners_close(runners);
        return false;
    }
    return true;
}

bool runners_open(SplitRunners *runners, const SplitPrograms *programs, const Dataset *dataset,
                  Split split, States *states, Threads *threads, Diagnostics *diag) {
    int64_t rows = dataset_rows(dataset, split);
    if (!runners_open_unbound(runners, programs, rows, states, threads, diag)) return false;
    for (ShareSize size = 0; size < SHARE_SIZES; size++) {
        if (!runners->by_size[size] || runner_data(runners->by_size[size], dataset, diag)) continue;
        runners_close(runners);
        return false;
    }
    return true;
}

void runners_close(SplitRunners *runners) {
    for (ShareSize size = 0; size < SHARE_SIZES; size++) runner_free(runners->by_size[size]);
    *runners = (SplitRunners){0};
}

bool runners_failed(const SplitRunners *runners) {
    for (ShareSize size = 0; size < SHARE_SIZES; size++)
        if (runners->by_size[size] && runner_failed(runners->by_size[size])) return true;
    return false;
}

Runner *runners_of_share(const SplitRunners *runners, int64_t share) {
    return runners->by_size[cut_share_size(&runners->cut, share)];
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
static int64_t stretch_end(const SplitRunners *runners, int64_t share, int64_t end) {
    int64_t whole = runners->cut.rows / runners->cut.batch * runners->cut.replicas;
    return min_i64(end, share < whole ? whole : share + 1);
}

int64_t runners_loop(const SplitRunners *runners, const int32_t *order, int64_t share, int64_t end,
                     const RunTimes *times, RunAfter *after, void *context) {
    Stretch stretch = {.after = after, .context = context};
    while (share < end && !stretch.ended && !runners_failed(runners)) {
        Share now = cut_share(&runners->cut, share);
        stretch.first = share;
        share += runner_loop(
            runners_of_share(runners, share), order + now.batch * runners->cut.batch + now.first,
            stretch_end(runners, share, end) - share, times, share, stretch_after, &stretch);
    }
    return share;
}
