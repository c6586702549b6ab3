/* Reads the attributes of a node: a function for each kind. */
#include "ir/graph/text.h"
#include "ir/text/reader.h"

#include <stdio.h>
#include <string.h>

static bool read_nothing(GraphReader *reader, NodeLine *line) {
    (void)reader, (void)line;
    return true;
}

static const char *init_at(int i) { return i < INIT_KINDS ? text_inits[i].name : NULL; }

static bool read_init(GraphReader *reader, Init *init) {
    int kind = 0;
    while (kind < INIT_KINDS && !token_is(line_token(reader), TOKEN_WORD, text_inits[kind].name))
        kind++;
    if (kind == INIT_KINDS)
        return line_unknown(reader, "a first value such as constant(0)", init_at);
    init->kind = (InitKind)kind;
    tokens_next(&reader->tokens);
    if (!line_sign(reader, "(") || !line_float(reader, &init->a)) return false;
    if (text_inits[kind].numbers > 1 && !(line_sign(reader, ",") && line_float(reader, &init->b)))
        return false;
    return line_sign(reader, ")");
}

static bool read_state(GraphReader *reader, NodeLine *line) {
    line->symbol.kind = SYMBOL_STATE;
    line->symbol.trainable = line_accept(reader, TOKEN_WORD, "trainable");
    Span name = line_token(reader)->span;
    if (!line_string(reader, &line->symbol.name) || !read_init(reader, &line->symbol.init))
        return false;
    if (line->type.dtype == DTYPE_F32 || line->symbol.init.kind == INIT_CONSTANT ||
        line->symbol.init.kind == INIT_FITTED)
        return true;
    diag_error(reader->graph->diag, STATUS_MODEL, name,
               "only an f32 state can start from random values");
    return false;
}

static bool read_input(GraphReader *reader, NodeLine *line) {
    if (line_accept(reader, TOKEN_WORD, "batch"))
        line->symbol.kind = SYMBOL_BATCH;
    else if (line_accept(reader, TOKEN_WORD, "value"))
        line->symbol.kind = SYMBOL_VALUE;
    else
        return line_expected(reader, "batch or value");
    if (line->symbol.kind == SYMBOL_BATCH && line->type.shape.rank == 0)
        return line_error(reader, "a batch has at least one axis");
    return line_string(reader, &line->symbol.name);
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
    if (line->type.dtype == DTYPE_F32) return line_float(reader, &line->attrs.value.f);
    if (line->type.dtype == DTYPE_BOOL) {
        line->attrs.value.bits = line_accept(reader, TOKEN_WORD, "true");
        return line->attrs.value.bits || line_accept(reader, TOKEN_WORD, "false") ||
               line_expected(reader, "true or false");
    }
    static const int32_t
        least[DTYPE_COUNT] = {[DTYPE_I32] = INT32_MIN, [DTYPE_I8] = INT8_MIN},
        most[DTYPE_COUNT] = {
            [DTYPE_I32] = INT32_MAX, [DTYPE_U8] = UINT8_MAX, [DTYPE_I8] = INT8_MAX};
    DType dtype = line->type.dtype;
    if (!line_integer(reader, least[dtype], most[dtype], &value)) return false;
    line->attrs.value.bits = dtype == DTYPE_I8 ? (uint8_t)value : (uint32_t)value;
    return true;
}

static bool read_axis(GraphReader *reader, NodeLine *line) {
    int64_t axis;
    if (!line_word(reader, "axis") || !line_sign(reader, "=") ||
        !line_integer(reader, 0, SHAPE_MAX_RANK - 1, &axis))
        return false;
    line->attrs.axis = (int32_t)axis;
    return true;
}

static bool read_number(GraphReader *reader, const char *name, uint32_t *number) {
    int64_t value;
    if (!line_word(reader, name) || !line_sign(reader, "=") ||
        !line_integer(reader, 0, UINT32_MAX, &value))
        return false;
    *number = (uint32_t)value;
    return true;
}

static bool read_random(GraphReader *reader, NodeLine *line) {
    RandomNumbers *numbers = &line->attrs.random;
    return read_number(reader, "stream", &numbers->stream) &&
           read_number(reader, "substream", &numbers->substream) &&
           read_number(reader, "row", &numbers->row);
}

/* Reads name=[number,...]. */
static bool read_list(GraphReader *reader, const char *name, int length, int64_t *values) {
    if (!line_word(reader, name) || !line_sign(reader, "=") || !line_sign(reader, "["))
        return false;
    for (int i = 0; i < length; i++) {
        if (i && !line_sign(reader, ",")) return false;
        if (!line_integer(reader, 0, SHAPE_MAX_ELEMENTS, &values[i])) return false;
    }
    char end[48];
    snprintf(end, sizeof end, "']' after %d number%s", length, length == 1 ? "" : "s");
    return token_is(line_token(reader), TOKEN_SIGN, "]") ? line_sign(reader, "]")
                                                         : line_expected(reader, end);
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
    line->attrs.matmul.transpose_a = line_accept(reader, TOKEN_WORD, "transpose_a");
    line->attrs.matmul.transpose_b = line_accept(reader, TOKEN_WORD, "transpose_b");
    return true;
}

bool line_attributes(GraphReader *reader, NodeLine *line) {
    static bool (*const readers[ATTRS_KINDS])(GraphReader *, NodeLine *) = {
        [ATTRS_NONE] = read_nothing,  [ATTRS_SYMBOL] = read_symbol, [ATTRS_VALUE] = read_value,
        [ATTRS_AXIS] = read_axis,     [ATTRS_PERM] = read_lists,    [ATTRS_RANGE] = read_lists,
        [ATTRS_PAD] = read_lists,     [ATTRS_WINDOW] = read_lists,  [ATTRS_CONV] = read_lists,
        [ATTRS_RANDOM] = read_random, [ATTRS_MATMUL] = read_flags};
    return readers[op_attrs(line->op)](reader, line);
}
