/* Numbers of the data that lose digits where the network computes with them: f32 has room for
 * seven. */
#include "cli/session/session.h"

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
                            "'%s' loses digits: from %.15g to %.15g f32 has %.0f numbers only",
                            name, found->least, found->most, found->numbers);
    return arena_format(session->arena, "'%s' loses digits: f32 makes %.0f of %" PRId64 " in %s",
                        name, (double)(float)found->whole, found->whole,
                        dataset_place_text(session->dataset, NULL, found->row, place));
}

/* The columns beside each other, and the rows around a row, are those of one column: it is told
 * once. */
static bool told_before(const char **told, uint32_t *count, const char *name) {
    for (uint32_t i = 0; i < *count; i++)
        if (!strcmp(told[i], name)) return true;
    told[(*count)++] = name;
    return false;
}

void session_check_digits(Session *session, Findings *findings) {
    const ModelInfo *info = session->build.info;
    const char **told = ARENA_ARRAY(session->arena, const char *, info->rounded_count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < info->rounded_count; i++) {
        Rounded found;
        if (!dataset_rounded(session->dataset, info->rounded[i].name, info->rounded[i].scaled,
                             &found))
            continue;
        const char *name = column_name(session, info->rounded[i].name, &found);
        if (told_before(told, &count, name)) continue;
        const char *text = finding_text(session, name, &found);
        if (findings) {
            findings_add(findings, "rounded", name, found.rows, "%s", text);
            continue;
        }
        diag_warning(session->build.diag, info->rounded[i].span, "%s", text);
        diag_help(
            session->build.diag,
            "standardize it, or subtract from it before anything else is computed (x - %.*g): both begin with all digits",
            found.rows ? 15 : 10, found.least);
    }
}
