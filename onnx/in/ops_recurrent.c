/* Recurrent layers over sequences, from the first element to the last. */
#include "onnx/in/translate.h"

#include <string.h>

static const struct {
    const char *name, *op;
    int64_t gates;
} kinds[] = {
#define RECURRENT(name, op, gates, text) {#name, op, gates},
#include "onnx/in/recurrent.def"
};

/* Whether a tensor is zeros, perhaps repeated for each row, or a part of such a tensor. */
static bool is_zero(const Tensor *tensor) {
    for (int64_t i = 0; tensor->constant && i < tensor->count; i++)
        if (tensor->reals ? tensor->reals[i] != 0 : tensor->wholes[i].size != 0) return false;
    if (tensor->constant) return true;
    while (tensor->arg_count == 1) tensor = tensor->args[0];
    return tensor->text && !tensor->arg_count && !strcmp(tensor->text, "0.0");
}

static const int exchange[] = {1, 0, 2}; /* exchanges rows and steps */

static bool check_form(const Import *import, const OpNode *node, const Tensor *x) {
    static const char *const sigmoid[] = {"Sigmoid", "Tanh", "Tanh"};
    const OnnxAttribute *activations = onnx_attribute(node->onnx, "activations");
    uint32_t first = strcmp(node->text, "rnn") ? 0 : 1,
             wanted = strcmp(node->text, "lstm") ? 2 - first : 3;
    if (x->rank != 3 || !x->dims[1].rows || x->dims[1].size != 1 || x->dims[0].rows ||
        x->dims[2].rows)
        return node_fail(import, node, "its input %s is not [steps, N, width]",
                         dims_text(import, x->dims, x->rank));
    if (strcmp(node_string(node, "direction", "forward"), "forward") || node_int(node, "layout", 0))
        return node_fail(import, node,
                         "only sequences from the first element to the last are supported");
    if (!strcmp(node->text, "gru") && !node_int(node, "linear_before_reset", 0))
        return node_fail(import, node, "linear_before_reset = 0 is not supported");
    if (onnx_attribute(node->onnx, "clip") || node_int(node, "input_forget", 0))
        return node_fail(import, node, "clip and input_forget are not supported");
    for (uint32_t i = 0; activations && i < activations->count; i++)
        if (activations->kind != ONNX_ATTRIBUTE_STRINGS || activations->count != wanted ||
            strcmp(activations->strings[i], sigmoid[first + i]))
            return node_fail(import, node,
                             "other activations than the usual ones are not supported");
    for (uint32_t i = 4; i < node->in_count;
         i++) /* sequence_lens, initial_h, initial_c, P are not supported */
        if (node->in[i] && (i == 4 || !is_zero(node->in[i])))
            return node_fail(import, node, "its input %u is not supported: it begins with zeros",
                             i);
    return true;
}

static bool weights_fit(const Import *import, const OpNode *node, int64_t gates, int64_t width,
                        int64_t in) {
    const int64_t sizes[][3] = {
        {1, gates * width, in}, {1, gates * width, width}, {1, 2 * gates * width, 0}};
    for (uint32_t i = 1; i <= 3; i++) {
        const Tensor *weight = i < node->in_count ? node->in[i] : NULL;
        int rank = i == 3 ? 2 : 3;
        if (!weight && i == 3) continue;
        bool fits = weight && weight->constant && weight->reals && weight->rank == rank;
        for (int k = 0; fits && k < rank; k++) fits = weight->dims[k].size == sizes[i - 1][k];
        if (!fits) return node_fail(import, node, "its input %u must be a constant that fits", i);
    }
    return true;
}

/* Adds the two biases of each gate, that of the input and that of the state, where the function has
 * a single one. */
static void add_biases(Import *import, Layer *layer, const Tensor *both, int64_t count,
                       bool apart) {
    float *first = ARENA_ARRAY(import->arena, float, count),
          *second = ARENA_ARRAY(import->arena, float, count);
    for (int64_t i = 0; i < count && both; i++) {
        first[i] = apart ? both->reals[i] : both->reals[i] + both->reals[count + i];
        second[i] = both->reals[count + i];
    }
    const Dim dims[] = {{count, false}};
    layer_add(layer, arena_format(import->arena, apart ? "%s_input_bias" : "%s_bias", layer->kind),
              constant_reals(import, first, 1, dims));
    if (apart)
        layer_add(layer, arena_format(import->arena, "%s_state_bias", layer->kind),
                  constant_reals(import, second, 1, dims));
}

/* The outputs of a layer y [N, steps, width]: all states, and the last one. */
static void make_states(Import *import, OpNode *node, Tensor *y, Dim steps, Dim rows, Dim width) {
    if (*node->out[0]->name) { /* [steps, 1, N, width] */
        Tensor *all = permuted(import, y, exchange);
        set_dims(make_pipe(import, node, 0, "unsqueeze(1)", all), 4,
                 (Dim[]){steps, {1, false}, rows, width});
    }
    if (node->out_count > 1 && *node->out[1]->name) { /* [1, N, width] */
        Tensor *last =
            inner(import, LEVEL_ATOM,
                  arena_format(import->arena, "%%09[:, %lld]", (long long)steps.size - 1), 1, &y);
        set_dims(last, 2, (Dim[]){rows, width});
        set_dims(make_pipe(import, node, 1, "unsqueeze(0)", last), 3,
                 (Dim[]){{1, false}, rows, width});
    }
}

bool op_recurrent(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    int kind = 0;
    int64_t width = node_int(node, "hidden_size", 0);
    while (strcmp(kinds[kind].name, node->text)) kind++;
    int64_t gates = kinds[kind].gates;
    if (width < 1 || width > 1 << 20)
        return node_fail(import, node, "its hidden_size is %lld", (long long)width);
    if (!check_form(import, node, x) || !weights_fit(import, node, gates, width, x->dims[2].size))
        return false;
    if (node->out_count > 2 && node->out[2]->consumers)
        return node_fail(import, node, "its last cell state is not supported as an output");
    import->defines[kind] = true;
    Dim steps = x->dims[0], rows = x->dims[1], wide = {width, false};
    Tensor *y =
        inner_pipe(import, arena_format(import->arena, "%s(%lld)", node->text, (long long)width),
                   permuted(import, x, exchange));
    set_dims(y, 3, (Dim[]){rows, steps, wide});
    Layer *layer = layer_new(import, y, node->text);
    layer->defined = true;
    layer_add(layer, arena_format(import->arena, "%s_input", node->text),
              reshaped(import, node->in[1], 2, (int64_t[]){gates * width, x->dims[2].size}));
    layer_add(layer, arena_format(import->arena, "%s_state", node->text),
              reshaped(import, node->in[2], 2, (int64_t[]){gates * width, width}));
    add_biases(import, layer, node->in_count > 3 ? node->in[3] : NULL, gates * width,
               !strcmp(node->text, "gru"));
    make_states(import, node, y, steps, rows, wide);
    return true;
}
