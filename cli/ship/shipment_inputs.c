/* The inputs of a shipment: their names, types and positions in the arguments of C functions. */
#include "cli/ship/ship_names.h"
#include "cli/ship/shipment.h"
#include "engine/session/field_uses.h"
#include "ir/base/integers.h"
#include "ir/data/derived.h"

#include <string.h>

int64_t shipment_lines(const Shipment *shipment) {
    return shipment->window.to - shipment->window.from + 1;
}

uint32_t shipment_argument(const Shipment *shipment, const ShipInput *input) {
    uint32_t argument = shipment->has_members;
    if (input->is_member) return 0;
    for (const ShipInput *at = shipment->inputs; at < input; at++) argument += !at->is_member;
    return argument;
}

/* -- names and positions -- */

/* A name that is unique among the members of the struct, or among the parameters. Names of
 * parameters also differ from those of the header's constants, which are made from them. */
static const char *name_of(const Shipment *shipment, const char *text, bool is_member) {
    static const char *const constants[] = {
        "align",       "aligned", "code_bytes",    "h",       "misaligned",
        "ok",          "row",     "row_bytes",     "scratch", "scratch_bytes",
        "stack_bytes", "weights", "weights_bytes", "window",  "window_before"};
    enum { CONSTANTS = sizeof constants / sizeof *constants };
    uint32_t count = 0, most = CONSTANTS + shipment->input_count + shipment->output_count;
    const char **taken = (const char **)ARENA_ARRAY(shipment->arena, char *, most);
    for (uint32_t i = 0; i < CONSTANTS && !is_member; i++) taken[count++] = constants[i];
    for (uint32_t i = 0; i < shipment->input_count; i++)
        if (shipment->inputs[i].is_member == is_member) taken[count++] = shipment->inputs[i].name;
    for (uint32_t i = 0; i < shipment->output_count && !is_member; i++)
        taken[count++] = shipment->outputs[i].name;
    return c_name(shipment->arena, text, taken, count);
}

static void add_input(Shipment *shipment, const SourceField *field, const FieldUse *use) {
    static const ShipType types[] = {
        [PASS_U8] = SHIP_U8, [PASS_I32] = SHIP_I32, [PASS_F32] = SHIP_F32, [PASS_F64] = SHIP_F64};
    shipment->inputs[shipment->input_count] =
        (ShipInput){.field = field,
                    .name = name_of(shipment, field->name, field->is_column),
                    .type = types[field_passed(field, use)],
                    .elements = shape_elements(field->row),
                    .is_member = field->is_column,
                    .for_training = !use->by_network,
                    .has_gaps = use->gaps && field->dtype == DTYPE_F32};
    shipment->input_count++;
}

/* Sets the offsets of the struct's members as every compiler does: each at a multiple of its
 * size. */
static void place_members(Shipment *shipment) {
    size_t end = 0, widest = 1;
    for (uint32_t i = 0; i < shipment->input_count; i++) {
        ShipInput *input = &shipment->inputs[i];
        size_t bytes = ship_type_bytes(input->type);
        if (!input->is_member) continue;
        shipment->has_members = true;
        input->offset = (size_t)round_up((int64_t)end, (int64_t)bytes);
        end = input->offset + bytes;
        if (bytes > widest) widest = bytes;
    }
    shipment->struct_bytes = (size_t)round_up((int64_t)end, (int64_t)widest);
}

static void describe_arguments(Shipment *shipment) {
    const SourceSchema *schema = &shipment->session.build.info->schema;
    ShipField *fields = ARENA_ARRAY(shipment->arena, ShipField, schema->field_count);
    size_t *bytes = ARENA_ARRAY(shipment->arena, size_t, shipment->input_count + 1);
    ShipRequest *request = &shipment->request;
    if (shipment->has_members) bytes[request->argument_count++] = shipment->struct_bytes;
    for (uint32_t i = 0; i < shipment->input_count; i++) {
        const ShipInput *input = &shipment->inputs[i];
        uint32_t argument = shipment_argument(shipment, input);
        fields[input->field - schema->fields] =
            (ShipField){true, input->type, argument, input->offset};
        if (!input->is_member)
            bytes[request->argument_count++] =
                (size_t)input->elements * ship_type_bytes(input->type);
    }
    request->schema = schema;
    request->fields = fields;
    request->line_bytes = bytes;
    request->lines = shipment_lines(shipment);
    request->before = -shipment->window.from;
}

/* Reports an input that cannot be computed from numbers of the source, such as one from the text of
 * a date. */
static bool check_inputs(const Shipment *shipment, const Graph *graph) {
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        const char *reason = symbol_is_input(symbol)
                                 ? ship_refuses(shipment->request.schema, shipment->request.fields,
                                                symbol->name, shipment->arena)
                                 : NULL;
        if (!reason) continue;
        diag_error(shipment->diag, STATUS_MODEL, graph_node(graph, symbol->node)->span,
                   "the input '%s' %s", symbol->name, reason);
        diag_help(shipment->diag,
                  "a shipped network computes with numbers and categories of a row: let the data "
                  "have the number itself as a column");
        return false;
    }
    return true;
}

/* The rows around a row that the inputs of a graph read. */
static SourceRows window_of(const Shipment *shipment, const Graph *graph) {
    SourceRows window = {0, 0, 1};
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (symbol_is_input(&graph->symbols[i]))
            source_rows_add(&window, shipment->arena, &shipment->session.build.info->schema,
                            graph->symbols[i].name);
    return window;
}

/* Reports a step that would need windows: it takes single rows. */
static bool check_window(const Shipment *shipment, const Graph *step) {
    SourceRows window = window_of(shipment, step);
    if (!window.from && !window.to) return true;
    diag_error(shipment->diag, STATUS_MODEL, (Span){0},
               "--train: the model reads windows of a series, which a shipped step does not take");
    diag_help(shipment->diag, "without --train, 'mlc build' ships the network alone");
    return false;
}

/* The fields of the network come first, so that its functions take the first arguments. */
bool shipment_find_inputs(Shipment *shipment, const Graph *step) {
    const SourceSchema *schema = &shipment->session.build.info->schema;
    FieldUse *uses = ARENA_ARRAY(shipment->arena, FieldUse, schema->field_count);
    if (step && !check_window(shipment, step)) return false;
    shipment->window = window_of(shipment, shipment->graph);
    shipment->inputs = ARENA_ARRAY(shipment->arena, ShipInput, schema->field_count);
    field_uses_add(uses, schema, shipment->graph, true, shipment->arena);
    if (step) field_uses_add(uses, schema, step, false, shipment->arena);
    for (int network = 1; network >= 0; network--)
        for (uint32_t i = 0; i < schema->field_count; i++)
            if (uses[i].read && uses[i].by_network == network)
                add_input(shipment, &schema->fields[i], &uses[i]);
    place_members(shipment);
    describe_arguments(shipment);
    return check_inputs(shipment, shipment->graph) && (!step || check_inputs(shipment, step));
}

bool shipment_find_outputs(Shipment *shipment) {
    const ModelInfo *info = shipment->session.build.info;
    const Graph *graph = shipment->graph;
    shipment->outputs = ARENA_ARRAY(shipment->arena, ShipOutput, graph->output_count);
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const Node *node = graph_node(graph, graph->outputs[i].node);
        ShipOutput *output = &shipment->outputs[i];
        if (node->dtype != DTYPE_F32) {
            diag_error(shipment->diag, STATUS_MODEL, node->span,
                       "the model's output '%s' is not f32", graph->outputs[i].name);
            return false;
        }
        *output = (ShipOutput){.output = &info->outputs[i], .row.rank = node->shape.rank - 1};
        memcpy(output->row.dim, &node->shape.dim[1],
               (size_t)output->row.rank * sizeof *output->row.dim);
        output->elements = shape_elements(output->row);
        output->name = name_of(shipment, graph->outputs[i].name, false);
        shipment->output_count++;
    }
    return true;
}
