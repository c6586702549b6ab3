/* The steps of an export: forms are chosen, names are given, nodes are written, the file is put
 * together. */
#include "onnx/out/out.h"
#include "ir/ops/ops.h"

#include <string.h>

/* A row of ops.def or patterns.def. */
typedef struct {
    Writer *write;
    const char *text;
} Row;

static const Row rows[OP_COUNT] = {
#define OUT(op, function, text) [OP_##op] = {write_##function, text},
#include "onnx/out/ops.def"
};

static const struct {
    Op root;
    Pattern *matches;
    Row row;
} patterns[] = {
#define PATTERN(root, pattern, writer, text) {OP_##root, match_##pattern, {write_##writer, text}},
#include "onnx/out/patterns.def"
};
enum { PATTERNS = sizeof patterns / sizeof *patterns };

void form_operands(Out *out, Form *form, uint32_t count, const NodeId *operands) {
    NodeId *copy = ARENA_ARRAY(out->arena, NodeId, count);
    memcpy(copy, operands, count * sizeof *copy);
    form->operands = copy;
    form->count = count;
}

/* Reports that ONNX has no such operation; the row says why. */
bool write_refuse(Out *out, NodeId id, const Form *form) {
    const Node *node = graph_node(out->graph, id);
    diag_error(out->diag, STATUS_MODEL, node->span, "ONNX has no operation for '%s'",
               op_name(node->op));
    diag_help(out->diag, "%s", form->op);
    value_set(out, id, ""); /* continues, so that all of them are reported */
    return false;
}

/* -- forms -- */

/* Patterns build nodes, so the graph's arrays may move. */
static Form choose_form(Out *out, NodeId id) {
    Op op = graph_node(out->graph, id)->op;
    for (int i = 0; i < PATTERNS; i++) {
        Form form = {0};
        if (patterns[i].root != op || !patterns[i].matches(out, id, &form)) continue;
        form.write = patterns[i].row.write;
        form.op = patterns[i].row.text;
        return form;
    }
    const Node *node = graph_node(out->graph, id);
    return (Form){.write = rows[op].write,
                  .op = rows[op].text,
                  .operands = node->operands,
                  .count = node->operand_count};
}

static void choose_forms(Out *out) {
    bool *needed = ARENA_ARRAY(out->arena, bool, out->end);
    for (uint32_t i = 0; i < out->graph->output_count; i++)
        needed[out->graph->outputs[i].node] = true;
    for (NodeId id = out->end - 1; id > 0; id--) {
        if (!needed[id]) continue;
        out->forms[id] = choose_form(out, id);
        for (uint32_t i = 0; i < out->forms[id].count; i++)
            needed[out->forms[id].operands[i]] = true;
    }
}

static const uint32_t *count_uses(const Graph *graph, Arena *arena) {
    const bool *live = graph_live(graph);
    uint32_t *uses = ARENA_ARRAY(arena, uint32_t, graph->node_count);
    for (NodeId id = 1; id < graph->node_count; id++)
        for (uint32_t i = 0; live[id] && i < graph->nodes[id].operand_count; i++)
            uses[graph->nodes[id].operands[i]]++;
    for (uint32_t i = 0; i < graph->output_count; i++) uses[graph->outputs[i].node]++;
    return uses;
}

/* -- nodes -- */

/* Inputs, outputs and weights have the names of the model; other values get names around them. The
 * node of an output writes it under its name, unless the output comes from outside. */
static void take_names(Out *out) {
    const Graph *graph = out->graph;
    for (uint32_t i = 0; i < out->wanted->input_count; i++)
        names_add(out->names, out->wanted->inputs[i].name);
    for (uint32_t i = 0; i < graph->output_count; i++) {
        NodeId id = graph->outputs[i].node;
        names_add(out->names, graph->outputs[i].name);
        if (op_class(graph->nodes[id].op) != CLASS_LEAF && graph->nodes[id].op != OP_detach &&
            !out->outputs[id])
            out->outputs[id] = graph->outputs[i].name;
    }
}

static bool write_nodes(Out *out) {
    bool good = true;
    for (NodeId id = 1; id < out->end; id++) {
        const Form *form = &out->forms[id];
        if (!form->write) continue;
        out->graph->span = graph_node(out->graph, id)->span;
        good &= form->write(out, id, form);
    }
    return good;
}

static void write_outputs(Out *out) {
    for (uint32_t i = 0; i < out->graph->output_count; i++) {
        const Output *output = &out->graph->outputs[i];
        const char *name = value_full(out, output->node);
        if (strcmp(name, output->name)) put_call(out, output->name, "Identity", 1, name);
    }
}

/* -- the file -- */

static void write_value(WireWriter *file, uint32_t field, const char *name, OnnxType type,
                        const Sizes *sizes, int rank) {
    size_t value = wire_begin(file, field);
    wire_text(file, VALUE_name, name);
    type_write(file, type, sizes->size, rank);
    wire_end(file, value);
}

static void write_interface(const Out *out, WireWriter *file) {
    const Graph *graph = out->graph;
    for (uint32_t i = 0; i < out->wanted->input_count; i++) {
        const ExportInput *input = &out->wanted->inputs[i];
        write_value(file, GRAPH_input, input->name, input->type, &out->sizes[input->like],
                    graph_node(graph, input->like)->shape.rank);
    }
    for (uint32_t i = 0; i < out->wanted->carried_count; i++) {
        const Symbol *symbol = graph_symbol(graph, out->wanted->carried[i]);
        write_value(file, GRAPH_input, value_of(out, symbol->node)->name, onnx_type(symbol->dtype),
                    &out->sizes[symbol->node], symbol->shape.rank);
    }
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const Node *node = graph_node(graph, graph->outputs[i].node);
        write_value(file, GRAPH_output, graph->outputs[i].name, onnx_type(node->dtype),
                    &out->sizes[graph->outputs[i].node], node->shape.rank);
    }
}

static void write_model(const Out *out, WireWriter *file) {
    wire_int(file, MODEL_ir_version, IR_VERSION);
    wire_text(file, MODEL_producer_name, "mlc");
    wire_text(file, MODEL_producer_version, MLC_VERSION);
    size_t opset = wire_begin(file, MODEL_opset_import);
    wire_text(file, OPSET_domain, "");
    wire_int(file, OPSET_version, out->opset);
    wire_end(file, opset);
    for (uint32_t i = 0; i < out->wanted->entry_count; i++) {
        size_t pair = wire_begin(file, MODEL_metadata_props);
        wire_text(file, ENTRY_key, out->wanted->entries[i].key);
        wire_text(file, ENTRY_value, out->wanted->entries[i].value);
        wire_end(file, pair);
    }
    size_t graph = wire_begin(file, MODEL_graph);
    wire_text(file, GRAPH_name, out->wanted->name);
    wire_raw(file, &out->nodes);
    wire_raw(file, &out->tensors);
    write_interface(out, file);
    wire_end(file, graph);
}

static bool put_together(const Out *out, Exported *exported) {
    WireWriter file = {0};
    write_model(out, &file);
    *exported = (Exported){file.bytes, file.length, out->node_count, out->tensor_count, out->opset};
    if (file.length <= INT32_MAX) return true;
    diag_error(out->diag, STATUS_FILE, (Span){0},
               "the ONNX file would have %zu bytes: no reader takes more than 2 GB", file.length);
    diag_help(out->diag, "--to weights.safetensors writes weights of any size");
    return false;
}

/* -- the export -- */

bool onnx_rows_free(const Graph *graph, const Graph *other, Arena *arena, Span *differs) {
    return rows_find(graph, other, arena, differs) != NULL;
}

static Out out_new(const OnnxExport *wanted, Arena *arena, Diagnostics *diag) {
    Span differs;
    NodeId end = wanted->graph->node_count;
    return (Out){.wanted = wanted,
                 .graph = wanted->graph,
                 .arena = arena,
                 .diag = diag,
                 .end = end,
                 .sizes = rows_find(wanted->graph, wanted->other, arena, &differs),
                 .uses = count_uses(wanted->graph, arena),
                 .forms = ARENA_ARRAY(arena, Form, end),
                 .values = ARENA_ARRAY(arena, OutValue, end),
                 .outputs = ARENA_ARRAY(arena, const char *, end),
                 .names = names_new(arena),
                 .opset = OPSET_STANDARD};
}

bool onnx_export(const OnnxExport *wanted, Arena *arena, Exported *exported, Diagnostics *diag) {
    Out out = out_new(wanted, arena, diag);
    *exported = (Exported){0};
    choose_forms(&out);
    /* The opset must be known before the first node is written. */
    for (NodeId id = 1; id < out.end; id++)
        if (out.forms[id].write == write_bits && graph_node(out.graph, id)->dtype == DTYPE_I32)
            out.opset = OPSET_BITS;
    take_names(&out);
    bool good = write_nodes(&out);
    if (good) write_outputs(&out);
    good = good && put_together(&out, exported);
    wire_free(&out.nodes);
    wire_free(&out.tensors);
    return good;
}
