/* mlc export: writes a trained network into a file of another format, which the file's ending
 * names. */
#include "cli/commands/exporting.h"
#include "cli/results/forward.h"
#include "cli/session/commands.h"
#include "cli/session/random_inputs.h"
#include "cli/text/terminal.h"
#include "ir/base/hash.h"
#include "ir/base/memory.h"
#include "runtime/formats/gguf_write.h"
#include "runtime/formats/npz_write.h"
#include "runtime/formats/safetensors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* -- weights -- */

/* A weight or running statistic with its values. */
typedef struct {
    const Symbol *symbol;
    void *values; /* row-major */
} NamedTensor;

typedef struct {
    NamedTensor *items; /* ordered by name */
    uint32_t count;
    char *bytes; /* the values of all tensors, one after the other */
    size_t length;
} TensorList;

static TensorList network_tensors(const Exporting *exporting) {
    const States *states = exporting->session.states;
    Arena *arena = exporting->session.arena;
    TensorList tensors = {.items = ARENA_ARRAY(arena, NamedTensor, states_count(states))};
    for (uint32_t i = 0; i < states_count(states); i++) {
        const Symbol *symbol = states_symbol(states, i);
        if (!symbol_is_network(symbol)) continue;
        tensors.items[tensors.count++].symbol = symbol;
        tensors.length += (size_t)shape_elements(symbol->shape) * dtype_bytes(symbol->dtype);
    }
    char *at = tensors.bytes = arena_alloc(arena, tensors.length);
    for (uint32_t i = 0; i < tensors.count; i++) {
        const Symbol *symbol = tensors.items[i].symbol;
        tensors.items[i].values = at;
        states_read(states, symbol->name, at);
        at += (size_t)shape_elements(symbol->shape) * dtype_bytes(symbol->dtype);
    }
    return tensors;
}

/* The hash is of the bits of all tensors in their order, whatever the format of the file. */
static bool report_tensors(const Exporting *exporting, const TensorList *tensors) {
    char numbers[NUMBER_TEXT];
    int64_t elements = 0;
    uint64_t hash = HASH64_START;
    for (uint32_t i = 0; i < tensors->count; i++) {
        const Symbol *symbol = tensors->items[i].symbol;
        int64_t count = shape_elements(symbol->shape);
        elements += count;
        hash = bits_hash(hash, symbol->dtype, tensors->items[i].values, count);
    }
    printf("%s: %u tensors, %s numbers, hash %016" PRIx64 "\n", exporting->options->to,
           tensors->count, text_count(numbers, elements), hash);
    return true;
}

/* The metadata contain the model. Hugging Face's readers need the key "format". */
static bool write_safetensors(const Exporting *exporting) {
    TensorList tensors = network_tensors(exporting);
    SafeTensor *list = ARENA_ARRAY(exporting->session.arena, SafeTensor, tensors.count);
    for (uint32_t i = 0; i < tensors.count; i++) {
        const Symbol *symbol = tensors.items[i].symbol;
        list[i] = (SafeTensor){symbol->name, safetensors_dtype(symbol->dtype), symbol->shape,
                               tensors.items[i].values};
    }
    const SafePair pairs[] = {{"format", "pt"}, {"model", exporting->session.build.info->name}};
    return safetensors_write(exporting->options->to, list, tensors.count, tensors.bytes,
                             tensors.length, pairs, sizeof pairs / sizeof *pairs,
                             exporting->diag) &&
           report_tensors(exporting, &tensors);
}

static const NamedArray *named_arrays(const Exporting *exporting, const TensorList *tensors) {
    NamedArray *list = ARENA_ARRAY(exporting->session.arena, NamedArray, tensors->count);
    for (uint32_t i = 0; i < tensors->count; i++) {
        const Symbol *symbol = tensors->items[i].symbol;
        list[i] = (NamedArray){symbol->name, symbol->dtype, symbol->shape, tensors->items[i].values,
                               false};
    }
    return list;
}

static bool write_npz(const Exporting *exporting) {
    TensorList tensors = network_tensors(exporting);
    return npz_write(exporting->options->to, named_arrays(exporting, &tensors), tensors.count,
                     "a .safetensors file can hold them", exporting->diag) &&
           report_tensors(exporting, &tensors);
}

/* ggml's readers need the key "general.architecture". */
static bool write_gguf(const Exporting *exporting) {
    TensorList tensors = network_tensors(exporting);
    const GgufText texts[] = {{"general.architecture", "mlc"},
                              {"general.name", exporting->session.build.info->name}};
    return gguf_write(exporting->options->to, texts, sizeof texts / sizeof *texts,
                      named_arrays(exporting, &tensors), tensors.count, exporting->diag) &&
           report_tensors(exporting, &tensors);
}

/* -- the command -- */

typedef bool WeightsWriter(const Exporting *exporting);

static const struct {
    const char *ending;
    WeightsWriter *write;
} formats[] = {{".onnx", export_onnx},
               {".safetensors", write_safetensors},
               {".npz", write_npz},
               {".gguf", write_gguf}};

static WeightsWriter *find_format(const Options *options, Diagnostics *diag) {
    WeightsWriter *found = NULL;
    for (size_t i = 0; options->to && i < sizeof formats / sizeof *formats; i++)
        if (path_ends_in(options->to, formats[i].ending)) found = formats[i].write;
    if (found && (found == export_onnx || !options->training)) return found;
    if (found)
        diag_error(diag, STATUS_USAGE, (Span){0},
                   "--training writes a step of the training, which only an .onnx file can hold");
    else if (options->to)
        diag_error(diag, STATUS_USAGE, (Span){0},
                   "--to %s: the ending of the file must name its format", options->to);
    else
        diag_error(diag, STATUS_USAGE, (Span){0}, "'mlc export' needs --to FILE");
    diag_help(
        diag,
        "net.onnx holds the network; weights.safetensors, weights.npz and weights.gguf hold its weights");
    return NULL;
}

/* Copies the states that both programs have. */
static void copy_states(const States *from, States *to) {
    for (uint32_t i = 0; i < states_count(from); i++) {
        const Symbol *symbol = states_symbol(from, i);
        void *values = memory_array((size_t)shape_elements(symbol->shape),
                                    dtype_bytes(symbol->dtype), "a state");
        states_read(from, symbol->name, values);
        if (states_find(to, symbol->name)) states_write(to, symbol->name, values);
        free(values);
    }
}

/* The step of a training also reads the states of the optimizer. An imported network has none yet:
 * they begin as in a new training. */
static bool load_training(Exporting *exporting) {
    Session *session = &exporting->session;
    const ModelInfo *info = session->build.info;
    Graph *graph = model_graph(session->build.model, GRAPH_TRAIN, info->batch, exporting->diag);
    if (!graph) return false;
    States *network = session->states;
    session->states = states_new();
    states_keep(session->states, graph);
    graph_free(graph);
    states_initialize(session->states, info->seed);
    bool good =
        exporting->checkpoint.step == 0 || session_load_weights(session, &exporting->checkpoint);
    if (exporting->checkpoint.step == 0) copy_states(network, session->states);
    states_free(network);
    return good;
}

static bool open_network(Exporting *exporting) {
    Session *session = &exporting->session;
    session->arena = arena_new();
    if (!session_open_run(session, exporting->options, exporting->diag)) return false;
    exporting->graph = model_graph(session->build.model, GRAPH_PREDICT, 1, exporting->diag);
    if (!exporting->graph) return false;
    session->states = states_new();
    states_keep(session->states, exporting->graph);
    return units_keep(session) && session_load_weights(session, &exporting->checkpoint) &&
           (!exporting->options->training || load_training(exporting));
}

Status command_export(const Options *given, Diagnostics *diag) {
    Exporting exporting = {.options = given, .diag = diag};
    WeightsWriter *write = find_format(given, diag);
    bool good = write && open_network(&exporting) && write(&exporting);
    graph_free(exporting.graph);
    session_close(&exporting.session);
    return diag_outcome(diag, good);
}
