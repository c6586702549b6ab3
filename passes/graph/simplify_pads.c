/* A sum of padded tensors that do not overlap becomes their concat. The gradients of slices form
 * such sums. The sum adds +0 to each element, which turns -0 into +0 and changes nothing else; so
 * +0 is added to the concat. */
#include "passes/graph/simplify.h"

enum { MAX_PARTS = 512 };

/* The parts of a concat along an axis; NODE_NONE is a part of zeros. */
typedef struct {
    int axis;
    uint32_t count;
    NodeId parts[MAX_PARTS];
    int64_t sizes[MAX_PARTS];
} ConcatParts;

static void append(ConcatParts *parts, NodeId part, int64_t size) {
    if (size == 0) return;
    parts->parts[parts->count] = part;
    parts->sizes[parts->count++] = size;
}

/* The axis along which a pad adds something; -1 if there are several. */
static int padded_axis(const Node *pad) {
    int axis = -1;
    for (int i = 0; i < pad->shape.rank; i++) {
        if (pad->attrs.pad.before[i] == 0 && pad->attrs.pad.after[i] == 0) continue;
        if (axis >= 0) return -1;
        axis = i;
    }
    return axis;
}

/* A pad along one axis as a concat of zeros, the operand and zeros. false: it pads several axes. */
static bool parts_of_pad(const Node *pad, ConcatParts *parts) {
    *parts = (ConcatParts){.axis = padded_axis(pad)};
    if (parts->axis < 0) return false;
    int64_t before = pad->attrs.pad.before[parts->axis], after = pad->attrs.pad.after[parts->axis];
    append(parts, NODE_NONE, before);
    append(parts, pad->operands[0], pad->shape.dim[parts->axis] - before - after);
    append(parts, NODE_NONE, after);
    return true;
}

static bool is_zero(const Node *node) {
    return node->op == OP_constant && node->attrs.value.bits == 0;
}

/* concat + 0, as this rule builds it. */
static bool parts_of_sum(const Graph *graph, const Node *sum, ConcatParts *parts) {
    if (sum->op != OP_add || !is_zero(graph_operand(graph, sum, 1))) return false;
    const Node *concat = graph_operand(graph, sum, 0);
    if (concat->op != OP_concat || concat->operand_count + 2 > MAX_PARTS) return false;
    *parts = (ConcatParts){.axis = concat->attrs.axis};
    for (uint32_t i = 0; i < concat->operand_count; i++) {
        const Node *part = graph_operand(graph, concat, i);
        append(parts, is_zero(part) ? NODE_NONE : concat->operands[i],
               part->shape.dim[parts->axis]);
    }
    return true;
}

/* Replaces a part of zeros by a part; false if the place is not all zeros. */
static bool put_between(ConcatParts *parts, NodeId part, int64_t start, int64_t size) {
    ConcatParts result = {.axis = parts->axis};
    bool done = false;
    int64_t at = 0;
    for (uint32_t i = 0; i < parts->count; at += parts->sizes[i++]) {
        int64_t end = at + parts->sizes[i];
        bool here = parts->parts[i] == NODE_NONE && at <= start && start + size <= end;
        done |= here;
        if (!here) {
            append(&result, parts->parts[i], parts->sizes[i]);
            continue;
        }
        append(&result, NODE_NONE, start - at);
        append(&result, part, size);
        append(&result, NODE_NONE, end - start - size);
    }
    if (done) *parts = result;
    return done;
}

static NodeId concat_of(const Term *t, const ConcatParts *parts) {
    NodeId operands[MAX_PARTS];
    TensorType type = t->type;
    for (uint32_t i = 0; i < parts->count; i++) {
        type.shape.dim[parts->axis] = parts->sizes[i];
        operands[i] = parts->parts[i] ? parts->parts[i] : build_constant(t->graph, type, 0);
    }
    Attrs attrs = {.axis = parts->axis};
    return simplify_add(&(Term){t->graph, OP_concat, t->type, operands, parts->count, attrs});
}

/* The concat, plus 0, that equals sum + pad or pad + pad; NODE_NONE if the tensors overlap or are
 * something else. */
static NodeId join(const Term *t, NodeId sum, NodeId pad) {
    const Node *left = term_node(t, sum), *right = term_node(t, pad);
    ConcatParts parts;
    if (right->op != OP_pad) return NODE_NONE;
    if (left->op == OP_pad ? !parts_of_pad(left, &parts) : !parts_of_sum(t->graph, left, &parts))
        return NODE_NONE;
    int axis = parts.axis;
    if (padded_axis(right) != axis) return NODE_NONE;
    int64_t size = graph_operand(t->graph, right, 0)->shape.dim[axis];
    if (!put_between(&parts, right->operands[0], right->attrs.pad.before[axis], size))
        return NODE_NONE;
    return simplify_binary(t, OP_add, concat_of(t, &parts), build_constant(t->graph, t->type, 0));
}

NodeId simplify_add_pads(const Term *t) {
    NodeId joined = join(t, t->operands[0], t->operands[1]);
    return joined ? joined : join(t, t->operands[1], t->operands[0]);
}
