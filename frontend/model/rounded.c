/* Finds inputs that are rounded to f32 before arithmetic: 1700000001 - 1700000000 is 0 in f32. The
 * runtime warns if the data lose digits there. A number that is only moved or scaled, or whose
 * logarithm is taken, keeps seven digits, which is enough. */
#include "frontend/model/loading.h"
#include "ir/data/derived.h"

/* Ops that move or scale a number: whether lost digits matter depends on the ops that follow. */
static bool carries(const Node *node, uint32_t operand) {
    switch (node->op) {
    case OP_mul:
    case OP_div:
    case OP_neg:
    case OP_abs:
    case OP_max:
    case OP_min:
    case OP_relu:
    case OP_detach:
    case OP_convert:
    case OP_reduce_max: return true;
    case OP_select: return operand > 0;
    default: return op_class(node->op) == CLASS_VIEW && !(node->op == OP_gather && operand == 1);
    }
}

/* Ops for which seven digits are enough. */
static bool forgives(const Node *node) {
    return node->op == OP_log || node->op == OP_log1p || node->op == OP_sqrt || node->op == OP_pow;
}

/* Whether the operand is used as f32; as i32 it has all its digits. */
static bool is_rounded(const Node *node, const Node *operand) {
    return operand->dtype == DTYPE_F32 || (node->op == OP_convert && node->dtype == DTYPE_F32);
}

/* Whether an op that needs all digits depends on an input through ops that carry it. */
static bool is_computed_with(const Model *model, const Graph *graph, const bool *live,
                             NodeId input) {
    bool *carried = ARENA_ARRAY(model->arena, bool, graph->node_count);
    carried[input] = true;
    for (NodeId id = input + 1; id < graph->node_count; id++) {
        const Node *node = graph_node(graph, id);
        for (uint32_t k = 0; k < node->operand_count && live[id]; k++) {
            const Node *operand = graph_operand(graph, node, k);
            bool whole = operand->dtype == DTYPE_I32 && op_class(node->op) == CLASS_VIEW;
            if (!carried[node->operands[k]] || (!whole && !is_rounded(node, operand)) ||
                forgives(node))
                continue;
            if (!carries(node, k)) return true;
            carried[id] = true;
        }
    }
    return false;
}

void rounded_find(Model *model, const Graph *graph) {
    const bool *live = graph_live(graph);
    const SourceSchema *schema = &model->info.schema;
    RoundedUse *uses = ARENA_ARRAY(model->arena, RoundedUse, graph->symbol_count);
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (symbol->kind != SYMBOL_BATCH || !live[symbol->node]) continue;
        SourceRows rows;
        const Derived *derived =
            derived_find(model->arena, schema, source_rows_of(symbol->name, &rows));
        if (!derived || derived->kind == DERIVED_CLASSES || !derived_has_digits(schema, derived))
            continue;
        bool computed = is_computed_with(model, graph, live, symbol->node);
        const char *name = arena_format(model->arena, "%s", symbol->name);
        uses[model->info.rounded_count++] =
            (RoundedUse){name, graph_node(graph, symbol->node)->span, !computed};
    }
    model->info.rounded = uses;
}
