/* Warns of a last batch, or a share of one, that has one row: batch_norm cannot compute a variance
 * from it. */
#include "frontend/model/loading.h"
#include "ir/data/cut.h"

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

static void help_last_batch(const Cut *cut, Diagnostics *diag) {
    int64_t better = better_batch(cut->rows, cut->batch);
    if (cut->replicas > 1)
        diag_help(diag, "there are %lld rows in batches of %lld; use fewer replicas than %lld",
                  (long long)cut->rows, (long long)cut->batch, (long long)cut->replicas);
    else if (!better)
        diag_help(diag, "use more training rows");
    else
        diag_help(
            diag,
            "there are %lld rows in batches of %lld; with train.batch = %lld the last batch has %lld",
            (long long)cut->rows, (long long)cut->batch, (long long)better,
            (long long)last_rows(cut->rows, better));
}

void model_warn_last_batch(const Model *model, Diagnostics *diag) {
    Cut cut = {model->training_rows, model->info.batch, model->info.replicas};
    const LayerInfo *layer = lone_batch_norm(model->log, cut.batch);
    /* the last share is the smallest */
    if (!layer || cut.rows == 0 || cut_share(&cut, cut_shares(&cut) - 1).rows != 1) return;
    const char *which = cut.replicas > 1 ? "a share of the last"
                        : cut.batch == 1 ? "every"
                                         : "the last";
    diag_warning(
        diag, (Span){0},
        "%s batch of an epoch has one row, in which '%s' (line %u) cannot compute a variance: it uses the running "
        "mean and variance",
        which, layer->name, layer->line);
    help_last_batch(&cut, diag);
}
