/* Opens a training on several processes: finds what the programs put where, and reserves the memory
 * of all batches. */
#include "ir/base/integers.h"
#include "ir/base/memory.h"
#include "ir/data/step_parts.h"
#include "runtime/train/spreading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- what the programs put where -- */

static const Graph *graph_of(const Runner *runner) { return runner_program(runner)->graph; }

/* Lists the outputs of a share, of any size. */
static void list_outputs(Spread *spread, const Graph *share) {
    spread_plan_gradients(&spread->plan, share);
    spread_list_moments(spread, share);
    spread->gradients =
        memory_array(share->output_count, sizeof *spread->gradients, "the gradients");
    spread->carried = memory_array(share->output_count, sizeof *spread->carried, "the gradients");
    for (uint32_t i = 0; i < share->output_count; i++)
        if (!strncmp(share->outputs[i].name, CARRIED_PREFIX, strlen(CARRIED_PREFIX)))
            spread->carried[spread->carried_count++] =
                (CarriedValue){.name = share->outputs[i].name};
}

static void place_outputs(Spread *spread, ShareSize size, const Runner *runner) {
    const Graph *share = graph_of(runner);
    for (uint32_t i = 0; i < spread->plan.parts.count; i++) {
        char name[STEP_NAME];
        snprintf(name, sizeof name, GRADIENT_PREFIX "%s", spread->plan.places[i].name);
        runner_place(runner, name, &spread->gradients[i].offsets[size]);
    }
    size_t at = 0;
    for (uint32_t i = 0; i < spread->carried_count; i++) {
        CarriedValue *value = &spread->carried[i];
        const Node *node = runner_place(runner, value->name, &value->offsets[size]);
        value->at[size] = at;
        value->bytes[size] = (size_t)shape_elements(node->shape) * dtype_bytes(node->dtype);
        at += spread_carried_bytes(share,
                                   &(Output){value->name, graph_output_node(share, value->name)});
    }
    spread_plan_carried(&spread->plan, size, share);
    if (at > spread->carried_room) spread->carried_room = at;
}

/* -- the beginning and the end -- */

static bool open_runners(Spread *spread) {
    const TrainOptions *options = spread->trainer->options;
    const SplitPrograms *programs = &options->spread.statistics;
    const Program *statistics[SHARE_SIZES] = {programs->full, programs->last, programs->smaller};
    for (ShareSize size = 0; size < SHARE_SIZES; size++) {
        const Runner *runner = spread->trainer->runners.by_size[size];
        if (!runner) continue;
        if (!spread->gradients) list_outputs(spread, graph_of(runner));
        place_outputs(spread, size, runner);
        if (!statistics[size]) continue;
        spread->statistics[size] =
            runner_new(statistics[size], options->states, options->threads, spread->trainer->diag);
        if (!spread->statistics[size]) return false;
    }
    return true;
}

static void open_memory(Spread *spread) {
    size_t replicas = (size_t)spread->plan.cut.replicas;
    Threads *threads = spread->trainer->options->threads;
    const WeightParts *parts = &spread->plan.parts;
    spread->own = partial_sums_new((size_t)parts->elements, threads);
    spread->owned = partial_sums_new(spread_part(&spread->plan, spread->rank), threads);
    spread->segments = memory_array(parts->count, sizeof *spread->segments, "the gradients");
    spread->pointers = memory_array(parts->count, sizeof *spread->pointers, "the gradients");
    spread->losses = memory_array(replicas, sizeof *spread->losses, "the losses of a batch");
    spread->values = memory_new(replicas * spread->carried_room, "the statistics of a batch");
}

Spread *spread_new(const Trainer *trainer) {
    Spread *spread = MEMORY_NEW(Spread, "the processes of a training");
    Peers *peers = trainer->options->spread.peers;
    *spread = (Spread){.trainer = trainer,
                       .peers = peers,
                       .rank = peers_rank(peers),
                       .size = peers_size(peers),
                       .plan = {.cut = trainer->runners.cut,
                                .accumulate = max_i64(1, trainer->options->accumulate),
                                .parts = {.processes = peers_size(peers),
                                          .whole_blocks = trainer->options->spread.largest}}};
    if (open_runners(spread) && spread_open_own(spread)) {
        open_memory(spread);
        return spread;
    }
    spread_free(spread);
    return NULL;
}

void spread_free(Spread *spread) {
    if (!spread) return;
    for (ShareSize size = 0; size < SHARE_SIZES; size++) runner_free(spread->statistics[size]);
    spread_close_own(spread);
    spread_plan_free(&spread->plan);
    partial_sums_free(&spread->own);
    partial_sums_free(&spread->owned);
    free(spread->gradients);
    free(spread->carried);
    free(spread->segments);
    free(spread->losses);
    free(spread->alone);
    free(spread->pointers);
    free(spread->values);
    free(spread);
}
