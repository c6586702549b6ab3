/* What the transforms of the data learn from the training rows: medians, means, deviations, the most frequent values. Missing
 * elements (NaN; text without a category) do not count. Sums are in double, in the order of the rows. */
#include "ir/memory.h"
#include "runtime/moments.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One fit under way. */
typedef struct {
    const Fit *fit;
    DType dtype;
    int64_t width;    /* columns */
    Moments *moments; /* [width]: of elements that are not missing */
    float *values;    /* [width][rows]: of what has to be sorted, else NULL */
    int64_t rows;
    const Dataset *dataset;
    int64_t *endless; /* [width]: the first training row whose element is infinite; -1: none */
} Fitting;

static int64_t fit_rows(const Fit *fit, const Dataset *dataset) {
    return fit->every_row ? dataset_all_rows(dataset, SPLIT_TRAIN) : dataset_rows(dataset, SPLIT_TRAIN);
}

static const int32_t *fit_split(const Fit *fit, const Dataset *dataset) {
    return fit->every_row ? dataset_all_split(dataset, SPLIT_TRAIN) : dataset_split(dataset, SPLIT_TRAIN);
}

static bool is_sorted(FitKind kind) { return kind == FIT_MEDIAN || kind == FIT_MODE; }

static Fitting fitting_new(const Fit *fit, const Node *node, const Dataset *dataset) {
    int64_t width = shape_elements(node->shape) / node->shape.dim[0], rows = fit_rows(fit, dataset);
    size_t columns = (size_t)width;
    Fitting fitting = {.fit = fit, .dtype = node->dtype, .width = width, .rows = rows, .dataset = dataset};
    fitting.endless = memory_new(columns * sizeof *fitting.endless, "the statistics of the columns");
    for (size_t i = 0; i < columns; i++) fitting.endless[i] = -1;
    fitting.moments = memory_new(columns * sizeof *fitting.moments, "the statistics of the columns");
    if (is_sorted(fit->kind))
        fitting.values = memory_new(columns * (size_t)rows * sizeof *fitting.values, "the statistics of the columns");
    return fitting;
}

static void fitting_free(Fitting *fitting) {
    free(fitting->moments);
    free(fitting->values);
    free(fitting->endless);
}

static void add_value(Fitting *fitting, int64_t column, float value) {
    Moments *moments = &fitting->moments[column];
    moments_add(moments, (double)value);
    if (fitting->values) fitting->values[column * fitting->rows + moments->count - 1] = value;
}

static void add_rows(Fitting *fitting, const void *output, int64_t first, int64_t rows) {
    const float *numbers = output;
    const int32_t *codes = output;
    for (int64_t i = 0; i < rows * fitting->width; i++) {
        bool missing = fitting->dtype == DTYPE_I32 ? codes[i] < 0 : isnan(numbers[i]);
        int64_t *endless = &fitting->endless[i % fitting->width];
        if (fitting->dtype == DTYPE_F32 && isinf(numbers[i]) && *endless < 0) *endless = first + i / fitting->width;
        if (!missing) add_value(fitting, i % fitting->width, fitting->dtype == DTYPE_I32 ? (float)codes[i] : numbers[i]);
    }
}

/* -- results -- */

static int by_value(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The middle one, or the mean of the two in the middle. */
static double median_of(const float *sorted, int64_t count) {
    return ((double)sorted[(count - 1) / 2] + (double)sorted[count / 2]) / 2;
}

/* The smallest of the most frequent ones. */
static double mode_of(const float *sorted, int64_t count) {
    int64_t begin = 0, most = 0;
    float mode = sorted[0];
    for (int64_t i = 1; i <= count; i++) {
        if (i < count && sorted[i] == sorted[begin]) continue;
        if (i - begin > most) most = i - begin, mode = sorted[begin];
        begin = i;
    }
    return (double)mode;
}

static double fitted_value(const Fitting *fitting, int64_t column) {
    int64_t count = fitting->moments[column].count;
    if (!fitting->values) return fitting->moments[column].mean;
    float *values = fitting->values + column * fitting->rows;
    qsort(values, (size_t)count, sizeof *values, by_value);
    return fitting->fit->kind == FIT_MEDIAN ? median_of(values, count) : mode_of(values, count);
}

/* Of the rows themselves, as sklearn has it; 1 where all are equal. */
static double deviation(const Fitting *fitting, int64_t column) {
    double spread = moments_deviation(&fitting->moments[column]);
    return spread > 0 ? spread : 1;
}

static bool check_column(const Fitting *fitting, int64_t column, double value, double spread, Diagnostics *diag) {
    if (fitting->moments[column].count && isfinite(value) && isfinite(spread)) return true;
    char place[PLACE_TEXT];
    int64_t endless = fitting->endless[column];
    if (endless >= 0)
        diag_error(diag, STATUS_DATA, fitting->fit->span, "column %" PRId64 " of what '%s' is fitted to is not finite in %s",
                   column, fitting->fit->name,
                   dataset_place_text(fitting->dataset, NULL, fit_split(fitting->fit, fitting->dataset)[endless], place));
    else if (fitting->moments[column].count)
        diag_error(diag, STATUS_DATA, fitting->fit->span, "column %" PRId64 " of what '%s' is fitted to is not finite", column,
                   fitting->fit->name);
    else
        diag_error(diag, STATUS_DATA, fitting->fit->span,
                   "column %" PRId64 " of what '%s' is fitted to is missing in all training rows", column, fitting->fit->name);
    diag_help(diag, "columns are counted from 0; `mlc data FILE.mdl` shows what is in them");
    return false;
}

static void put(const Fitting *fitting, void *to, int64_t column, double value) {
    if (fitting->dtype == DTYPE_I32)
        ((int32_t *)to)[column] = (int32_t)value;
    else
        ((float *)to)[column] = (float)value;
}

static void write_state(States *states, const char *name, const char *part, const void *values) {
    char whole[512];
    snprintf(whole, sizeof whole, "%s.%s", name, part);
    states_write(states, whole, values);
}

static bool finish(const Fitting *fitting, States *states, Diagnostics *diag) {
    bool standardize = fitting->fit->kind == FIT_STANDARDIZE, good = true;
    void *values = memory_new((size_t)fitting->width * sizeof(float), "the statistics of the columns"),
         *spreads = memory_new((size_t)fitting->width * sizeof(float), "the statistics of the columns");
    for (int64_t i = 0; i < fitting->width && good; i++) {
        double value = fitting->moments[i].count ? fitted_value(fitting, i) : 0,
               spread = fitting->moments[i].count ? deviation(fitting, i) : 0;
        good = check_column(fitting, i, value, standardize ? spread : 0, diag);
        put(fitting, values, i, value);
        put(fitting, spreads, i, spread);
    }
    if (good) write_state(states, fitting->fit->name, standardize ? "mean" : "value", values);
    if (good && standardize) write_state(states, fitting->fit->name, "deviation", spreads);
    free(values);
    free(spreads);
    return good;
}

/* -- running -- */

static const Node *output_node(const Graph *graph, const char *name) {
    for (uint32_t i = 0; i < graph->output_count; i++)
        if (!strcmp(graph->outputs[i].name, name)) return graph_node(graph, graph->outputs[i].node);
    return NULL;
}

static void see_rows(void *context, const Runner *runner, int64_t first, int64_t count) {
    Fitting *fitting = context;
    add_rows(fitting, runner_output(runner, fitting->fit->name), first, count);
}

bool fits_run(const Program *program, const Dataset *dataset, States *states, Threads *threads, const Fit *fits, uint32_t count,
              Diagnostics *diag) {
    Runner *runner = runner_new(program, states, threads, diag);
    bool good = runner && runner_data(runner, dataset, diag);
    for (uint32_t i = 0; i < count && good; i++) {
        const Node *node = output_node(program->graph, fits[i].name);
        Fitting fitting = fitting_new(&fits[i], node, dataset);
        runner_rows(runner, fit_split(&fits[i], dataset), fitting.rows, see_rows, &fitting);
        good = finish(&fitting, states, diag);
        fitting_free(&fitting);
    }
    runner_free(runner);
    return good;
}
