/* Fits transforms of values that a graph computes, such as standardize(log(source.price)).
 * dataset_fit fits transforms of plain columns. */
#include "ir/base/memory.h"
#include "runtime/data/fitting.h"
#include "runtime/program/run.h"
#include "runtime/train/fit.h"

#include <stdlib.h>
#include <string.h>

/* Writes the state "NAME.PART". Its elements are values[0], values[step], ... */
static void write_state(States *states, const Fitting *fitting, DType dtype, const char *part,
                        const double *values, int64_t step) {
    char name[512];
    void *plain =
        memory_new((size_t)fitting->width * dtype_bytes(dtype), "the statistics of the columns");
    for (int64_t i = 0; i < fitting->width; i++) {
        double value = values[i * step];
        if (dtype == DTYPE_I32)
            ((int32_t *)plain)[i] = (int32_t)value;
        else
            ((float *)plain)[i] = (float)value;
    }
    snprintf(name, sizeof name, "%s.%s", fitting->fit->name, part);
    states_write(states, name, plain);
    free(plain);
}

static bool write_states(const Fitting *fitting, DType dtype, States *states, Diagnostics *diag) {
    bool standardize = fitting->fit->kind == FIT_STANDARDIZE;
    size_t width = (size_t)fitting->width;
    ExactNumber *values = memory_new(width * sizeof *values, "the statistics of the columns");
    double *spreads = memory_new(width * sizeof *spreads, "the statistics of the columns");
    bool good = fitting_finish(fitting, values, spreads, diag);
    const char *part = standardize ? "mean" : "value";
    if (good) write_state(states, fitting, dtype, part, &values->number, 2);
    if (good && standardize) write_state(states, fitting, dtype, "deviation", spreads, 1);
    free(values);
    free(spreads);
    return good;
}

typedef struct {
    Fitting fitting;
    DType dtype;
} FitOutput;

/* Adds the rows of a batch to the fit. Text is i32 codes, of which negative ones are missing
 * cells. */
static void add_rows(void *context, const Runner *runner, int64_t first, int64_t count) {
    FitOutput *fitted = context;
    Fitting *fitting = &fitted->fitting;
    const void *output = runner_output(runner, fitting->fit->name);
    bool codes = fitted->dtype == DTYPE_I32;
    for (int64_t i = 0; i < count * fitting->width; i++)
        fitting_add(fitting, first + i / fitting->width, i % fitting->width,
                    exact_of_real(element_value(fitted->dtype, codes, output, i)));
}

static bool fit_output(Runner *runner, const Fit *fit, const Dataset *dataset, States *states,
                       Diagnostics *diag) {
    const Graph *graph = runner_program(runner)->graph;
    const Node *node = graph_node(graph, graph_output_node(graph, fit->name));
    FitOutput fitted = {fitting_new(fit, shape_elements(node->shape) / node->shape.dim[0], dataset),
                        node->dtype};
    runner_rows(runner, fit_split(fit, dataset), fitted.fitting.rows, add_rows, &fitted);
    bool good = write_states(&fitted.fitting, node->dtype, states, diag);
    fitting_free(&fitted.fitting);
    return good;
}

bool fits_run(const Program *program, const Dataset *dataset, States *states, Threads *threads,
              const Fit *fits, uint32_t count, Diagnostics *diag) {
    Runner *runner = runner_new(program, states, threads, diag);
    bool good = runner && runner_data(runner, dataset, diag);
    for (uint32_t i = 0; i < count && good; i++)
        good = fits[i].column || fit_output(runner, &fits[i], dataset, states, diag);
    runner_free(runner);
    return good;
}
