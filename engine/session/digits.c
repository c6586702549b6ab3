/* Finds numbers of the data that lose digits when the network computes with them: f32 keeps about
 * seven. */
#include "engine/session/session.h"
#include "ir/base/number_text.h"

#include <inttypes.h>
#include <string.h>

static const char *column_name(const Session *session, const char *input, const Rounded *found) {
    SourceRows rows;
    bool element = found->field && found->field->row.rank > 0;
    const char *name = found->field ? found->field->name : source_rows_of(input, &rows);
    return element ? arena_format(session->arena, "%s[%" PRId64 "]", name, found->element) : name;
}

static const char *finding_text(const Session *session, const char *name, const Rounded *found) {
    char place[PLACE_TEXT];
    if (!found->rows)
        return arena_format(session->arena,
                            "'%s' loses digits: from %.15g to %.15g f32 has only %.0f numbers",
                            name, found->min.number, found->max.number, found->numbers);
    return arena_format(session->arena, "'%s' loses digits: %" PRId64 " becomes %.0f as f32 in %s",
                        name, found->whole, (double)(float)found->whole,
                        dataset_place_text(session->dataset, NULL, found->row, place));
}

/* Several inputs can read one column, such as the rows around a row. The column is reported
 * once. */
static bool reported_before(const char **reported, uint32_t *count, const char *name) {
    for (uint32_t i = 0; i < *count; i++)
        if (!strcmp(reported[i], name)) return true;
    reported[(*count)++] = name;
    return false;
}

/* The least number of the column, for subtracting it. */
static const char *number_before(const Rounded *found, char text[NUMBER_TEXT]) {
    int64_t whole;
    if (found->rows && exact_whole(found->min, &whole))
        snprintf(text, NUMBER_TEXT, "%" PRId64, whole);
    else
        snprintf(text, NUMBER_TEXT, "%.*g", found->rows ? 15 : 10, found->min.number);
    return text;
}

/* Warns, or adds a finding, if numbers of an input lose digits. */
static void check_input(Session *session, const RoundedUse *use, const char **reported,
                        uint32_t *count, Findings *findings) {
    Rounded found;
    char number[NUMBER_TEXT];
    if (!dataset_rounded(session->dataset, use->name, use->scaled, &found)) return;
    const char *name = column_name(session, use->name, &found);
    if (reported_before(reported, count, name)) return;
    const char *text = finding_text(session, name, &found);
    if (findings) {
        findings_add(findings, "rounded", name, found.rows, "%s", text);
        return;
    }
    diag_warning(session->build.diag, use->span, "%s", text);
    diag_help(
        session->build.diag,
        "standardize it, or subtract a number first, as in x - %s: both compute with all digits",
        number_before(&found, number));
}

bool session_check_digits(Session *session, GraphKind kind, Findings *findings) {
    const ModelInfo *info = session->build.info;
    if (!info->rounded_count) return true;
    Graph *graph = model_graph(session->build.model, kind, 1, session->build.diag);
    const char **reported = ARENA_ARRAY(session->arena, const char *, info->rounded_count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < info->rounded_count && graph; i++) {
        const Symbol *symbol = graph_symbol(graph, info->rounded[i].name);
        if (symbol && symbol->node)
            check_input(session, &info->rounded[i], reported, &count, findings);
    }
    graph_free(graph);
    return graph != NULL;
}
