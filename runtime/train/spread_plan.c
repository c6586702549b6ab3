/* Which shares and which part of the gradients belong to which process, and how large their
 * messages are. Process p of P has the shares [S p / P, S (p + 1) / P) of the S shares of a
 * batch. */
#include "runtime/train/spread_plan.h"
#include "ir/base/integers.h"
#include "ir/data/step_parts.h"
#include "runtime/peers/peers.h"

#include <string.h>

/* -- the outputs of a share -- */

static bool begins(const Output *output, const char *prefix) {
    return !strncmp(output->name, prefix, strlen(prefix));
}

size_t spread_gradient_elements(const Graph *share, const Output *output) {
    return (size_t)round_up(shape_elements(graph_node(share, output->node)->shape), SPREAD_UNIT);
}

size_t spread_carried_bytes(const Graph *share, const Output *output) {
    const Node *node = graph_node(share, output->node);
    return (size_t)round_up(shape_elements(node->shape) * (int64_t)dtype_bytes(node->dtype),
                            TRANSPORT_UNIT);
}

void spread_plan_gradients(SpreadPlan *plan, const Graph *share) {
    for (uint32_t i = 0; i < share->output_count; i++)
        if (begins(&share->outputs[i], GRADIENT_PREFIX))
            plan->elements += spread_gradient_elements(share, &share->outputs[i]);
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
    return (ShareRange){all.first + count * rank / plan->processes,
                        all.first + count * (rank + 1) / plan->processes};
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
    return plan->elements / SPREAD_UNIT * (size_t)rank / (size_t)plan->processes * SPREAD_UNIT;
}

size_t spread_part(const SpreadPlan *plan, int rank) {
    return spread_part_at(plan, rank + 1) - spread_part_at(plan, rank);
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

SpreadTraffic spread_traffic(const SpreadPlan *plan, int rank) {
    SpreadTraffic traffic = {.batches = plan->accumulate};
    for (int64_t batch = 0; batch < plan->accumulate; batch++) {
        ShareBlock blocks[PARTIAL_SUMS_MAX];
        ShareRange range = spread_range(plan, batch, rank);
        int count = spread_blocks(plan, range, blocks);
        for (int other = 0; other < plan->processes; other++)
            if (other != rank)
                add_traffic(&traffic,
                            peers_traffic(spread_range_bytes(plan, range),
                                          spread_part(plan, other) * sizeof(float), count));
    }
    PeerTraffic gather = peers_traffic(0, spread_part(plan, rank) * sizeof(float), 1);
    for (int other = 0; other < plan->processes; other++)
        if (other != rank) add_traffic(&traffic, gather);
    return traffic;
}

SpreadTraffic spread_largest_traffic(const SpreadPlan *plan) {
    SpreadTraffic largest = {0};
    for (int rank = 0; rank < plan->processes; rank++) {
        SpreadTraffic traffic = spread_traffic(plan, rank);
        if (traffic.bytes > largest.bytes) largest = traffic;
    }
    return largest;
}

/* A step has an exchange of partial sums for each batch, and one of sums. */
double spread_seconds(const NetworkLink *link, const SpreadTraffic *traffic) {
    return (double)(traffic->batches + 1) * link->latency + (double)traffic->bytes / link->rate +
           (double)traffic->messages * link->post;
}
