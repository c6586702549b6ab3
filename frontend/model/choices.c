/* Whole numbers that the network computes of the data and then chooses by: one_hot(int(source.grade - 1), 3). A grade of 7 would get
 * zeros, and nobody would notice; so whoever runs the network looks at them row by row, and they are the outputs of a graph of their
 * own. What depends on weights is left out: it cannot be known before. */
#include "frontend/model/loading.h"

/* of_data[id]: the node is made of the data, and of what transforms have learnt of them, alone. */
static const bool *made_of_data(const Evaluator *evaluator) {
    const Graph *graph = evaluator->graph;
    bool *of_data = ARENA_ARRAY(evaluator->arena, bool, graph->node_count);
    for (NodeId id = 1; id < graph->node_count; id++) {
        const Node *node = graph_node(graph, id);
        bool is_symbol = node->op == OP_input || node->op == OP_state;
        const Symbol *symbol = is_symbol ? &graph->symbols[node->attrs.symbol] : NULL;
        of_data[id] = node->op != OP_random && (!symbol || symbol->kind == SYMBOL_BATCH || symbol->init.kind == INIT_FITTED) &&
                      !(symbol && symbol->kind == SYMBOL_VALUE);
        for (uint32_t i = 0; i < node->operand_count; i++) of_data[id] &= of_data[node->operands[i]];
    }
    return of_data;
}

static bool is_known(const struct ChoiceItem *items[], uint32_t count, const struct ChoiceItem *item) {
    bool known = false;
    for (uint32_t i = 0; i < count; i++)
        known |= items[i]->node == item->node && items[i]->choice.columns <= item->choice.columns;
    return known;
}

const ComputedChoice *choices_lower(Evaluator *evaluator, uint32_t *count) {
    Graph *graph = evaluator->graph;
    const ChoiceList *list = evaluator->choices;
    const struct ChoiceItem **kept = ARENA_ARRAY(evaluator->arena, const struct ChoiceItem *, list->count);
    ComputedChoice *choices = ARENA_ARRAY(evaluator->arena, ComputedChoice, list->count);
    const bool *of_data = made_of_data(evaluator);
    *count = 0;
    for (const struct ChoiceItem *item = list->last; item; item = item->before)
        if (of_data[item->node] && shape_elements(graph_node(graph, item->node)->shape) % evaluator->batch == 0 &&
            !is_known(kept, *count, item))
            kept[(*count)++] = item;
    graph->output_count = 0;
    for (uint32_t i = 0; i < *count; i++) {
        choices[i] = kept[i]->choice;
        graph_output(graph, arena_format(evaluator->arena, "%u", i), build_convert(graph, kept[i]->node, DTYPE_I32));
    }
    return choices;
}
