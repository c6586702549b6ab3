/* A list of suspicious findings. */
#include "runtime/data/findings.h"
#include "ir/base/display.h"

#include <inttypes.h>
#include <string.h>

void findings_add(Findings *findings, const char *kind, const char *field, int64_t count,
                  const char *format, ...) {
    va_list args;
    if (findings->count == findings->capacity) {
        findings->capacity = findings->capacity ? 2 * findings->capacity : 16;
        Finding *items = ARENA_ARRAY(findings->arena, Finding, findings->capacity);
        if (findings->count) memcpy(items, findings->items, findings->count * sizeof *items);
        findings->items = items;
    }
    va_start(args, format);
    findings->items[findings->count++] =
        (Finding){kind, field, count,
                  display_shortened(findings->arena, arena_vformat(findings->arena, format, args))};
    va_end(args);
}

/* "168 of 16512 in train, 19 of 2064 in test" */
static const char *by_split(Arena *arena, const int64_t counts[SPLIT_COUNT],
                            const int64_t of[SPLIT_COUNT]) {
    const char *text = "";
    for (Split split = 0; split < SPLIT_COUNT; split++)
        if (counts[split])
            text = arena_format(arena, "%s%s%" PRId64 " of %" PRId64 " in %s", text,
                                *text ? ", " : "", counts[split], of[split], split_name(split));
    return text;
}

void findings_missing(Findings *findings, const FieldFacts *facts) {
    int64_t missing[SPLIT_COUNT], infinite[SPLIT_COUNT], all[SPLIT_COUNT], total_missing = 0,
                                                                           total_infinite = 0;
    for (Split split = 0; split < SPLIT_COUNT; split++) {
        const Statistics *whole = &facts->whole[split];
        missing[split] = whole->missing;
        infinite[split] = whole->infinite;
        all[split] = whole->moments.count + whole->missing + whole->infinite;
        total_missing += missing[split];
        total_infinite += infinite[split];
    }
    const char *name = facts->field.name, *what = facts->field.is_column ? "cells" : "elements";
    if (total_missing)
        findings_add(findings, "missing", name, total_missing, "'%s': %s are missing%s: %s", name,
                     what, facts->field.is_text ? "" : " (NaN)",
                     by_split(findings->arena, missing, all));
    if (total_infinite)
        findings_add(findings, "infinite", name, total_infinite, "'%s': %s are infinite: %s", name,
                     what, by_split(findings->arena, infinite, all));
}
