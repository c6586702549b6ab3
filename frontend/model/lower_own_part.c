/* The part of an update that one of several processes makes: GRAPH_LARGEST, GRAPH_SQUARES and
 * GRAPH_UPDATE (model.h). Optimizers work element by element, so a piece of a weight is updated as
 * a weight of its own. Only clip_norm needs to know something of the other parts. */
#include "frontend/model/loading.h"
#include "ir/base/integers.h"
#include "ir/data/step_parts.h"
#include "ir/data/weight_parts.h"

#include <string.h>

typedef struct {
    const Model *model;
    Evaluator *evaluator;
    const Trained *trained; /* all weights, in the order of the model */
    uint32_t count;
    WeightParts parts;
    Trained *owned; /* what the process owns of them, in the order of the vector */
    uint32_t owned_count;
} OwnPart;

static void place_weights(OwnPart *part) {
    const Graph *graph = part->evaluator->graph;
    WeightPlace *places = ARENA_ARRAY(part->evaluator->arena, WeightPlace, part->count);
    for (uint32_t i = 0; i < part->count; i++)
        places[i] = (WeightPlace){
            .name = part->trained[i].name,
            .elements = shape_elements(graph_node(graph, part->trained[i].weight)->shape)};
    part->parts = (WeightParts){.places = places,
                                .count = part->count,
                                .elements = parts_place(places, part->count),
                                .processes = part->model->processes,
                                .whole_blocks = part->model->clip_norm > 0};
}

static NodeId input_vector(Graph *graph, const char *prefix, const char *name, int64_t count) {
    return graph_input(graph, SYMBOL_VALUE, arena_format(graph->arena, "%s%s", prefix, name),
                       DTYPE_F32, shape_of(1, &count));
}

/* The sums of gradients and the weights are inputs. */
static void input_pieces(OwnPart *part, NodeId rows) {
    Graph *graph = part->evaluator->graph;
    part->owned = ARENA_ARRAY(part->evaluator->arena, Trained, part->count);
    for (uint32_t i = 0; i < part->count; i++) {
        const WeightPlace *place = &part->parts.places[i];
        int64_t count = part_piece(&part->parts, place, part->model->rank).count;
        if (!count) continue;
        NodeId sum = input_vector(graph, GRADIENT_PREFIX, place->name, count);
        part->owned[part->owned_count++] =
            (Trained){.weight = input_vector(graph, WEIGHT_PREFIX, place->name, count),
                      .gradient = build_binary(graph, OP_div, sum, rows),
                      .name = place->name};
    }
}

/* The largest gradient of all processes decides by what gradients are multiplied. */
static ClipScale scale_of(const OwnPart *part) {
    Graph *graph = part->evaluator->graph;
    NodeId all = input_vector(graph, NORM_LARGEST, "", part->parts.processes);
    return clip_scale(graph, build_reduce(graph, OP_reduce_max, all, 0, false));
}

static void output_squares(const OwnPart *part) {
    Graph *graph = part->evaluator->graph;
    ClipScale scale = scale_of(part);
    NodeId *squares = ARENA_ARRAY(part->evaluator->arena, NodeId, part->count);
    for (uint32_t i = 0; i < part->owned_count; i++)
        squares[i] = clip_squares(graph, part->owned[i].gradient, &scale);
    if (part->owned_count)
        graph_output(graph, NORM_SQUARES, build_concat(graph, squares, part->owned_count, 0));
}

/* The sums of the blocks of all processes are added as clip_to_norm adds them: weight by weight, in
 * the order of the model. */
static NodeId total_squares(const OwnPart *part) {
    Graph *graph = part->evaluator->graph;
    NodeId total = build_f32(graph, 0, (Shape){0}),
           all = input_vector(graph, NORM_SQUARES, "",
                              part_block(&part->parts, part->parts.processes));
    for (uint32_t i = 0; i < part->count; i++) {
        int64_t first = 0, end;
        const WeightPlace *place = part->parts.places;
        for (; strcmp(place->name, part->trained[i].name); place++)
            first += divide_up(place->elements, NORM_BLOCK);
        end = first + divide_up(place->elements, NORM_BLOCK);
        NodeId squares = build_slice(graph, all, &first, &end, NULL);
        total = build_binary(graph, OP_add, total, clip_sum(graph, squares));
    }
    return total;
}

static void update_pieces(const OwnPart *part, const Optimizers *optimizers) {
    Graph *graph = part->evaluator->graph;
    if (part->model->clip_norm > 0) {
        ClipScale scale = scale_of(part);
        clip_by(graph, part->owned, part->owned_count, &scale, total_squares(part),
                part->model->clip_norm);
    }
    for (uint32_t i = 0; i < part->owned_count; i++)
        graph_output(graph, arena_format(graph->arena, WEIGHT_PREFIX "%s", part->owned[i].name),
                     optimizer_next(part->evaluator, optimizers, &part->owned[i]));
}

void lower_own_part(const Model *model, Evaluator *evaluator, GraphKind kind,
                    const Optimizers *optimizers, const Trained *trained, uint32_t count) {
    Graph *graph = evaluator->graph;
    OwnPart part = {model, evaluator, trained, count, {0}, NULL, 0};
    place_weights(&part);
    for (uint32_t i = 0; i < graph->symbol_count; i++) graph->symbols[i].update = NODE_NONE;
    graph->output_count = 0;
    NodeId rows = graph_input(graph, SYMBOL_VALUE, STEP_ROWS, DTYPE_F32, (Shape){0});
    input_pieces(&part, rows);
    if (!part.owned_count) graph_output(graph, STEP_ROWS, rows); /* no program is empty */
    if (model->clip_value > 0) clip_each(graph, part.owned, part.owned_count, model->clip_value);
    if (kind == GRAPH_LARGEST)
        graph_output(graph, NORM_LARGEST, clip_largest(graph, part.owned, part.owned_count));
    else if (kind == GRAPH_SQUARES)
        output_squares(&part);
    else
        update_pieces(&part, optimizers);
}
