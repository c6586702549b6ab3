/* Gathers the report of `mlc data FILE.mdl`. The fields of the data block are computed as in an
 * evaluation, after the transforms have been fitted to the training rows. */
#include "cli/show/data_report.h"

#include "ir/data/derived.h"
#include "runtime/data/data_cache.h"
#include "runtime/program/run.h"
#include <math.h>
#include <string.h>

enum { BATCH_ELEMENTS = 1 << 20, STANDARD_ROWS = 5, STANDARD_PICTURES = 2 };

ReportElement report_source_element(const DataReport *report, uint32_t field, int32_t row,
                                    int64_t element) {
    const Dataset *dataset = report->session.dataset;
    if (dataset_fields(dataset)->fields[field].is_text)
        return (ReportElement){dataset_text(dataset, field, row), exact_of_real(NAN)};
    return (ReportElement){NULL, dataset_number(dataset, field, row, element)};
}

ReportElement report_field_element(const DataReport *report, uint32_t field, int64_t i,
                                   int64_t element) {
    const SourceField *of = &report->fields[field]->field;
    double value =
        dtype_element(of->dtype, report->first[field], i * shape_elements(of->row) + element);
    if (of->is_text)
        return (ReportElement){value < 0 ? NULL : of->categories[(uint32_t)value],
                               exact_of_real(NAN)};
    return (ReportElement){NULL, exact_of_real(value)};
}

/* -- the source -- */

/* Marks the fields that an input reads. A field that an input reads as a number has no date format
 * in the report. */
static void mark_used(DataReport *report, const Symbol *symbol) {
    const SourceSchema *schema = dataset_fields(report->session.dataset);
    uint32_t count;
    SourceRows rows;
    const uint32_t *fields = source_reads(schema, symbol->name, report->session.arena, &count);
    const Derived *derived =
        derived_find(report->session.arena, schema, source_rows_of(symbol->name, &rows));
    for (uint32_t i = 0; i < count; i++) {
        report->used[fields[i]] = true;
        if (!derived || !derived_reads_dates(derived, fields[i])) report->dates[fields[i]] = NULL;
    }
}

/* Finds the columns that fields of the data block read as dates. */
static void find_dates(DataReport *report) {
    const SourceSchema *schema = dataset_fields(report->session.dataset);
    const DerivedFields *known = report->session.build.info->schema.derived;
    report->dates = ARENA_ARRAY(report->session.arena, const char *, schema->field_count);
    for (uint32_t i = 0; i < known->count; i++) {
        const Derived *derived = derived_find(report->session.arena, schema, known->items[i]->name);
        for (uint32_t k = 0; derived && k < schema->field_count; k++) {
            const char *format = derived_reads_dates(derived, k);
            if (format) report->dates[k] = format;
        }
    }
}

static bool find_used(DataReport *report) {
    const Build *build = &report->session.build;
    report->used = ARENA_ARRAY(report->session.arena, bool,
                               dataset_fields(report->session.dataset)->field_count);
    find_dates(report);
    Graph *graph = model_graph(build->model, GRAPH_TRAIN, build->info->batch, build->diag);
    for (uint32_t i = 0; graph && i < graph->symbol_count; i++)
        if (graph->symbols[i].kind == SYMBOL_BATCH && graph->symbols[i].node)
            mark_used(report, &graph->symbols[i]);
    graph_free(graph);
    return graph != NULL;
}

/* Chooses how many of the first rows are displayed: fewer if they are pictures. */
static void choose_rows(DataReport *report) {
    const SourceSchema *schema = dataset_fields(report->session.dataset);
    for (uint32_t i = 0; i < schema->field_count && !report->picture; i++) {
        const SourceField *field = &schema->fields[i];
        Shape row = field->row;
        bool planes = row.rank == 2 || (row.rank == 3 && (row.dim[0] == 1 || row.dim[0] == 3));
        if (field->dtype == DTYPE_U8 && planes) report->picture = field;
    }
    int64_t rows = dataset_rows(report->session.dataset, report->split);
    report->displayed = option_given(report->options, OPTION_rows) ? report->options->rows
                        : report->picture                          ? STANDARD_PICTURES
                                                                   : STANDARD_ROWS;
    if (report->displayed > rows) report->displayed = rows;
}

/* Labels outside of the classes are not an error here: the report must show them. */
bool report_source(DataReport *report) {
    Session *session = &report->session;
    session->arena = arena_new();
    if (!build_open(&session->build, report->options->operands[0], report->options, report->diag))
        return false;
    const ModelInfo *info = session->build.info;
    session->dataset =
        data_cache_open(session->build.data_cache, &info->source, &info->split, report->diag);
    if (!session->dataset ||
        !dataset_drop_incomplete(session->dataset, &info->field_looks, false, report->diag))
        return false;
    if (option_given(report->options, OPTION_split) &&
        !session_split(session, report->options, &report->split))
        return false;
    SourceRows rows;
    const void *data;
    const DerivedFields *derived = info->schema.derived;
    for (uint32_t i = 0; i < derived->count; i++)
        if (derived->items[i]->numbers)
            dataset_find(session->dataset, derived->items[i]->name, &data);
    const char *label = info->label_field ? source_rows_of(info->label_field, &rows) : NULL;
    if (!find_used(report)) return false;
    report->facts = dataset_inspect(
        session->dataset, &(FieldUses){label, report->dates, report->used}, session->arena);
    choose_rows(report);
    return true;
}

/* -- the fields of the data block -- */

static SourceField field_of(const DataReport *report, const Graph *graph, const Output *output) {
    const Node *node = graph_node(graph, output->node);
    SourceField field = {
        .name = arena_copy_string(report->session.arena, output->name, strlen(output->name)),
        .dtype = node->dtype,
        .row = shape_of(node->shape.rank - 1, &node->shape.dim[1])};
    if (node->op != OP_input) return field;
    const void *data;
    const SourceField *source =
        dataset_find(report->session.dataset, graph->symbols[node->attrs.symbol].name, &data);
    if (source && source->is_text) {
        field.is_text = true;
        field.categories = source->categories;
        field.category_count = source->category_count;
        field.numbers = source->numbers;
    }
    return field;
}

static void make_fields(DataReport *report, const Graph *graph) {
    Arena *arena = report->session.arena;
    report->field_count = graph->output_count;
    report->fields = ARENA_ARRAY(arena, FieldFacts *, graph->output_count);
    report->first = ARENA_ARRAY(arena, void *, graph->output_count);
    for (uint32_t i = 0; i < graph->output_count; i++) {
        SourceField field = field_of(report, graph, &graph->outputs[i]);
        report->fields[i] = field_facts_new(arena, &field);
        report->first[i] =
            arena_alloc(arena, (size_t)(report->displayed * shape_elements(field.row) + 1) *
                                   dtype_bytes(field.dtype));
    }
}

typedef struct {
    DataReport *report;
    Split split;
} FieldTally;

static void add_rows(void *context, const Runner *runner, int64_t first, int64_t count) {
    const FieldTally *tally = context;
    const DataReport *report = tally->report;
    for (uint32_t i = 0; i < report->field_count; i++) {
        const void *rows = runner_output(runner, report->fields[i]->field.name);
        field_facts_add(report->fields[i], tally->split, rows, count);
        if (tally->split == report->split) {
            const SourceField *field = &report->fields[i]->field;
            size_t row = (size_t)shape_elements(field->row) * dtype_bytes(field->dtype);
            int64_t left = report->displayed - first, kept = count < left ? count : left;
            if (kept > 0)
                memcpy((char *)report->first[i] + (size_t)first * row, rows, (size_t)kept * row);
        }
    }
}

static bool run_fields(DataReport *report, const Program *program) {
    Session *session = &report->session;
    Runner *runner = runner_new(program, session->states, session->threads, report->diag);
    bool good = runner && runner_data(runner, session->dataset, report->diag);
    for (Split split = 0; split < SPLIT_COUNT && good; split++)
        runner_rows(runner, dataset_split(session->dataset, split),
                    dataset_rows(session->dataset, split), add_rows, &(FieldTally){report, split});
    runner_free(runner);
    return good;
}

static void add_fitted(DataReport *report, const Fit *fit, const char *part, int64_t count,
                       const double *values) {
    const char *name = arena_format(report->session.arena, "%s.%s", fit->name, part);
    report->fitted[report->fitted_count++] = (FittedNumbers){name, count, values};
}

/* Transforms in a graph store their fitted numbers as states. */
static void add_state(DataReport *report, const Graph *graph, const Fit *fit, const char *part) {
    Arena *arena = report->session.arena;
    const Symbol *symbol = graph_symbol(graph, arena_format(arena, "%s.%s", fit->name, part));
    if (!symbol || symbol->kind != SYMBOL_STATE) return;
    int64_t count = shape_elements(symbol->shape);
    void *values = arena_alloc(arena, (size_t)count * dtype_bytes(symbol->dtype));
    double *numbers = ARENA_ARRAY(arena, double, count);
    if (!states_read(report->session.states, symbol->name, values)) return;
    for (int64_t i = 0; i < count; i++) numbers[i] = dtype_element(symbol->dtype, values, i);
    add_fitted(report, fit, part, count, numbers);
}

static void read_fitted(DataReport *report, const Graph *graph) {
    const ModelInfo *info = report->session.build.info;
    static const char *const parts[] = {"value", "mean", "deviation"};
    uint32_t count;
    const FittedColumn *all = dataset_fitted(report->session.dataset, &count);
    report->fitted = ARENA_ARRAY(report->session.arena, FittedNumbers, 2 * info->fit_count);
    for (uint32_t i = 0; i < info->fit_count; i++) {
        const Fit *fit = &info->fits[i];
        for (uint32_t k = 0; k < count && fit->column; k++) {
            if (strcmp(all[k].name, fit->name)) continue;
            int64_t width = shape_elements(all[k].row);
            double *values = ARENA_ARRAY(report->session.arena, double, width);
            for (int64_t j = 0; j < width; j++) values[j] = all[k].values[j].number;
            add_fitted(report, fit, parts[all[k].deviation != NULL], width, values);
            if (all[k].deviation) add_fitted(report, fit, parts[2], width, all[k].deviation);
        }
        for (size_t k = 0; k < sizeof parts / sizeof *parts && !fit->column; k++)
            add_state(report, graph, fit, parts[k]);
    }
}

/* Limits a batch to a few megabytes: the interpreter keeps every value of the graph. */
static uint32_t batch_rows(const DataReport *report) {
    const SourceSchema *schema = dataset_fields(report->session.dataset);
    int64_t elements = 1, rows = dataset_rows(report->session.dataset, SPLIT_TRAIN);
    for (uint32_t i = 0; i < schema->field_count; i++)
        elements += shape_elements(schema->fields[i].row);
    int64_t batch = BATCH_ELEMENTS / elements + 1;
    return (uint32_t)(batch < rows ? batch : rows);
}

bool report_fields(DataReport *report) {
    Session *session = &report->session;
    Compilation compilation;
    session->states = states_new();
    session->threads = threads_new(1);
    if (!session_fit_columns(session) || !session_fit_graph(session) ||
        !build_compilation(&session->build, GRAPH_FIELDS, batch_rows(report), PASS_functions,
                           &compilation))
        return false;
    Program *program = program_interpret(compilation.graph);
    make_fields(report, compilation.graph);
    bool good = run_fields(report, program);
    if (good) read_fitted(report, compilation.graph);
    program_free(program);
    compilation_free(&compilation);
    for (uint32_t i = 0; i < report->field_count && good; i++)
        if (!report->fields[i]->field.is_text) /* that of the source is reported already */
            findings_missing(&report->facts->findings, report->fields[i]);
    for (Split split = SPLIT_TRAIN; split < SPLIT_COUNT && good; split++)
        good =
            session_check_choices(session, dataset_split(session->dataset, split),
                                  dataset_rows(session->dataset, split), &report->facts->findings);
    return good && session_check_digits(session, GRAPH_TRAIN, &report->facts->findings) &&
           session_check_classes(session);
}

void report_free(DataReport *report) { session_close(&report->session); }
