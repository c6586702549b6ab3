/* Reading the name of a derived column, which is its formula. */
#include "ir/data/derived_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 200 };

typedef struct {
    Arena *arena;
    const SourceSchema *schema;
    const char *at;
    int depth;
} DerivedReader;

static void skip_spaces(DerivedReader *reader) {
    while (*reader->at == ' ') reader->at++;
}

static bool accept(DerivedReader *reader, const char *text) {
    skip_spaces(reader);
    size_t length = strlen(text);
    if (strncmp(reader->at, text, length)) return false;
    reader->at += length;
    return true;
}

/* Reads a text in quotes, or a word; NULL if there is none. */
static const char *read_name(DerivedReader *reader) {
    skip_spaces(reader);
    bool quoted = *reader->at == '"';
    const char *begin = reader->at + quoted, *at = begin;
    while (*at && (quoted ? *at != '"' : isalnum((unsigned char)*at) || *at == '_'))
        at += quoted && *at == '\\' && at[1] ? 2 : 1;
    char *name = arena_alloc(reader->arena, (size_t)(at - begin) + 1), *to = name;
    for (const char *from = begin; from < at;) {
        from += quoted && *from == '\\' && from[1];
        *to++ = *from++;
    }
    *to = '\0';
    if ((quoted && *at != '"') || (!quoted && !derived_is_word(name))) return NULL;
    reader->at = at + quoted;
    return name;
}

static Derived *derived_new(DerivedReader *reader, DerivedKind kind) {
    Derived *derived = ARENA_NEW(reader->arena, Derived);
    derived->kind = kind;
    return derived;
}

/* Reads the rest of "[a, b, c]", or takes the one field `first`. NULL: it is no such list, or a
 * field is unknown or text. */
static const Derived *read_columns(DerivedReader *reader, const char *first) {
    Derived *derived = derived_new(reader, DERIVED_COLUMNS);
    uint32_t *fields = ARENA_ARRAY(reader->arena, uint32_t, first ? 1 : strlen(reader->at));
    derived->is_list = !first;
    derived->fields = fields;
    do {
        const char *name = first ? first : read_name(reader);
        uint32_t *field = &fields[derived->count++];
        const SourceField *found = name ? source_field(reader->schema, name) : NULL;
        if (found) *field = (uint32_t)(found - reader->schema->fields);
        if (!(found && !found->is_text)) return NULL;
    } while (!first && accept(reader, ","));
    return first || accept(reader, "]") ? derived : NULL;
}

static bool read_part(DerivedReader *reader, DatePart *part) {
    const char *name = read_name(reader);
    return name && date_part_find(name, part);
}

/* Reads what follows "date(". */
static const Derived *read_date(DerivedReader *reader) {
    char problem[DATE_PROBLEM];
    Derived *derived = derived_new(reader, DERIVED_DATE);
    const char *name = read_name(reader);
    const SourceField *field = name ? source_field(reader->schema, name) : NULL;
    if (!field || !field->is_column || !accept(reader, ",") ||
        !(derived->format = read_name(reader)) || !date_format_check(derived->format, problem) ||
        !accept(reader, ","))
        return NULL;
    size_t most = strlen(reader->at);
    uint32_t *fields = ARENA_ARRAY(reader->arena, uint32_t, most);
    DatePart *parts = ARENA_ARRAY(reader->arena, DatePart, most);
    derived->is_list = accept(reader, "[");
    do {
        fields[derived->count] = (uint32_t)(field - reader->schema->fields);
        if (!read_part(reader, &parts[derived->count++])) return NULL;
    } while (derived->is_list && accept(reader, ","));
    derived->fields = fields;
    derived->parts = parts;
    return (!derived->is_list || accept(reader, "]")) && accept(reader, ")") ? derived : NULL;
}

static const Derived *read_number(DerivedReader *reader) {
    char *end;
    const char *text = reader->at;
    Derived *derived = derived_new(reader, DERIVED_REAL);
    derived->real = strtod(text, &end);
    if (end == text || !isfinite(derived->real)) return NULL;
    reader->at = end;
    if (strcspn(text, ".e") < (size_t)(end - text)) return derived;
    derived->kind = DERIVED_WHOLE;
    derived->whole = strtoll(text, &end, 10);
    return derived;
}

static const Derived *read_expression(DerivedReader *reader);

/* Reads [left, right]. */
static bool read_names(DerivedReader *reader, Derived *derived) {
    uint32_t capacity = 0;
    const char **names = NULL;
    if (!accept(reader, "[")) return false;
    do {
        const char *name = read_name(reader);
        if (!name) return false;
        ARENA_ROOM(reader->arena, names, derived->name_count, capacity);
        names[derived->name_count++] = name;
    } while (accept(reader, ","));
    derived->names = names;
    return accept(reader, "]");
}

/* Reads ", 1": the number of rows. */
static bool read_distance(DerivedReader *reader, Derived *derived) {
    if (!accept(reader, ",")) return false;
    skip_spaces(reader);
    const Derived *number = read_number(reader);
    bool good = number && number->kind == DERIVED_WHOLE && number->whole > -INT32_MAX &&
                number->whole < INT32_MAX;
    derived->whole = good ? number->whole : 0;
    return good;
}

static const Derived *read_call(DerivedReader *reader, const char *word) {
    if (!strcmp(word, DERIVED_DATE_WORD)) return read_date(reader);
    for (DerivedKind kind = DERIVED_FITTED + 1; kind < DERIVED_KINDS; kind++) {
        if (derived_is_infix(kind) || strcmp(derived_operator(kind), word)) continue;
        Derived *derived = derived_new(reader, kind);
        for (int i = 0; i < derived_arity(kind); i++)
            if ((i && !accept(reader, ",")) || !(derived->args[i] = read_expression(reader)))
                return NULL;
        if (kind == DERIVED_CLASSES && accept(reader, ",") && !read_names(reader, derived))
            return NULL;
        if (kind == DERIVED_AHEAD && !read_distance(reader, derived)) return NULL;
        return accept(reader, ")") ? derived : NULL;
    }
    return NULL;
}

/* Reads the name of a transform: letters, digits, '_' and '.'. */
static const Derived *read_fitted(DerivedReader *reader) {
    Derived *derived = derived_new(reader, DERIVED_FITTED);
    size_t length = 0;
    while (isalnum((unsigned char)reader->at[length]) || reader->at[length] == '_' ||
           reader->at[length] == '.')
        length++;
    derived->fit = arena_copy_string(reader->arena, reader->at, length);
    reader->at += length;
    return length ? derived : NULL;
}

static const Derived *read_operand(DerivedReader *reader) {
    if (accept(reader, "(")) {
        const Derived *inner = read_expression(reader);
        return inner && accept(reader, ")") ? inner : NULL;
    }
    if (accept(reader, "[")) return read_columns(reader, NULL);
    if (accept(reader, "@")) return read_fitted(reader);
    if (isdigit((unsigned char)*reader->at) || *reader->at == '-') return read_number(reader);
    bool quoted = *reader->at == '"';
    const char *name = read_name(reader);
    if (!name) return NULL;
    return !quoted && accept(reader, "(") ? read_call(reader, name) : read_columns(reader, name);
}

/* Reads an operator. If two begin alike, the longer one counts. */
static DerivedKind read_sign(DerivedReader *reader) {
    DerivedKind best = DERIVED_KINDS;
    skip_spaces(reader);
    for (DerivedKind kind = DERIVED_FITTED + 1; kind < DERIVED_KINDS; kind++) {
        size_t length = strlen(derived_operator(kind));
        if (!derived_is_infix(kind) || strncmp(reader->at, derived_operator(kind), length))
            continue;
        if (best == DERIVED_KINDS || length > strlen(derived_operator(best))) best = kind;
    }
    if (best != DERIVED_KINDS) reader->at += strlen(derived_operator(best));
    return best;
}

static const Derived *read_expression(DerivedReader *reader) {
    if (++reader->depth > DEEPEST) return NULL;
    const Derived *left = read_operand(reader);
    DerivedKind kind = left ? read_sign(reader) : DERIVED_KINDS;
    if (left && kind != DERIVED_KINDS) {
        Derived *both = derived_new(reader, kind);
        both->args[0] = left;
        both->args[1] = read_operand(reader);
        left = both->args[1] ? both : NULL;
    }
    reader->depth--;
    return left;
}

/* Whether the operands are single numbers or rows of the same shape, and none are classes. */
static bool rows_agree(const SourceSchema *schema, const Derived *derived) {
    Shape row = derived_row(schema, derived);
    for (int i = 0; i < derived_arity(derived->kind); i++) {
        const Derived *arg = derived->args[i];
        bool number =
            arg->kind == DERIVED_WHOLE || arg->kind == DERIVED_REAL || arg->kind == DERIVED_FITTED;
        if (arg->kind == DERIVED_CLASSES || !rows_agree(schema, arg) ||
            (!number && !shape_equal(derived_row(schema, arg), row)))
            return false;
    }
    return true;
}

static const Derived *side_by_side(Arena *arena, const SourceSchema *schema, const char *name) {
    Derived derived = {.kind = DERIVED_COLUMNS, .is_list = true};
    derived.fields = source_columns_find(schema, name, arena, &derived.count);
    if (!derived.fields || schema->fields[derived.fields[0]].is_text) return NULL;
    Derived *copy = ARENA_NEW(arena, Derived);
    *copy = derived;
    return copy;
}

const Derived *derived_find(Arena *arena, const SourceSchema *schema, const char *name) {
    DerivedReader reader = {arena, schema, name, 0};
    const Derived *derived = source_field(schema, name) ? read_columns(&reader, name)
                                                        : side_by_side(arena, schema, name);
    if (derived || source_field(schema, name)) return derived;
    derived = read_expression(&reader);
    skip_spaces(&reader);
    return derived && !*reader.at && rows_agree(schema, derived) ? derived : NULL;
}

const uint32_t *source_reads(const SourceSchema *schema, const char *name, Arena *arena,
                             uint32_t *count) {
    SourceRows rows;
    name = source_rows_of(name, &rows);
    const SourceField *field = source_field(schema, name);
    uint32_t *reads = ARENA_ARRAY(arena, uint32_t, schema->field_count);
    const uint32_t *columns = field ? NULL : source_columns_find(schema, name, arena, count);
    const Derived *derived = field || columns ? NULL : derived_find(arena, schema, name);
    if (columns) return columns;
    if (field) *reads = (uint32_t)(field - schema->fields);
    *count = field ? 1 : derived ? derived_reads(schema, derived, reads) : 0;
    return reads;
}

/* -- rows around a row -- */

void source_rows_add(SourceRows *all, Arena *arena, const SourceSchema *schema, const char *name) {
    SourceRows rows, looks = {0};
    name = source_rows_of(name, &rows);
    const Derived *derived = derived_find(arena, schema, name);
    if (derived) looks = derived_looks(derived);
    if (rows.from + looks.from < all->from) all->from = rows.from + looks.from;
    if (rows.to + looks.to > all->to) all->to = rows.to + looks.to;
}

bool source_rows_of_graph(const Graph *graph, Arena *arena, const SourceSchema *schema,
                          SourceRows *rows, Diagnostics *diag) {
    const Symbol *first = NULL;
    *rows = (SourceRows){0, 0, 1};
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        SourceRows found;
        if (symbol->kind != SYMBOL_BATCH) continue;
        source_rows_of(symbol->name, &found);
        bool strides = found.from < 0 || found.stride > 1;
        if (strides && first && found.stride != rows->stride) {
            diag_error(diag, STATUS_MODEL, graph_node(graph, symbol->node)->span,
                       "these windows have a stride of %" PRId64 ", others of %" PRId64,
                       found.stride, rows->stride);
            diag_note(diag, graph_node(graph, first->node)->span, "such as these");
            return false;
        }
        if (strides) rows->stride = found.stride, first = symbol;
        source_rows_add(rows, arena, schema, symbol->name);
    }
    return true;
}
