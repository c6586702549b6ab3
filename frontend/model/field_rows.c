/* Checks that row i of a field is computed from row i of the data only. A counterexample is x -
 * mean(x, axis = 0): its value for a row would depend on the other rows of the batch.
 *
 * The graphs of the fields for three rows and for two are traced element by element. Each element
 * carries the set of data rows that it comes from, and a hash of how it is computed. The hash does
 * not depend on which row it is.
 *
 * A field is right if three things hold: every row comes from its own row only, all rows have equal
 * hashes, and both graphs have equal hashes. */
#include "frontend/model/loading.h"
#include "ir/eval/eval.h"

#include <string.h>

/* The lowest ROW_BITS are the set of rows, one bit each; the others are the hash. */
typedef uint64_t Element;
enum { MAX_ROWS = 3, ROW_BITS = 3 };
static const Element ROW_MASK = (1 << ROW_BITS) - 1;

/* The trace of one node of the graph. */
typedef struct {
    Arena *arena; /* freed after the last use of the node */
    Element *elements;
    const void *known; /* the node's value in f64 if it does not depend on data; else NULL */
    NodeId last_use;
    bool mixes; /* an element comes from several rows */
    bool moves; /* a row comes from another row */
} Trace;

typedef struct {
    const Graph *graph;
    Trace *traces;
    uint32_t rows;
} Tracing;

static Element hashed(uint64_t bits) {
    bits = (bits ^ bits >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ bits >> 27) * UINT64_C(0x94d049bb133111eb);
    return (bits ^ bits >> 31) & ~ROW_MASK;
}

/* The element that is computed from `so_far` and then `next`. */
static Element joined(Element so_far, Element next) {
    return hashed((so_far & ~ROW_MASK) * 31 + (next & ~ROW_MASK)) | ((so_far | next) & ROW_MASK);
}

static Element begin_of(const Node *node) {
    return hashed(((uint64_t)node->op << 8 | (uint64_t)node->dtype) + 1);
}

static const Element *elements_of(const Tracing *tracing, const Node *node, uint32_t operand) {
    return tracing->traces[node->operands[operand]].elements;
}

/* -- leaves, and nodes that do not depend on data -- */

/* An element of the data has a hash of its name and its index in the row, and the bit of its row.
 * An element of another symbol comes from no row. */
static void trace_symbol(const Tracing *tracing, const Node *node, Element *out) {
    const Symbol *symbol = &tracing->graph->symbols[node->attrs.symbol];
    int64_t count = shape_elements(node->shape),
            width = count / (node->shape.rank ? node->shape.dim[0] : 1);
    Element name = 0;
    for (const char *at = symbol->name; *at; at++) name = hashed(name * 31 + (unsigned char)*at);
    bool data = symbol->kind == SYMBOL_BATCH;
    for (int64_t i = 0; i < count; i++)
        out[i] = hashed(name + (uint64_t)(data ? i % width : i) * 8 + 8) |
                 (data ? UINT64_C(1) << i / width : 0);
}

static bool all_known(const Tracing *tracing, const Node *node) {
    if (node->op == OP_input || node->op == OP_state || node->op == OP_random ||
        node->op == OP_grad)
        return false;
    for (uint32_t i = 0; i < node->operand_count; i++)
        if (!tracing->traces[node->operands[i]].known) return false;
    return true;
}

static Element known_element(const void *known, DType dtype, int64_t i) {
    uint64_t bits = 0;
    size_t size = eval_element_bytes(INTERP_F64, dtype);
    memcpy(&bits, (const char *)known + (size_t)i * size, size);
    return hashed(bits + 2);
}

/* Runs the evaluator of a node in f64, on values (`numbers`) or on elements of traces. The latter
 * have the size of a double, so a view can move them. */
static void evaluate_node(const Tracing *tracing, const Node *node, bool numbers, void *out,
                          Arena *arena) {
    const Node **operands = ARENA_ARRAY(arena, const Node *, node->operand_count);
    const void **in = ARENA_ARRAY(arena, const void *, node->operand_count);
    Node *moved = ARENA_ARRAY(arena, Node, node->operand_count), result = *node;
    for (uint32_t i = 0; i < node->operand_count; i++) {
        const Trace *trace = &tracing->traces[node->operands[i]];
        moved[i] = *graph_operand(tracing->graph, node, i);
        if (!numbers) moved[i].dtype = DTYPE_F32;
        operands[i] = &moved[i];
        in[i] = numbers ? trace->known : trace->elements;
    }
    if (!numbers) result.dtype = DTYPE_F32;
    eval_table[node->op](&(EvalArgs){INTERP_F64, &result, operands, in, out});
}

/* Computes a node that does not depend on data: the hash of an element is that of its value. */
static void trace_known(const Tracing *tracing, const Node *node, Trace *trace) {
    int64_t count = shape_elements(node->shape);
    void *known =
        arena_alloc(trace->arena, (size_t)count * eval_element_bytes(INTERP_F64, node->dtype));
    evaluate_node(tracing, node, true, known, trace->arena);
    for (int64_t i = 0; i < count; i++) trace->elements[i] = known_element(known, node->dtype, i);
    trace->known = known;
}

/* -- the classes of ops -- */

/* An element comes from the same element of each operand. In a select with a known condition only
 * the chosen operand counts. */
static void trace_elementwise(const Tracing *tracing, const Node *node, Element *out) {
    int64_t count = shape_elements(node->shape);
    const uint8_t *chosen = node->op == OP_select ? tracing->traces[node->operands[0]].known : NULL;
    for (int64_t i = 0; i < count; i++) {
        out[i] = begin_of(node);
        if (chosen) {
            out[i] = elements_of(tracing, node, chosen[i] ? 1 : 2)[i];
            continue;
        }
        for (uint32_t k = 0; k < node->operand_count; k++)
            out[i] = joined(out[i], elements_of(tracing, node, k)[i]);
    }
}

static void trace_view(const Tracing *tracing, const Node *node, Element *out, Arena *arena) {
    static const double zero = 0;
    Element nothing = known_element(&zero, DTYPE_F32, 0);
    int64_t count = shape_elements(node->shape);
    evaluate_node(tracing, node, false, out, arena);
    for (int64_t i = 0; i < count; i++)
        if (!out[i]) out[i] = nothing; /* an element of the border of a pad */
}

/* Joins all elements along an axis. `outer` and `inner` are the position in the axes before it and
 * after it. */
static Element along(const Element *in, Shape shape, int axis, int64_t outer, int64_t inner,
                     Element begin) {
    int64_t n = shape.dim[axis], stride = shape_inner(shape, axis);
    const Element *first = in + outer * n * stride + inner;
    for (int64_t i = 0; i < n; i++) begin = joined(begin, first[i * stride]);
    return begin;
}

static void trace_reduce(const Tracing *tracing, const Node *node, Element *out) {
    Shape shape = graph_operand(tracing->graph, node, 0)->shape;
    int axis = node->attrs.axis;
    int64_t inner = shape_inner(shape, axis), count = shape_elements(node->shape);
    for (int64_t i = 0; i < count; i++)
        out[i] =
            along(elements_of(tracing, node, 0), shape, axis, i / inner, i % inner, begin_of(node));
}

/* Each element comes from all elements along the axis; in cumsum only from those up to it. */
static void trace_axis(const Tracing *tracing, const Node *node, Element *out) {
    Shape shape = graph_operand(tracing->graph, node, 0)->shape;
    int axis = node->attrs.axis;
    int64_t n = node->shape.dim[axis], inner = shape_inner(shape, axis),
            count = shape_elements(node->shape);
    for (int64_t i = 0; i < count; i++) {
        int64_t outer = i / (n * inner), at = i / inner % n;
        Element begin = joined(begin_of(node), hashed((uint64_t)at + 3));
        if (node->op == OP_cumsum) {
            out[i] = at ? joined(out[i - inner], elements_of(tracing, node, 0)[i])
                        : joined(begin, elements_of(tracing, node, 0)[i]);
            continue;
        }
        for (uint32_t k = 0; k < node->operand_count; k++)
            begin = along(elements_of(tracing, node, k), shape, axis, outer, i % inner, begin);
        out[i] = begin;
    }
}

static void trace_gather(const Tracing *tracing, const Node *node, Element *out) {
    Shape shape = graph_operand(tracing->graph, node, 0)->shape;
    const int32_t *index = tracing->traces[node->operands[1]].known;
    int axis = node->attrs.axis;
    int64_t n = node->shape.dim[axis], size = shape.dim[axis], inner = shape_inner(shape, axis);
    for (int64_t i = 0, count = shape_elements(node->shape); i < count; i++) {
        int64_t outer = i / (n * inner);
        if (index) {
            int64_t at = index[i] < 0 ? 0 : index[i] >= size ? size - 1 : index[i];
            out[i] = elements_of(tracing, node, 0)[(outer * size + at) * inner + i % inner];
        } else {
            out[i] = along(elements_of(tracing, node, 0), shape, axis, outer, i % inner,
                           joined(begin_of(node), elements_of(tracing, node, 1)[i]));
        }
    }
}

/* Element [m, n] comes from row m of the left and column n of the right. */
static void trace_matmul(const Tracing *tracing, const Node *node, Element *out) {
    Shape left = graph_operand(tracing->graph, node, 0)->shape,
          right = graph_operand(tracing->graph, node, 1)->shape;
    int last = node->shape.rank - 1, left_axis = node->attrs.matmul.transpose_a ? last - 1 : last,
        right_axis = node->attrs.matmul.transpose_b ? last : last - 1;
    int64_t rows = node->shape.dim[last - 1], columns = node->shape.dim[last];
    for (int64_t i = 0, count = shape_elements(node->shape); i < count; i++) {
        int64_t matrix = i / (rows * columns), m = i / columns % rows, n = i % columns;
        Element a = along(elements_of(tracing, node, 0), left, left_axis,
                          left_axis == last ? matrix * rows + m : matrix, left_axis == last ? 0 : m,
                          begin_of(node));
        out[i] = along(elements_of(tracing, node, 1), right, right_axis,
                       right_axis == last ? matrix * columns + n : matrix,
                       right_axis == last ? 0 : n, a);
    }
}

/* Convolutions and pooling: every element of a row comes from the whole row of x, and from all of
 * the other operands. */
static void trace_images(const Tracing *tracing, const Node *node, Element *out) {
    const Node *x = graph_operand(tracing->graph, node, 0);
    int64_t rows = node->shape.rank ? node->shape.dim[0] : 1,
            width = shape_elements(node->shape) / rows;
    bool apart = x->shape.rank > 0 && x->shape.dim[0] == rows && node->op != OP_random &&
                 node->op != OP_grad;
    Element rest = begin_of(node);
    for (uint32_t k = apart; k < node->operand_count; k++) {
        int64_t count = shape_elements(graph_operand(tracing->graph, node, k)->shape);
        for (int64_t i = 0; i < count; i++) rest = joined(rest, elements_of(tracing, node, k)[i]);
    }
    for (int64_t row = 0; row < rows; row++) {
        int64_t size = apart ? shape_elements(x->shape) / rows : 0;
        Element of_row = rest;
        for (int64_t i = 0; i < size; i++)
            of_row = joined(of_row, elements_of(tracing, node, 0)[row * size + i]);
        for (int64_t i = 0; i < width; i++)
            out[row * width + i] =
                joined(of_row, hashed((uint64_t)(apart ? i : row * width + i) + 3));
    }
}

static void trace_node(const Tracing *tracing, const Node *node, Trace *trace) {
    Element *out = trace->elements;
    if (all_known(tracing, node)) {
        trace_known(tracing, node, trace);
        return;
    }
    if (node->op == OP_gather) {
        trace_gather(tracing, node, out);
        return;
    }
    switch (op_class(node->op)) {
    case CLASS_LEAF: trace_symbol(tracing, node, out); break;
    case CLASS_ELEMENTWISE: trace_elementwise(tracing, node, out); break;
    case CLASS_VIEW: trace_view(tracing, node, out, trace->arena); break;
    case CLASS_REDUCE: trace_reduce(tracing, node, out); break;
    case CLASS_SCAN: trace_axis(tracing, node, out); break;
    case CLASS_MATRIX: trace_matmul(tracing, node, out); break;
    case CLASS_WINOGRAD: trace_images(tracing, node, out); break;
    case CLASS_COMPOSITE:
        if (node->op == OP_softmax || node->op == OP_log_softmax)
            trace_axis(tracing, node, out);
        else
            trace_images(tracing, node, out);
    }
}

/* -- a graph -- */

static void find_mixed_rows(const Tracing *tracing, const Node *node, Trace *trace) {
    int64_t count = shape_elements(node->shape);
    bool has_rows = node->shape.rank > 0 && node->shape.dim[0] == tracing->rows;
    int64_t width = has_rows ? count / tracing->rows : 1;
    for (int64_t i = 0; i < count; i++) {
        uint64_t rows = trace->elements[i] & ROW_MASK;
        trace->mixes |= (rows & (rows - 1)) != 0;
        trace->moves |= has_rows && rows && !(rows >> (i / width) & 1);
    }
}

/* Traces all nodes. Each trace is freed after its last use, except those of `kept`. */
static void trace_graph(Tracing *tracing, Arena *arena, const NodeId *kept, uint32_t kept_count) {
    const Graph *graph = tracing->graph;
    tracing->traces = ARENA_ARRAY(arena, Trace, graph->node_count);
    for (NodeId id = 1; id < graph->node_count; id++)
        for (uint32_t i = 0; i < graph_node(graph, id)->operand_count; i++)
            tracing->traces[graph_node(graph, id)->operands[i]].last_use = id;
    for (uint32_t i = 0; i < kept_count; i++) tracing->traces[kept[i]].last_use = graph->node_count;
    for (NodeId id = 1; id < graph->node_count; id++) {
        const Node *node = graph_node(graph, id);
        Trace *trace = &tracing->traces[id];
        if (!trace->last_use) continue;
        trace->arena = arena_new();
        trace->elements =
            arena_alloc(trace->arena, (size_t)shape_elements(node->shape) * sizeof(Element));
        trace_node(tracing, node, trace);
        find_mixed_rows(tracing, node, trace);
        for (uint32_t i = 0; i < node->operand_count; i++) {
            Trace *operand = &tracing->traces[node->operands[i]];
            if (operand->last_use != id) continue;
            arena_free(operand->arena);
            operand->arena = NULL;
        }
    }
}

/* -- the fields of some rows -- */

typedef struct {
    Arena *arena;
    Graph *graph;
    NodeId *nodes;      /* the node of each field */
    bool asks_training; /* a field reads `training`, so it may differ in training */
    Tracing tracing;
} FieldRows;

/* Builds and traces the fields for some number of rows. Augmentation is left out, as it may mix
 * rows. */
static bool fields_build(const Model *model, uint32_t rows, bool training, FieldRows *fields) {
    const Names *names = model->globals.fields;
    *fields = (FieldRows){.arena = arena_new(), .graph = graph_new("fields", model->diag)};
    Evaluator *evaluator = model_evaluator(model, fields->arena, fields->graph, rows, model->diag);
    Globals plain = model->globals;
    plain.augment = NULL;
    evaluator->globals = &plain;
    evaluator->training = training;
    fields->nodes = ARENA_ARRAY(fields->arena, NodeId, names_count(names));
    bool good = true;
    for (uint32_t i = 0; i < names_count(names) && good; i++) {
        Value value = evaluate_field(evaluator, names_all(names)[i]);
        fields->nodes[i] = value.node;
        good = value.kind != VALUE_ERROR;
    }
    if (!good) {
        diag_note(model->diag, model->data->span,
                  "found with %u rows: a field must work for any number of rows", rows);
        return false;
    }
    fields->asks_training = evaluator->asks_training;
    fields->tracing = (Tracing){.graph = fields->graph, .rows = rows};
    trace_graph(&fields->tracing, fields->arena, fields->nodes, names_count(names));
    return true;
}

static void fields_free(FieldRows *fields) {
    const Tracing *tracing = &fields->tracing;
    for (NodeId id = 1; tracing->traces && id < tracing->graph->node_count; id++)
        arena_free(tracing->traces[id].arena);
    graph_free(fields->graph);
    arena_free(fields->arena);
}

/* -- errors -- */

/* The place in the model of the first node before `node` that mixes rows, or else of the first that
 * moves them. */
static Span culprit(const FieldRows *fields, NodeId node, Span otherwise) {
    const bool *before = graph_ancestors(fields->arena, fields->graph, node);
    for (int moves = 0; moves < 2; moves++)
        for (NodeId id = 1; id <= node; id++) {
            const Trace *trace = &fields->tracing.traces[id];
            Span span = graph_node(fields->graph, id)->span;
            if (before[id] && span.file && (moves ? trace->moves : trace->mixes)) return span;
        }
    return otherwise;
}

static bool reject(const Model *model, Span span, const char *name, const char *finding) {
    diag_error(model->diag, STATUS_MODEL, span, "field '%s' %s", name, finding);
    return false;
}

static bool reject_rows(const Model *model, const FieldRows *fields, NodeId node,
                        const Setting *setting) {
    Span span = culprit(fields, node, setting->value->span);
    reject(model, span, setting->name.text,
           "uses other rows of the batch: its value for a row would depend on the batch");
    diag_help(
        model->diag,
        "axis 0 is the rows; standardize(x) uses the mean and deviation of each column in all training rows");
    return false;
}

/* Compares the rows of a field with each other, and with the graph of fewer rows. */
static bool check_field(const Model *model, const FieldRows *more, const FieldRows *fewer,
                        uint32_t field, const Setting *setting) {
    NodeId node = more->nodes[field];
    const Trace *trace = &more->tracing.traces[node],
                *other = &fewer->tracing.traces[fewer->nodes[field]];
    if (trace->mixes || trace->moves) return reject_rows(model, more, node, setting);
    int64_t rows = more->tracing.rows,
            width = shape_elements(graph_node(more->graph, node)->shape) / rows;
    for (int64_t i = 0; i < rows * width; i++)
        if ((trace->elements[i] ^ trace->elements[i % width]) & ~ROW_MASK)
            return reject(model, setting->value->span, setting->name.text,
                          "depends on the position of a row in the batch");
    bool alike = shape_elements(graph_node(fewer->graph, fewer->nodes[field])->shape) ==
                 width * fewer->tracing.rows;
    for (int64_t i = 0; alike && i < width; i++)
        alike = !((trace->elements[i] ^ other->elements[i]) & ~ROW_MASK);
    if (alike) return true;
    return reject(model, setting->value->span, setting->name.text,
                  "depends on the number of rows in the batch");
}

/* *asks_training: the fields in training may differ from those in evaluation. */
static bool check_fields(const Model *model, bool training, bool *asks_training) {
    const Names *names = model->globals.fields;
    FieldRows more, fewer = {0};
    bool good = fields_build(model, MAX_ROWS, training, &more) &&
                fields_build(model, MAX_ROWS - 1, training, &fewer);
    bool built = good;
    for (uint32_t i = 0; built && i < names_count(names); i++)
        good &= check_field(model, &more, &fewer, i, names_find(names, names_all(names)[i]));
    *asks_training = more.asks_training;
    fields_free(&more);
    if (fewer.arena) fields_free(&fewer);
    return good;
}

bool fields_check_rows(const Model *model) {
    bool asks_training;
    return check_fields(model, false, &asks_training) &&
           (!asks_training || check_fields(model, true, &asks_training));
}
