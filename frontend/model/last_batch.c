/* Warns of a last batch of one row: batch_norm cannot compute a variance from it. */
#include "frontend/model/loading.h"

#include <string.h>

static int64_t last_rows(int64_t rows, int64_t batch) {
    return rows % batch ? rows % batch : batch;
}

/* Whether the last batch has several rows and is at least half full. */
static bool ends_well(int64_t rows, int64_t batch) {
    int64_t last = last_rows(rows, batch);
    return last > 1 && 2 * last >= batch;
}

/* The nearest batch size with such a last batch: the next smaller one, or else the next larger one;
 * 0 if there is none. */
static int64_t better_batch(int64_t rows, int64_t batch) {
    for (int64_t near = batch - 1; near > 1; near--)
        if (ends_well(rows, near)) return near;
    for (int64_t near = batch + 1; near <= rows; near++)
        if (ends_well(rows, near)) return near;
    return 0;
}

/* The first batch_norm that has a single number for each row and channel. */
static const LayerInfo *lone_batch_norm(const LayerLog *log, int64_t batch) {
    for (uint32_t i = 0; i < log->count; i++) {
        const LayerInfo *layer = &log->layers[i];
        Shape shape = layer->output.shape;
        if (!strcmp(layer->op, "batch_norm") && shape_elements(shape) == batch * shape.dim[1])
            return layer;
    }
    return NULL;
}

void model_warn_last_batch(const Model *model, Diagnostics *diag) {
    int64_t rows = model->training_rows, batch = model->info.batch;
    const LayerInfo *layer = lone_batch_norm(model->log, batch);
    if (!layer || rows == 0 || last_rows(rows, batch) != 1) return;
    diag_warning(
        diag, (Span){0},
        "%s batch of an epoch has one row, in which '%s' (line %u) cannot compute a variance: it uses the running "
        "mean and variance",
        batch == 1 ? "every" : "the last", layer->name, layer->line);
    int64_t better = better_batch(rows, batch);
    if (!better) {
        diag_help(diag, "use more training rows");
        return;
    }
    diag_help(
        diag,
        "there are %lld rows in batches of %lld; with train.batch = %lld the last batch has %lld",
        (long long)rows, (long long)batch, (long long)better, (long long)last_rows(rows, better));
}
