/* GRAPH_CHOICES: whole numbers that are computed from the data and used as class numbers, as in
 * one_hot(int(source.grade - 1), 3). A grade of 7 would silently give zeros. This graph computes
 * the numbers alone, so that the runtime can check them row by row. Numbers that depend on weights
 * are left out, as they are not known before the network runs. */
#include "frontend/model/loading.h"

/* of_data[id]: the node depends only on data and on fitted transforms. */
static const bool *made_of_data(const Evaluator *evaluator) {
    const Graph *graph = evaluator->graph;
    bool *of_data = ARENA_ARRAY(evaluator->arena, bool, graph->node_count);
    for (NodeId id = 1; id < graph->node_count; id++) {
        const Node *node = graph_node(graph, id);
        bool is_symbol = node->op == OP_input || node->op == OP_state;
        const Symbol *symbol = is_symbol ? &graph->symbols[node->attrs.symbol] : NULL;
        of_data[id] =
            node->op != OP_random &&
            (!symbol || symbol->kind == SYMBOL_BATCH || symbol->init.kind == INIT_FITTED) &&
            !(symbol && symbol->kind == SYMBOL_VALUE);
        for (uint32_t i = 0; i < node->operand_count; i++)
            of_data[id] &= of_data[node->operands[i]];
    }
    return of_data;
}

/* Whether the same number is checked already, against as few columns. */
static bool is_known(const struct ChoiceItem *items[], uint32_t count,
                     const struct ChoiceItem *item) {
    bool known = false;
    for (uint32_t i = 0; i < count; i++)
        known |= items[i]->node == item->node && items[i]->choice.columns <= item->choice.columns;
    return known;
}

const ComputedChoice *choices_lower(Evaluator *evaluator, uint32_t *count) {
    Graph *graph = evaluator->graph;
    const ChoiceList *list = evaluator->choices;
    const struct ChoiceItem **kept =
        ARENA_ARRAY(evaluator->arena, const struct ChoiceItem *, list->count);
    ComputedChoice *choices = ARENA_ARRAY(evaluator->arena, ComputedChoice, list->count);
    const bool *of_data = made_of_data(evaluator);
    *count = 0;
    for (const struct ChoiceItem *item = list->last; item; item = item->before)
        if (of_data[item->node] &&
            shape_elements(graph_node(graph, item->node)->shape) % evaluator->batch == 0 &&
            !is_known(kept, *count, item))
            kept[(*count)++] = item;
    graph->output_count = 0;
    for (uint32_t i = 0; i < *count; i++) {
        choices[i] = kept[i]->choice;
        graph_output(graph, arena_format(evaluator->arena, "%u", i),
                     build_convert(graph, kept[i]->node, DTYPE_I32));
    }
    return choices;
}
