/* A batch on several processes. Process p of P computes the shares [S p / P, S (p + 1) / P) of the
 * S shares of a batch, and owns a part of every gradient:
 *
 *     run the own shares; add their gradients by the tree as far as partners are there
 *     to each owner: its part of these partial sums; losses and carried values to all
 *     at the end of a step: the owner finishes the tree and sends its part of the sum to all
 *     the states that the model updates change, share by share; then weights change
 *
 * So every process sends and gets about twice the bytes of a gradient, and holds the same states.
 * States change only after the last exchange of a batch: if a process is lost before, they are those
 * after the batch before. */
#include "runtime/train/spread.h"
#include "ir/base/clock.h"
#include "ir/base/integers.h"
#include "ir/base/memory.h"
#include "ir/data/step_parts.h"
#include "runtime/train/partial_sums.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The gradient of a weight; its name is that of the output. */
typedef struct {
    const char *name;
    size_t at, elements, room;   /* in the vector of all gradients */
    size_t offsets[SHARE_SIZES]; /* in the outputs of the programs */
} SpreadGradient;

/* A value that the updates of the model's states need. Its size may depend on the rows of a share. */
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

/* -- what the programs put where -- */

static int compare_gradients(const void *a, const void *b) {
    return strcmp(((const SpreadGradient *)a)->name, ((const SpreadGradient *)b)->name);
}

static const Graph *graph_of(const Runner *runner) { return runner_program(runner)->graph; }

/* Lists the outputs of a share, of any size. */
static void list_outputs(Spread *spread, const Graph *share) {
    spread->gradients =
        memory_array(share->output_count, sizeof *spread->gradients, "the gradients");
    spread->carried = memory_array(share->output_count, sizeof *spread->carried, "the gradients");
    for (uint32_t i = 0; i < share->output_count; i++) {
        const Output *output = &share->outputs[i];
        size_t elements = (size_t)shape_elements(graph_node(share, output->node)->shape);
        if (!strncmp(output->name, GRADIENT_PREFIX, strlen(GRADIENT_PREFIX)))
            spread->gradients[spread->gradient_count++] =
                (SpreadGradient){.name = output->name,
                                 .elements = elements,
                                 .room = spread_gradient_elements(share, output)};
        else if (!strncmp(output->name, CARRIED_PREFIX, strlen(CARRIED_PREFIX)))
            spread->carried[spread->carried_count++] = (CarriedValue){.name = output->name};
    }
    qsort(spread->gradients, spread->gradient_count, sizeof *spread->gradients, compare_gradients);
    for (uint32_t i = 1; i < spread->gradient_count; i++)
        spread->gradients[i].at = spread->gradients[i - 1].at + spread->gradients[i - 1].room;
    spread_plan_gradients(&spread->plan, share);
}

static void place_outputs(Spread *spread, ShareSize size, const Runner *runner) {
    const Graph *share = graph_of(runner);
    for (uint32_t i = 0; i < spread->gradient_count; i++)
        runner_place(runner, spread->gradients[i].name, &spread->gradients[i].offsets[size]);
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

static Runner *open_runner(const Spread *spread, const Program *program) {
    const TrainOptions *options = spread->trainer->options;
    return runner_new(program, options->states, options->threads, spread->trainer->diag);
}

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
        spread->statistics[size] = open_runner(spread, statistics[size]);
        if (!spread->statistics[size]) return false;
    }
    spread->update = open_runner(spread, options->spread.update);
    return spread->update != NULL;
}

static void bind_inputs(Spread *spread) {
    for (uint32_t i = 0; i < spread->gradient_count; i++)
        runner_input(spread->update, spread->gradients[i].name,
                     spread->sum + spread->gradients[i].at);
    runner_input(spread->update, STEP_ROWS, &spread->rows);
}

static void open_memory(Spread *spread) {
    size_t replicas = (size_t)spread->plan.cut.replicas;
    Threads *threads = spread->trainer->options->threads;
    spread->own = partial_sums_new(spread->plan.elements, threads);
    spread->owned = partial_sums_new(spread_part(&spread->plan, spread->rank), threads);
    spread->segments =
        memory_array(spread->gradient_count, sizeof *spread->segments, "the gradients");
    spread->pointers =
        memory_array(spread->gradient_count, sizeof *spread->pointers, "the gradients");
    spread->sum = memory_new(spread->plan.elements * sizeof *spread->sum, "the gradients");
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
                                .processes = peers_size(peers)}};
    if (!open_runners(spread)) {
        spread_free(spread);
        return NULL;
    }
    open_memory(spread);
    bind_inputs(spread);
    return spread;
}

void spread_free(Spread *spread) {
    if (!spread) return;
    for (ShareSize size = 0; size < SHARE_SIZES; size++) runner_free(spread->statistics[size]);
    runner_free(spread->update);
    partial_sums_free(&spread->own);
    partial_sums_free(&spread->owned);
    free(spread->gradients);
    free(spread->carried);
    free(spread->segments);
    free(spread->sum);
    free(spread->losses);
    free(spread->alone);
    free(spread->pointers);
    free(spread->values);
    free(spread);
}

bool spread_stops(const Spread *spread) { return spread->stops; }
SpreadTraffic spread_sent(const Spread *spread) { return spread->sent; }

/* -- messages: see spread_plan.h for their sizes -- */

/* The carried values of a share, in the order of the shares of the batch. */
static char *values_of(const Spread *spread, int64_t share) {
    return spread->values + (size_t)(share % spread->plan.cut.replicas) * spread->carried_room;
}

/* -- the own shares -- */

static void list_segments(Spread *spread, ShareSize size, const void *outputs) {
    for (uint32_t i = 0; i < spread->gradient_count; i++) {
        const SpreadGradient *gradient = &spread->gradients[i];
        spread->segments[i] =
            (SumSegment){(const float *)((const char *)outputs + gradient->offsets[size]),
                         gradient->at, gradient->elements};
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
    char *values = values_of(spread, share);
    for (uint32_t i = 0; i < spread->carried_count; i++) {
        const CarriedValue *value = &spread->carried[i];
        memcpy(values + value->at[size], (const char *)outputs + value->offsets[size],
               value->bytes[size]);
    }
    list_segments(spread, size, outputs);
    return true;
}

static void run_share(Spread *spread, int64_t share) {
    const Trainer *trainer = spread->trainer;
    RunTimes times = trainer_times(trainer);
    SpreadShare taken = {.spread = spread};
    runners_loop(&trainer->runners, trainer->order, share, share + 1, &times, take_share, &taken);
}

static void run_shares(Spread *spread, ShareRange range) {
    spread->own.count = 0;
    for (int64_t share = range.first; share < range.end; share++) {
        run_share(spread, share);
        partial_sums_push(&spread->own, (ShareBlock){spread_index(&spread->plan, share), 1},
                          spread->segments, spread->gradient_count);
    }
}

/* -- exchanges -- */

static bool exchange(Spread *spread, int64_t batch) {
    char where[64];
    snprintf(where, sizeof where, " in batch %lld of epoch %llu", (long long)batch + 1,
             (unsigned long long)spread->trainer->info.epoch + 1);
    double busy = seconds_now() - spread->exchanged;
    bool good = peers_exchange(spread->peers, busy, where);
    spread->exchanged = seconds_now();
    return good;
}

static char *move_bytes(char *message, void *ours, size_t bytes, bool out) {
    memcpy(out ? message : ours, out ? ours : message, bytes);
    return message + bytes;
}

/* Copies losses and carried values of a range into a message, or out of it. */
static void move_range(Spread *spread, ShareRange range, char *message, bool out) {
    for (int64_t share = range.first; share < range.end; share++) {
        float *loss = &spread->losses[share % spread->plan.cut.replicas];
        message = move_bytes(message, loss, sizeof *loss, out);
        size_t bytes = spread->plan.carried_bytes[cut_share_size(&spread->plan.cut, share)];
        message = move_bytes(message, values_of(spread, share), bytes, out);
    }
}

/* Message: the partial sums, in the part of the owner; then losses and carried values. */
static void fill_message(Spread *spread, int64_t batch, int rank) {
    ShareRange range = spread_range(&spread->plan, batch, spread->rank);
    size_t part = spread_part(&spread->plan, rank) * sizeof(float);
    char *message =
        peers_out(spread->peers, rank,
                  (size_t)spread->own.count * part + spread_range_bytes(&spread->plan, range));
    for (int i = 0; i < spread->own.count; i++, message += part)
        memcpy(message, spread->own.items[i].values + spread_part_at(&spread->plan, rank), part);
    move_range(spread, range, message, true);
}

/* Takes over the partial sums of a process in the own part. message: NULL: they are its own. */
static void take_sums(Spread *spread, int64_t batch, int rank, const char *message) {
    ShareBlock blocks[PARTIAL_SUMS_MAX];
    ShareRange range = spread_range(&spread->plan, batch, rank);
    size_t part = spread_part(&spread->plan, spread->rank);
    int count = spread_blocks(&spread->plan, range, blocks);
    assert(message || count == spread->own.count);
    for (int i = 0; i < count; i++) {
        const float *from =
            message ? (const float *)(const void *)message + (size_t)i * part
                    : spread->own.items[i].values + spread_part_at(&spread->plan, spread->rank);
        partial_sums_push(&spread->owned, blocks[i], &(SumSegment){from, 0, part}, 1);
    }
}

/* Every process gets the partial sums of its part, and all losses and carried values. */
static bool scatter_sums(Spread *spread, int64_t batch, char **messages) {
    for (int rank = 0; rank < spread->size; rank++) {
        messages[rank] = NULL;
        if (rank == spread->rank) continue;
        fill_message(spread, batch, rank);
        messages[rank] = peers_in(spread->peers, rank,
                                  spread_sums_bytes(&spread->plan, batch, rank, spread->rank));
    }
    if (!exchange(spread, batch)) return false;
    for (int rank = 0; rank < spread->size; rank++) {
        take_sums(spread, batch, rank, messages[rank]);
        if (!messages[rank]) continue;
        ShareRange range = spread_range(&spread->plan, batch, rank);
        move_range(spread, range,
                   messages[rank] + spread_sums_bytes(&spread->plan, batch, rank, spread->rank) -
                       spread_range_bytes(&spread->plan, range),
                   false);
    }
    return true;
}

/* Every process gets the sum of the step. */
static bool gather_sum(Spread *spread, int64_t batch, char **messages) {
    size_t own = spread_part(&spread->plan, spread->rank) * sizeof(float);
    memcpy(spread->sum + spread_part_at(&spread->plan, spread->rank),
           partial_sums_finish(&spread->owned), own);
    for (int rank = 0; rank < spread->size; rank++) {
        if (rank == spread->rank) continue;
        memcpy(peers_out(spread->peers, rank, own),
               spread->sum + spread_part_at(&spread->plan, spread->rank), own);
        messages[rank] =
            peers_in(spread->peers, rank, spread_part(&spread->plan, rank) * sizeof(float));
    }
    if (!exchange(spread, batch)) return false;
    for (int rank = 0; rank < spread->size; rank++)
        if (rank != spread->rank)
            memcpy(spread->sum + spread_part_at(&spread->plan, rank), messages[rank],
                   spread_part(&spread->plan, rank) * sizeof(float));
    return true;
}

/* -- the updates -- */

static void run_statistics(Spread *spread, int64_t share, const RunTimes *times) {
    ShareSize size = cut_share_size(&spread->plan.cut, share);
    Runner *runner = spread->statistics[size];
    if (!runner) return;
    for (uint32_t i = 0; i < spread->carried_count; i++)
        runner_input(runner, spread->carried[i].name,
                     values_of(spread, share) + spread->carried[i].at[size]);
    runner_loop(runner, spread->trainer->order, 1, times, share, NULL, NULL);
}

static void update_states(Spread *spread, int64_t batch, bool ends_step) {
    const Trainer *trainer = spread->trainer;
    const Cut *cut = &trainer->runners.cut;
    RunTimes times = trainer_times(trainer);
    ShareRange range = spread_batch(&spread->plan, batch);
    for (int64_t share = range.first; share < range.end; share++) {
        run_statistics(spread, share, &times);
        spread->rows += (float)cut_share(cut, share).rows;
    }
    if (!ends_step) return;
    runner_loop(spread->update, trainer->order, 1, &times, range.end - 1, NULL, NULL);
    spread->rows = 0;
    /* the states of accumulate are kept for checkpoints: a step begins */
    const float none = 0;
    states_write(spread->trainer->options->states, ACCUMULATE_BATCHES, &none);
    states_write(spread->trainer->options->states, ACCUMULATE_ROWS, &none);
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
static bool run_batch(Spread *spread, int64_t batch, char **messages) {
    bool ends_step = trainer_clock(spread->trainer, batch).update != 0;
    PeerTraffic before = peers_sent(spread->peers);
    run_shares(spread, spread_range(&spread->plan, batch, spread->rank));
    if (!scatter_sums(spread, batch, messages)) return false;
    if (ends_step && !gather_sum(spread, batch, messages)) return false;
    update_states(spread, batch, ends_step);
    count_traffic(spread, before);
    spread->stops = ends_step && peers_stopped(spread->peers);
    return true;
}

bool spread_loop(Spread *spread, int64_t batch, int64_t end, TrainerVisit *visit, void *context) {
    char *messages[PEERS_MAX];
    spread->exchanged = seconds_now();
    for (; batch < end; batch++) {
        if (!run_batch(spread, batch, messages)) return false;
        if (!visit(context, batch, batch_loss(spread, batch))) return false;
    }
    return true;
}

/* A step that another training has begun has sums in its checkpoint: those of 2^l shares for every
 * bit l of their number. */
void spread_restart(Spread *spread) {
    const States *states = spread->trainer->options->states;
    float count = 0, *values = memory_new(spread->plan.elements * sizeof *values, "the gradients");
    spread->owned.count = 0;
    spread->rows = 0;
    states_read(states, ACCUMULATE_BATCHES, &count);
    states_read(states, ACCUMULATE_ROWS, &spread->rows);
    int64_t shares = (int64_t)count, first = 0;
    for (int level = 30; level >= 0; level--) {
        int64_t size = (int64_t)1 << level;
        if (!(shares & size)) continue;
        for (uint32_t i = 0; i < spread->gradient_count; i++) {
            char name[512];
            snprintf(name, sizeof name, ACCUMULATE_PREFIX "%d.%s", level,
                     spread->gradients[i].name + strlen(GRADIENT_PREFIX));
            states_read(states, name, values + spread->gradients[i].at);
        }
        partial_sums_push(&spread->owned, (ShareBlock){first, size},
                          &(SumSegment){values + spread_part_at(&spread->plan, spread->rank), 0,
                                        spread_part(&spread->plan, spread->rank)},
                          1);
        first += size;
    }
    free(values);
}

/* -- the gradient noise -- */

static size_t range_elements(const Spread *spread, ShareRange range) {
    return (size_t)(range.end - range.first) * spread->plan.elements;
}

/* The gradients of the own shares, one share after the other. */
static void fill_gradients(Spread *spread, ShareRange range) {
    if (!spread->alone)
        spread->alone = memory_new((size_t)spread->plan.cut.replicas * spread->plan.elements *
                                       sizeof *spread->alone,
                                   "the gradients of shares");
    for (int64_t share = range.first; share < range.end; share++) {
        float *gradients = spread->alone + (size_t)(share - range.first) * spread->plan.elements;
        run_share(spread, share);
        for (uint32_t i = 0; i < spread->gradient_count; i++)
            memcpy(gradients + spread->segments[i].at, spread->segments[i].from,
                   spread->segments[i].count * sizeof *gradients);
    }
}

static void visit_gradients(const Spread *spread, ShareRange range, const float *gradients,
                            SpreadGradients *visit, void *context) {
    for (; range.first < range.end; range.first++, gradients += spread->plan.elements) {
        for (uint32_t i = 0; i < spread->gradient_count; i++)
            spread->pointers[i] = gradients + spread->gradients[i].at;
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
    if (!exchange(spread, batch)) return false;
    for (int rank = 0; rank < spread->size; rank++)
        visit_gradients(spread, spread_range(&spread->plan, batch, rank), gradients[rank], visit,
                        context);
    return true;
}
