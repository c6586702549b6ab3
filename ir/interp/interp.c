/* The reference interpreter: every live node in order, each by its evaluator. */
#include "ir/interp/interp.h"
#include "ir/eval/eval.h"
#include "ir/base/memory.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The new value of a state. If it is itself a state, it may be updated first: then `aside` holds a
 * copy of the old value. */
typedef struct {
    NodeId state, value;
    void *aside; /* NULL: the value can be copied directly */
} Update;

struct Interp {
    const Graph *graph;
    Precision precision;
    Arena *arena;
    bool *live;
    void **values; /* [node_count] */
    Update *updates;
    uint32_t update_count;
};

static void evaluate(Interp *interp, NodeId id, Arena *scratch) {
    const Node *node = graph_node(interp->graph, id);
    const Node *few_operands[4], **operands = few_operands;
    const void *few_in[4], **in = few_in;
    if (node->operand_count > 4) {
        operands = ARENA_ARRAY(scratch, const Node *, node->operand_count);
        in = ARENA_ARRAY(scratch, const void *, node->operand_count);
    }
    for (uint32_t i = 0; i < node->operand_count; i++) {
        operands[i] = graph_operand(interp->graph, node, i);
        in[i] = interp->values[node->operands[i]];
    }
    eval_table[node->op](&(EvalArgs){interp->precision, node, operands, in, interp->values[id]});
}

Interp *interp_new(const Graph *graph, Precision precision) {
    Arena *arena = arena_new();
    Interp *interp = ARENA_NEW(arena, Interp);
    *interp =
        (Interp){.graph = graph, .precision = precision, .arena = arena, .live = graph_live(graph)};
    interp->values = ARENA_ARRAY(arena, void *, graph->node_count);
    for (NodeId id = 1; id < graph->node_count; id++) {
        interp->values[id] = arena_alloc(arena, interp_value_bytes(interp, id));
        Op op = graph_node(graph, id)->op;
        if (interp->live[id] && (op == OP_constant || op == OP_iota))
            evaluate(interp, id, arena); /* their values never change */
    }
    interp->updates = ARENA_ARRAY(arena, Update, graph->symbol_count);
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].update) {
            const Symbol *symbol = &graph->symbols[i];
            bool of_state = graph_node(interp->graph, symbol->update)->op == OP_state;
            void *aside = of_state
                              ? arena_alloc(interp->arena, interp_value_bytes(interp, symbol->node))
                              : NULL;
            interp->updates[interp->update_count++] = (Update){symbol->node, symbol->update, aside};
        }
    return interp;
}

void interp_free(Interp *interp) {
    if (interp) arena_free(interp->arena);
}

void *interp_value(Interp *interp, NodeId node) { return interp->values[node]; }

size_t interp_value_bytes(const Interp *interp, NodeId id) {
    const Node *node = graph_node(interp->graph, id);
    return (size_t)shape_elements(node->shape) * eval_element_bytes(interp->precision, node->dtype);
}

void interp_run(Interp *interp) {
    Arena *scratch = arena_new();
    for (NodeId id = 1; id < interp->graph->node_count; id++)
        if (interp->live[id] && op_class(graph_node(interp->graph, id)->op) != CLASS_LEAF)
            evaluate(interp, id, scratch);
    arena_free(scratch);
}

void interp_update(Interp *interp) {
    for (uint32_t i = 0; i < interp->update_count; i++) {
        Update *update = &interp->updates[i];
        if (update->aside)
            memcpy(update->aside, interp->values[update->value],
                   interp_value_bytes(interp, update->state));
    }
    for (uint32_t i = 0; i < interp->update_count; i++) {
        Update *update = &interp->updates[i];
        const void *value = update->aside ? update->aside : interp->values[update->value];
        memcpy(interp->values[update->state], value, interp_value_bytes(interp, update->state));
    }
}

/* -- finding where a value stopped being finite -- */

static bool is_finite(const Interp *interp, NodeId id) {
    const Node *node = graph_node(interp->graph, id);
    if (node->dtype != DTYPE_F32 || node->op == OP_constant) return true;
    const float *single = interp->values[id];
    const double *twofold = interp->values[id];
    for (int64_t i = 0, n = shape_elements(node->shape); i < n; i++)
        if (!isfinite(interp->precision == INTERP_F64 ? twofold[i] : (double)single[i]))
            return false;
    return true;
}

NodeId interp_first_nonfinite(Interp *interp, const char *output) {
    const Graph *graph = interp->graph;
    bool *blamed = memory_array(graph->node_count, sizeof *blamed, "the nodes of a graph");
    NodeId first = NODE_NONE;
    for (uint32_t i = 0; i < graph->output_count; i++)
        blamed[graph->outputs[i].node] |= !strcmp(graph->outputs[i].name, output);
    for (uint32_t i = 0; i < interp->update_count; i++) blamed[interp->updates[i].value] = true;
    for (NodeId id = graph->node_count - 1; id > 0; id--) {
        blamed[id] = blamed[id] && !is_finite(interp, id);
        const Node *node = graph_node(graph, id);
        for (uint32_t i = 0; blamed[id] && i < node->operand_count; i++)
            blamed[node->operands[i]] = true;
        if (blamed[id]) first = id;
    }
    free(blamed);
    return first;
}
