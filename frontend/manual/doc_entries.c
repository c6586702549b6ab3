/* Reads the entries of the manual from the texts of the library: the rows of library.def and
 * ops.def, and the comment above each `def` of stdlib.mdl. The lines "formula: ...", "example: ..."
 * and "helper: ..." are parts of the entry; all other lines are its text. */
#include "frontend/manual/doc_entries.h"

#include <string.h>

/* -- sections: SECTION(NAME) above a row of library.def, a comment "# -- NAME --" above a `def` of
 * stdlib.mdl -- */

static const struct {
    const char *name;
    int line;
} sections[] = {
#define SECTION(name_) {name_, __LINE__},
#include "frontend/library/library.def"
};
enum { SECTION_COUNT = sizeof sections / sizeof *sections };

/* -- the text of a function -- */

/* The rest of a line that begins with `mark`, or NULL. */
static const char *marked(Arena *arena, const char *line, size_t length, const char *mark) {
    size_t begin = strlen(mark);
    return length > begin && !strncmp(line, mark, begin)
               ? arena_copy_string(arena, line + begin, length - begin)
               : NULL;
}

static void read_line(Arena *arena, const char *line, size_t length, DocEntry *entry) {
    const char *formula = marked(arena, line, length, "formula: "),
               *example = marked(arena, line, length, "example: "),
               *helper = marked(arena, line, length, "helper: ");
    if (formula) entry->formula = formula;
    if (example) entry->example = example;
    if (helper) entry->helper = helper;
    if (formula || example || helper) return;
    const char *before = entry->text ? entry->text : "";
    entry->text = arena_format(arena, "%s%s%.*s", before, *before ? "\n" : "", (int)length, line);
}

/* The first of the lines "# ..." right above a definition; the definition itself if there is
 * none. */
static const char *comment_above(const char *definition) {
    const char *first = definition;
    for (const char *line = definition; line > stdlib_text(); first = line) {
        for (line--; line > stdlib_text() && line[-1] != '\n';) line--;
        if (line[0] != '#') break;
    }
    return first;
}

/* The source of a `def` ends at an empty line. */
static void read_definition(Arena *arena, const Callable *callee, DocEntry *entry) {
    const char *begin = stdlib_text() + callee->span.begin - strlen("def "),
               *end = strstr(begin, "\n\n");
    size_t length = end ? (size_t)(end - begin) + 1 : strlen(begin);
    entry->source = arena_copy_string(arena, begin, length);
    /* its section in stdlib.mdl: the last comment "# -- NAME --" before it */
    const char *found = NULL;
    for (const char *at = stdlib_text(); (at = strstr(at, "\n# -- ")) && at < begin; at++)
        found = at + 6;
    entry->section = found ? arena_copy_string(arena, found, (size_t)(strstr(found, " --") - found))
                           : sections[0].name;
    for (const char *line = comment_above(begin); line < begin; line += strcspn(line, "\n") + 1)
        read_line(arena, line + 2, strcspn(line, "\n") - 2, entry);
}

static DocEntry read_entry(Arena *arena, const Callable *callee) {
    DocEntry entry = {.callee = callee,
                      .signature = callable_signature(arena, library_get(), callee)};
    if (callee->builtin) {
        const Builtin *builtin = callee->builtin;
        entry.section = sections[0].name;
        for (int i = 0; i < SECTION_COUNT; i++)
            if (sections[i].line < builtin->line) entry.section = sections[i].name;
        for (const char *line = builtin->doc; line;) {
            size_t length = strcspn(line, "\n");
            read_line(arena, line, length, &entry);
            line = line[length] ? line + length + 1 : NULL;
        }
        if (!builtin->line && !entry.example)
            entry.example = arena_format(arena, "%s(x)", builtin->name);
    } else {
        read_definition(arena, callee, &entry);
    }
    return entry;
}

/* -- all of them -- */

const DocEntry *doc_entries(Arena *arena, const Library *library, uint32_t *count) {
    uint32_t total = names_count(library->functions), at = 0;
    DocEntry *all = ARENA_ARRAY(arena, DocEntry, total),
             *sorted = ARENA_ARRAY(arena, DocEntry, total);
    for (uint32_t i = 0; i < total; i++)
        all[i] =
            read_entry(arena, names_find(library->functions, names_all(library->functions)[i]));
    for (int section = 0; section < SECTION_COUNT; section++) {
        bool first = true; /* a section may have several rows */
        for (int i = 0; i < section; i++)
            first &= strcmp(sections[i].name, sections[section].name) != 0;
        for (uint32_t i = 0; first && i < total; i++)
            if (!strcmp(all[i].section, sections[section].name)) sorted[at++] = all[i];
    }
    return *count = at, sorted;
}
