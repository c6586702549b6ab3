/* The state of a training on several processes, and the steps of a batch on them. Private to the
 * files spread*.c: all others see spread.h. */
#ifndef MLC_RUNTIME_TRAIN_SPREADING_H
#define MLC_RUNTIME_TRAIN_SPREADING_H

#include "runtime/train/spread.h"

/* The gradient of a weight; its name is that of the output. */
typedef struct {
    const char *name;
    size_t at, elements, room;   /* in the vector of all gradients */
    size_t offsets[SHARE_SIZES]; /* in the outputs of the programs */
} SpreadGradient;

/* A value that the updates of the model's states need. Its size may depend on the rows of a
 * share. */
typedef struct {
    const char *name;
    size_t at[SHARE_SIZES], bytes[SHARE_SIZES], offsets[SHARE_SIZES];
} CarriedValue;

struct Spread {
    const Trainer *trainer;
    Peers *peers;
    int rank, size;
    Runner *statistics[SHARE_SIZES]; /* NULL: the model updates no states */
    Runner *update;
    SpreadGradient *gradients; /* ordered by name */
    uint32_t gradient_count;
    SpreadPlan plan;
    CarriedValue *carried;
    uint32_t carried_count;
    size_t carried_room;    /* the most bytes that a share carries */
    PartialSums own, owned; /* of the own shares; of all shares, in the own part */
    SumSegment *segments;   /* [gradient_count] */
    float *sum;             /* [elements]: of a step */
    float rows;             /* of the step so far */
    float *losses;          /* [replicas]: of the present batch */
    char *values;           /* [replicas][carried_room]: the carried values */
    float *alone; /* the gradients of the own shares, for the gradient noise; NULL: not yet */
    const float **pointers; /* [gradient_count]: to those of one share */
    double exchanged;       /* when the last exchange ended */
    SpreadTraffic sent;
    bool stops;
};

/* The carried values of a share; those of a batch lie in the order of its shares. */
static inline char *spread_values(const Spread *spread, int64_t share) {
    return spread->values + (size_t)(share % spread->plan.cut.replicas) * spread->carried_room;
}

/* Runs a share of this process. Its loss and carried values are kept; `segments` are its gradients,
 * which the next share overwrites. */
void spread_run_share(Spread *spread, int64_t share);
/* Runs a range of shares; `own` gets the partial sums of their gradients. */
void spread_run_shares(Spread *spread, ShareRange range);

/* Sends and receives the posted messages. false: a process is lost. */
bool spread_exchange(Spread *spread, int64_t batch);
/* Every process gets the partial sums of its part, and all losses and carried values. They stay in
 * the messages until the next exchange. false: a process is lost. */
bool spread_scatter(Spread *spread, int64_t batch);
/* Before the next batch of the step: copies the partial sums out of the messages. */
void spread_keep(Spread *spread);
/* At the end of a step, every process gets the sum of all gradients. false: a process is lost. */
bool spread_gather(Spread *spread, int64_t batch);

#endif
