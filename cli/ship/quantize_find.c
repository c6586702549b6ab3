/* Finds the products that can be computed with bytes, and the biases and batch normalizations after
 * them, which become a part of the product. */
#include "cli/ship/quantize_find.h"
#include "passes/passes.h"

#include <stdlib.h>
#include <string.h>

/* -- products -- */

/* Constant is what depends on states alone. */
static void find_constants(Found *found) {
    const Graph *graph = found->graph;
    for (NodeId id = 1; id < graph->node_count; id++) {
        const Node *node = graph_node(graph, id);
        bool constant = node->op != OP_input && op_class(node->op) != CLASS_SCAN;
        for (uint32_t i = 0; i < node->operand_count; i++)
            constant = constant && found->constant[node->operands[i]];
        found->constant[id] = constant;
        for (uint32_t i = 0; found->live[id] && i < node->operand_count; i++)
            found->uses[node->operands[i]]++;
    }
    for (uint32_t i = 0; i < graph->output_count; i++) found->uses[graph->outputs[i].node]++;
}

/* The name of the first state that a node is computed from; NULL: there is none. */
static const char *first_state(const Graph *graph, NodeId id) {
    const Node *node = graph_node(graph, id);
    const char *name = NULL;
    if (node->op == OP_state) return graph->symbols[node->attrs.symbol].name;
    for (uint32_t i = 0; i < node->operand_count && !name; i++)
        name = first_state(graph, node->operands[i]);
    return name;
}

static void add_product(Found *found, NodeId id) {
    const Node *node = graph_node(found->graph, id);
    NodeId weights = node->operands[1];
    const char *name = found->constant[weights] && !found->constant[node->operands[0]]
                           ? first_state(found->graph, weights)
                           : NULL;
    Shape shape = graph_node(found->graph, weights)->shape;
    int64_t channels = node->shape.dim[1], k = shape_elements(shape) / channels;
    if (!name || k > BYTES_MAX_K || graph_node(found->graph, weights)->op == OP_broadcast) return;
    Product *product = &found->products[found->product_count++];
    *product = (Product){.node = id, .weight = name, .k = k, .channels = channels};
    for (Product *other = found->products; other < product; other++)
        product->use += !strcmp(other->weight, name);
}

Found *found_new(const Graph *graph, Arena *arena) {
    Found *found = ARENA_NEW(arena, Found);
    *found = (Found){.graph = graph,
                     .arena = arena,
                     .live = graph_live(graph),
                     .constant = ARENA_ARRAY(arena, bool, graph->node_count),
                     .uses = ARENA_ARRAY(arena, uint32_t, graph->node_count),
                     .values = (const float **)ARENA_ARRAY(arena, float *, graph->node_count),
                     .products = ARENA_ARRAY(arena, Product, graph->node_count),
                     .affine = ARENA_ARRAY(arena, Affine, graph->node_count)};
    find_constants(found);
    for (NodeId id = 1; id < graph->node_count; id++) {
        const Node *node = graph_node(graph, id);
        const Attrs *attrs = &node->attrs;
        bool product = node->op == OP_matmul ? node->shape.rank == 2 && !attrs->matmul.transpose_a
                                             : node->op == OP_conv && attrs->conv.groups == 1;
        if (found->live[id] && product && node->dtype == DTYPE_F32) add_product(found, id);
    }
    return found;
}

/* -- bytes of the data -- */

bool found_passes_bytes(const Node *node) {
    static const bool passes[OP_COUNT] = {
        [OP_relu] = true,  [OP_max_pool] = true, [OP_reshape] = true, [OP_transpose] = true,
        [OP_slice] = true, [OP_reverse] = true,  [OP_pad] = true,     [OP_concat] = true};
    return passes[node->op];
}

bool found_native(const Found *found, NodeId id, ByteScale *scale) {
    const Node *node = graph_node(found->graph, id);
    *scale = (ByteScale){1, 0};
    if (node->op == OP_convert)
        return node->dtype == DTYPE_F32 && graph_operand(found->graph, node, 0)->dtype == DTYPE_U8;
    bool scaled = node->op == OP_div || node->op == OP_mul;
    float by = 1;
    if (scaled) {
        const Node *factor = graph_operand(found->graph, node, 1);
        by = factor->op == OP_constant && factor->dtype == DTYPE_F32 ? factor->attrs.value.f : 0;
        scaled = by > 0 && by < 0x1p60f;
    }
    if (!scaled && (node->op == OP_concat || !found_passes_bytes(node))) return false;
    if (!found_native(found, node->operands[0], scale)) return false;
    scale->scale = node->op == OP_div ? scale->scale / by : scale->scale * by;
    return true;
}

/* -- constants -- */

/* The node whose elements a broadcast repeats. */
static NodeId repeated(const Graph *graph, NodeId id) {
    while (graph_node(graph, id)->op == OP_broadcast) id = graph_node(graph, id)->operands[0];
    return id;
}

/* A graph of the constants. Its outputs are those that other nodes read, named by the numbers of
 * their nodes. *count: how many there are. */
static Graph *constants_of(const Found *found, uint32_t *count) {
    const Graph *from = found->graph;
    Graph *to = graph_like(from);
    NodeId *map = ARENA_ARRAY(found->arena, NodeId, from->node_count);
    for (NodeId id = 1; id < from->node_count; id++)
        if (found->constant[id]) map[id] = graph_copy_node(to, from, id, map);
    for (NodeId id = 1; id < from->node_count; id++) {
        const Node *node = graph_node(from, id);
        for (uint32_t i = 0; found->live[id] && !found->constant[id] && i < node->operand_count;
             i++) {
            NodeId constant = repeated(from, node->operands[i]);
            if (!found->constant[constant] || graph_node(from, constant)->dtype != DTYPE_F32)
                continue;
            graph_output(to, arena_format(found->arena, "%u", constant), map[constant]);
            (*count)++;
        }
    }
    return to;
}

static const float *take_value(const Found *found, Interp *interp, NodeId node) {
    size_t bytes = interp_value_bytes(interp, node);
    return memcpy(arena_alloc(found->arena, bytes + 1), interp_value(interp, node), bytes);
}

/* Computes the constants by the interpreter, so that they have the right bits. */
static bool compute_constants(Found *found, const States *states) {
    uint32_t count = 0;
    Compilation compilation;
    PassOptions options = {.level = 0, .threads = 1};
    Graph *graph = constants_of(found, &count);
    if (!count) return graph_free(graph), true;
    bool good = passes_run(&compilation, graph, &options, PASS_functions);
    if (good) {
        const Graph *made = compilation.graph;
        Interp *interp = interp_new(made, INTERP_F32);
        for (uint32_t i = 0; i < made->symbol_count; i++)
            if (made->symbols[i].node)
                states_read(states, made->symbols[i].name,
                            interp_value(interp, made->symbols[i].node));
        interp_run(interp);
        for (uint32_t i = 0; i < made->output_count; i++)
            found->values[strtoul(made->outputs[i].name, NULL, 10)] =
                take_value(found, interp, made->outputs[i].node);
        interp_free(interp);
    }
    compilation_free(&compilation);
    return good;
}

/* -- affine nodes: a product, scaled and shifted by a number for each channel -- */

/* The number that a constant operand has in each channel; NULL: it has several in a channel. */
static double *channel_numbers(const Found *found, NodeId id, int axis, int64_t channels) {
    NodeId base = repeated(found->graph, id);
    const float *values = found->values[base];
    Shape shape = graph_node(found->graph, base)->shape;
    int along = axis - (graph_node(found->graph, id)->shape.rank - shape.rank);
    if (!values) return NULL;
    for (int i = 0; i < shape.rank; i++)
        if (shape.dim[i] != 1 && (i != along || shape.dim[i] != channels)) return NULL;
    double *numbers = ARENA_ARRAY(found->arena, double, channels);
    for (int64_t c = 0; c < channels; c++)
        numbers[c] = (double)values[shape_elements(shape) == 1 ? 0 : c];
    return numbers;
}

/* Applies an operation with a number to factor * product + addend, for one channel. */
static void apply(Op op, double number, double *factor, double *addend) {
    switch (op) {
    case OP_add: *addend += number; break;
    case OP_sub: *addend -= number; break;
    case OP_mul: *factor *= number, *addend *= number; break;
    default: *factor /= number, *addend /= number; break;
    }
}

/* a op b, where a is affine and b a constant, or the other way round for sums and products. */
static Affine affine_arithmetic(const Found *found, const Node *node) {
    bool swaps = (node->op == OP_add || node->op == OP_mul) && found->constant[node->operands[0]];
    NodeId inner = node->operands[swaps], constant = node->operands[!swaps];
    Affine affine = found->affine[inner];
    if (!affine.product || found->uses[inner] > 1 || !found->constant[constant]) return (Affine){0};
    int64_t channels = found->products[affine.product - 1].channels;
    double *numbers = channel_numbers(found, constant, affine.axis, channels);
    if (!numbers) return (Affine){0};
    double *factor = ARENA_ARRAY(found->arena, double, channels),
           *addend = ARENA_ARRAY(found->arena, double, channels);
    for (int64_t c = 0; c < channels; c++) {
        factor[c] = affine.factor[c], addend[c] = affine.addend[c];
        apply(node->op, numbers[c], &factor[c], &addend[c]);
    }
    affine.factor = factor, affine.addend = addend;
    return affine;
}

/* A transpose or reshape of an affine node; if its channels no longer lie along an axis, it is
 * none. */
static Affine affine_moved(const Found *found, const Node *node) {
    Affine affine = found->affine[node->operands[0]];
    if (!affine.product) return affine;
    if (node->op == OP_transpose) {
        int to = 0;
        while (node->attrs.perm[to] != affine.axis) to++;
        affine.axis = to;
        return affine;
    }
    Shape from = graph_operand(found->graph, node, 0)->shape, to = node->shape;
    int64_t channels = from.dim[affine.axis], inner = shape_inner(from, affine.axis);
    for (int i = 0; i < to.rank; i++) {
        if (to.dim[i] != channels || shape_inner(to, i) != inner) continue;
        affine.axis = i;
        return affine;
    }
    return (Affine){0};
}

static Affine affine_product(const Found *found, uint32_t number) {
    int64_t channels = found->products[number].channels;
    double *factor = ARENA_ARRAY(found->arena, double, channels),
           *addend = ARENA_ARRAY(found->arena, double, channels);
    for (int64_t c = 0; c < channels; c++) factor[c] = 1;
    return (Affine){number + 1, 1, factor, addend};
}

bool found_follow(Found *found, const States *states) {
    uint32_t next = 0;
    if (!compute_constants(found, states)) return false;
    for (NodeId id = 1; id < found->graph->node_count; id++) {
        const Node *node = graph_node(found->graph, id);
        if (next < found->product_count && found->products[next].node == id)
            found->affine[id] = affine_product(found, next++);
        else if (node->op == OP_transpose || node->op == OP_reshape)
            found->affine[id] = affine_moved(found, node);
        else if (node->op == OP_add || node->op == OP_sub || node->op == OP_mul ||
                 node->op == OP_div)
            found->affine[id] = affine_arithmetic(found, node);
    }
    return true;
}
