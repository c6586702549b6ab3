/* Reads the text form. Each line is read by itself, so one run reports the errors of all lines. The
 * builder makes the nodes: it checks shapes, folds constants and merges equal nodes. Ids in the
 * text need not be dense: they are mapped. */
#include "ir/graph/text.h"
#include "ir/text/reader.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX_BYTES = 16 << 20 };

/* -- ids and operands -- */

/* The id in the current token; 0 after reporting another token. */
static uint32_t id_here(GraphReader *reader) {
    if (line_token(reader)->kind != TOKEN_ID)
        return line_expected(reader, "the id of a node (%1, %2, ...)"), 0;
    const char *digits = line_token(reader)->text + 1;
    unsigned long id = strlen(digits) <= 9 ? strtoul(digits, NULL, 10) : 0;
    if (id >= 1 && id <= GRAPH_MAX_NODES) return (uint32_t)id;
    diag_error(reader->graph->diag, STATUS_MODEL, line_token(reader)->span,
               "ids go from %%1 to %%%d", GRAPH_MAX_NODES);
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
        diag_error(reader->graph->diag, STATUS_MODEL, line_token(reader)->span,
                   "%s is not defined before this line", line_token(reader)->text);
        return false;
    }
    *node = reader->named[id].node;
    tokens_next(&reader->tokens);
    return true;
}

static bool read_operands(GraphReader *reader, NodeLine *line) {
    while (line_token(reader)->kind == TOKEN_ID) {
        ARENA_ROOM(reader->tokens.arena, reader->operands, line->count, reader->operand_capacity);
        if (!read_node_id(reader, &reader->operands[line->count])) return false;
        line->broken |= reader->operands[line->count++] == NODE_NONE;
    }
    line->operands = reader->operands;
    return true;
}

/* -- lines -- */

static const char *op_at(int i) { return i < OP_COUNT ? op_name((Op)i) : NULL; }

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
    const TextToken *token = line_token(reader);
    if (token->kind != TOKEN_WORD || !op_from_name(token->text, strlen(token->text), &line->op))
        return line_unknown(reader, "an op", op_at);
    tokens_next(&reader->tokens);
    return true;
}

static bool read_definition(GraphReader *reader, NodeLine *line) {
    return line_sign(reader, "=") && read_op(reader, line) && line_type(reader, line) &&
           read_operands(reader, line) && line_attributes(reader, line) && line_end(reader) &&
           !line->broken;
}

/* A node whose definition is wrong counts as defined, so its uses are no further errors. */
static void read_node(GraphReader *reader) {
    NodeLine line = {.span = line_token(reader)->span};
    uint32_t number = id_here(reader);
    if (!number) return;
    if (is_defined(reader, number)) {
        diag_error(reader->graph->diag, STATUS_MODEL, line.span, "%s is defined twice",
                   line_token(reader)->text);
        return;
    }
    tokens_next(&reader->tokens);
    while (number >= reader->named_capacity)
        ARENA_ROOM(reader->tokens.arena, reader->named, reader->named_capacity,
                   reader->named_capacity);
    reader->named[number].defined = true;
    if (!read_definition(reader, &line)) return;
    line.span.end = line_token(reader)->span.begin;
    NodeId id = build_line(reader->graph, &line);
    if (id && check_type(reader, &line, id)) reader->named[number].node = id;
}

static void read_output(GraphReader *reader) {
    const char *name = NULL;
    NodeId node;
    Span span = line_token(reader)->span;
    if (!line_string(reader, &name) || !read_node_id(reader, &node) || !line_end(reader)) return;
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
    Span span = line_token(reader)->span;
    if (!read_node_id(reader, &state) || !read_node_id(reader, &value) || !line_end(reader)) return;
    if (state && value && check_update(reader, span, state, value))
        graph_update(reader->graph, state, value);
}

static void read_line(GraphReader *reader) {
    if (line_token(reader)->kind == TOKEN_END) return;
    if (line_token(reader)->kind == TOKEN_ID)
        read_node(reader);
    else if (line_accept(reader, TOKEN_WORD, "output"))
        read_output(reader);
    else if (line_accept(reader, TOKEN_WORD, "update"))
        read_update(reader);
    else
        line_expected(reader, "a node (%1 = ...), output or update");
}

/* -- the whole text -- */

/* Reads a line of the head, which begins with `word`, after empty lines and comments. */
static bool read_head(GraphReader *reader, const char *word) {
    while (line_token(reader)->kind == TOKEN_END)
        if (!tokens_next_line(&reader->tokens)) return line_expected(reader, word);
    return line_word(reader, word);
}

static bool read_version(GraphReader *reader) {
    if (!read_head(reader, "mlc-ir")) {
        diag_help(reader->graph->diag,
                  "a graph in text form begins with 'mlc-ir 1'; 'mlc dump-ir FILE.mdl' prints one");
        return false;
    }
    if (line_accept(reader, TOKEN_NUMBER, "1")) return line_end(reader);
    if (line_token(reader)->kind != TOKEN_NUMBER) return line_expected(reader, "the version, 1");
    return line_error(reader, "this mlc reads version 1 of the text form only");
}

static void read_text(GraphReader *reader) {
    const char *name = NULL;
    tokens_next(&reader->tokens);
    if (!read_version(reader) || !read_head(reader, "graph") || !line_string(reader, &name) ||
        !line_end(reader))
        return;
    reader->graph->name = arena_copy_string(reader->graph->arena, name, strlen(name));
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
