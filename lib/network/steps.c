/* Steps of a training on rows that the caller gives. */
#include "ir/base/memory.h"
#include "lib/network/network.h"

#include <math.h>
#include <string.h>

/* -- opening -- */

/* The rows of an epoch: as the caller says, or as many as the data of the model have. */
static bool find_rows(mlc_network *network, Diagnostics *diag) {
    const Session *session = &network->session;
    const ModelInfo *info = session->build.info;
    int64_t rows[SPLIT_COUNT], *wanted = &network->options.epoch_rows;
    if (*wanted) return true;
    if (session->dataset)
        *wanted = dataset_rows(session->dataset, SPLIT_TRAIN);
    else if (dataset_expect_rows(&info->schema, &info->split, rows))
        *wanted = rows[SPLIT_TRAIN];
    if (*wanted) return true;
    diag_error(diag, STATUS_USAGE, (Span){0}, "the number of rows in an epoch is not known");
    diag_help(diag, "mlc_options.epoch_rows says it; learning rates may depend on it");
    return false;
}

static Cut cut_of(const mlc_network *network) {
    const ModelInfo *info = network->session.build.info;
    return (Cut){network->options.epoch_rows, info->batch, info->replicas};
}

bool steps_want(mlc_network *network, Diagnostics *diag) {
    Session *session = &network->session;
    if (!find_rows(network, diag)) return false;
    model_set_training_rows(session->build.model, network->options.epoch_rows);
    Cut cut = cut_of(network);
    programs_want(&session->programs, GRAPH_TRAIN, &cut);
    return true;
}

bool steps_open(mlc_network *network, Diagnostics *diag) {
    Session *session = &network->session;
    const ModelInfo *info = session->build.info;
    Cut cut = cut_of(network);
    network->training =
        (TrainOptions){.states = session->states,
                       .threads = session->threads,
                       .train = programs_of_split(&session->programs, GRAPH_TRAIN, &cut),
                       .given_rows = cut.rows,
                       .epochs = info->epochs,
                       .accumulate = info->accumulate,
                       .seed = info->seed};
    network->trainer =
        (Trainer){.options = &network->training, .diag = diag, .info = network->info};
    network->step_feed.rows = cut.batch;
    feed_open(network, &network->step_feed, network->step_graph, network->input_count);
    if (!trainer_open_steps(&network->trainer) ||
        !feed_bind(&network->step_feed, network->trainer.runners.by_size, SHARE_SIZES, diag))
        return false;
    trainer_order(&network->trainer);
    uint64_t batches = (uint64_t)network->trainer.runners.batches;
    const CheckpointInfo *at = &network->info;
    if (at->step >= at->epoch * batches && at->step - at->epoch * batches < batches) return true;
    diag_error(diag, STATUS_USAGE, (Span){0},
               "the run has done %llu steps in %llu epochs, which does not fit epochs of %lld rows",
               (unsigned long long)at->step, (unsigned long long)at->epoch, (long long)cut.rows);
    diag_help(diag, "mlc_options.epoch_rows must be that of the training");
    return false;
}

/* -- a step -- */

typedef struct {
    int64_t rows;
    const void *const *inputs;
    double loss;
} GivenStep;

static bool keep_loss(void *context, int64_t batch, double loss) {
    (void)batch;
    ((GivenStep *)context)->loss = loss;
    return true;
}

/* Moves the position behind the batch. */
static void advance(Trainer *trainer, int64_t batch, double loss) {
    CheckpointInfo *info = &trainer->info;
    info->step++;
    info->loss_sum += loss * (double)cut_batch_rows(&trainer->runners.cut, batch);
    if (batch + 1 < trainer->runners.batches) return;
    info->epoch++;
    info->loss_sum = 0;
    if (info->epochs < info->epoch) info->epochs = info->epoch;
}

static bool step(mlc_network *network, void *arguments, Diagnostics *diag) {
    GivenStep *given = arguments;
    Trainer *trainer = &network->trainer;
    const Feed *feed = &network->step_feed;
    if (!trainer->options) {
        diag_error(diag, STATUS_USAGE, (Span){0}, "the network was opened without a training");
        diag_help(diag, "set mlc_options.training");
        return false;
    }
    int64_t batch = trainer_step(trainer), rows = cut_batch_rows(&trainer->runners.cut, batch);
    if (given->rows != rows) {
        diag_error(diag, STATUS_USAGE, (Span){0}, "this step takes %lld rows, not %lld",
                   (long long)rows, (long long)given->rows);
        return false;
    }
    Dataset *dataset = feed_begin(network, feed, 0, rows, given->inputs, trainer->runners.by_size,
                                  SHARE_SIZES, diag);
    if (!dataset) return false;
    trainer->diag = diag;
    trainer_loop(trainer, batch, batch + 1, keep_loss, given);
    feed_end(feed, dataset);
    advance(trainer, batch, given->loss);
    if (!isfinite(given->loss))
        diag_error(diag, STATUS_NONFINITE, (Span){0}, "the loss is not finite at step %llu",
                   (unsigned long long)trainer->info.step);
    return true;
}

mlc_status mlc_step(mlc_network *network, int64_t rows, const void *const *inputs, float *loss) {
    GivenStep given = {.rows = rows, .inputs = inputs, .loss = NAN};
    mlc_status status = network_call(network, BOUNDARY_READS, step, &given);
    if (loss) *loss = (float)given.loss;
    return status;
}

int64_t mlc_batch(const mlc_network *network) {
    if (!network || !network->trainer.options || network->failed) return 0;
    return cut_batch_rows(&network->trainer.runners.cut, trainer_step(&network->trainer));
}

int64_t mlc_steps(const mlc_network *network) {
    return network ? (int64_t)network_position(network)->step : 0;
}

int64_t mlc_epochs(const mlc_network *network) {
    return network ? (int64_t)network_position(network)->epoch : 0;
}
