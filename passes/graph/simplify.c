/* The simplify pass: the table of the rules of exact algebra for each op, and builders that apply
 * them. */
#include "passes/graph/simplify.h"
#include "passes/pass_list.h"

#include <assert.h>
#include <string.h>

enum { MAX_RULES = 8 };

/* Rules are tried in this order; the first that applies decides. */
static SimplifyRule *const rules_of_op[OP_COUNT][MAX_RULES] = {
    [OP_add] = {simplify_constant_right, simplify_sum, simplify_add_pads},
    [OP_sub] = {simplify_difference},
    [OP_mul] = {simplify_constant_right, simplify_product, simplify_two_negatives,
                simplify_negative_constant},
    [OP_div] = {simplify_quotient, simplify_divide_byte, simplify_two_negatives,
                simplify_negative_constant},
    [OP_fma] = {simplify_constant_right, simplify_fma, simplify_two_negatives,
                simplify_negative_constant},
    [OP_neg] = {simplify_negation},
    [OP_abs] = {simplify_abs_of_sign},
    [OP_floor] = {simplify_already_whole},
    [OP_rint] = {simplify_already_whole},
    [OP_max] = {simplify_constant_right, simplify_extreme},
    [OP_min] = {simplify_constant_right, simplify_extreme},
    [OP_lt] = {simplify_compare_self},
    [OP_le] = {simplify_compare_self},
    [OP_eq] = {simplify_constant_right, simplify_compare_self},
    [OP_ne] = {simplify_constant_right, simplify_compare_self},
    [OP_and] = {simplify_constant_right, simplify_and},
    [OP_or] = {simplify_constant_right, simplify_or},
    [OP_xor] = {simplify_constant_right, simplify_xor},
    [OP_not] = {simplify_not},
    [OP_shl] = {simplify_shift_nothing},
    [OP_shr] = {simplify_shift_nothing},
    [OP_select] = {simplify_select, simplify_relu_of_pool},
    [OP_convert] = {simplify_conversions},
    [OP_bitcast] = {simplify_bitcast_twice},
    [OP_reshape] = {simplify_same_shape, simplify_reshapes},
    [OP_broadcast] = {simplify_broadcasts},
    [OP_transpose] = {simplify_transpose_nothing, simplify_transpose_twice,
                      simplify_transpose_constant, simplify_transpose_broadcast},
    [OP_slice] = {simplify_same_shape, simplify_slice_twice, simplify_slice_of_concat,
                  simplify_slice_of_pad, simplify_sink_transpose_lists},
    [OP_pad] = {simplify_same_shape, simplify_pad_twice, simplify_sink_transpose_lists},
    [OP_windows] = {simplify_windows_single},
    [OP_concat] = {simplify_concat_one},
    [OP_sum] = {simplify_reduce_one},
    [OP_reduce_max] = {simplify_reduce_one},
    [OP_matmul] = {simplify_matmul_flags, simplify_matmul_leading},
};

/* Tried on every elementwise op after the op's own rules. */
static SimplifyRule *const rules_of_elementwise[] = {simplify_sink_reshape, simplify_sink_broadcast,
                                                     simplify_sink_transpose};

/* What the first rule that applies makes of a term; NODE_NONE: none applies. */
static NodeId try_rules(const Term *term) {
    for (int i = 0; i < MAX_RULES && rules_of_op[term->op][i]; i++) {
        NodeId result = rules_of_op[term->op][i](term);
        if (result) return result;
    }
    for (size_t i = 0; op_class(term->op) == CLASS_ELEMENTWISE &&
                       i < sizeof rules_of_elementwise / sizeof *rules_of_elementwise;
         i++) {
        NodeId result = rules_of_elementwise[i](term);
        if (result) return result;
    }
    return NODE_NONE;
}

NodeId simplify_add(const Term *term) {
    NodeId result = try_rules(term);
    return result ? result
                  : graph_add(term->graph, term->op, term->operands, term->count, &term->attrs,
                              &term->type);
}

/* The type of an elementwise result; the dtype matters where the op cannot infer it. */
static NodeId add_elementwise(const Term *from, Op op, const NodeId *operands, uint32_t count,
                              DType dtype) {
    Shape shape = term_node(from, operands[0])->shape;
    return simplify_add(&(Term){.graph = from->graph,
                                .op = op,
                                .type = {dtype, shape},
                                .operands = operands,
                                .count = count});
}

NodeId simplify_unary(const Term *from, Op op, NodeId a) {
    return add_elementwise(from, op, &a, 1, term_node(from, a)->dtype);
}

NodeId simplify_binary(const Term *from, Op op, NodeId a, NodeId b) {
    return add_elementwise(from, op, (NodeId[]){a, b}, 2, term_node(from, a)->dtype);
}

NodeId simplify_ternary(const Term *from, Op op, NodeId a, NodeId b, NodeId c) {
    return add_elementwise(from, op, (NodeId[]){a, b, c}, 3, term_node(from, c)->dtype);
}

NodeId simplify_convert(const Term *from, NodeId a, DType dtype) {
    return add_elementwise(from, OP_convert, &a, 1, dtype);
}

static NodeId add_view(const Term *from, Op op, NodeId a, Shape shape) {
    TensorType type = {term_node(from, a)->dtype, shape};
    return simplify_add(
        &(Term){.graph = from->graph, .op = op, .type = type, .operands = &a, .count = 1});
}

NodeId simplify_reshape(const Term *from, NodeId a, Shape shape) {
    return add_view(from, OP_reshape, a, shape);
}

NodeId simplify_broadcast(const Term *from, NodeId a, Shape shape) {
    return add_view(from, OP_broadcast, a, shape);
}

bool term_is_real(const Term *term, uint32_t i, float value) {
    Attrs attrs = {.value.f = value};
    return term_operand(term, i)->dtype == DTYPE_F32 && term_is_bits(term, i, attrs.value.bits);
}

bool term_is_int(const Term *term, uint32_t i, int32_t value) {
    return term_operand(term, i)->dtype == DTYPE_I32 && term_is_bits(term, i, (uint32_t)value);
}

NodeId term_real(const Term *term, float value) {
    return build_f32(term->graph, (double)value, term->type.shape);
}

/* -- the pass -- */

static NodeId simplify_node(Graph *to, const Graph *from, NodeId id, const NodeId *map,
                            Arena *scratch) {
    const Node *node = graph_node(from, id);
    NodeId *operands = ARENA_ARRAY(scratch, NodeId, node->operand_count);
    for (uint32_t i = 0; i < node->operand_count; i++) operands[i] = map[node->operands[i]];
    to->span = node->span;
    NodeId result = simplify_add(&(Term){
        to, node->op, {node->dtype, node->shape}, operands, node->operand_count, node->attrs});
    assert(shape_equal(graph_node(to, result)->shape, node->shape) &&
           graph_node(to, result)->dtype == node->dtype);
    return result;
}

Graph *pass_simplify(Graph *from, const PassOptions *options) {
    (void)options;
    Graph *to = graph_like(from);
    Arena *scratch = arena_new();
    NodeId *map = ARENA_ARRAY(scratch, NodeId, from->node_count);
    for (NodeId id = 1; id < from->node_count; id++) {
        bool leaf = op_class(graph_node(from, id)->op) == CLASS_LEAF;
        map[id] =
            leaf ? graph_copy_node(to, from, id, map) : simplify_node(to, from, id, map, scratch);
    }
    graph_finish(to, from, map);
    arena_free(scratch);
    return to;
}
