/* Checks the indices that a network computes from the data, row by row. An index outside of the
 * columns would go unnoticed: one_hot gives zeros for it, an embedding gives NaN. */
#include "engine/session/session.h"
#include "runtime/data/findings.h"
#include "runtime/program/run.h"

#include <inttypes.h>

enum { BATCH_MAX = 1024 };

typedef struct {
    int64_t rows;  /* the number of rows with an index outside of the columns */
    int64_t first; /* the first of these rows, and its index */
    int32_t number;
} Outside;

typedef struct {
    const ModelInfo *info;
    const Graph *graph;
    int64_t batch;
    Outside *outside; /* [choice_count] */
} ChoiceSearch;

static void check_row(Outside *outside, const int32_t *numbers, int64_t width, int64_t columns,
                      int64_t row) {
    for (int64_t i = 0; i < width; i++) {
        if (numbers[i] >= 0 && numbers[i] < columns) continue;
        if (!outside->rows++) *outside = (Outside){1, row, numbers[i]};
        return;
    }
}

static void check_batch(void *context, const Runner *runner, int64_t first, int64_t count) {
    const ChoiceSearch *search = context;
    for (uint32_t k = 0; k < search->info->choice_count; k++) {
        const Output *output = &search->graph->outputs[k];
        const Node *node = graph_node(search->graph, output->node);
        const int32_t *numbers = runner_output(runner, output->name);
        int64_t width = shape_elements(node->shape) / search->batch;
        for (int64_t i = 0; i < count; i++)
            check_row(&search->outside[k], numbers + i * width, width,
                      search->info->choices[k].columns, first + i);
    }
}

static void report(const Session *session, const ComputedChoice *choice, const Outside *outside,
                   const int32_t *rows, Findings *findings) {
    char place[PLACE_TEXT];
    const char *file;
    uint32_t line = 0, column;
    const char *text = arena_format(
        session->arena, "is %" PRId32 " in %s, but only 0 to %" PRId64 " have a column",
        outside->number, dataset_place_text(session->dataset, NULL, rows[outside->first], place),
        choice->columns - 1);
    if (findings) {
        diag_locate(session->build.diag, choice->span, &file, &line, &column);
        findings_add(findings, "outside", NULL, outside->rows,
                     "the whole number computed in line %u of the model %s: %" PRId64 " row%s",
                     line, text, outside->rows, outside->rows == 1 ? "" : "s");
        return;
    }
    diag_warning(session->build.diag, choice->span, "the whole number computed here %s", text);
    if (outside->rows > 1)
        diag_help(session->build.diag, "%" PRId64 " rows have such a number", outside->rows);
}

static bool check_rows(Session *session, const Program *program, int64_t batch, const int32_t *rows,
                       int64_t count, Findings *findings) {
    const ModelInfo *info = session->build.info;
    ChoiceSearch search = {info, program->graph, batch,
                           ARENA_ARRAY(session->arena, Outside, info->choice_count)};
    Runner *runner = runner_new(program, session->states, session->threads, session->build.diag);
    bool good = runner && runner_data(runner, session->dataset, session->build.diag);
    if (good) runner_rows(runner, rows, count, check_batch, &search);
    runner_free(runner);
    for (uint32_t k = 0; k < info->choice_count && good; k++)
        if (search.outside[k].rows)
            report(session, &info->choices[k], &search.outside[k], rows, findings);
    return good;
}

bool session_check_choices(Session *session, const int32_t *rows, int64_t count,
                           Findings *findings) {
    Compilation compilation;
    uint32_t batch = (uint32_t)(count < BATCH_MAX ? count : BATCH_MAX);
    if (!session->build.info->choice_count || !count) return true;
    if (!build_compilation(&session->build, GRAPH_CHOICES, batch, PASS_functions, &compilation))
        return false;
    Program *program = program_interpret(compilation.graph);
    bool good = states_bind(session->states, program, session->build.diag) &&
                check_rows(session, program, batch, rows, count, findings);
    program_free(program);
    compilation_free(&compilation);
    return good;
}
