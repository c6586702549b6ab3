/* Derived columns: their types, what they read, and their names. */
#include "ir/base/memory.h"
#include "ir/data/derived_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    int arity;
    const char *text;
} operations[DERIVED_KINDS] = {
#define DERIVED(op, arity, text) [DERIVED_##op] = {arity, text},
#include "ir/data/derived.def"
};

int derived_arity(DerivedKind kind) { return operations[kind].arity; }

const char *derived_operator(DerivedKind kind) { return operations[kind].text; }

bool derived_is_infix(DerivedKind kind) {
    return derived_arity(kind) == 2 && !isalpha((unsigned char)*operations[kind].text);
}

/* -- what they are -- */

DType derived_dtype(const Derived *derived) {
    if (derived->kind >= DERIVED_LT && derived->kind <= DERIVED_NE) return DTYPE_BOOL;
    return derived->kind == DERIVED_INT || derived->kind == DERIVED_CLASSES ? DTYPE_I32 : DTYPE_F32;
}

Shape derived_row(const SourceSchema *schema, const Derived *derived) {
    if (derived->count)
        return derived->is_list ? (Shape){1, {derived->count}}
                                : schema->fields[derived->fields[0]].row;
    Shape row = {0};
    for (int i = 0; i < derived_arity(derived->kind); i++) {
        Shape of = derived_row(schema, derived->args[i]);
        if (of.rank > row.rank) row = of;
    }
    return row;
}

void derived_visit(const Derived *derived, int64_t row, DerivedVisitor *visit, void *context) {
    if (derived->kind == DERIVED_AHEAD) row += derived->whole;
    if (derived->count) visit(context, derived, row);
    for (int i = 0; i < derived_arity(derived->kind); i++)
        derived_visit(derived->args[i], row, visit, context);
}

static void mark_reads(void *reads, const Derived *columns, int64_t row) {
    (void)row;
    for (uint32_t i = 0; i < columns->count; i++) ((bool *)reads)[columns->fields[i]] = true;
}

static void widen(void *looks, const Derived *columns, int64_t row) {
    (void)columns;
    SourceRows *rows = looks;
    if (row < rows->from) rows->from = row;
    if (row > rows->to) rows->to = row;
}

SourceRows derived_looks(const Derived *derived) {
    SourceRows looks = {0, 0, 1};
    derived_visit(derived, 0, widen, &looks);
    return looks;
}

uint32_t derived_reads(const SourceSchema *schema, const Derived *derived, uint32_t *fields) {
    uint32_t count = 0;
    bool *reads = memory_array(schema->field_count, sizeof *reads, "the fields of a table");
    derived_visit(derived, 0, mark_reads, reads);
    for (uint32_t i = 0; i < schema->field_count; i++)
        if (reads[i]) fields[count++] = i;
    free(reads);
    return count;
}

const char *derived_reads_dates(const Derived *derived, uint32_t field) {
    const char *format = NULL;
    if (derived->kind == DERIVED_DATE) return derived->fields[0] == field ? derived->format : NULL;
    for (int i = 0; i < derived_arity(derived->kind) && !format; i++)
        format = derived_reads_dates(derived->args[i], field);
    return format;
}

/* -- writing -- */

bool derived_is_word(const char *text) {
    bool word = isalpha((unsigned char)*text) || *text == '_';
    for (; *text && word; text++) word = isalnum((unsigned char)*text) || *text == '_';
    return word;
}

/* Writes a name in quotes, with a backslash before quotes and backslashes. */
static void write_quoted(const char *text, FILE *out) {
    putc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') putc('\\', out);
        putc(*text, out);
    }
    putc('"', out);
}

/* Writes a name of letters as it is, any other in quotes. */
static void write_field(const char *name, FILE *out) {
    if (derived_is_word(name))
        fputs(name, out);
    else
        write_quoted(name, out);
}

static void write_columns(const SourceSchema *schema, const Derived *derived, FILE *out) {
    if (derived->is_list) putc('[', out);
    for (uint32_t i = 0; i < derived->count; i++) {
        if (i) fputs(", ", out);
        write_field(schema->fields[derived->fields[i]].name, out);
    }
    if (derived->is_list) putc(']', out);
}

/* date(when, "%d/%m/%Y", year), or with [year, month] */
static void write_date(const SourceSchema *schema, const Derived *derived, FILE *out) {
    fputs(DERIVED_DATE_WORD "(", out);
    write_field(schema->fields[derived->fields[0]].name, out);
    fputs(", ", out);
    write_quoted(derived->format, out);
    fputs(derived->is_list ? ", [" : ", ", out);
    for (uint32_t i = 0; i < derived->count; i++)
        fprintf(out, "%s%s", i ? ", " : "", date_part_name(derived->parts[i]));
    fputs(derived->is_list ? "])" : ")", out);
}

static void write_derived(const SourceSchema *schema, const Derived *derived, bool inside,
                          FILE *out);

static void write_operation(const SourceSchema *schema, const Derived *derived, bool inside,
                            FILE *out) {
    const char *text = operations[derived->kind].text;
    bool infix = derived_is_infix(derived->kind);
    if (!infix) fprintf(out, "%s(", text);
    if (infix && inside) putc('(', out);
    for (int i = 0; i < derived_arity(derived->kind); i++) {
        if (i && infix)
            fprintf(out, " %s ", text);
        else if (i)
            fputs(", ", out);
        write_derived(schema, derived->args[i], infix, out);
    }
    for (uint32_t i = 0; i < derived->name_count; i++) {
        fputs(i ? ", " : ", [", out);
        write_field(derived->names[i], out);
    }
    if (derived->name_count) putc(']', out);
    if (derived->kind == DERIVED_AHEAD) fprintf(out, ", %" PRId64, derived->whole);
    if (inside || !infix) putc(')', out);
}

/* The shortest text that reads back as the same number. */
static void write_real(double real, FILE *out) {
    char text[32];
    int digits = 15;
    do snprintf(text, sizeof text, "%.*g", digits, real);
    while (strtod(text, NULL) != real && digits++ < 17);
    fprintf(out, "%s%s", text, text[strcspn(text, ".e")] ? "" : ".");
}

static void write_derived(const SourceSchema *schema, const Derived *derived, bool inside,
                          FILE *out) {
    switch (derived->kind) {
    case DERIVED_COLUMNS: write_columns(schema, derived, out); return;
    case DERIVED_DATE: write_date(schema, derived, out); return;
    case DERIVED_FITTED: fprintf(out, "@%s", derived->fit); return;
    case DERIVED_WHOLE: fprintf(out, "%" PRId64, derived->whole); return;
    case DERIVED_REAL: write_real(derived->real, out); return;
    default: write_operation(schema, derived, inside, out);
    }
}

const char *derived_name(Arena *arena, const SourceSchema *schema, const Derived *derived) {
    MemoryStream stream;
    memory_stream_begin(&stream);
    write_derived(schema, derived, false, stream.out);
    char *text = memory_stream_end(&stream);
    const char *name = arena_copy_string(arena, text, stream.length);
    free(text);
    /* a field may have the name already: spaces make it unique */
    while (source_field(schema, name)) name = arena_format(arena, "%s ", name);
    return name;
}
