/* The text form of a graph: one line a node, in order, then outputs and updates. */
#include "ir/graph/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

const AttrList text_lists[ATTRS_KINDS][TEXT_LISTS] = {
    [ATTRS_PERM] = {{"perm", offsetof(Attrs, perm), 0}},
    [ATTRS_RANGE] = {{"start", offsetof(Attrs, range.start), 0},
                     {"stop", offsetof(Attrs, range.stop), 0},
                     {"step", offsetof(Attrs, range.step), 0}},
    [ATTRS_PAD] = {{"before", offsetof(Attrs, pad.before), 0},
                   {"after", offsetof(Attrs, pad.after), 0}},
    [ATTRS_WINDOW] = {{"kernel", offsetof(Attrs, window.kernel), 2},
                      {"stride", offsetof(Attrs, window.stride), 2},
                      {"dilation", offsetof(Attrs, window.dilation), 2}},
    [ATTRS_CONV] = {{"stride", offsetof(Attrs, conv.stride), 2},
                    {"dilation", offsetof(Attrs, conv.dilation), 2},
                    {"groups", offsetof(Attrs, conv.groups), 1}}};

const TextInit text_inits[INIT_KINDS] = {[INIT_CONSTANT] = {"constant", 1},
                                         [INIT_UNIFORM] = {"uniform", 2},
                                         [INIT_NORMAL] = {"normal", 2},
                                         [INIT_ORTHOGONAL] = {"orthogonal", 1},
                                         [INIT_FITTED] = {"fitted", 1}};

enum { TEXT_FLOAT = 32 };

/* The shortest decimal number that reads back as the same f32; "nan", "inf", "-inf". */
static const char *text_float(float value, char buffer[TEXT_FLOAT]) {
    if (isnan(value)) return "nan"; /* whatever its sign */
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(buffer, TEXT_FLOAT, "%.*g", digits, (double)value);
        if (strtof(buffer, NULL) == value) break;
    }
    return buffer;
}

static void print_string(const char *text, FILE *out) {
    fputc('"', out);
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if ((unsigned char)*c < 32 || *c == 127)
            fprintf(out, "\\x%02x", (unsigned)(unsigned char)*c);
        else
            fputc(*c, out);
    }
    fputc('"', out);
}

/* -- attributes, by kind -- */

static void print_symbol(const Graph *graph, const Node *node, FILE *out) {
    const Symbol *symbol = &graph->symbols[node->attrs.symbol];
    static const char *const words[] = {
        [SYMBOL_BATCH] = " batch ", [SYMBOL_VALUE] = " value ", [SYMBOL_STATE] = " "};
    fputs(symbol->trainable ? " trainable " : words[symbol->kind], out);
    print_string(symbol->name, out);
    if (symbol->kind == SYMBOL_STATE) {
        Init init = symbol->init;
        char a[TEXT_FLOAT], b[TEXT_FLOAT];
        fprintf(out, " %s(%s", text_inits[init.kind].name, text_float(init.a, a));
        if (text_inits[init.kind].numbers > 1) fprintf(out, ", %s", text_float(init.b, b));
        fputc(')', out);
    }
}

static void print_value(const Graph *graph, const Node *node, FILE *out) {
    (void)graph;
    char text[TEXT_FLOAT];
    if (node->dtype == DTYPE_F32)
        fprintf(out, " %s", text_float(node->attrs.value.f, text));
    else if (node->dtype == DTYPE_I32)
        fprintf(out, " %" PRId32, node->attrs.value.i);
    else if (node->dtype == DTYPE_U8)
        fprintf(out, " %u", node->attrs.value.bits & 0xff);
    else if (node->dtype == DTYPE_I8)
        fprintf(out, " %d", (int8_t)(node->attrs.value.bits & 0xff));
    else
        fputs(node->attrs.value.bits & 0xff ? " true" : " false", out);
}

static void print_axis(const Graph *graph, const Node *node, FILE *out) {
    (void)graph;
    fprintf(out, " axis=%d", node->attrs.axis);
}

static void print_lists(const Graph *graph, const Node *node, FILE *out) {
    const AttrList *lists = text_lists[op_attrs(node->op)];
    for (int l = 0; l < TEXT_LISTS && lists[l].name; l++) {
        const int64_t *numbers = (const int64_t *)((const char *)&node->attrs + lists[l].offset);
        int length = lists[l].length ? lists[l].length : graph_operand(graph, node, 0)->shape.rank;
        fprintf(out, " %s=[", lists[l].name);
        for (int i = 0; i < length; i++) fprintf(out, "%s%" PRId64, i ? "," : "", numbers[i]);
        fputc(']', out);
    }
}

static void print_random(const Graph *graph, const Node *node, FILE *out) {
    (void)graph;
    const RandomNumbers *numbers = &node->attrs.random;
    fprintf(out, " stream=%" PRIu32 " substream=%" PRIu32 " row=%" PRIu32, numbers->stream,
            numbers->substream, numbers->row);
}

static void print_flags(const Graph *graph, const Node *node, FILE *out) {
    (void)graph;
    if (node->attrs.matmul.transpose_a) fputs(" transpose_a", out);
    if (node->attrs.matmul.transpose_b) fputs(" transpose_b", out);
}

static void print_nothing(const Graph *graph, const Node *node, FILE *out) {
    (void)graph, (void)node, (void)out;
}

void text_print_attrs(const Graph *graph, const Node *node, FILE *out) {
    static void (*const printers[ATTRS_KINDS])(const Graph *, const Node *, FILE *) = {
        [ATTRS_NONE] = print_nothing,  [ATTRS_SYMBOL] = print_symbol, [ATTRS_VALUE] = print_value,
        [ATTRS_AXIS] = print_axis,     [ATTRS_PERM] = print_lists,    [ATTRS_RANGE] = print_lists,
        [ATTRS_PAD] = print_lists,     [ATTRS_WINDOW] = print_lists,  [ATTRS_CONV] = print_lists,
        [ATTRS_RANDOM] = print_random, [ATTRS_MATMUL] = print_flags};
    printers[op_attrs(node->op)](graph, node, out);
}

void text_print_node(const Graph *graph, NodeId id, FILE *out) {
    const Node *node = graph_node(graph, id);
    char type[SHAPE_TEXT];
    fprintf(out, "%%%" PRIu32 " = %s %s", id, op_name(node->op),
            shape_text(node->dtype, node->shape, type));
    for (uint32_t i = 0; i < node->operand_count; i++)
        fprintf(out, " %%%" PRIu32, node->operands[i]);
    text_print_attrs(graph, node, out);
    fputc('\n', out);
}

void graph_print(const Graph *graph, FILE *out) {
    fprintf(out, "mlc-ir %d\ngraph ", TEXT_VERSION);
    print_string(graph->name, out);
    fputc('\n', out);
    for (NodeId id = 1; id < graph->node_count; id++) text_print_node(graph, id, out);
    for (uint32_t i = 0; i < graph->output_count; i++) {
        fputs("output ", out);
        print_string(graph->outputs[i].name, out);
        fprintf(out, " %%%" PRIu32 "\n", graph->outputs[i].node);
    }
    /* Updates come in the order of the states' nodes, which is the order in which a reader meets
     * the states. */
    for (NodeId id = 1; id < graph->node_count; id++) {
        const Node *node = graph_node(graph, id);
        NodeId update =
            node->op == OP_state ? graph->symbols[node->attrs.symbol].update : NODE_NONE;
        if (update) fprintf(out, "update %%%" PRIu32 " %%%" PRIu32 "\n", id, update);
    }
}
