/* The array of nodes. Adding a node checks it, folds it if all operands are constants, and returns
 * the equal node if there is one. */
#include "ir/eval/eval.h"
#include "ir/base/hash.h"
#include "ir/graph/graph.h"
#include "ir/base/memory.h"
#include "ir/base/names.h"
#include "ir/graph/shape_rules.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Open addressing; 0 marks a free slot. The slots live outside the arena because they are replaced
 * as they grow. */
typedef struct NodeTable {
    NodeId *slots;
    uint32_t size;  /* a power of two */
    Names *symbols; /* numbered like graph->symbols */
} NodeTable;

Graph *graph_new(const char *name, Diagnostics *diag) {
    Arena *arena = arena_new();
    Graph *graph = ARENA_NEW(arena, Graph);
    graph->arena = arena;
    graph->name = arena_copy_string(arena, name, strlen(name));
    graph->diag = diag;
    graph->node_count = 1;
    graph->table = ARENA_NEW(arena, NodeTable);
    graph->table->symbols = names_new(arena);
    return graph;
}

void graph_free(Graph *graph) {
    if (!graph) return;
    free(graph->table->slots);
    free(graph->nodes);
    arena_free(graph->arena);
}

static bool node_equal(const Node *a, const Node *b) {
    return a->op == b->op && a->dtype == b->dtype && shape_equal(a->shape, b->shape) &&
           a->operand_count == b->operand_count &&
           (!a->operand_count ||
            !memcmp(a->operands, b->operands, a->operand_count * sizeof *a->operands)) &&
           !memcmp(&a->attrs, &b->attrs, sizeof a->attrs);
}

/* The slot that holds an equal node, or the free one where it belongs. The hash covers all that
 * node_equal compares. */
static NodeId *table_slot(const Graph *graph, const Node *node) {
    const NodeTable *table = graph->table;
    uint32_t head[4] = {(uint32_t)node->op, (uint32_t)node->dtype, (uint32_t)node->shape.rank,
                        node->operand_count};
    uint32_t hash = hash32(HASH32_START, head, sizeof head);
    hash = hash32(hash, node->shape.dim, (size_t)node->shape.rank * sizeof *node->shape.dim);
    hash = hash32(hash, node->operands, node->operand_count * sizeof *node->operands);
    hash = hash32(hash, &node->attrs, attrs_bytes(op_attrs(node->op)));
    uint32_t at = hash & (table->size - 1);
    while (table->slots[at] && !node_equal(&graph->nodes[table->slots[at]], node))
        at = (at + 1) & (table->size - 1);
    return &table->slots[at];
}

static void table_grow(Graph *graph) {
    NodeTable *table = graph->table;
    if (2 * graph->node_count < table->size) return;
    free(table->slots);
    table->size = table->size ? 4 * table->size : 256;
    table->slots = memory_array(table->size, sizeof *table->slots, "the nodes of a graph");
    for (NodeId id = 1; id < graph->node_count; id++) *table_slot(graph, &graph->nodes[id]) = id;
}

/* AddressSanitizer's realloc always moves. With it the array of a small graph grows by one node at
 * a time: a pointer into it that is used after another node was added is found at once. */
static uint32_t larger_capacity(uint32_t capacity) {
#ifdef __SANITIZE_ADDRESS__
    if (capacity < 512) return capacity ? capacity + 1 : 2; /* number 0 is no node */
#endif
    return capacity ? 2 * capacity : 128;
}

static NodeId node_append(Graph *graph, const Node *node) {
    if (graph->node_count >= graph->node_capacity) {
        graph->node_capacity = larger_capacity(graph->node_capacity);
        graph->nodes = memory_grow(graph->nodes, graph->node_capacity, sizeof *graph->nodes,
                                   "the nodes of a graph");
        memset(graph->nodes, 0, sizeof *graph->nodes);
    }
    NodeId *operands = ARENA_ARRAY(graph->arena, NodeId, node->operand_count);
    if (node->operand_count)
        memcpy(operands, node->operands, node->operand_count * sizeof *operands);
    graph->nodes[graph->node_count] = *node;
    graph->nodes[graph->node_count].operands = operands;
    return graph->node_count++;
}

/* A constant is one value in every element. So elementwise ops and views of constants are
 * constants. */
static bool folds(const Graph *graph, const Node *node) {
    for (uint32_t i = 0; i < node->operand_count; i++)
        if (graph_operand(graph, node, i)->op != OP_constant) return false;
    if (!node->operand_count) return false;
    if (op_class(node->op) == CLASS_ELEMENTWISE) return op_is_primitive(node->op);
    return node->op == OP_reshape || node->op == OP_broadcast || node->op == OP_transpose ||
           node->op == OP_slice;
}

/* The value of the folded node: elementwise ops are evaluated on one element, views keep the
 * value. */
static uint32_t fold_bits(const Graph *graph, const Node *node) {
    uint32_t in[3], bits = 0;
    const Node *operands[3];
    const void *values[3];
    if (op_class(node->op) != CLASS_ELEMENTWISE)
        return graph_operand(graph, node, 0)->attrs.value.bits;
    Node scalars[3], result = *node;
    result.shape = (Shape){0};
    for (uint32_t i = 0; i < node->operand_count; i++) {
        scalars[i] = *graph_operand(graph, node, i);
        scalars[i].shape = (Shape){0};
        operands[i] = &scalars[i];
        in[i] = scalars[i].attrs.value.bits;
        values[i] = &in[i];
    }
    eval_table[node->op](&(EvalArgs){INTERP_F32, &result, operands, values, &bits});
    return bits;
}

NodeId graph_add(Graph *graph, Op op, const NodeId *operands, uint32_t count, const Attrs *attrs,
                 const TensorType *result) {
    for (uint32_t i = 0; i < count; i++)
        if (operands[i] == NODE_NONE) return NODE_NONE;
    static const Attrs none;
    TensorType type = result ? *result : (TensorType){0};
    if (!shape_infer(&(ShapeCheck){graph, op, operands, count, attrs ? attrs : &none, &type}))
        return NODE_NONE;
    Node node = {.op = op,
                 .dtype = type.dtype,
                 .shape = type.shape,
                 .operand_count = count,
                 .operands = operands,
                 .span = graph->span};
    if (attrs) memcpy(&node.attrs, attrs, attrs_bytes(op_attrs(op)));
    if (!folds(graph, &node)) {
        table_grow(graph);
        NodeId *slot = table_slot(graph, &node);
        if (!*slot) *slot = node_append(graph, &node);
        return *slot;
    }
    return build_constant(graph, type, fold_bits(graph, &node));
}

/* -- symbols, outputs, updates -- */

static uint32_t symbol_append(Graph *graph, const Symbol *symbol) {
    ARENA_ROOM(graph->arena, graph->symbols, graph->symbol_count, graph->symbol_capacity);
    Symbol *added = &graph->symbols[graph->symbol_count];
    *added = *symbol;
    added->name = arena_copy_string(graph->arena, symbol->name, strlen(symbol->name));
    graph->symbol_count++;
    return names_add(graph->table->symbols, added->name);
}

static NodeId symbol_node(Graph *graph, const Symbol *symbol) {
    const Symbol *known = graph_symbol(graph, symbol->name);
    if (known) {
        bool same = known->kind == symbol->kind && known->dtype == symbol->dtype &&
                    shape_equal(known->shape, symbol->shape);
        if (same) return known->node;
        diag_error(graph->diag, STATUS_MODEL, graph->span,
                   "'%s' is already the name of another input or state", symbol->name);
        return NODE_NONE;
    }
    Attrs attrs = {.symbol = graph->symbol_count};
    NodeId node = graph_add(graph, symbol->kind == SYMBOL_STATE ? OP_state : OP_input, NULL, 0,
                            &attrs, &(TensorType){symbol->dtype, symbol->shape});
    if (!node) return NODE_NONE;
    uint32_t index = symbol_append(graph, symbol); /* moves the array */
    graph->symbols[index].node = node;
    return node;
}

NodeId graph_input(Graph *graph, SymbolKind kind, const char *name, DType dtype, Shape shape) {
    return symbol_node(graph,
                       &(Symbol){.kind = kind, .name = name, .dtype = dtype, .shape = shape});
}

NodeId graph_state(Graph *graph, const char *name, DType dtype, Shape shape, Init init,
                   bool trainable) {
    return symbol_node(graph, &(Symbol){.kind = SYMBOL_STATE,
                                        .name = name,
                                        .dtype = dtype,
                                        .shape = shape,
                                        .init = init,
                                        .trainable = trainable});
}

const Symbol *graph_symbol(const Graph *graph, const char *name) {
    int32_t index = names_index(graph->table->symbols, name);
    return index < 0 ? NULL : &graph->symbols[index];
}

int64_t graph_batch_rows(const Graph *graph) {
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].kind == SYMBOL_BATCH) return graph->symbols[i].shape.dim[0];
    return 0;
}

NodeId graph_output_node(const Graph *graph, const char *name) {
    for (uint32_t i = 0; i < graph->output_count; i++)
        if (!strcmp(graph->outputs[i].name, name)) return graph->outputs[i].node;
    return NODE_NONE;
}

void graph_output(Graph *graph, const char *name, NodeId node) {
    if (!node) return;
    ARENA_ROOM(graph->arena, graph->outputs, graph->output_count, graph->output_capacity);
    graph->outputs[graph->output_count++] =
        (Output){arena_copy_string(graph->arena, name, strlen(name)), node};
}

void graph_update(Graph *graph, NodeId state, NodeId value) {
    if (!state || !value) return;
    assert(graph->nodes[state].op == OP_state);
    graph->symbols[graph->nodes[state].attrs.symbol].update = value;
}

/* -- for passes -- */

Graph *graph_like(const Graph *from) {
    Graph *to = graph_new(from->name, from->diag);
    for (uint32_t i = 0; i < from->symbol_count; i++) {
        Symbol symbol = from->symbols[i];
        symbol.node = symbol.update = NODE_NONE;
        symbol_append(to, &symbol);
    }
    return to;
}

NodeId graph_copy_node(Graph *to, const Graph *from, NodeId id, const NodeId *map) {
    const Node *node = graph_node(from, id);
    NodeId few[4], *operands = node->operand_count <= 4
                                   ? few
                                   : ARENA_ARRAY(to->arena, NodeId, node->operand_count);
    for (uint32_t i = 0; i < node->operand_count; i++) operands[i] = map[node->operands[i]];
    to->span = node->span;
    NodeId copy = graph_add(to, node->op, operands, node->operand_count, &node->attrs,
                            &(TensorType){node->dtype, node->shape});
    if (op_attrs(node->op) == ATTRS_SYMBOL) to->symbols[node->attrs.symbol].node = copy;
    return copy;
}

void graph_finish(Graph *to, const Graph *from, const NodeId *map) {
    for (uint32_t i = 0; i < from->output_count; i++)
        graph_output(to, from->outputs[i].name, map[from->outputs[i].node]);
    for (uint32_t i = 0; i < from->symbol_count; i++)
        if (from->symbols[i].update) to->symbols[i].update = map[from->symbols[i].update];
}

bool *graph_live(const Graph *graph) {
    bool *live = ARENA_ARRAY(graph->arena, bool, graph->node_count);
    for (uint32_t i = 0; i < graph->output_count; i++) live[graph->outputs[i].node] = true;
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        if (!graph->symbols[i].update) continue;
        /* a state that is only written still exists */
        live[graph->symbols[i].update] = live[graph->symbols[i].node] = true;
    }
    live[NODE_NONE] = false;
    for (NodeId id = graph->node_count - 1; id > 0; id--)
        for (uint32_t i = 0; live[id] && i < graph->nodes[id].operand_count; i++)
            live[graph->nodes[id].operands[i]] = true;
    return live;
}
