/* Outputs in the units of the data: a network that learns log(price) also answers with the price.
 * GRAPH_UNITS has the way back; its nodes are added to the graph of the predictions. */
#include "cli/commands/exporting.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    OnnxFile *file;
    Graph *to;
    const Graph *from;
    NodeId *map; /* [node of from] */
} UnitsCopy;

/* The rest of a name after the prefix "number:"; NULL: it has another prefix. */
static const char *after(const char *name, const char *prefix) {
    size_t length = strlen(prefix);
    return !strncmp(name, prefix, length) && name[length] == ':' ? name + length + 1 : NULL;
}

/* A fitted value becomes a state, which state_values fills. */
static NodeId copy_symbol(const UnitsCopy *copy, const Symbol *symbol) {
    const char *output = after(symbol->name, UNITS_PREDICTION),
               *number = after(symbol->name, UNITS_NUMBER);
    const Symbol *known = graph_symbol(copy->to, symbol->name);
    const char *name = arena_format(copy->to->arena, "%s", symbol->name);
    if (output) return graph_output_node(copy->to, output);
    if (number) return build_f32(copy->to, strtod(number, NULL), symbol->shape);
    if (known && known->node) return known->node;
    if (symbol->kind == SYMBOL_BATCH)
        return graph_input(copy->to, SYMBOL_BATCH, name, symbol->dtype, symbol->shape);
    return graph_state(copy->to, name, symbol->dtype, symbol->shape, symbol->init, false);
}

/* Copies the nodes that an output needs. */
static NodeId copy_output(const UnitsCopy *copy, NodeId output) {
    bool *needed = ARENA_ARRAY(copy->file->arena, bool, output);
    needed[output] = true;
    for (NodeId id = output; id > 0; id--)
        for (uint32_t i = 0; needed[id] && i < graph_node(copy->from, id)->operand_count; i++)
            needed[graph_node(copy->from, id)->operands[i]] = true;
    for (NodeId id = 1; id <= output; id++) {
        const Node *node = graph_node(copy->from, id);
        if (!needed[id] || copy->map[id]) continue;
        bool symbol = node->op == OP_input || node->op == OP_state;
        copy->map[id] = symbol ? copy_symbol(copy, &copy->from->symbols[node->attrs.symbol])
                               : graph_copy_node(copy->to, copy->from, id, copy->map);
    }
    return copy->map[output];
}

bool export_units(OnnxFile *file, Graph *graph, uint32_t rows, Diagnostics *diag) {
    const Build *build = &file->exporting->session.build;
    bool any = false;
    for (uint32_t i = 0; i < build->info->output_count; i++)
        any |= build->info->outputs[i].target.converted;
    if (!any) return true;
    Graph *units = model_graph(build->model, GRAPH_UNITS, rows, diag);
    if (!units) return false;
    UnitsCopy copy = {file, graph, units, ARENA_ARRAY(file->arena, NodeId, units->node_count)};
    for (uint32_t i = 0; i < build->info->output_count; i++) {
        const ModelOutput *output = &build->info->outputs[i];
        const char *name = arena_format(file->arena, UNITS_PREDICTION ":%s", output->name);
        NodeId node = output->target.converted ? graph_output_node(units, name) : NODE_NONE;
        if (node)
            graph_output(graph, arena_format(graph->arena, "%s.units", output->name),
                         copy_output(&copy, node));
    }
    graph_free(units);
    return true;
}
