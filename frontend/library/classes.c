/* Labels and the output columns of their classes. A loss would silently ignore a class without a
 * column. So the number of classes is compared with the number of columns here. Where the classes
 * are not known before the data are read, the number of columns is recorded, and the runtime checks
 * the labels. The number of class weights is checked too. */
#include "frontend/library/library.h"
#include "frontend/evaluate/summary.h"
#include "ir/graph/class_lookup.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* The input whose elements these whole numbers are; NULL if they are computed. */
static const Node *input_of(const Evaluator *evaluator, Value label) {
    const Graph *graph = evaluator->graph;
    const Node *node = tensor_node(evaluator, label);
    while ((op_class(node->op) == CLASS_VIEW && node->operand_count == 1) || node->op == OP_convert)
        node = graph_operand(graph, node, 0);
    return node->op == OP_input && node->dtype != DTYPE_F32 ? node : NULL;
}

/* The field of the source that this input reads, in the row itself or in rows around it; NULL for a
 * list of columns. */
static const SourceField *field_of(const Evaluator *evaluator, Value label) {
    SourceRows rows;
    const Node *node = input_of(evaluator, label);
    const char *name = node ? evaluator->graph->symbols[node->attrs.symbol].name : NULL;
    return name ? source_any(evaluator->globals->schema, source_rows_of(name, &rows)) : NULL;
}

/* The name of the input whose elements these whole numbers are. */
static const char *input_name(const Evaluator *evaluator, Value label) {
    const char *name = evaluator->graph->symbols[input_of(evaluator, label)->attrs.symbol].name;
    return arena_copy_string(evaluator->arena, name, strlen(name));
}

const char *classes_known_by(const Evaluator *evaluator, Value label) {
    return field_of(evaluator, label) ? input_name(evaluator, label) : NULL;
}

static Value too_few_columns(const Call *call, const SourceField *field, int64_t columns) {
    Evaluator *evaluator = call->evaluator;
    const DataSource *source = evaluator->globals->source;
    if (!evaluator_error(evaluator, call->span,
                         "'%s' has classes 0 to %d, but there %s only %" PRId64
                         " column%s for them",
                         field->name, field->classes - 1, columns == 1 ? "is" : "are", columns,
                         columns == 1 ? "" : "s"))
        return value_error();
    diag_note(evaluator->diag, source->span, "%s() has %d classes", source->reader, field->classes);
    diag_help(evaluator->diag, "give the last layer an output for each class: %d", field->classes);
    return value_error();
}

/* Records a label of the loss or of a metric: mlc eval compares predictions with it. */
static void keep_label(const Call *call, const SourceField *field) {
    const Evaluator *evaluator = call->evaluator;
    if (!evaluator->log || evaluator->phase != PHASE_TRAIN) return;
    /* the label may be the whole field, with one number for each row */
    const Node *node = tensor_node(evaluator, call->args[0]);
    while (node->op == OP_reshape || node->op == OP_convert)
        node = graph_operand(evaluator->graph, node, 0);
    bool whole = field && node->op == OP_input && shape_elements(field->row) == 1 &&
                 shape_inner(node->shape, 0) == 1;
    label_add(evaluator->log, evaluator->arena,
              (ClassLabel){.node = call->args[0].node,
                           .field = whole ? input_name(evaluator, call->args[0]) : NULL,
                           .columns = call->args[1].integer,
                           .compared = loss_call_compared(evaluator)});
}

Value call_class_of(const Call *call) {
    const SourceField *field = field_of(call->evaluator, call->args[0]);
    int64_t columns = call->args[1].integer;
    keep_label(call, field);
    present_keep(call->evaluator, call->args[0].node, call->span);
    if (field && field->classes > columns) return too_few_columns(call, field, columns);
    bool unsure = !field || !field->classes ||
                  field->is_text; /* text may be missing, so the label is then checked row by row */
    bool is_input = input_of(call->evaluator, call->args[0]) != NULL;
    if (unsure && call->evaluator->log && is_input) class_use_keep(call, columns);
    if (!is_input && call->evaluator->phase != PHASE_TRAIN) {
        Evaluator *evaluator = call->evaluator;
        struct ChoiceItem *item = ARENA_NEW(evaluator->arena, struct ChoiceItem);
        *item = (struct ChoiceItem){evaluator->choices->last,
                                    {columns, evaluator_place(evaluator, call->span)},
                                    call->args[0].node};
        evaluator->choices->last = item;
        evaluator->choices->count++;
    }
    return call->args[0];
}

/* The field of the source that an input reads; NULL if it is computed from several. */
static const SourceField *single_field(const Evaluator *evaluator, const Node *input) {
    const SourceSchema *schema = evaluator->globals->schema;
    SourceRows rows;
    uint32_t count;
    const char *name = source_rows_of(evaluator->graph->symbols[input->attrs.symbol].name, &rows);
    const uint32_t *fields = source_columns_find(schema, name, evaluator->arena, &count);
    return fields ? &schema->fields[fields[0]] : source_any(schema, name);
}

static Value too_many_classes(const Call *call, const SourceField *field, int64_t classes) {
    Evaluator *evaluator = call->evaluator;
    if (evaluator_error(evaluator, call->span,
                        "'%s' has %" PRId64 " classes, but a binary loss compares with 0 and 1",
                        field->name, classes))
        diag_help(
            evaluator->diag,
            "for more classes: cross_entropy(logits, label) with an output for each, dense(%" PRId64
            ")",
            classes);
    return value_error();
}

/* A missing number would make the loss NaN, and a missing category would be -1. f32 arrays stay
 * unchecked: they may hold probabilities. */
Value call_truth_of(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    Value target = call->args[0];
    /* The input that the target reads, with one number a row; other targets are not checked. */
    const Graph *graph = evaluator->graph;
    const Node *node = tensor_node(evaluator, target);
    while ((op_class(node->op) == CLASS_VIEW && node->operand_count == 1) || node->op == OP_convert)
        node = graph_operand(graph, node, 0);
    bool single = node->op == OP_input && shape_inner(node->shape, 0) == 1;
    const Node *input =
        single && graph->symbols[node->attrs.symbol].kind == SYMBOL_BATCH ? node : NULL;
    const SourceField *field = input ? single_field(evaluator, input) : NULL;
    if (!field) return target;
    int64_t classes = field->is_text ? (int64_t)field->category_count : field->classes;
    if (classes > 2) return too_many_classes(call, field, classes);
    present_keep(evaluator, target.node, call->span);
    if (evaluator->log && (field->is_column || field->dtype != DTYPE_F32)) class_use_keep(call, 2);
    return field->is_text ? evaluator_built(evaluator, call->span,
                                            build_convert(evaluator->graph, target.node, DTYPE_F32))
                          : target;
}

/* Labels of the source are checked when the data are read. A computed label is known only in its
 * step. If it has no column, the result is NaN, which stops the training. */
Value call_has_class(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    NodeId label = call->args[0].node;
    Shape labels = tensor_node(evaluator, call->args[0])->shape,
          rows = tensor_node(evaluator, call->args[1])->shape;
    if (rows.rank < 1 || rows.dim[0] != labels.dim[0])
        return call_fail(call, 1, "must have a row for each label");
    if (field_of(evaluator, call->args[0])) return call->args[1];
    /* int(x) would hide a NaN or a number out of range; the floor in f32 keeps them. */
    const Node *node = graph_node(evaluator->graph, label);
    bool cut =
        node->op == OP_convert && graph_operand(evaluator->graph, node, 0)->dtype == DTYPE_F32;
    NodeId x = tensor_f32(evaluator, call->args[1]),
           number = cut ? build_unary(evaluator->graph, OP_floor, node->operands[0])
                        : build_convert(evaluator->graph, label, DTYPE_I32);
    return evaluator_built(evaluator, call->span,
                           build_class_lookup(evaluator->graph, number, call->args[2].integer, x));
}

/* -- weights of classes -- */

/* Why class weights are refused; NULL if they are right. Each is a tensor or a number of at least
 * 0. */
static const char *wrong_weights(Value list) {
    double total = 0;
    for (uint32_t i = 0; i < list.list.count; i++) {
        if (list.list.items[i].kind == VALUE_TENSOR) return "must hold numbers, not tensors";
        total += (double)(float)value_number(list.list.items[i]);
    }
    if (!isfinite(total)) return "holds a number that is too large for f32";
    return total > 0 ? NULL : "must not all be 0: no row would count";
}

static bool one_for_each(const Call *call) {
    uint32_t count = call->args[0].list.count;
    int64_t classes = call->args[1].integer;
    if (count == classes) return true;
    if (evaluator_error(
            call->evaluator, call->spans[0], "%u weight%s, but there %s %" PRId64 " class%s", count,
            count == 1 ? "" : "s", classes == 1 ? "is" : "are", classes, classes == 1 ? "" : "es"))
        diag_help(call->evaluator->diag,
                  "give a weight for each column of the logits, in their order");
    return false;
}

/* The weights as a tensor: a concat of constants, one for each run of equal weights. */
Value call_class_weights(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    const Value *items = call->args[0].list.items;
    uint32_t count = call->args[0].list.count, parts = 0;
    if (!one_for_each(call) || !evaluator_charge(evaluator, call->span, count))
        return value_error();
    const char *wrong = wrong_weights(call->args[0]);
    if (wrong) return call_fail(call, 0, "%s", wrong);
    NodeId *nodes = ARENA_ARRAY(evaluator->arena, NodeId, count);
    for (uint32_t i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && value_number(items[next]) == value_number(items[i]);)
            next++;
        nodes[parts++] = build_f32(evaluator->graph, value_number(items[i]),
                                   (Shape){.rank = 1, .dim = {next - i}});
    }
    return evaluator_built(evaluator, call->span, build_concat(evaluator->graph, nodes, parts, 0));
}
