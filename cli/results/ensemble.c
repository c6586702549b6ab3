/* The mean of the predictions of several runs. */
#include "cli/results/ensemble.h"
#include "runtime/data/dataset.h"

#include <math.h>
#include <string.h>

/* -- do the runs fit together? -- */

static bool differ(const Ensemble *ensemble, const char *run, Diagnostics *diag, const char *how) {
    diag_error(diag, STATUS_USAGE, (Span){0},
               "the runs '%s' and '%s' do not fit into an ensemble: %s", ensemble->first_run, run,
               how);
    return false;
}

static const char *kind_of(Arena *arena, const Predictions *output) {
    return arena_format(arena,
                        output->output->classes ? "%lld classes"
                        : output->width == 1    ? "%lld number"
                                                : "%lld numbers",
                        (long long)output->width);
}

/* Checks that the classes have the same names, as far as the data have names. */
static bool check_classes(const Ensemble *ensemble, const char *run, const Session *session,
                          const Predictions *ours, const Predictions *theirs, Diagnostics *diag) {
    char a[NUMBER_TEXT], b[NUMBER_TEXT];
    for (int32_t k = 0; ours->output->classes && k < ours->width; k++) {
        const char *here = class_text(ensemble->first, ours->output, k, a),
                   *there = class_text(session, theirs->output, k, b);
        if (strcmp(here, there))
            return differ(ensemble, run, diag,
                          arena_format(ensemble->arena, "class %d of '%s' is '%s' and '%s'", k,
                                       ours->output->name, here, there));
    }
    return true;
}

static bool check_target(const Ensemble *ensemble, const char *run, const Predictions *ours,
                         const Predictions *theirs, Diagnostics *diag) {
    const ModelTarget *a = &ours->output->target, *b = &theirs->output->target;
    if (!ours->units != !theirs->units || a->width != b->width)
        return differ(ensemble, run, diag,
                      arena_format(ensemble->arena, "'%s' has other targets", ours->output->name));
    for (int64_t k = 0; k < a->width; k++)
        if (strcmp(a->names[k], b->names[k]))
            return differ(ensemble, run, diag,
                          arena_format(ensemble->arena, "'%s' predicts '%s' and '%s'",
                                       ours->output->name, a->names[k], b->names[k]));
    return true;
}

static bool check_output(const Ensemble *ensemble, const char *run, const Session *session,
                         const Predictions *ours, const Predictions *theirs, Diagnostics *diag) {
    if (strcmp(ours->output->name, theirs->output->name))
        return differ(ensemble, run, diag,
                      arena_format(ensemble->arena, "their outputs are '%s' and '%s'",
                                   ours->output->name, theirs->output->name));
    if (ours->width != theirs->width || ours->output->classes != theirs->output->classes)
        return differ(ensemble, run, diag,
                      arena_format(ensemble->arena, "'%s' has %s and %s", ours->output->name,
                                   kind_of(ensemble->arena, ours),
                                   kind_of(ensemble->arena, theirs)));
    return check_classes(ensemble, run, session, ours, theirs, diag) &&
           check_target(ensemble, run, ours, theirs, diag);
}

/* Checks that the runs hold out the same rows. Otherwise some of them would predict rows that they
 * were trained on. */
static bool check_rows(const Ensemble *ensemble, const char *run, const Session *session,
                       const Forward *forward, Diagnostics *diag) {
    bool same =
        forward->count == ensemble->count &&
        !memcmp(forward->rows, ensemble->rows, (size_t)forward->count * sizeof *forward->rows);
    if (same && (ensemble->files || !strcmp(dataset_digest(session->dataset),
                                            dataset_digest(ensemble->first->dataset))))
        return true;
    differ(ensemble, run, diag,
           same ? "they have read other data" : "they hold out other rows, or leave out others");
    diag_help(diag, "with the same data and the same data.seed, runs have the same rows");
    return false;
}

/* Whether the losses of both runs compare with the same numbers. */
static bool same_scales(const Ensemble *ensemble, const Forward *forward) {
    bool same = true;
    for (uint32_t i = 0; i < ensemble->output_count && same; i++) {
        const double *ours = ensemble->predictions[i].targets,
                     *theirs = forward->outputs[i].targets;
        size_t bytes = (size_t)(ensemble->count * forward->outputs[i].width) * sizeof *ours;
        same = !ours || !theirs || !memcmp(ours, theirs, bytes);
    }
    return same;
}

/* -- adding up -- */

static void add_values(const Ensemble *ensemble, const Forward *forward) {
    for (uint32_t i = 0; i < ensemble->output_count; i++) {
        const Predictions *from = &forward->outputs[i];
        double *sums = ensemble->outputs[i].values;
        int64_t count = ensemble->count * from->width;
        for (int64_t k = 0; k < count; k++) sums[k] += (double)from->values[k];
        if (!ensemble->outputs[i].units) continue;
        double *copy = ARENA_ARRAY(ensemble->arena, double, count);
        memcpy(copy, from->units, (size_t)count * sizeof *copy);
        ensemble->outputs[i].units[ensemble->runs] = copy;
    }
}

void ensemble_begin(Ensemble *ensemble, const char *run, const Session *session,
                    const Forward *forward, bool files, uint32_t capacity) {
    Arena *arena = session->arena;
    *ensemble = (Ensemble){.arena = arena,
                           .files = files,
                           .first_run = run,
                           .first = session,
                           .rows = forward->rows,
                           .count = forward->count,
                           .predictions = forward->outputs,
                           .outputs = ARENA_ARRAY(arena, EnsembleOutput, forward->output_count),
                           .output_count = forward->output_count};
    for (uint32_t i = 0; i < forward->output_count; i++) {
        const Predictions *output = &forward->outputs[i];
        ensemble->outputs[i].values = ARENA_ARRAY(arena, double, forward->count * output->width);
        if (output->units)
            ensemble->outputs[i].units = (double **)ARENA_ARRAY(arena, double *, capacity);
    }
    add_values(ensemble, forward);
    ensemble->runs = 1;
}

bool ensemble_add(Ensemble *ensemble, const char *run, const Session *session,
                  const Forward *forward, Diagnostics *diag) {
    if (forward->output_count != ensemble->output_count)
        return differ(ensemble, run, diag, "they have another number of outputs");
    for (uint32_t i = 0; i < ensemble->output_count; i++)
        if (!check_output(ensemble, run, session, &ensemble->predictions[i], &forward->outputs[i],
                          diag))
            return false;
    if (!check_rows(ensemble, run, session, forward, diag)) return false;
    if (!ensemble->scaled && !same_scales(ensemble, forward)) ensemble->scaled = run;
    add_values(ensemble, forward);
    ensemble->runs++;
    return true;
}

/* -- means as inputs of a graph -- */

#define MIN_PROBABILITY 1e-38 /* about the smallest normal f32 */

/* Fills a row of an input: numbers, probabilities or logits of the mean. */
static void give_row(const Predictions *output, const double *sums, double runs, int64_t width,
                     float *to) {
    if (output->output->is_binary) {
        double no = fmax(sums[0] / runs, MIN_PROBABILITY),
               yes = fmax(sums[1] / runs, MIN_PROBABILITY);
        *to = (float)(output->logits ? log(yes / no) : sums[1] / runs);
        return;
    }
    for (int64_t k = 0; k < width; k++) {
        double mean = sums[k] / runs;
        to[k] = (float)(output->logits ? log(fmax(mean, MIN_PROBABILITY)) : mean);
    }
}

/* The shape of a row of an input; the batch of the graph does not matter. false: the graph does not
 * have it, as neither the loss nor a metric reads that output. */
static bool row_shape(const Graph *graph, const char *name, Shape *row) {
    const Symbol *symbol = graph_symbol(graph, name);
    if (!symbol || !symbol->node) return false;
    *row = (Shape){.rank = symbol->shape.rank - 1};
    memcpy(row->dim, symbol->shape.dim + 1, (size_t)row->rank * sizeof *row->dim);
    return true;
}

static void give_output(const Ensemble *ensemble, uint32_t i, Session *session, const char *name,
                        Shape row) {
    const Predictions *output = &ensemble->predictions[i];
    int64_t width = shape_elements(row);
    float *values = ARENA_ARRAY(ensemble->arena, float, ensemble->count *width);
    for (int64_t r = 0; r < ensemble->count; r++)
        give_row(output, ensemble->outputs[i].values + r * output->width, ensemble->runs, width,
                 values + r * width);
    dataset_add_numbers(session->dataset, name, row, ensemble->rows, ensemble->count, values);
}

bool ensemble_give(const Ensemble *ensemble, Session *session, Diagnostics *diag) {
    Shape row;
    if (ensemble->scaled) {
        diag_error(
            diag, STATUS_USAGE, (Span){0},
            "the runs '%s' and '%s' measure their targets in different scales, so that their mean has no loss",
            ensemble->first_run, ensemble->scaled);
        diag_help(
            diag,
            "runs with the same data.seed fit the scales to the same rows; 'mlc predict' averages in the units of the data");
        return false;
    }
    Graph *graph = model_graph(session->build.model, GRAPH_GIVEN, session->build.info->batch, diag);
    for (uint32_t i = 0; i < ensemble->output_count && graph; i++) {
        const char *name = arena_format(ensemble->arena, GIVEN_OUTPUT ":%s",
                                        ensemble->predictions[i].output->name);
        if (row_shape(graph, name, &row)) give_output(ensemble, i, session, name, row);
    }
    graph_free(graph);
    return graph != NULL;
}

/* -- means -- */

/* The class with the highest mean, of equal ones the first; a NaN is higher than all numbers. */
static int32_t argmax(const double *means, int64_t width) {
    int32_t best = 0;
    for (int32_t k = 1; k < width && !isnan(means[best]); k++)
        if (means[k] > means[best] || isnan(means[k])) best = k;
    return best;
}

static void finish_units(const Ensemble *ensemble, const EnsembleOutput *output,
                         Predictions *predictions) {
    int64_t count = ensemble->count * predictions->width;
    predictions->deviations =
        ensemble->runs > 1 ? ARENA_ARRAY(ensemble->arena, double, count) : NULL;
    for (int64_t k = 0; k < count; k++) {
        double sum = 0, squares = 0;
        for (uint32_t r = 0; r < ensemble->runs; r++) sum += output->units[r][k];
        double mean = sum / ensemble->runs;
        predictions->units[k] = mean;
        for (uint32_t r = 0; r < ensemble->runs; r++)
            squares += (output->units[r][k] - mean) * (output->units[r][k] - mean);
        if (predictions->deviations)
            predictions->deviations[k] = sqrt(squares / (ensemble->runs - 1));
    }
}

void ensemble_finish(Ensemble *ensemble, Predictions *predictions) {
    for (uint32_t i = 0; i < ensemble->output_count; i++) {
        Predictions *to = &predictions[i];
        double *means = ensemble->outputs[i].values;
        for (int64_t k = 0; k < ensemble->count * to->width; k++) {
            means[k] /= ensemble->runs;
            to->values[k] = (float)means[k];
        }
        for (int64_t row = 0; to->predicted && row < ensemble->count; row++)
            to->predicted[row] = argmax(means + row * to->width, to->width);
        if (ensemble->outputs[i].units) finish_units(ensemble, &ensemble->outputs[i], to);
        to->averaged = true;
    }
}
