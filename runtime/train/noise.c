/* The gradient noise scale tr(S) / |G|^2 (McCandlish et al., "An empirical model of large-batch
 * training", 2018): G is the mean gradient of all rows, S the covariance of the gradients of single
 * rows. For shares s of b rows each, and the whole batch of R b rows:
 *
 *     small = mean of |g_s|^2 over the shares, large = |mean of g_s|^2
 *     |G|^2 = (R large - small) / (R - 1), tr(S) = R b (small - large) / (R - 1)
 *
 * A binary tree adds the gradients of shares. Its first level keeps a gradient in a state until the
 * next one comes. So each share is run as the first one of a step, and its gradient is read from
 * this state. */
#include "runtime/train/noise.h"
#include "runtime/train/spread.h"
#include "ir/base/integers.h"
#include "ir/data/step_parts.h"
#include "ir/base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { NOISE_EVERY = 64 };            /* batches of the run between two measurements */
static const double NOISE_KEPT = 0.9; /* weight of the earlier measurements in the moving average */

#define KEPT_GRADIENT ACCUMULATE_PREFIX "0."

typedef struct {
    const char *name; /* of the state in which the first level of the tree keeps it */
    int64_t elements;
    double *sum; /* over the shares */
} Gradient;

struct Noise {
    Gradient *gradients;
    uint32_t count;
    double *sums;
    size_t elements;
    double squares, share_squares; /* sums over all shares, and over the present one */
    float *values;                 /* room for one gradient */
    void *before;                  /* room for all states */
};

static int64_t list_gradients(Noise *noise, const States *states) {
    int64_t longest = 0;
    for (uint32_t i = 0; i < states_count(states); i++) {
        const Symbol *symbol = states_symbol(states, i);
        if (strncmp(symbol->name, KEPT_GRADIENT, strlen(KEPT_GRADIENT))) continue;
        Gradient *gradient = &noise->gradients[noise->count++];
        *gradient = (Gradient){.name = symbol->name, .elements = shape_elements(symbol->shape)};
        noise->elements += (size_t)gradient->elements;
        longest = max_i64(longest, gradient->elements);
    }
    return longest;
}

Noise *noise_new(const Trainer *trainer) {
    const States *states = trainer->options->states;
    const Cut *cut = &trainer->runners.cut;
    if (cut->replicas == 1 || cut->rows < cut->batch) return NULL;
    Noise *noise = MEMORY_NEW(Noise, "the gradient noise");
    noise->gradients =
        memory_array(states_count(states), sizeof *noise->gradients, "the gradient noise");
    noise->values = memory_array((size_t)list_gradients(noise, states), sizeof *noise->values,
                                 "the gradient noise");
    double *sum = noise->sums =
        memory_array(noise->elements, sizeof *noise->sums, "the gradient noise");
    for (uint32_t i = 0; i < noise->count; sum += noise->gradients[i++].elements)
        noise->gradients[i].sum = sum;
    noise->before = memory_new(states_bytes(states), "the weights before a measurement");
    return noise;
}

void noise_free(Noise *noise) {
    if (!noise) return;
    free(noise->gradients);
    free(noise->values);
    free(noise->sums);
    free(noise->before);
    free(noise);
}

int64_t noise_next(const Trainer *trainer, int64_t batch) {
    const Cut *cut = &trainer->runners.cut;
    if (!trainer->noise) return trainer->runners.batches;
    int64_t done = (int64_t)trainer->info.epoch * trainer->runners.batches;
    int64_t next = round_up(done + batch, NOISE_EVERY) - done;
    return next < cut->rows / cut->batch ? next : trainer->runners.batches;
}

/* Adds the gradients of one share to the sums. The programs give them times the rows of the
 * share. */
static void add_gradient(Noise *noise, uint32_t number, const float *values) {
    const Gradient *gradient = &noise->gradients[number];
    for (int64_t j = 0; j < gradient->elements; j++) {
        double value = (double)values[j];
        noise->share_squares += value * value;
        gradient->sum[j] += value;
    }
}

static void end_share(Noise *noise) {
    noise->squares += noise->share_squares;
    noise->share_squares = 0;
}

static bool go_on(void *context, int64_t share, const void *outputs) {
    (void)context, (void)share, (void)outputs;
    return true;
}

/* One share after the other on this process, each as the first one of a step. */
static void run_shares(Trainer *trainer, int64_t batch) {
    const float none = 0;
    Noise *noise = trainer->noise;
    States *states = trainer->options->states;
    RunTimes times = trainer_times(trainer);
    int64_t first = batch * times.cut.replicas;
    states_save(states, noise->before);
    for (int64_t share = first; share < first + times.cut.replicas; share++) {
        states_write(states, ACCUMULATE_BATCHES, &none);
        runners_loop(&trainer->runners, trainer->order, share, share + 1, &times, go_on, NULL);
        for (uint32_t i = 0; i < noise->count; i++) {
            states_read(states, noise->gradients[i].name, noise->values);
            add_gradient(noise, i, noise->values);
        }
        end_share(noise);
    }
    states_restore(states, noise->before);
}

/* The gradients of a share that some process has computed. */
static void take_gradients(void *context, const float *const *values) {
    Noise *noise = context;
    for (uint32_t i = 0; i < noise->count; i++) add_gradient(noise, i, values[i]);
    end_share(noise);
}

static double sum_of_squares(const double *x, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += x[i] * x[i];
    return sum;
}

/* Moving averages of both estimates: new = NOISE_KEPT * old + (1 - NOISE_KEPT) * estimate. */
bool noise_measure(Trainer *trainer, int64_t batch) {
    Noise *noise = trainer->noise;
    CheckpointInfo *info = &trainer->info;
    double replicas = (double)trainer->runners.cut.replicas,
           rows = (double)trainer->runners.cut.batch;
    memset(noise->sums, 0, noise->elements * sizeof *noise->sums);
    noise->squares = noise->share_squares = 0;
    if (!trainer->spread)
        run_shares(trainer, batch);
    else if (!spread_gradients(trainer->spread, batch, take_gradients, noise))
        return false;
    double share = rows / replicas, small = noise->squares / (share * share) / replicas,
           large = sum_of_squares(noise->sums, noise->elements) / (rows * rows);
    double trace = rows * (small - large) / (replicas - 1),
           square = (replicas * large - small) / (replicas - 1);
    double kept = checkpoint_noise(info) ? NOISE_KEPT : 0;
    info->noise_trace = kept * info->noise_trace + (1 - kept) * trace;
    info->noise_square = kept * info->noise_square + (1 - kept) * square;
    return true;
}
