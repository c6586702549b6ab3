/* Nodes in an order in which they can be translated: functions are replaced by their bodies, and
 * every value is made before it is used. */
#include "onnx/in/model.h"

#include <string.h>

enum { MAX_NODES = 100000, MAX_CALLS = 16 };

typedef struct {
    OnnxModel *model;
    Arena *arena;
    Diagnostics *diag;
} Ordering;

/* -- functions -- */

static const OnnxFunction *function_of(const OnnxModel *model, const OnnxNode *node) {
    for (uint32_t i = 0; i < model->function_count; i++)
        if (!strcmp(model->functions[i].name, node->op) &&
            !strcmp(model->functions[i].domain, node->domain))
            return &model->functions[i];
    return NULL;
}

/* A call of a function, and the outer names of the values in its body. */
typedef struct {
    const OnnxNode *node;
    const OnnxFunction *function;
    uint32_t number;
} FunctionCall;

static const char *outer_name(const Ordering *ordering, const FunctionCall *call,
                              const char *name) {
    if (!*name) return name;
    for (uint32_t i = 0; i < call->function->input_count; i++)
        if (!strcmp(call->function->inputs[i], name))
            return i < call->node->input_count ? call->node->inputs[i] : "";
    for (uint32_t i = 0; i < call->function->output_count && i < call->node->output_count; i++)
        if (!strcmp(call->function->outputs[i], name)) return call->node->outputs[i];
    return arena_format(ordering->arena, "%s/%u/%s", call->function->name, call->number, name);
}

static const char **outer_names(const Ordering *ordering, const FunctionCall *call,
                                const char **names, uint32_t count) {
    const char **outer = ARENA_ARRAY(ordering->arena, const char *, count);
    for (uint32_t i = 0; i < count; i++) outer[i] = outer_name(ordering, call, names[i]);
    return outer;
}

/* An attribute in the body may refer to an attribute of the call. If the call does not have it, the
 * default applies. */
static const OnnxAttribute *outer_attributes(const Ordering *ordering, const FunctionCall *call,
                                             const OnnxNode *inner, uint32_t *count) {
    OnnxAttribute *outer = ARENA_ARRAY(ordering->arena, OnnxAttribute, inner->attribute_count);
    *count = 0;
    for (uint32_t i = 0; i < inner->attribute_count; i++) {
        const OnnxAttribute *attribute = &inner->attributes[i];
        const OnnxAttribute *given =
            attribute->reference ? onnx_attribute(call->node, attribute->reference) : attribute;
        if (!given) continue;
        outer[*count] = *given;
        outer[(*count)++].name = attribute->name;
    }
    return outer;
}

static bool append(const Ordering *ordering, OnnxGraph *graph, const OnnxNode *node) {
    if (graph->node_count == MAX_NODES) {
        diag_error(ordering->diag, STATUS_MODEL, (Span){0},
                   "'%s': its functions make more than %d nodes", ordering->model->path, MAX_NODES);
        return false;
    }
    ARENA_ROOM(ordering->arena, graph->nodes, graph->node_count, graph->node_capacity);
    graph->nodes[graph->node_count++] = *node;
    return true;
}

static bool inline_calls(const Ordering *ordering, const OnnxNode *nodes, uint32_t count, int depth,
                         uint32_t *calls, OnnxGraph *into) {
    for (uint32_t i = 0; i < count; i++) {
        FunctionCall call = {&nodes[i], function_of(ordering->model, &nodes[i]), *calls};
        if (!call.function) {
            if (!append(ordering, into, &nodes[i])) return false;
            continue;
        }
        if (depth == MAX_CALLS || ++*calls == MAX_NODES) {
            diag_error(ordering->diag, STATUS_MODEL, (Span){0},
                       "'%s': its function '%.100s' calls itself, or there are too many calls",
                       ordering->model->path, nodes[i].op);
            return false;
        }
        const OnnxGraph *body = &call.function->body;
        OnnxNode *inner = ARENA_ARRAY(ordering->arena, OnnxNode, body->node_count);
        for (uint32_t k = 0; k < body->node_count; k++) {
            inner[k] = body->nodes[k];
            inner[k].inputs =
                outer_names(ordering, &call, body->nodes[k].inputs, body->nodes[k].input_count);
            inner[k].outputs =
                outer_names(ordering, &call, body->nodes[k].outputs, body->nodes[k].output_count);
            inner[k].attributes =
                outer_attributes(ordering, &call, &body->nodes[k], &inner[k].attribute_count);
        }
        if (!inline_calls(ordering, inner, body->node_count, depth + 1, calls, into)) return false;
    }
    return true;
}

/* -- the order -- */

/* The node that makes each value, by its number from 1; 0 for inputs and tensors. */
typedef struct {
    uint32_t node;
} ValueMaker;

static bool add_maker(const Ordering *ordering, Names *makers, const char *name, uint32_t node) {
    ValueMaker *maker = names_find(makers, name);
    if (maker && (maker->node || node)) {
        diag_error(ordering->diag, STATUS_MODEL, (Span){0},
                   "'%s': the value '%.100s' is made twice", ordering->model->path, name);
        return false;
    }
    if (maker) return true; /* a tensor that is listed as an input, too */
    maker = ARENA_NEW(ordering->arena, ValueMaker);
    maker->node = node;
    names_put(makers, name, maker);
    return true;
}

static bool find_makers(const Ordering *ordering, Names *makers) {
    const OnnxGraph *graph = &ordering->model->graph;
    bool good = true;
    for (uint32_t i = 0; i < graph->tensor_count; i++)
        good &= add_maker(ordering, makers, graph->tensors[i]->name, 0);
    for (uint32_t i = 0; i < graph->input_count; i++)
        good &= add_maker(ordering, makers, graph->inputs[i].name, 0);
    for (uint32_t i = 0; i < graph->node_count && good; i++)
        for (uint32_t k = 0; k < graph->nodes[i].output_count && good; k++)
            if (*graph->nodes[i].outputs[k])
                good = add_maker(ordering, makers, graph->nodes[i].outputs[k], i + 1);
    return good;
}

typedef enum { UNSEEN, OPEN, DONE } NodeVisit;
typedef struct {
    uint32_t node, next; /* next: the input that is visited next */
} VisitStep;

static bool not_made(const Ordering *ordering, const OnnxNode *node, const char *name) {
    diag_error(ordering->diag, STATUS_MODEL, (Span){0},
               "'%s': nothing makes the value '%.100s'%s%s", ordering->model->path, name,
               node ? ", an input of " : "", node ? onnx_node_text(node, ordering->arena) : "");
    return false;
}

/* Depth first, without recursion: a file may have a chain of 100,000 nodes. */
static bool visit(const Ordering *ordering, const Names *makers, uint32_t root, NodeVisit *visits,
                  VisitStep *stack, OnnxNode *sorted, uint32_t *count) {
    const OnnxGraph *graph = &ordering->model->graph;
    uint32_t depth = 0;
    if (visits[root] == DONE) return true;
    stack[depth++] = (VisitStep){root, 0};
    visits[root] = OPEN;
    while (depth) {
        VisitStep *top = &stack[depth - 1];
        const OnnxNode *node = &graph->nodes[top->node];
        if (top->next == node->input_count) {
            visits[top->node] = DONE;
            sorted[(*count)++] = *node;
            depth--;
            continue;
        }
        const char *name = node->inputs[top->next++];
        const ValueMaker *maker = *name ? names_find(makers, name) : NULL;
        if (!maker && *name) return not_made(ordering, node, name);
        if (!maker || !maker->node || visits[maker->node - 1] == DONE) continue;
        if (visits[maker->node - 1] == OPEN) {
            diag_error(ordering->diag, STATUS_MODEL, (Span){0},
                       "'%s': the nodes form a cycle at %s", ordering->model->path,
                       onnx_node_text(node, ordering->arena));
            return false;
        }
        visits[maker->node - 1] = OPEN;
        stack[depth++] = (VisitStep){maker->node - 1, 0};
    }
    return true;
}

/* Sorts the nodes that an output needs. An order of the file that is valid is kept. */
static bool sort(const Ordering *ordering) {
    OnnxGraph *graph = &ordering->model->graph;
    Names *makers = names_new(ordering->arena);
    if (!find_makers(ordering, makers)) return false;
    NodeVisit *visits = ARENA_ARRAY(ordering->arena, NodeVisit, graph->node_count);
    VisitStep *stack = ARENA_ARRAY(ordering->arena, VisitStep, graph->node_count);
    OnnxNode *sorted = ARENA_ARRAY(ordering->arena, OnnxNode, graph->node_count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const ValueMaker *maker = names_find(makers, graph->outputs[i].name);
        if (!maker) return not_made(ordering, NULL, graph->outputs[i].name);
        if (maker->node && !visit(ordering, makers, maker->node - 1, visits, stack, sorted, &count))
            return false;
    }
    graph->nodes = sorted;
    graph->node_count = count;
    return true;
}

bool onnx_order(OnnxModel *model, Arena *arena, Diagnostics *diag) {
    Ordering ordering = {model, arena, diag};
    OnnxGraph flat = {0};
    uint32_t calls = 0;
    if (!inline_calls(&ordering, model->graph.nodes, model->graph.node_count, 0, &calls, &flat))
        return false;
    model->graph.nodes = flat.nodes;
    model->graph.node_count = flat.node_count;
    return sort(&ordering);
}
