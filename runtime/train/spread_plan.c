/* Which shares and which part of the gradients belong to which process, and how large their
 * messages are. Process p of P has the shares [S p / P, S (p + 1) / P) of the S shares of a
 * batch. */
#include "runtime/train/spread_plan.h"
#include "ir/base/integers.h"
#include "ir/base/memory.h"
#include "ir/data/step_parts.h"
#include "runtime/peers/peers.h"

#include <stdlib.h>
#include <string.h>

/* -- the outputs of a share -- */

static bool begins(const Output *output, const char *prefix) {
    return !strncmp(output->name, prefix, strlen(prefix));
}

size_t spread_carried_bytes(const Graph *share, const Output *output) {
    const Node *node = graph_node(share, output->node);
    return (size_t)round_up(shape_elements(node->shape) * (int64_t)dtype_bytes(node->dtype),
                            TRANSPORT_UNIT);
}

void spread_plan_gradients(SpreadPlan *plan, const Graph *share) {
    WeightParts *parts = &plan->parts;
    plan->places = memory_array(share->output_count, sizeof *plan->places, "the gradients");
    for (uint32_t i = 0; i < share->output_count; i++) {
        const Output *output = &share->outputs[i];
        if (begins(output, GRADIENT_PREFIX))
            plan->places[parts->count++] =
                (WeightPlace){.name = output->name + strlen(GRADIENT_PREFIX),
                              .elements = shape_elements(graph_node(share, output->node)->shape)};
    }
    parts->places = plan->places;
    parts->elements = parts_place(plan->places, parts->count);
}

void spread_plan_free(SpreadPlan *plan) { free(plan->places); }

const WeightPlace *spread_moment(const SpreadPlan *plan, const Graph *share, const char *state) {
    return graph_symbol(share, state) ? NULL : parts_of_moment(&plan->parts, state);
}

void spread_plan_carried(SpreadPlan *plan, ShareSize size, const Graph *share) {
    for (uint32_t i = 0; i < share->output_count; i++)
        if (begins(&share->outputs[i], CARRIED_PREFIX))
            plan->carried_bytes[size] += spread_carried_bytes(share, &share->outputs[i]);
}

/* -- shares -- */

ShareRange spread_batch(const SpreadPlan *plan, int64_t batch) {
    const Cut *cut = &plan->cut;
    int64_t first = batch * cut->replicas;
    return (ShareRange){first, first + min_i64(cut->replicas, cut_batch_rows(cut, batch))};
}

ShareRange spread_range(const SpreadPlan *plan, int64_t batch, int rank) {
    ShareRange all = spread_batch(plan, batch);
    int64_t count = all.end - all.first;
    return (ShareRange){all.first + count * rank / plan->parts.processes,
                        all.first + count * (rank + 1) / plan->parts.processes};
}

int64_t spread_index(const SpreadPlan *plan, int64_t share) {
    return share % (plan->accumulate * plan->cut.replicas);
}

int spread_blocks(const SpreadPlan *plan, ShareRange range, ShareBlock blocks[PARTIAL_SUMS_MAX]) {
    int64_t first = spread_index(plan, range.first);
    return partial_sums_blocks(first, first + range.end - range.first, blocks);
}

/* -- parts and messages -- */

size_t spread_part_at(const SpreadPlan *plan, int rank) {
    return (size_t)part_at(&plan->parts, rank);
}

size_t spread_part(const SpreadPlan *plan, int rank) {
    return (size_t)part_elements(&plan->parts, rank);
}

size_t spread_squares_at(const SpreadPlan *plan, int rank) {
    return (size_t)part_block(&plan->parts, rank);
}

size_t spread_squares(const SpreadPlan *plan, int rank) {
    return spread_squares_at(plan, rank + 1) - spread_squares_at(plan, rank);
}

size_t spread_range_bytes(const SpreadPlan *plan, ShareRange range) {
    size_t bytes = (size_t)(range.end - range.first) * sizeof(float);
    for (int64_t share = range.first; share < range.end; share++)
        bytes += plan->carried_bytes[cut_share_size(&plan->cut, share)];
    return bytes;
}

static void add_traffic(SpreadTraffic *traffic, PeerTraffic more) {
    traffic->messages += more.messages;
    traffic->bytes += more.bytes;
}

/* An exchange in which every other process gets the same. */
static void add_exchange(const SpreadPlan *plan, SpreadTraffic *traffic, PeerTraffic same) {
    traffic->exchanges++;
    for (int i = 1; i < plan->parts.processes; i++) add_traffic(traffic, same);
}

SpreadTraffic spread_traffic(const SpreadPlan *plan, int rank) {
    SpreadTraffic traffic = {.batches = plan->accumulate, .exchanges = plan->accumulate};
    for (int64_t batch = 0; batch < plan->accumulate; batch++) {
        ShareBlock blocks[PARTIAL_SUMS_MAX];
        ShareRange range = spread_range(plan, batch, rank);
        int count = spread_blocks(plan, range, blocks);
        for (int other = 0; other < plan->parts.processes; other++)
            if (other != rank)
                add_traffic(&traffic,
                            peers_traffic(spread_range_bytes(plan, range),
                                          spread_part(plan, other) * sizeof(float), count));
    }
    if (plan->parts.whole_blocks) {
        add_exchange(plan, &traffic, peers_traffic(sizeof(float), 0, 0));
        add_exchange(plan, &traffic,
                     peers_traffic(spread_squares(plan, rank) * sizeof(float), 0, 0));
    }
    add_exchange(plan, &traffic, peers_traffic(0, spread_part(plan, rank) * sizeof(float), 1));
    return traffic;
}

SpreadTraffic spread_largest_traffic(const SpreadPlan *plan) {
    SpreadTraffic largest = {0};
    for (int rank = 0; rank < plan->parts.processes; rank++) {
        SpreadTraffic traffic = spread_traffic(plan, rank);
        if (traffic.bytes > largest.bytes) largest = traffic;
    }
    return largest;
}

double spread_seconds(const NetworkLink *link, const SpreadTraffic *traffic) {
    return (double)traffic->exchanges * link->latency + (double)traffic->bytes / link->rate +
           (double)traffic->messages * link->post;
}
