/* Reads the text form. Each line is read by itself, so one run reports the errors of all lines. The
 * builder makes the nodes: it checks shapes, folds constants and merges equal nodes. Ids in the
 * text need not be dense: they are mapped. */
#include "ir/graph/text.h"
#include "ir/text/tokens.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX_BYTES = 16 << 20 };

/* The node of an id of the text; NODE_NONE if its line had an error, which has been reported. */
typedef struct {
    NodeId node;
    bool defined;
} Named;

typedef struct {
    Tokens tokens;
    Graph *graph;
    Named *named; /* by id */
    uint32_t named_capacity;
    uint32_t *operands;
    uint32_t operand_capacity;
} GraphReader;

/* The line of a node, before it is built. */
typedef struct {
    Span span, type_span;
    Op op;
    TensorType type;
    const NodeId *operands;
    uint32_t count;
    bool broken; /* an operand is bad */
    Attrs attrs;
    Symbol symbol;
} NodeLine;

/* -- small pieces -- */

static const TextToken *current(const GraphReader *reader) { return &reader->tokens.token; }

/* Reports what the line should have at this place, unless the token is bad: then that has been
 * reported. */
static bool expected(GraphReader *reader, const char *what) {
    const TextToken *token = current(reader);
    if (token->kind == TOKEN_END)
        diag_error(reader->graph->diag, STATUS_MODEL, token->span,
                   "the line ends where %s should be", what);
    else if (token->kind != TOKEN_BAD)
        diag_error(reader->graph->diag, STATUS_MODEL, token->span, "expected %s", what);
    return false;
}

static bool error_here(GraphReader *reader, const char *finding) {
    diag_error(reader->graph->diag, STATUS_MODEL, current(reader)->span, "%s", finding);
    return false;
}

static bool accept(GraphReader *reader, TokenKind kind, const char *text) {
    if (!token_is(current(reader), kind, text)) return false;
    tokens_next(&reader->tokens);
    return true;
}

static bool read_sign(GraphReader *reader, const char *sign) {
    char what[] = "'='";
    what[1] = sign[0];
    return accept(reader, TOKEN_SIGN, sign) || expected(reader, what);
}

static bool read_word(GraphReader *reader, const char *word) {
    return accept(reader, TOKEN_WORD, word) || expected(reader, word);
}

static bool read_line_end(GraphReader *reader) {
    return current(reader)->kind == TOKEN_END || expected(reader, "the end of the line");
}

static bool read_string(GraphReader *reader, const char **text) {
    if (current(reader)->kind != TOKEN_STRING) return expected(reader, "a name in double quotes");
    *text = current(reader)->text;
    tokens_next(&reader->tokens);
    return true;
}

static bool read_integer(GraphReader *reader, int64_t low, int64_t high, int64_t *value) {
    if (current(reader)->kind != TOKEN_NUMBER) return expected(reader, "a whole number");
    char *end;
    errno = 0;
    *value = strtoll(current(reader)->text, &end, 10);
    if (*end) return expected(reader, "a whole number");
    if (errno || *value < low || *value > high) {
        diag_error(reader->graph->diag, STATUS_MODEL, current(reader)->span,
                   "the number must be between %" PRId64 " and %" PRId64, low, high);
        return false;
    }
    tokens_next(&reader->tokens);
    return true;
}

/* Reads a number, nan, inf or -inf. */
static bool read_float(GraphReader *reader, float *value) {
    const TextToken *token = current(reader);
    bool is_word = token_is(token, TOKEN_WORD, "nan") || token_is(token, TOKEN_WORD, "inf");
    if (token->kind != TOKEN_NUMBER && !is_word) return expected(reader, "a number");
    char *end;
    errno = 0;
    *value = strtof(token->text, &end);
    if (*end) return expected(reader, "a number");
    if (errno && isinf(*value)) return error_here(reader, "the number is too large for f32");
    tokens_next(&reader->tokens);
    return true;
}

static const char *op_at(int i) { return i < OP_COUNT ? op_name((Op)i) : NULL; }
static const char *dtype_at(int i) { return i < DTYPE_COUNT ? dtype_name((DType)i) : NULL; }
static const char *init_at(int i) { return i < INIT_KINDS ? text_inits[i].name : NULL; }

static bool unknown_word(GraphReader *reader, const char *what, const char *(*name_at)(int)) {
    if (current(reader)->kind != TOKEN_WORD) return expected(reader, what);
    diag_error(reader->graph->diag, STATUS_MODEL, current(reader)->span, "'%s' is not %s",
               current(reader)->text, what);
    /* Suggests one of the names name_at(0), name_at(1), ...; NULL ends them. */
    const char *names[(int)OP_COUNT + (int)DTYPE_COUNT + (int)INIT_KINDS];
    size_t count = 0;
    while ((names[count] = name_at((int)count))) count++;
    diag_suggest(reader->graph->diag, current(reader)->text, names, count);
    return false;
}

/* -- types -- */

/* A tensor has at most 2^31 elements, so the limit of a size depends on the sizes before it. */
static bool read_dims(GraphReader *reader, Shape *shape) {
    int64_t elements = 1;
    if (!read_sign(reader, "[")) return false;
    while (!token_is(current(reader), TOKEN_SIGN, "]")) {
        if (shape->rank && !read_sign(reader, ",")) return false;
        if (shape->rank == SHAPE_MAX_RANK) return error_here(reader, "a tensor has at most 6 axes");
        int64_t *dim = &shape->dim[shape->rank++];
        if (!read_integer(reader, 1, SHAPE_MAX_ELEMENTS / elements, dim)) return false;
        elements *= *dim;
    }
    return read_sign(reader, "]");
}

static bool read_type(GraphReader *reader, NodeLine *line) {
    const TextToken *token = current(reader);
    line->type_span = token->span;
    if (token->kind != TOKEN_WORD ||
        !dtype_from_name(token->text, strlen(token->text), &line->type.dtype))
        return unknown_word(reader, "a type", dtype_at);
    tokens_next(&reader->tokens);
    if (!read_dims(reader, &line->type.shape)) return false;
    line->type_span.end = current(reader)->span.begin;
    return true;
}

/* -- ids and operands -- */

/* The id in the current token; 0 after reporting another token. */
static uint32_t id_here(GraphReader *reader) {
    if (current(reader)->kind != TOKEN_ID)
        return expected(reader, "the id of a node (%1, %2, ...)"), 0;
    const char *digits = current(reader)->text + 1;
    unsigned long id = strlen(digits) <= 9 ? strtoul(digits, NULL, 10) : 0;
    if (id >= 1 && id <= GRAPH_MAX_NODES) return (uint32_t)id;
    diag_error(reader->graph->diag, STATUS_MODEL, current(reader)->span, "ids go from %%1 to %%%d",
               GRAPH_MAX_NODES);
    return 0;
}

static bool is_defined(const GraphReader *reader, uint32_t id) {
    return id < reader->named_capacity && reader->named[id].defined;
}

/* Reads an id that must have been defined before; *node is NODE_NONE if its definition was
 * wrong. */
static bool read_node_id(GraphReader *reader, NodeId *node) {
    uint32_t id = id_here(reader);
    if (!id) return false;
    if (!is_defined(reader, id)) {
        diag_error(reader->graph->diag, STATUS_MODEL, current(reader)->span,
                   "%s is not defined before this line", current(reader)->text);
        return false;
    }
    *node = reader->named[id].node;
    tokens_next(&reader->tokens);
    return true;
}

static bool read_operands(GraphReader *reader, NodeLine *line) {
    while (current(reader)->kind == TOKEN_ID) {
        ARENA_ROOM(reader->tokens.arena, reader->operands, line->count, reader->operand_capacity);
        if (!read_node_id(reader, &reader->operands[line->count])) return false;
        line->broken |= reader->operands[line->count++] == NODE_NONE;
    }
    line->operands = reader->operands;
    return true;
}

/* -- attributes, by kind -- */

static bool read_nothing(GraphReader *reader, NodeLine *line) {
    (void)reader, (void)line;
    return true;
}

static bool read_init(GraphReader *reader, Init *init) {
    int kind = 0;
    while (kind < INIT_KINDS && !token_is(current(reader), TOKEN_WORD, text_inits[kind].name))
        kind++;
    if (kind == INIT_KINDS)
        return unknown_word(reader, "a first value such as constant(0)", init_at);
    init->kind = (InitKind)kind;
    tokens_next(&reader->tokens);
    if (!read_sign(reader, "(") || !read_float(reader, &init->a)) return false;
    if (text_inits[kind].numbers > 1 && !(read_sign(reader, ",") && read_float(reader, &init->b)))
        return false;
    return read_sign(reader, ")");
}

static bool read_state(GraphReader *reader, NodeLine *line) {
    line->symbol.kind = SYMBOL_STATE;
    line->symbol.trainable = accept(reader, TOKEN_WORD, "trainable");
    Span name = current(reader)->span;
    if (!read_string(reader, &line->symbol.name) || !read_init(reader, &line->symbol.init))
        return false;
    if (line->type.dtype == DTYPE_F32 || line->symbol.init.kind == INIT_CONSTANT ||
        line->symbol.init.kind == INIT_FITTED)
        return true;
    diag_error(reader->graph->diag, STATUS_MODEL, name,
               "only an f32 state can start from random values");
    return false;
}

static bool read_input(GraphReader *reader, NodeLine *line) {
    if (accept(reader, TOKEN_WORD, "batch"))
        line->symbol.kind = SYMBOL_BATCH;
    else if (accept(reader, TOKEN_WORD, "value"))
        line->symbol.kind = SYMBOL_VALUE;
    else
        return expected(reader, "batch or value");
    if (line->symbol.kind == SYMBOL_BATCH && line->type.shape.rank == 0)
        return error_here(reader, "a batch has at least one axis");
    return read_string(reader, &line->symbol.name);
}

static bool read_symbol(GraphReader *reader, NodeLine *line) {
    if (!(line->op == OP_state ? read_state : read_input)(reader, line)) return false;
    if (!graph_symbol(reader->graph, line->symbol.name)) return true;
    diag_error(reader->graph->diag, STATUS_MODEL, line->span,
               "'%s' is already the name of an input or state", line->symbol.name);
    return false;
}

static bool read_value(GraphReader *reader, NodeLine *line) {
    int64_t value;
    if (line->type.dtype == DTYPE_F32) return read_float(reader, &line->attrs.value.f);
    if (line->type.dtype == DTYPE_BOOL) {
        line->attrs.value.bits = accept(reader, TOKEN_WORD, "true");
        return line->attrs.value.bits || accept(reader, TOKEN_WORD, "false") ||
               expected(reader, "true or false");
    }
    bool is_byte = line->type.dtype == DTYPE_U8;
    if (!read_integer(reader, is_byte ? 0 : INT32_MIN, is_byte ? UINT8_MAX : INT32_MAX, &value))
        return false;
    line->attrs.value.i = (int32_t)value;
    return true;
}

static bool read_axis(GraphReader *reader, NodeLine *line) {
    int64_t axis;
    if (!read_word(reader, "axis") || !read_sign(reader, "=") ||
        !read_integer(reader, 0, SHAPE_MAX_RANK - 1, &axis))
        return false;
    line->attrs.axis = (int32_t)axis;
    return true;
}

static bool read_number(GraphReader *reader, const char *name, uint32_t *number) {
    int64_t value;
    if (!read_word(reader, name) || !read_sign(reader, "=") ||
        !read_integer(reader, 0, UINT32_MAX, &value))
        return false;
    *number = (uint32_t)value;
    return true;
}

static bool read_random(GraphReader *reader, NodeLine *line) {
    return read_number(reader, "stream", &line->attrs.random.stream) &&
           read_number(reader, "substream", &line->attrs.random.substream);
}

/* Reads name=[number,...]. */
static bool read_list(GraphReader *reader, const char *name, int length, int64_t *values) {
    if (!read_word(reader, name) || !read_sign(reader, "=") || !read_sign(reader, "["))
        return false;
    for (int i = 0; i < length; i++) {
        if (i && !read_sign(reader, ",")) return false;
        if (!read_integer(reader, 0, SHAPE_MAX_ELEMENTS, &values[i])) return false;
    }
    char end[48];
    snprintf(end, sizeof end, "']' after %d number%s", length, length == 1 ? "" : "s");
    return token_is(current(reader), TOKEN_SIGN, "]") ? read_sign(reader, "]")
                                                      : expected(reader, end);
}

static bool read_lists(GraphReader *reader, NodeLine *line) {
    const AttrList *lists = text_lists[op_attrs(line->op)];
    if (line->broken) return false; /* the rank of a bad operand is not known */
    int rank = line->count ? graph_node(reader->graph, line->operands[0])->shape.rank : 0;
    for (int l = 0; l < TEXT_LISTS && lists[l].name; l++) {
        int64_t *numbers = (int64_t *)((char *)&line->attrs + lists[l].offset);
        if (!read_list(reader, lists[l].name, lists[l].length ? lists[l].length : rank, numbers))
            return false;
    }
    return true;
}

static bool read_flags(GraphReader *reader, NodeLine *line) {
    line->attrs.matmul.transpose_a = accept(reader, TOKEN_WORD, "transpose_a");
    line->attrs.matmul.transpose_b = accept(reader, TOKEN_WORD, "transpose_b");
    return true;
}

static bool (*const attrs_readers[ATTRS_KINDS])(GraphReader *, NodeLine *) = {
    [ATTRS_NONE] = read_nothing,  [ATTRS_SYMBOL] = read_symbol, [ATTRS_VALUE] = read_value,
    [ATTRS_AXIS] = read_axis,     [ATTRS_PERM] = read_lists,    [ATTRS_RANGE] = read_lists,
    [ATTRS_PAD] = read_lists,     [ATTRS_WINDOW] = read_lists,  [ATTRS_CONV] = read_lists,
    [ATTRS_RANDOM] = read_random, [ATTRS_MATMUL] = read_flags};

/* -- lines -- */

static NodeId build_line(Graph *graph, const NodeLine *line) {
    AttrsKind kind = op_attrs(line->op);
    graph->span = line->span;
    if (kind == ATTRS_SYMBOL) {
        const Symbol *symbol = &line->symbol;
        if (line->op == OP_state)
            return graph_state(graph, symbol->name, line->type.dtype, line->type.shape,
                               symbol->init, symbol->trainable);
        return graph_input(graph, symbol->kind, symbol->name, line->type.dtype, line->type.shape);
    }
    if (kind == ATTRS_VALUE) return build_constant(graph, line->type, line->attrs.value.bits);
    return graph_add(graph, line->op, line->operands, line->count, &line->attrs, &line->type);
}

/* The type in the line must be the one that the builder inferred. */
static bool check_type(GraphReader *reader, const NodeLine *line, NodeId id) {
    const Node *node = graph_node(reader->graph, id);
    if (node->dtype == line->type.dtype && shape_equal(node->shape, line->type.shape)) return true;
    char inferred[SHAPE_TEXT];
    diag_error(reader->graph->diag, STATUS_MODEL, line->type_span, "the result of %s is %s",
               op_name(line->op), shape_text(node->dtype, node->shape, inferred));
    return false;
}

static bool read_op(GraphReader *reader, NodeLine *line) {
    const TextToken *token = current(reader);
    if (token->kind != TOKEN_WORD || !op_from_name(token->text, strlen(token->text), &line->op))
        return unknown_word(reader, "an op", op_at);
    tokens_next(&reader->tokens);
    return true;
}

static bool read_definition(GraphReader *reader, NodeLine *line) {
    return read_sign(reader, "=") && read_op(reader, line) && read_type(reader, line) &&
           read_operands(reader, line) && attrs_readers[op_attrs(line->op)](reader, line) &&
           read_line_end(reader) && !line->broken;
}

/* A node whose definition is wrong counts as defined, so its uses are no further errors. */
static void read_node(GraphReader *reader) {
    NodeLine line = {.span = current(reader)->span};
    uint32_t number = id_here(reader);
    if (!number) return;
    if (is_defined(reader, number)) {
        diag_error(reader->graph->diag, STATUS_MODEL, line.span, "%s is defined twice",
                   current(reader)->text);
        return;
    }
    tokens_next(&reader->tokens);
    while (number >= reader->named_capacity)
        ARENA_ROOM(reader->tokens.arena, reader->named, reader->named_capacity,
                   reader->named_capacity);
    reader->named[number].defined = true;
    if (!read_definition(reader, &line)) return;
    line.span.end = current(reader)->span.begin;
    NodeId id = build_line(reader->graph, &line);
    if (id && check_type(reader, &line, id)) reader->named[number].node = id;
}

static void read_output(GraphReader *reader) {
    const char *name = NULL;
    NodeId node;
    Span span = current(reader)->span;
    if (!read_string(reader, &name) || !read_node_id(reader, &node) || !read_line_end(reader))
        return;
    for (uint32_t i = 0; i < reader->graph->output_count; i++) {
        if (strcmp(reader->graph->outputs[i].name, name) != 0) continue;
        diag_error(reader->graph->diag, STATUS_MODEL, span, "there is already an output '%s'",
                   name);
        return;
    }
    graph_output(reader->graph, name, node);
}

static bool check_update(GraphReader *reader, Span span, NodeId state, NodeId value) {
    const Node *to = graph_node(reader->graph, state), *from = graph_node(reader->graph, value);
    char has[SHAPE_TEXT], gets[SHAPE_TEXT];
    const char *finding = NULL;
    if (to->op != OP_state)
        finding = "only a state can be updated";
    else if (reader->graph->symbols[to->attrs.symbol].update)
        finding = "this state is updated twice";
    if (finding) diag_error(reader->graph->diag, STATUS_MODEL, span, "%s", finding);
    if (finding) return false;
    if (to->dtype == from->dtype && shape_equal(to->shape, from->shape)) return true;
    diag_error(reader->graph->diag, STATUS_MODEL, span, "the state is %s, its update %s",
               shape_text(to->dtype, to->shape, has), shape_text(from->dtype, from->shape, gets));
    return false;
}

static void read_update(GraphReader *reader) {
    NodeId state, value;
    Span span = current(reader)->span;
    if (!read_node_id(reader, &state) || !read_node_id(reader, &value) || !read_line_end(reader))
        return;
    if (state && value && check_update(reader, span, state, value))
        graph_update(reader->graph, state, value);
}

static void read_line(GraphReader *reader) {
    if (current(reader)->kind == TOKEN_END) return;
    if (current(reader)->kind == TOKEN_ID)
        read_node(reader);
    else if (accept(reader, TOKEN_WORD, "output"))
        read_output(reader);
    else if (accept(reader, TOKEN_WORD, "update"))
        read_update(reader);
    else
        expected(reader, "a node (%1 = ...), output or update");
}

/* -- the whole text -- */

/* Reads a line of the head, which begins with `word`, after empty lines and comments. */
static bool read_head(GraphReader *reader, const char *word) {
    while (current(reader)->kind == TOKEN_END)
        if (!tokens_next_line(&reader->tokens)) return expected(reader, word);
    return read_word(reader, word);
}

static bool read_version(GraphReader *reader) {
    if (!read_head(reader, "mlc-ir")) {
        diag_help(reader->graph->diag,
                  "a graph in text form begins with 'mlc-ir 1'; 'mlc dump-ir FILE.mdl' prints one");
        return false;
    }
    if (accept(reader, TOKEN_NUMBER, "1")) return read_line_end(reader);
    if (current(reader)->kind != TOKEN_NUMBER) return expected(reader, "the version, 1");
    return error_here(reader, "this mlc reads version 1 of the text form only");
}

static bool read_name(GraphReader *reader) {
    const char *name = NULL;
    if (!read_head(reader, "graph") || !read_string(reader, &name) || !read_line_end(reader))
        return false;
    reader->graph->name = arena_copy_string(reader->graph->arena, name, strlen(name));
    return true;
}

static void read_text(GraphReader *reader) {
    tokens_next(&reader->tokens);
    if (!read_version(reader) || !read_name(reader)) return;
    while (tokens_next_line(&reader->tokens)) read_line(reader);
}

Graph *graph_read(const char *name, const char *text, size_t length, Diagnostics *diag) {
    size_t errors = diag_errors(diag);
    if (length > TEXT_MAX_BYTES) {
        diag_error(diag, STATUS_MODEL, (Span){0}, "%s: a graph as text has at most 16 MB", name);
        return NULL;
    }
    Arena *scratch = arena_new();
    GraphReader reader = {.graph = graph_new("", diag)};
    reader.tokens =
        (Tokens){.text = text, .length = (uint32_t)length, .arena = scratch, .diag = diag};
    reader.tokens.file = diag_add_text(diag, name, text, length);
    read_text(&reader);
    arena_free(scratch);
    reader.graph->span = (Span){0};
    if (diag_errors(diag) == errors) return reader.graph;
    graph_free(reader.graph);
    return NULL;
}
