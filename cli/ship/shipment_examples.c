/* The examples of a shipment: rows of random numbers, so that no row of the data leaves with the
 * network, and the outputs that the reference interpreter computes for them. */
#include "cli/session/random_inputs.h"
#include "cli/ship/shipment.h"
#include "ir/base/hash.h"
#include "ir/base/integers.h"
#include "ir/base/memory.h"
#include "ir/data/derived.h"
#include "runtime/program/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EXAMPLE_ROWS = 16, EXAMPLE_SEED = 1 };

/* -- random numbers of a field -- */

/* How many classes a field of whole numbers has, for each element of a row; 0: not known. */
static int64_t classes_of(const Shipment *shipment, const ShipInput *input, int64_t element) {
    const ModelInfo *info = shipment->session.build.info;
    for (uint32_t i = 0; i < info->class_use_count; i++)
        if (!strcmp(info->class_uses[i].field, input->field->name))
            return info->class_uses[i].columns[element];
    return 0;
}

/* The column classes(...) of a field, which lists the numbers of its classes; NULL if there is
 * none. */
static const SourceField *class_column(const Shipment *shipment, const ShipInput *input) {
    const SourceSchema *schema = &shipment->session.build.info->schema;
    for (uint32_t i = 0; schema->derived && i < schema->derived->count; i++) {
        const SourceField *column = schema->derived->items[i];
        const Derived *derived =
            column->numbers ? derived_find(shipment->arena, schema, column->name) : NULL;
        const Derived *of = derived ? derived->args[0] : NULL;
        if (of && of->count && &schema->fields[of->fields[0]] == input->field) return column;
    }
    return NULL;
}

/* Whole numbers are classes if these are known, else 0 to 9. Text is one of its categories or
 * none of them. */
static int32_t random_whole(const Shipment *shipment, const ShipInput *input, int64_t element,
                            uint32_t bits) {
    int64_t classes = classes_of(shipment, input, element);
    const SourceField *column = class_column(shipment, input);
    bool labels = input->for_training && input->field->category_count;
    if (labels) return (int32_t)(bits % input->field->category_count);
    if (input->field->is_text) return (int32_t)(bits % (input->field->category_count + 1)) - 1;
    if (column && column->category_count)
        return (int32_t)column->numbers[bits % column->category_count];
    return (int32_t)(bits % (uint32_t)(classes ? classes : 10));
}

/* A quarter of the bytes are 0, as in pictures, since kernels skip zeros. */
static uint8_t random_byte(const Shipment *shipment, const ShipInput *input, int64_t element,
                           uint32_t bits) {
    int64_t classes = classes_of(shipment, input, element);
    if (classes) return (uint8_t)(bits % (uint32_t)classes);
    if (input->field->dtype == DTYPE_BOOL) return bits & 1;
    return bits >> 8 & 1 || bits >> 9 & 1 ? (uint8_t)bits : 0;
}

/* Numbers from -4 to 60, whole ones and others. Line 1 has denormal numbers, so that a processor
 * that flushes them to zero is noticed. In line 2, cells that may be missing are. */
static float random_real(const ShipInput *input, int64_t line, uint32_t bits) {
    float value = (float)(bits >> 8) * 0x1p-18F - 4;
    if (line == 1) return value * 0x1p-140F;
    if (line == 2 && input->has_gaps) return NAN;
    return bits & 1 ? floorf(value) : value / 16;
}

static void *random_lines(const Shipment *shipment, const ShipInput *input, uint32_t sub) {
    int64_t count = shipment->examples.lines * input->elements;
    DType dtype = input->field->dtype;
    void *data = memory_array((size_t)count, dtype_bytes(dtype), "the rows of the examples");
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits = random_bits(EXAMPLE_SEED, STREAM_INPUT, sub, (uint64_t)i);
        int64_t element = i % input->elements;
        if (dtype == DTYPE_F32)
            ((float *)data)[i] = random_real(input, i / input->elements, bits);
        else if (dtype == DTYPE_I32)
            ((int32_t *)data)[i] = random_whole(shipment, input, element, bits);
        else
            ((uint8_t *)data)[i] = random_byte(shipment, input, element, bits);
    }
    return data;
}

/* -- the data set -- */

/* The data of all fields of the source. Fields that the network does not read are 0. */
static void **make_data(Shipment *shipment) {
    const SourceSchema *schema = &shipment->session.build.info->schema;
    void **all = ARENA_ARRAY(shipment->arena, void *, schema->field_count);
    const void **inputs =
        (const void **)ARENA_ARRAY(shipment->arena, void *, shipment->input_count);
    for (uint32_t i = 0; i < shipment->input_count; i++) {
        uint32_t field = (uint32_t)(shipment->inputs[i].field - schema->fields);
        inputs[i] = all[field] = random_lines(shipment, &shipment->inputs[i], i);
    }
    for (uint32_t i = 0; i < schema->field_count; i++)
        if (!all[i])
            all[i] = memory_array(
                (size_t)(shipment->examples.lines * shape_elements(schema->fields[i].row)),
                dtype_bytes(schema->fields[i].dtype), "the rows of the examples");
    shipment->examples.data = inputs;
    return all;
}

/* Transforms of columns are fitted to the data of the training, not to these rows. */
static bool take_fitted(Shipment *shipment) {
    uint32_t count;
    if (!shipment->data) return session_fit_columns(&shipment->session);
    const FittedColumn *fitted = dataset_fitted(shipment->data, &count);
    dataset_set_fitted(shipment->session.dataset, fitted, count);
    return true;
}

bool shipment_make_rows(Shipment *shipment) {
    Session *session = &shipment->session;
    const ModelInfo *info = session->build.info;
    bool windows = shipment_lines(shipment) > 1;
    shipment->examples.rows = EXAMPLE_ROWS;
    shipment->examples.lines = EXAMPLE_ROWS + shipment_lines(shipment) - 1;
    session->dataset = dataset_new(info->schema.fields, info->schema.field_count,
                                   make_data(shipment), shipment->examples.lines,
                                   windows ? source_series(&info->split) : NULL, &info->schema);
    return dataset_drop_incomplete(session->dataset, &shipment->window, false, shipment->diag) &&
           take_fitted(shipment);
}

/* -- the outputs -- */

/* All outputs of the examples with these states; NULL after reporting an error. */
static const float *const *run_network(Shipment *shipment, States *states) {
    Compilation compilation;
    static const int32_t no_steps[] = {0}; /* the value of inputs such as "step" */
    if (!build_compilation(&shipment->session.build, GRAPH_PREDICT, EXAMPLE_ROWS, PASS_functions,
                           &compilation))
        return NULL;
    Program *program = program_interpret(compilation.graph);
    Runner *runner = runner_new(program, states, shipment->session.threads, shipment->diag);
    for (uint32_t i = 0; i < program->graph->symbol_count; i++)
        if (program->graph->symbols[i].kind == SYMBOL_VALUE)
            runner_input(runner, program->graph->symbols[i].name, no_steps);
    bool good = runner_data(runner, shipment->session.dataset, shipment->diag);
    if (good) runner_step(runner, dataset_split(shipment->session.dataset, SPLIT_TRAIN));
    const float **outputs =
        (const float **)ARENA_ARRAY(shipment->arena, float *, shipment->output_count);
    for (uint32_t i = 0; i < shipment->output_count && good; i++) {
        size_t count = (size_t)(EXAMPLE_ROWS * shipment->outputs[i].elements);
        float *values = ARENA_ARRAY(shipment->arena, float, count);
        memcpy(values, runner_output(runner, shipment->graph->outputs[i].name),
               count * sizeof *values);
        outputs[i] = values;
    }
    runner_free(runner);
    program_free(program);
    compilation_free(&compilation);
    return good ? outputs : NULL;
}

/* -- a training -- */

/* The times of an epoch, counted as by ship_fill_clock (codegen/ship/ship_state.c). */
static RunTimes times_of(const ShipTraining *training, int64_t epoch) {
    int64_t updates = divide_up(training->batches, training->accumulate),
            batch = training->replicas * training->rows;
    RunTimes times = {.start = {.epoch = (int32_t)epoch,
                                .step = (int32_t)(epoch * updates),
                                .steps = (int32_t)(updates * training->epochs),
                                .draw = (int32_t)(epoch * training->batches)},
                      .cut = {training->batches * batch, batch, training->replicas},
                      .accumulate = training->accumulate};
    if (epoch >= training->epochs) {
        times.start.epoch = (int32_t)training->epochs - 1;
        times.start.step = (int32_t)(updates * training->epochs) - 1;
    }
    run_clock_seed(&times.start, training->seed);
    return times;
}

/* The states of a step: those of the network with their trained values, the others with their
 * initial ones. */
static States *training_states(const Shipment *shipment, const Graph *graph) {
    States *states = states_new();
    states_keep(states, graph);
    states_keep(states, shipment->graph);
    states_initialize(states, shipment->session.build.info->seed);
    for (uint32_t i = 0; i < states_count(shipment->session.states); i++) {
        const Symbol *symbol = states_symbol(shipment->session.states, i);
        void *values = memory_new(
            (size_t)shape_elements(symbol->shape) * dtype_bytes(symbol->dtype), "the weights");
        states_read(shipment->session.states, symbol->name, values);
        states_write(states, symbol->name, values);
        free(values);
    }
    return states;
}

/* A hash of the weights, in the order of ShipTraining.tensors. */
static uint64_t hash_weights(const Shipment *shipment, const States *states) {
    uint64_t hash = HASH64_START;
    const ShipTraining *training = shipment->training;
    for (uint32_t i = 0; i < training->tensor_count; i++) {
        const Symbol *symbol = training->blocks[training->tensors[i]].symbol;
        size_t bytes = (size_t)shape_elements(symbol->shape) * sizeof(float);
        void *values = memory_new(bytes, "the weights");
        states_read(states, symbol->name, values);
        hash = bits_hash(hash, DTYPE_F32, values, (int64_t)(bytes / sizeof(float)));
        free(values);
    }
    return hash;
}

static bool run_steps(Shipment *shipment, Runner *runner) {
    const ShipTraining *training = shipment->training;
    int64_t batch = shipment->step_rows, shares = training->batches * training->replicas;
    int32_t *rows = ARENA_ARRAY(shipment->arena, int32_t, batch);
    if (!runner_data(runner, shipment->session.dataset, shipment->diag)) return false;
    for (int64_t step = 0; step < SHIP_STEPS; step++) {
        RunTimes times = times_of(training, step / shares);
        for (int64_t i = 0; i < batch; i++) rows[i] = (int32_t)((step * batch + i) % EXAMPLE_ROWS);
        runner_loop(runner, rows, 1, &times, step % shares, NULL, NULL);
        memcpy(&shipment->examples.losses[step], runner_output(runner, "loss"), sizeof(float));
    }
    return true;
}

static bool run_training(Shipment *shipment) {
    Compilation compilation;
    if (!build_compilation(&shipment->session.build, GRAPH_TRAIN, (uint32_t)shipment->step_rows,
                           PASS_functions, &compilation))
        return false;
    States *states = training_states(shipment, compilation.graph);
    Program *program = program_interpret(compilation.graph);
    Runner *runner = runner_new(program, states, shipment->session.threads, shipment->diag);
    bool good = runner && run_steps(shipment, runner);
    if (good) {
        shipment->examples.weights_hash = hash_weights(shipment, states);
        shipment->examples.trained = run_network(shipment, states);
        states_initialize(states, SHIP_FRESH_SEED);
        shipment->examples.fresh_hash = hash_weights(shipment, states);
        good = shipment->examples.trained != NULL;
    }
    runner_free(runner);
    program_free(program);
    states_free(states);
    compilation_free(&compilation);
    return good;
}

bool shipment_run_rows(Shipment *shipment) {
    shipment->examples.outputs = run_network(shipment, shipment->session.states);
    return shipment->examples.outputs && (!shipment->training || run_training(shipment));
}
