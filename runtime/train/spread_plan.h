/* What several processes exchange in a batch, by shapes alone. */
#ifndef MLC_RUNTIME_TRAIN_SPREAD_PLAN_H
#define MLC_RUNTIME_TRAIN_SPREAD_PLAN_H

#include "ir/data/cut.h"
#include "ir/data/weight_parts.h"
#include "ir/graph/graph.h"
#include "runtime/train/partial_sums.h"

typedef struct {
    Cut cut;
    int64_t accumulate;  /* batches of a step */
    WeightParts parts;   /* which process owns what of the gradients, the weights and the moments */
    WeightPlace *places; /* those of `parts` */
    /* for each size of a share: what it carries to the updates of the model's states */
    size_t carried_bytes[SHARE_SIZES];
} SpreadPlan;

/* Adds the gradients of a share to the plan: all shares have the same. share: a GRAPH_SHARE, whose
 * names the plan uses. */
void spread_plan_gradients(SpreadPlan *plan, const Graph *share);
void spread_plan_free(SpreadPlan *plan);
/* Adds what shares of that size carry. */
void spread_plan_carried(SpreadPlan *plan, ShareSize size, const Graph *share);
/* The bytes of a carried value, with what fills them up. */
size_t spread_carried_bytes(const Graph *share, const Output *output);
/* The weight to which a state of the optimizer belongs, which only owners have in memory; NULL: the
 * state is none, or one that a share reads. */
const WeightPlace *spread_moment(const SpreadPlan *plan, const Graph *share, const char *state);

/* Shares first .. end - 1 of the epoch. */
typedef struct {
    int64_t first, end;
} ShareRange;
/* All shares of a batch, and those of a process. */
ShareRange spread_batch(const SpreadPlan *plan, int64_t batch);
ShareRange spread_range(const SpreadPlan *plan, int64_t batch, int rank);
/* The number of a share in its step. */
int64_t spread_index(const SpreadPlan *plan, int64_t share);
/* The partial sums that are left of a range. */
int spread_blocks(const SpreadPlan *plan, ShareRange range, ShareBlock blocks[PARTIAL_SUMS_MAX]);

/* The part of the gradients that a process owns: elements from spread_part_at on. */
size_t spread_part_at(const SpreadPlan *plan, int rank);
size_t spread_part(const SpreadPlan *plan, int rank);
/* With clip_norm: the sums of squares that a process computes. */
size_t spread_squares_at(const SpreadPlan *plan, int rank);
size_t spread_squares(const SpreadPlan *plan, int rank);

/* The losses and carried values of a range. */
size_t spread_range_bytes(const SpreadPlan *plan, ShareRange range);
typedef struct {
    int64_t batches, exchanges, messages, bytes;
    double seconds; /* that the exchanges have taken; 0: none was made */
} SpreadTraffic;
/* What a process sends in a step of full batches. */
SpreadTraffic spread_traffic(const SpreadPlan *plan, int rank);
/* The traffic of the process that sends most. */
SpreadTraffic spread_largest_traffic(const SpreadPlan *plan);

/* A network: the seconds until a message arrives, the bytes a second of a process, and the seconds
 * that the processor spends on a message. */
typedef struct {
    const char *name;
    double latency, rate, post;
} NetworkLink;
/* The seconds that the exchanges of a step take. A process sends and gets its messages one after
 * the other, and both at once: T = exchanges * latency + bytes / rate + messages * post. */
double spread_seconds(const NetworkLink *link, const SpreadTraffic *traffic);

#endif
