/* A graph as a Graphviz picture. Inputs and states have boxes; constants are many, so they are
 * written into the nodes that use them. */
#include "ir/graph/text.h"

#include <inttypes.h>

/* Prints into a dot string. */
static void print_escaped(const char *text, FILE *out) {
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') fputc('\\', out);
        fputc((unsigned char)*text < 32 ? ' ' : *text, out);
    }
}

static bool is_constant(const Node *node) { return node->op == OP_constant; }

static void print_type(const Node *node, FILE *out) {
    char type[SHAPE_TEXT];
    fprintf(out, "\\n%s", shape_text(node->dtype, node->shape, type));
}

static void print_node(const Graph *graph, NodeId id, FILE *out) {
    const Node *node = graph_node(graph, id);
    fprintf(out, "    n%" PRIu32 " [label=\"%%%" PRIu32 " %s", id, id, op_name(node->op));
    /* numbers and words only: nothing to escape */
    if (op_class(node->op) != CLASS_LEAF) text_print_attrs(graph, node, out);
    for (uint32_t i = 0; i < node->operand_count; i++) {
        if (!is_constant(graph_operand(graph, node, i))) continue;
        fprintf(out, "\\noperand %" PRIu32 ":", i + 1);
        text_print_attrs(graph, graph_operand(graph, node, i), out);
    }
    print_type(node, out);
    fprintf(out, "\"%s];\n",
            op_class(node->op) == CLASS_MATRIX ? ", style=filled, fillcolor=lightgrey" : "");
}

static void print_symbols(const Graph *graph, bool states, FILE *out) {
    fprintf(out, "    subgraph cluster_%s {\n        label=\"%s\";\n", states ? "states" : "inputs",
            states ? "states" : "inputs");
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (symbol->node && (symbol->kind == SYMBOL_STATE) == states) {
            fprintf(out, "        n%" PRIu32 " [label=\"", symbol->node);
            print_escaped(symbol->name, out);
            print_type(graph_node(graph, symbol->node), out);
            fprintf(out, "\", shape=%s];\n",
                    symbol->kind != SYMBOL_STATE ? "invhouse"
                    : symbol->trainable          ? "cylinder"
                                                 : "box3d");
        }
    }
    fputs("    }\n", out);
}

/* An output or update may be a constant: then the constant has a box. */
static void print_results(const Graph *graph, FILE *out) {
    for (uint32_t i = 0; i < graph->output_count; i++) {
        NodeId id = graph->outputs[i].node;
        fprintf(out, "    o%" PRIu32 " [label=\"", i);
        print_escaped(graph->outputs[i].name, out);
        fprintf(out, "\", shape=house];\n    n%" PRIu32 " -> o%" PRIu32 ";\n", id, i);
        if (is_constant(graph_node(graph, id))) print_node(graph, id, out);
    }
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        NodeId id = graph->symbols[i].update;
        if (!id) continue;
        fprintf(out,
                "    n%" PRIu32 " -> n%" PRIu32
                " [style=dashed, constraint=false, label=\"update\"];\n",
                id, graph->symbols[i].node);
        if (is_constant(graph_node(graph, id))) print_node(graph, id, out);
    }
}

void graph_print_dot(const Graph *graph, FILE *out) {
    fputs("digraph \"", out);
    print_escaped(graph->name, out);
    fputs("\" {\n    node [shape=box, fontname=\"sans-serif\", fontsize=10];\n", out);
    print_symbols(graph, false, out);
    print_symbols(graph, true, out);
    for (NodeId id = 1; id < graph->node_count; id++) {
        const Node *node = graph_node(graph, id);
        if (is_constant(node) || op_attrs(node->op) == ATTRS_SYMBOL) continue;
        print_node(graph, id, out);
        for (uint32_t i = 0; i < node->operand_count; i++)
            if (!is_constant(graph_operand(graph, node, i)))
                fprintf(out, "    n%" PRIu32 " -> n%" PRIu32 ";\n", node->operands[i], id);
    }
    print_results(graph, out);
    fputs("}\n", out);
}
