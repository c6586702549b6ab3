/* The state of a training on several processes, and the steps of a batch on them. Private to the
 * files spread*.c: all others see spread.h. */
#ifndef MLC_RUNTIME_TRAIN_SPREADING_H
#define MLC_RUNTIME_TRAIN_SPREADING_H

#include "runtime/train/spread.h"

enum { STEP_NAME = 512 }; /* a name with the prefix of a part of a step */

/* The gradient of a weight. */
typedef struct {
    size_t offsets[SHARE_SIZES]; /* in the outputs of the programs */
} SpreadGradient;

/* What this process owns of a weight. */
typedef struct {
    float *weight;   /* in `weights` of Spread */
    size_t elements; /* 0: nothing */
    size_t offset;   /* of the next weight in the outputs of the update */
} OwnedPiece;

/* A state of the optimizer. */
typedef struct {
    const char *name;
    const WeightPlace *place; /* of its weight */
} SpreadMoment;

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
    SpreadPlan plan;
    SpreadGradient *gradients;          /* [plan.parts.count] */
    OwnedPiece *pieces;                 /* [plan.parts.count] */
    Runner *update, *largest, *squares; /* of the own part; the last two: with clip_norm, or NULL */
    States *owned_states;               /* of the update: the moments of the own part */
    SpreadMoment *moments;
    uint32_t moment_count;
    bool finite; /* the moments of all processes, when they were last collected */
    CarriedValue *carried;
    uint32_t carried_count;
    size_t carried_room;    /* the most bytes that a share carries */
    PartialSums own, owned; /* of the own shares; of all shares, in the own part */
    SumSegment *segments;   /* [plan.parts.count] */
    float *sum;             /* of a step, the own part */
    float *weights;         /* the vector of all weights */
    float *norm_largest;    /* [size]: the largest gradient of each process */
    float *norm_squares;    /* the sums of the squares of all blocks */
    float rows;             /* of the step so far */
    float *losses;          /* [replicas]: of the present batch */
    char *values;           /* [replicas][carried_room]: the carried values */
    float *alone; /* the gradients of the own shares, for the gradient noise; NULL: not yet */
    const float **pointers; /* [plan.parts.count]: to those of one share */
    double exchanged;       /* when the last exchange ended */
    SpreadTraffic sent;
    bool stops, saves;
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
/* Every process gets what the others have in a vector: process r has the elements from at(r) to
 * at(r + 1) - 1. false: a process is lost. */
typedef size_t PlaceOfRank(const SpreadPlan *plan, int rank);
bool spread_share(Spread *spread, int64_t batch, float *vector, PlaceOfRank *at);
/* The same for the weights, which are large. */
bool spread_gather(Spread *spread, int64_t batch);

/* The update of the own part (spread_own.c). share: the graph of a share. */
void spread_list_moments(Spread *spread, const Graph *share);
bool spread_open_own(Spread *spread);
void spread_close_own(Spread *spread);
/* Takes the weights and the own moments out of the states. */
void spread_take_states(Spread *spread);
/* At the end of a step: updates the own part, and every process gets all weights. The states are
 * still those before. false: a process is lost. */
bool spread_update(Spread *spread, int64_t batch);

#endif
