/* A batch on several processes. Process p of P computes the shares [S p / P, S (p + 1) / P) of the
 * S shares of a batch, and owns a part of every gradient:
 *
 *     run the own shares; add their gradients by the tree as far as partners are there
 *     to each owner: its part of these partial sums; losses and carried values to all
 *     at the end of a step: the owner finishes the tree, updates its part of the weights, and sends
 *     it to all
 *     the states that the model updates change, share by share; then weights change
 *
 * So every process sends and gets about twice the bytes of a gradient, and holds the same weights.
 * Only the owner of a part has the moments of the optimizer for it. The states change only after
 * the last exchange of a batch: if a process is lost before, they are those after the batch
 * before, without moments. */
#include "ir/base/clock.h"
#include "ir/base/memory.h"
#include "ir/data/step_parts.h"
#include "runtime/train/spreading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool spread_stops(const Spread *spread) { return spread->stops; }
bool spread_saves(const Spread *spread) { return spread->saves; }
SpreadTraffic spread_sent(const Spread *spread) { return spread->sent; }

/* -- the updates -- */

static void run_statistics(Spread *spread, int64_t share, const RunTimes *times) {
    ShareSize size = cut_share_size(&spread->plan.cut, share);
    Runner *runner = spread->statistics[size];
    if (!runner) return;
    for (uint32_t i = 0; i < spread->carried_count; i++)
        runner_input(runner, spread->carried[i].name,
                     spread_values(spread, share) + spread->carried[i].at[size]);
    runner_loop(runner, spread->trainer->order, 1, times, share, NULL, NULL);
}

static void update_states(Spread *spread, int64_t batch, bool ends_step) {
    const Trainer *trainer = spread->trainer;
    RunTimes times = trainer_times(trainer);
    ShareRange range = spread_batch(&spread->plan, batch);
    for (int64_t share = range.first; share < range.end; share++)
        run_statistics(spread, share, &times);
    if (!ends_step) return;
    for (uint32_t i = 0; i < spread->plan.parts.count; i++) {
        const WeightPlace *place = &spread->plan.places[i];
        states_write(trainer->options->states, place->name, spread->weights + place->at);
    }
    spread->rows = 0;
}

/* -- batches -- */

static double batch_loss(const Spread *spread, int64_t batch) {
    const Cut *cut = &spread->plan.cut;
    ShareRange range = spread_batch(&spread->plan, batch);
    double sum = 0;
    for (int64_t share = range.first; share < range.end; share++)
        sum += (double)spread->losses[share % cut->replicas] * (double)cut_share(cut, share).rows;
    return sum / (double)cut_batch_rows(cut, batch);
}

static void count_traffic(Spread *spread, PeerTraffic before) {
    PeerTraffic now = peers_sent(spread->peers);
    spread->sent.batches++;
    spread->sent.messages += now.messages - before.messages;
    spread->sent.bytes += now.bytes - before.bytes;
}

/* false: a process is lost, and no state has changed. */
static bool run_batch(Spread *spread, int64_t batch) {
    bool ends_step = trainer_clock(spread->trainer, batch).update != 0;
    PeerTraffic before = peers_sent(spread->peers);
    spread_run_shares(spread, spread_range(&spread->plan, batch, spread->rank));
    if (!spread_scatter(spread, batch)) return false;
    spread->rows += (float)cut_batch_rows(&spread->plan.cut, batch);
    if (!ends_step)
        spread_keep(spread);
    else if (!spread_update(spread, batch))
        return false;
    update_states(spread, batch, ends_step);
    count_traffic(spread, before);
    spread->stops = ends_step && peers_stopped(spread->peers);
    spread->saves = ends_step && peers_take_save(spread->peers);
    return true;
}

bool spread_loop(Spread *spread, int64_t batch, int64_t end, TrainerVisit *visit, void *context) {
    spread->exchanged = seconds_now();
    for (; batch < end; batch++) {
        if (!run_batch(spread, batch)) return false;
        if (!visit(context, batch, batch_loss(spread, batch))) return false;
    }
    return true;
}

/* A step that another training has begun has sums in its checkpoint: those of 2^l shares for every
 * bit l of their number. */
void spread_restart(Spread *spread) {
    const States *states = spread->trainer->options->states;
    const WeightParts *parts = &spread->plan.parts;
    size_t bytes = (size_t)parts->elements * sizeof(float);
    float count = 0, *values = memory_new(bytes, "the gradients");
    spread->owned.count = 0;
    spread->rows = 0;
    spread->finite = true;
    spread_take_states(spread);
    states_read(states, ACCUMULATE_BATCHES, &count);
    states_read(states, ACCUMULATE_ROWS, &spread->rows);
    int64_t shares = (int64_t)count, first = 0;
    for (int level = 30; level >= 0; level--) {
        int64_t size = (int64_t)1 << level;
        if (!(shares & size)) continue;
        for (uint32_t i = 0; i < parts->count; i++) {
            char name[STEP_NAME];
            snprintf(name, sizeof name, ACCUMULATE_PREFIX "%d.%s", level, parts->places[i].name);
            states_read(states, name, values + parts->places[i].at);
        }
        partial_sums_push(&spread->owned, (ShareBlock){first, size},
                          &(SumSegment){values + spread_part_at(&spread->plan, spread->rank), 0,
                                        spread_part(&spread->plan, spread->rank)},
                          1);
        first += size;
    }
    free(values);
}
