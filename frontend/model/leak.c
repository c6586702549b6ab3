/* Warns if the label is among the features: the network reads the value that it should predict. It
 * then learns to copy it, and is useless for new rows.
 *
 * Every element that is computed from the data alone has a set: the elements of the source that it
 * comes from, such as `price`, or `price` two rows later. The network reads the sets of all values
 * that are combined with a weight. A label leaks if the network reads its whole set. It does not if
 * the network reads little else, as an autoencoder does. */
#include "frontend/model/loading.h"
#include "ir/data/derived.h"
#include "ir/eval/eval.h"

#include <string.h>

enum { ITEMS_MAX = 512, WORDS = ITEMS_MAX / 64, SETS_MAX = 4096, WHOLE_FIELD = 64 };

/* A set of items, by their numbers. */
typedef struct {
    uint64_t words[WORDS];
} Set;

/* An item is an element of a field of the source, in the row itself or some rows away. A field with
 * many elements is one item. */
typedef struct {
    const char *name;
    Span span; /* the place of the input through which it reaches the network */
} ReadItem;

typedef struct {
    Model *model;
    const Graph *graph;
    Arena *arena;
    bool *network;     /* nodes that the outputs of the model depend on */
    bool *from_output; /* nodes that depend on an output of the model */
    bool *learns;      /* nodes that depend on a weight */
    /* of each node that depends on data alone: the number of each element's set; 0: the empty
     * set */
    uint64_t **elements;
    Names *item_numbers;
    ReadItem items[ITEMS_MAX];
    uint32_t item_count;
    Set sets[SETS_MAX];
    uint32_t set_count;
    Set read;         /* by the network */
    LossCall *labels; /* the node that is compared with an output, as `other` */
    uint32_t label_count;
    bool too_many;
} Leak;

/* -- sets -- */

static void set_join(Set *to, const Set *more) {
    for (int i = 0; i < WORDS; i++) to->words[i] |= more->words[i];
}

static int set_size(const Set *set) {
    int size = 0;
    for (int i = 0; i < WORDS; i++) size += __builtin_popcountll(set->words[i]);
    return size;
}

/* The number of a set. Equal sets have the same number. */
static uint64_t set_number(Leak *leak, const Set *set) {
    for (uint32_t i = 0; i < leak->set_count; i++)
        if (!memcmp(&leak->sets[i], set, sizeof *set)) return i;
    if (leak->set_count == SETS_MAX) return leak->too_many = true, 0;
    leak->sets[leak->set_count] = *set;
    return leak->set_count++;
}

static uint64_t joined(Leak *leak, uint64_t a, uint64_t b) {
    if (a == b || !b) return a;
    if (!a) return b;
    Set both = leak->sets[a];
    set_join(&both, &leak->sets[b]);
    return set_number(leak, &both);
}

/* -- the sets of an input of the graph -- */

static uint64_t set_of_item(Leak *leak, const char *name) {
    uint32_t *number = names_find(leak->item_numbers, name);
    Set set = {0};
    if (!number && leak->item_count == ITEMS_MAX) return leak->too_many = true, 0;
    if (!number) {
        number = ARENA_NEW(leak->arena, uint32_t);
        *number = leak->item_count++;
        leak->items[*number].name = name;
        names_put(leak->item_numbers, name, number);
    }
    set.words[*number / 64] = UINT64_C(1) << *number % 64;
    return set_number(leak, &set);
}

/* The set of one element of a field: the item "price", "price+2" (two rows later in a series) or
 * "scores[1]". */
static uint64_t set_of_element(Leak *leak, uint32_t field, int64_t element, int64_t row) {
    const SourceField *from = &leak->model->info.schema.fields[field];
    int64_t width = shape_elements(from->row);
    const char *name = from->name;
    if (width > 1 && width <= WHOLE_FIELD)
        name = arena_format(leak->arena, "%s[%lld]", name, (long long)element);
    return set_of_item(leak,
                       row ? arena_format(leak->arena, "%s%+lld", name, (long long)row) : name);
}

/* Collects the set of all columns that a derived column is computed from. */
typedef struct {
    Leak *leak;
    uint64_t set;
} Sources;

static void add_sources(void *context, const Derived *columns, int64_t row) {
    Sources *sources = context;
    for (uint32_t i = 0; i < columns->count; i++)
        sources->set = joined(sources->leak, sources->set,
                              set_of_element(sources->leak, columns->fields[i], 0, row));
}

/* The sets of the elements of an input: a field, a list of columns, or a derived column. */
static void trace_input(Leak *leak, const Node *node, uint64_t *out) {
    SourceRows around;
    const SourceSchema *schema = &leak->model->info.schema;
    const char *name = source_rows_of(leak->graph->symbols[node->attrs.symbol].name, &around);
    int64_t count = shape_elements(node->shape), width = count / node->shape.dim[0],
            each = width / (around.to - around.from + 1);
    uint32_t read_count = 0, column_count = 0;
    const uint32_t *fields = source_reads(schema, name, leak->arena, &read_count);
    const uint32_t *columns = source_columns_find(schema, name, leak->arena, &column_count);
    const Derived *derived = columns ? NULL : derived_find(leak->arena, schema, name);
    for (int64_t i = 0; i < width && read_count; i++) {
        int64_t row = around.from + i / each, at = i % each;
        if (columns || source_field(schema, name)) {
            out[i] = set_of_element(leak, columns ? columns[at] : fields[0], at, row);
            continue;
        }
        Sources sources = {.leak = leak};
        derived_visit(derived, row, add_sources, &sources);
        out[i] = sources.set;
    }
    for (int64_t i = width; i < count; i++) out[i] = out[i - width];
}

/* -- from node to node -- */

/* Moves the numbers of sets as a view moves elements: the evaluator in f64 copies them like
 * doubles. */
static void trace_view(const Leak *leak, const Node *node, uint64_t *out) {
    const Node **operands = ARENA_ARRAY(leak->arena, const Node *, node->operand_count);
    const void **in = ARENA_ARRAY(leak->arena, const void *, node->operand_count);
    Node *moved = ARENA_ARRAY(leak->arena, Node, node->operand_count), result = *node;
    result.dtype = DTYPE_F32;
    for (uint32_t i = 0; i < node->operand_count; i++) {
        moved[i] = *graph_operand(leak->graph, node, i);
        moved[i].dtype = DTYPE_F32;
        operands[i] = &moved[i];
        in[i] = leak->elements[node->operands[i]];
    }
    eval_table[node->op](&(EvalArgs){INTERP_F64, &result, operands, in, out});
}

static uint64_t set_of_all(Leak *leak, NodeId id) {
    uint64_t all = 0;
    int64_t count = shape_elements(graph_node(leak->graph, id)->shape);
    for (int64_t i = 0; i < count; i++) all = joined(leak, all, leak->elements[id][i]);
    return all;
}

static void trace_node(Leak *leak, NodeId id) {
    const Node *node = graph_node(leak->graph, id);
    uint64_t *out = leak->elements[id] =
        ARENA_ARRAY(leak->arena, uint64_t, shape_elements(node->shape));
    bool input =
        node->op == OP_input && leak->graph->symbols[node->attrs.symbol].kind == SYMBOL_BATCH;
    if (input)
        trace_input(leak, node, out);
    else if (op_class(node->op) == CLASS_ELEMENTWISE) {
        int64_t count = shape_elements(node->shape);
        for (uint32_t k = 0; k < node->operand_count; k++)
            for (int64_t i = 0; i < count; i++)
                out[i] = joined(leak, out[i], leak->elements[node->operands[k]][i]);
    } else if (op_class(node->op) == CLASS_VIEW && node->op != OP_gather)
        trace_view(leak, node, out);
    else {
        uint64_t all = 0;
        int64_t count = shape_elements(node->shape);
        for (uint32_t k = 0; k < node->operand_count; k++)
            all = joined(leak, all, set_of_all(leak, node->operands[k]));
        for (int64_t i = 0; i < count; i++) out[i] = all;
    }
}

/* -- the labels -- */

static void mark_nodes(Leak *leak) {
    const Model *model = leak->model;
    leak->network = ARENA_ARRAY(leak->arena, bool, leak->graph->node_count);
    leak->from_output = ARENA_ARRAY(leak->arena, bool, leak->graph->node_count);
    leak->learns = ARENA_ARRAY(leak->arena, bool, leak->graph->node_count);
    for (uint32_t i = 0; i < model->info.output_count; i++) {
        const bool *reached = graph_ancestors(leak->arena, leak->graph, model->log->outputs[i]);
        for (NodeId id = 1; id < leak->graph->node_count; id++) leak->network[id] |= reached[id];
        leak->from_output[model->log->outputs[i]] = true;
    }
    for (NodeId id = 1; id < leak->graph->node_count; id++) {
        const Node *node = graph_node(leak->graph, id);
        leak->learns[id] =
            node->op == OP_state && leak->graph->symbols[node->attrs.symbol].trainable;
        for (uint32_t k = 0; k < node->operand_count; k++) {
            leak->learns[id] |= leak->learns[node->operands[k]];
            leak->from_output[id] |= leak->from_output[node->operands[k]];
        }
    }
}

/* If two nodes are compared, the label is the one that does not depend on an output. */
static void add_label(Leak *leak, Span span, NodeId a, NodeId b) {
    if (!a || !b || leak->from_output[a] == leak->from_output[b]) return;
    NodeId label = leak->from_output[a] ? b : a;
    if (!leak->learns[label])
        leak->labels[leak->label_count++] = (LossCall){.span = span, .other = label};
}

/* A call such as mse(y, price) names its label. In a loss that is written out, a label is one side
 * of a difference. */
static void find_labels(Leak *leak) {
    const LayerLog *log = leak->model->log;
    leak->labels =
        ARENA_ARRAY(leak->arena, LossCall, log->loss_call_count + leak->graph->node_count);
    for (uint32_t i = 0; i < log->loss_call_count; i++)
        add_label(leak, log->loss_calls[i].span, log->loss_calls[i].node, log->loss_calls[i].other);
    bool named_by_calls = leak->label_count > 0;
    for (NodeId id = 1; id < leak->graph->node_count && !named_by_calls; id++) {
        const Node *node = graph_node(leak->graph, id);
        if (node->op == OP_sub) add_label(leak, node->span, node->operands[0], node->operands[1]);
    }
}

/* Marks the fields of the source that some nodes read. */
static void add_fields(const Leak *leak, const bool *nodes, bool *fields) {
    for (uint32_t i = 0; i < leak->graph->symbol_count; i++) {
        const Symbol *symbol = &leak->graph->symbols[i];
        SourceRows around;
        uint32_t count = 0;
        if (symbol->kind != SYMBOL_BATCH || !symbol->node || !nodes[symbol->node]) continue;
        const uint32_t *reads = source_reads(
            &leak->model->info.schema, source_rows_of(symbol->name, &around), leak->arena, &count);
        for (uint32_t k = 0; k < count; k++) fields[reads[k]] = true;
    }
}

/* Whether the network reads a field that a label comes from. Most models do not, so nothing needs
 * to be traced. */
static bool shares_field(const Leak *leak) {
    uint32_t count = leak->model->info.schema.field_count;
    bool *read = ARENA_ARRAY(leak->arena, bool, count),
         *compared = ARENA_ARRAY(leak->arena, bool, count), shared = false;
    add_fields(leak, leak->network, read);
    for (uint32_t i = 0; i < leak->label_count; i++)
        add_fields(leak, graph_ancestors(leak->arena, leak->graph, leak->labels[i].other),
                   compared);
    for (uint32_t i = 0; i < count; i++) shared |= read[i] && compared[i];
    return shared;
}

/* The place of the last input of the network that has the item. */
static Span place_of(Leak *leak, uint32_t item) {
    Span place = {0};
    for (NodeId id = 1; id < leak->graph->node_count; id++) {
        const Node *node = graph_node(leak->graph, id);
        if (node->op != OP_input || !leak->network[id] || !leak->elements[id]) continue;
        const Set *set = &leak->sets[set_of_all(leak, id)];
        if (set->words[item / 64] >> item % 64 & 1) place = node->span;
    }
    return place;
}

/* -- the result -- */

static void warn(Leak *leak, const Set *label, Span compared) {
    uint32_t item = 0;
    while (!(label->words[item / 64] >> item % 64 & 1)) item++;
    Warning *warning = warning_add(leak->model, place_of(leak, item),
                                   "the label is among the features: the network reads '%s'",
                                   leak->items[item].name);
    warning->note = "the loss compares the output with it here";
    warning->note_span = compared;
    warning->help =
        "the network learns to copy a value that new rows do not have: leave it out of the fields that the model reads";
}

/* Warns if an element of the label leaks. If the set of the label is larger than all else that the
 * network reads, the model is an autoencoder. */
static bool check_label(Leak *leak, NodeId label, Span compared) {
    Set all = {0};
    const Node *node = graph_node(leak->graph, label);
    int64_t width = shape_elements(node->shape) / (node->shape.rank ? node->shape.dim[0] : 1);
    set_join(&all, &leak->sets[set_of_all(leak, label)]);
    Set both = leak->read;
    set_join(&both, &all);
    int other = set_size(&both) - set_size(&all);
    for (int64_t i = 0; i < width; i++) {
        const Set *set = &leak->sets[leak->elements[label][i]];
        uint64_t outside = 0; /* of what the network reads */
        for (int w = 0; w < WORDS; w++) outside |= set->words[w] & ~leak->read.words[w];
        if (!set_size(set) || outside || set_size(&all) > other) continue;
        warn(leak, set, compared);
        return true;
    }
    return false;
}

static void find(Leak *leak) {
    mark_nodes(leak);
    find_labels(leak);
    if (!shares_field(leak)) return;
    leak->set_count = 1;
    leak->elements = ARENA_ARRAY(leak->arena, uint64_t *, leak->graph->node_count);
    for (NodeId id = 1; id < leak->graph->node_count && !leak->too_many; id++)
        if (!leak->learns[id] && !leak->from_output[id]) trace_node(leak, id);
    if (leak->too_many) return;
    /* The network reads the data operands of every node that depends on a weight. */
    for (NodeId id = 1; id < leak->graph->node_count; id++) {
        const Node *node = graph_node(leak->graph, id);
        for (uint32_t k = 0; k < node->operand_count && leak->network[id] && leak->learns[id]; k++)
            if (leak->elements[node->operands[k]])
                set_join(&leak->read, &leak->sets[set_of_all(leak, node->operands[k])]);
    }
    for (uint32_t i = 0; i < leak->label_count && !leak->too_many; i++)
        if (check_label(leak, leak->labels[i].other, leak->labels[i].span)) return;
}

void leak_find(Model *model, const Graph *graph) {
    Arena *arena = arena_new();
    Leak *leak = ARENA_NEW(arena, Leak);
    leak->model = model;
    leak->graph = graph;
    leak->arena = arena;
    leak->item_numbers = names_new(arena);
    find(leak);
    arena_free(arena);
}
