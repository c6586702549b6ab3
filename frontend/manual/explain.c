/* Prints the manual of the library: one function, the names of all, or the page docs/library.md. */
#include "frontend/manual/explain.h"
#include "frontend/evaluate/evaluate.h"
#include "frontend/manual/doc_entries.h"

#include <string.h>

typedef struct {
    Arena *arena;
    Diagnostics *diag;
    DocExamples *examples;
    const DocEntry *entries;
    uint32_t count;
    FILE *out;
} Explanation;

static bool explanation_open(Explanation *explanation, FILE *out, Diagnostics *diag) {
    *explanation = (Explanation){
        .arena = arena_new(), .diag = diag, .examples = doc_examples_open(diag), .out = out};
    if (!explanation->examples) return false;
    explanation->entries = doc_entries(
        explanation->arena, doc_examples_library(explanation->examples), &explanation->count);
    return true;
}

/* Frees everything; returns `good`, so that a caller can end with it. */
static bool explanation_close(Explanation *explanation, bool good) {
    doc_examples_close(explanation->examples);
    arena_free(explanation->arena);
    return good;
}

static const DocEntry *find_entry(const Explanation *explanation, const char *name) {
    for (uint32_t i = 0; i < explanation->count; i++)
        if (!strcmp(explanation->entries[i].callee->name, name)) return &explanation->entries[i];
    const char **names = ARENA_ARRAY(explanation->arena, const char *, explanation->count);
    for (uint32_t i = 0; i < explanation->count; i++)
        names[i] = explanation->entries[i].callee->name;
    diag_error(explanation->diag, STATUS_USAGE, (Span){0}, "the library has no function '%s'",
               name);
    if (!alias_suggest(explanation->diag, name, names, explanation->count))
        diag_help(explanation->diag, "'mlc explain' lists all of them");
    return NULL;
}

/* The list and the manual are for users, who do not call helpers. */
static void leave_out_helpers(Explanation *explanation) {
    DocEntry *kept = ARENA_ARRAY(explanation->arena, DocEntry, explanation->count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < explanation->count; i++)
        if (!explanation->entries[i].helper) kept[count++] = explanation->entries[i];
    explanation->entries = kept;
    explanation->count = count;
}

/* "x f32[N,8] -> f32[N,3]" */
static const char *types_text(Arena *arena, const DocExample *example) {
    if (!*example->inputs || !*example->result)
        return *example->inputs ? example->inputs : example->result;
    return arena_format(arena, "%s -> %s", example->inputs, example->result);
}

static void print_ops(const Explanation *explanation, const DocExample *example) {
    fprintf(explanation->out, "\nbuilt in; its ops are\n");
    for (int op = 0; op < OP_COUNT; op++)
        if (example->ops[op] && op_class((Op)op) != CLASS_LEAF)
            fprintf(explanation->out, "    %-12s %s\n", op_name((Op)op), op_doc((Op)op));
}

static bool explain_entry(const Explanation *explanation, const DocEntry *entry) {
    DocExample example = {.inputs = "", .result = ""};
    FILE *out = explanation->out;
    fprintf(out, "%s\n", entry->signature);
    const char *text = entry->text;
    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        fprintf(out, "    %.*s\n", (int)strcspn(line, "\n"), line);
    if (entry->helper) fprintf(out, "    helper: %s\n", entry->helper);
    if (entry->formula) fprintf(out, "    formula: %s\n", entry->formula);
    if (entry->example) {
        if (!doc_example_evaluate(explanation->examples, explanation->arena, entry, &example))
            return false;
        const char *types = types_text(explanation->arena, &example);
        fprintf(out, "    example: %s%s%s\n", entry->example, *types ? "    # " : "", types);
    }
    bool any = false;
    for (int op = 0; op < OP_COUNT; op++) any |= example.ops[op] && op_class((Op)op) != CLASS_LEAF;
    if (entry->source)
        fprintf(out, "\n%s", entry->source);
    else if (any)
        print_ops(explanation, &example);
    else
        fprintf(out, "\nbuilt in\n");
    return true;
}

bool explain_function(const char *name, FILE *out, Diagnostics *diag) {
    Explanation explanation;
    if (!explanation_open(&explanation, out, diag)) return explanation_close(&explanation, false);
    const DocEntry *entry = find_entry(&explanation, name);
    return explanation_close(&explanation, entry && explain_entry(&explanation, entry));
}

static bool new_section(const Explanation *explanation, uint32_t i) {
    return i == 0 || strcmp(explanation->entries[i].section, explanation->entries[i - 1].section);
}

enum { LIST_WIDTH = 100 };

bool explain_list(FILE *out, Diagnostics *diag) {
    Explanation explanation;
    if (!explanation_open(&explanation, out, diag)) return explanation_close(&explanation, false);
    leave_out_helpers(&explanation);
    size_t column = 0;
    for (uint32_t i = 0; i < explanation.count; i++) {
        const char *name = explanation.entries[i].callee->name;
        if (new_section(&explanation, i))
            fprintf(out, "%s%s", i ? "\n" : "", explanation.entries[i].section);
        if (new_section(&explanation, i) || column + strlen(name) > LIST_WIDTH)
            column = (size_t)fprintf(out, "\n   ");
        column += (size_t)fprintf(out, " %s", name);
    }
    fprintf(out, "\n");
    return explanation_close(&explanation, true);
}

/* -- the manual -- */

static bool manual_entry(const Explanation *explanation, const DocEntry *entry) {
    DocExample example;
    FILE *out = explanation->out;
    fprintf(out, "\n### %s\n\n```\n%s\n```\n\n%s%s\n", entry->callee->name, entry->signature,
            entry->text ? entry->text : "", entry->source ? " (*library*)" : "");
    if (entry->formula) fprintf(out, "\n    %s\n", entry->formula);
    if (!entry->example) return true;
    if (!doc_example_evaluate(explanation->examples, explanation->arena, entry, &example))
        return false;
    const char *types = types_text(explanation->arena, &example);
    fprintf(out, "\nExample: `%s`%s%s%s\n", entry->example, *types ? ", `" : "", types,
            *types ? "`" : "");
    return true;
}

/* All names by kind, each a link to its own section. */
static void manual_index(const Explanation *explanation) {
    FILE *out = explanation->out;
    fprintf(out, "\n| kind | functions |\n| --- | --- |\n");
    for (uint32_t i = 0; i < explanation->count; i++) {
        const char *name = explanation->entries[i].callee->name;
        if (new_section(explanation, i))
            fprintf(out, "%s| %s |", i ? " |\n" : "", explanation->entries[i].section);
        fprintf(out, " [%s](#%s)", name, name);
    }
    fprintf(out, " |\n");
}

bool explain_manual(FILE *out, Diagnostics *diag) {
    Explanation explanation;
    if (!explanation_open(&explanation, out, diag)) return explanation_close(&explanation, false);
    leave_out_helpers(&explanation);
    bool good = true;
    fprintf(
        out,
        "# The library\n\n"
        "The functions of the language. `mlc explain NAME` shows one of them, for those marked *library* with their definition\n"
        "in the language. Meaning and defaults are PyTorch's where PyTorch has the function. A negative `axis` counts from the\n"
        "end. [language.md](language.md) describes the language.\n\n"
        "Every example is checked by the tests. The types of its inputs and its result follow it; `N` is the batch.\n\n"
        "`mlc explain --manual` writes this page. Its texts come from `library.def`, `stdlib.mdl` and `ops.def`.\n");
    manual_index(&explanation);
    for (uint32_t i = 0; i < explanation.count; i++) {
        if (new_section(&explanation, i)) fprintf(out, "\n## %s\n", explanation.entries[i].section);
        good &= manual_entry(&explanation, &explanation.entries[i]);
    }
    return explanation_close(&explanation, good);
}
