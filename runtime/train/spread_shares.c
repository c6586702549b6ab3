/* The own shares of a batch: runs them and adds their gradients by the tree, as far as its branches
 * are complete here. For the gradient noise, the gradients of each share are exchanged as they
 * are. */
#include "ir/base/clock.h"
#include "ir/base/memory.h"
#include "runtime/train/spreading.h"

#include <string.h>

static void list_segments(Spread *spread, ShareSize size, const void *outputs) {
    for (uint32_t i = 0; i < spread->plan.parts.count; i++) {
        const WeightPlace *place = &spread->plan.places[i];
        const char *gradient = (const char *)outputs + spread->gradients[i].offsets[size];
        spread->segments[i] =
            (SumSegment){(const float *)gradient, (size_t)place->at, (size_t)place->elements};
    }
}

typedef struct {
    Spread *spread;
    const void *outputs;
} SpreadShare;

static bool take_share(void *context, int64_t share, const void *outputs) {
    SpreadShare *taken = context;
    Spread *spread = taken->spread;
    const Trainer *trainer = spread->trainer;
    ShareSize size = cut_share_size(&trainer->runners.cut, share);
    spread->losses[share % trainer->runners.cut.replicas] = trainer_loss(trainer, share, outputs);
    char *values = spread_values(spread, share);
    for (uint32_t i = 0; i < spread->carried_count; i++) {
        const CarriedValue *value = &spread->carried[i];
        memcpy(values + value->at[size], (const char *)outputs + value->offsets[size],
               value->bytes[size]);
    }
    list_segments(spread, size, outputs);
    return true;
}

void spread_run_share(Spread *spread, int64_t share) {
    const Trainer *trainer = spread->trainer;
    RunTimes times = trainer_times(trainer);
    SpreadShare taken = {.spread = spread};
    runners_loop(&trainer->runners, trainer->order, share, share + 1, &times, take_share, &taken);
}

void spread_run_shares(Spread *spread, ShareRange range) {
    spread->own.count = 0;
    for (int64_t share = range.first; share < range.end; share++) {
        spread_run_share(spread, share);
        partial_sums_push(&spread->own, (ShareBlock){spread_index(&spread->plan, share), 1},
                          spread->segments, spread->plan.parts.count);
    }
}

/* -- the gradient noise -- */

static size_t range_elements(const Spread *spread, ShareRange range) {
    return (size_t)(range.end - range.first) * (size_t)spread->plan.parts.elements;
}

/* The gradients of the own shares, one share after the other. */
static void fill_gradients(Spread *spread, ShareRange range) {
    size_t elements = (size_t)spread->plan.parts.elements;
    if (!spread->alone)
        spread->alone =
            memory_new((size_t)spread->plan.cut.replicas * elements * sizeof *spread->alone,
                       "the gradients of shares");
    for (int64_t share = range.first; share < range.end; share++) {
        float *gradients = spread->alone + (size_t)(share - range.first) * elements;
        spread_run_share(spread, share);
        for (uint32_t i = 0; i < spread->plan.parts.count; i++)
            memcpy(gradients + spread->segments[i].at, spread->segments[i].from,
                   spread->segments[i].count * sizeof *gradients);
    }
}

static void visit_gradients(const Spread *spread, ShareRange range, const float *gradients,
                            SpreadGradients *visit, void *context) {
    const WeightParts *parts = &spread->plan.parts;
    for (; range.first < range.end; range.first++, gradients += parts->elements) {
        for (uint32_t i = 0; i < parts->count; i++)
            spread->pointers[i] = gradients + parts->places[i].at;
        visit(context, spread->pointers);
    }
}

bool spread_gradients(Spread *spread, int64_t batch, SpreadGradients *visit, void *context) {
    const float *gradients[PEERS_MAX];
    ShareRange own = spread_range(&spread->plan, batch, spread->rank);
    size_t bytes = range_elements(spread, own) * sizeof(float);
    spread->exchanged = seconds_now();
    fill_gradients(spread, own);
    for (int rank = 0; rank < spread->size; rank++) {
        gradients[rank] = spread->alone;
        if (rank == spread->rank) continue;
        memcpy(peers_out(spread->peers, rank, bytes), spread->alone, bytes);
        gradients[rank] = peers_in(
            spread->peers, rank,
            range_elements(spread, spread_range(&spread->plan, batch, rank)) * sizeof(float));
    }
    if (!spread_exchange(spread, batch)) return false;
    for (int rank = 0; rank < spread->size; rank++)
        visit_gradients(spread, spread_range(&spread->plan, batch, rank), gradients[rank], visit,
                        context);
    return true;
}
