/* The programs of a split: one for full batches, one for a smaller last batch. */
#include "runtime/train/pair.h"
#include "ir/base/integers.h"

#include <assert.h>

static bool open_runner(Runner **runner, const Program *program, const Dataset *dataset,
                        States *states, Threads *threads, Diagnostics *diag) {
    assert(program && "a program for every batch size that occurs");
    *runner = runner_new(program, states, threads, diag);
    return *runner && runner_data(*runner, dataset, diag);
}

bool pair_open(RunnerPair *pair, const ProgramPair *programs, const Dataset *dataset, Split split,
               States *states, Threads *threads, Diagnostics *diag) {
    int64_t rows = dataset_rows(dataset, split), batch = programs->batch;
    *pair = (RunnerPair){.batch = batch, .rows = rows, .steps = rows ? divide_up(rows, batch) : 0};
    bool whole = rows >= batch && rows, rest = rows && rows % batch;
    if ((!whole || open_runner(&pair->full, programs->full, dataset, states, threads, diag)) &&
        (!rest || open_runner(&pair->last, programs->last, dataset, states, threads, diag)))
        return true;
    pair_close(pair);
    return false;
}

void pair_close(RunnerPair *pair) {
    runner_free(pair->full);
    runner_free(pair->last);
    *pair = (RunnerPair){0};
}

int64_t pair_step_rows(const RunnerPair *pair, int64_t step) {
    int64_t left = pair->rows - step * pair->batch;
    return left < pair->batch ? left : pair->batch;
}

Runner *pair_runner(const RunnerPair *pair, int64_t step) {
    return pair_step_rows(pair, step) == pair->batch ? pair->full : pair->last;
}

/* Consecutive steps of one runner. */
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

int64_t pair_loop(const RunnerPair *pair, const int32_t *order, int64_t step, int64_t end,
                  const RunTimes *times, RunAfter *after, void *context) {
    Stretch stretch = {.after = after, .context = context};
    while (step < end && !stretch.ended) {
        Runner *runner = pair_runner(pair, step);
        int64_t whole = pair->rows / pair->batch,
                stop = runner == pair->last || end < whole ? end : whole;
        stretch.first = step;
        step += runner_loop(runner, order + step * pair->batch, stop - step, times, step,
                            stretch_after, &stretch);
    }
    return step;
}
