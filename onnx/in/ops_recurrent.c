/* Recurrent layers over sequences. The text defines a function for each kind. It goes over one
 * direction; for both directions there are two calls. */
#include "onnx/in/translate.h"

#include <string.h>

static const struct {
    const char *name, *op;
    int64_t gates;
} kinds[] = {
#define RECURRENT(name, op, gates, text) {#name, op, gates},
#include "onnx/in/recurrent.def"
};

enum { DIRECTIONS = 2 };

typedef struct {
    RecurrentKind kind;
    int64_t width, gates;
    Dim steps, rows, in;
    int directions;
    bool backwards; /* the only direction goes backwards */
    bool rows_first, cells;
    const char *activations[DIRECTIONS]; /* of RNN; "tanh" if it is the usual one */
} Recurrent;

/* -- what is supported -- */

/* Whether all elements of a tensor are one number, perhaps repeated for each row, or a part of
 * such a tensor. */
static bool is_filled(const Import *import, const Tensor *tensor, int64_t number) {
    for (int64_t i = 0; tensor->constant && i < tensor->count; i++)
        if (tensor->reals ? tensor->reals[i] != (float)number : tensor->wholes[i].size != number)
            return false;
    if (tensor->constant) return true;
    while (tensor->arg_count == 1) tensor = tensor->args[0];
    const char *text = tensor->kind == KIND_REAL ? real_text(import, (float)number)
                                                 : dim_text(import, (Dim){number, false});
    return tensor->text && !tensor->arg_count && !strcmp(tensor->text, text);
}

static bool is_given(const Import *import, const OpNode *node, uint32_t input, int64_t standard) {
    return input < node->in_count && node->in[input] &&
           !is_filled(import, node->in[input], standard);
}

static bool take_axes(const Import *import, const OpNode *node, Recurrent *layer) {
    const Tensor *x = node->in[0];
    layer->rows_first = node_int(node, "layout", 0) != 0;
    if (x->rank == 3) {
        layer->steps = x->dims[layer->rows_first ? 1 : 0];
        layer->rows = x->dims[layer->rows_first ? 0 : 1];
        layer->in = x->dims[2];
    }
    if (x->rank == 3 && layer->rows.rows && layer->rows.size == 1 && !layer->steps.rows &&
        !layer->in.rows)
        return true;
    return node_fail(import, node, "its input %s is not [steps, N, width]",
                     dims_text(import, x->dims, x->rank));
}

static bool take_direction(const Import *import, const OpNode *node, Recurrent *layer) {
    const char *direction = node_string(node, "direction", "forward");
    layer->directions = strcmp(direction, "bidirectional") ? 1 : 2;
    layer->backwards = !strcmp(direction, "reverse");
    if (layer->directions == 2 || layer->backwards || !strcmp(direction, "forward")) return true;
    return node_fail(import, node, "its direction '%.40s' is not supported", direction);
}

/* The name in the language of RNN's activation. NULL: it is not supported. */
static const char *activation_name(const char *name) {
    static const char *const names[][2] = {
        {"Tanh", "tanh"}, {"Relu", "relu"}, {"Sigmoid", "sigmoid"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i][0], name)) return names[i][1];
    return NULL;
}

static bool take_activations(const Import *import, const OpNode *node, Recurrent *layer) {
    static const char *const usual[] = {"Sigmoid", "Tanh", "Tanh"};
    const OnnxAttribute *given = onnx_attribute(node->onnx, "activations");
    uint32_t each = layer->kind == RECURRENT_lstm ? 3 : layer->kind == RECURRENT_rnn ? 1 : 2;
    for (int i = 0; i < layer->directions; i++) layer->activations[i] = "tanh";
    if (!given || !given->count) return true;
    bool good =
        given->kind == ONNX_ATTRIBUTE_STRINGS && given->count == each * (uint32_t)layer->directions;
    for (uint32_t i = 0; i < given->count && good; i++) {
        if (layer->kind == RECURRENT_rnn)
            good = (layer->activations[i] = activation_name(given->strings[i])) != NULL;
        else
            good = !strcmp(given->strings[i], usual[i % each]);
    }
    return good ||
           node_fail(import, node, "other activations than the usual ones are not supported");
}

static bool check_form(const Import *import, const OpNode *node, Recurrent *layer) {
    if (!take_axes(import, node, layer) || !take_direction(import, node, layer) ||
        !take_activations(import, node, layer))
        return false;
    if (node_float(node, "clip", 0) != 0 || node_int(node, "input_forget", 0))
        return node_fail(import, node, "clip and input_forget are not supported");
    if (is_given(import, node, 4, layer->steps.size))
        return node_fail(import, node, "sequences of different lengths are not supported");
    return !is_given(import, node, 7, 0) || node_fail(import, node, "peepholes are not supported");
}

static bool weights_fit(const Import *import, const OpNode *node, const Recurrent *layer) {
    int64_t rows = layer->gates * layer->width;
    const int64_t sizes[][3] = {{layer->directions, rows, layer->in.size},
                                {layer->directions, rows, layer->width},
                                {layer->directions, 2 * rows, 0}};
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

/* -- weights -- */

/* Adds the two biases of each gate, that of the input and that of the state, where the function has
 * a single one. */
static void add_biases(Import *import, Layer *layer, const float *both, int64_t count, bool apart) {
    float *first = ARENA_ARRAY(import->arena, float, count),
          *second = ARENA_ARRAY(import->arena, float, count);
    for (int64_t i = 0; i < count && both; i++) {
        first[i] = apart ? both[i] : both[i] + both[count + i];
        second[i] = both[count + i];
    }
    const Dim dims[] = {{count, false}};
    layer_add(layer, arena_format(import->arena, apart ? "%s_input_bias" : "%s_bias", layer->kind),
              constant_reals(import, first, 1, dims));
    if (apart)
        layer_add(layer, arena_format(import->arena, "%s_state_bias", layer->kind),
                  constant_reals(import, second, 1, dims));
}

static void add_weights(Import *import, const OpNode *node, const Recurrent *form, int direction,
                        Tensor *y) {
    const char *name = kinds[form->kind].name;
    Layer *layer = layer_new(import, y, name);
    int64_t rows = form->gates * form->width;
    const Dim input[] = {{rows, false}, form->in}, state[] = {{rows, false}, {form->width, false}};
    const Tensor *bias = node->in_count > 3 ? node->in[3] : NULL;
    layer->defined = true;
    layer_add(
        layer, arena_format(import->arena, "%s_input", name),
        constant_reals(import, node->in[1]->reals + direction * rows * form->in.size, 2, input));
    layer_add(
        layer, arena_format(import->arena, "%s_state", name),
        constant_reals(import, node->in[2]->reals + direction * rows * form->width, 2, state));
    add_biases(import, layer, bias ? bias->reals + direction * 2 * rows : NULL, rows,
               form->kind == RECURRENT_gru);
}

/* -- states -- */

/* The row that all rows of a constant [directions, rows, width] share; NULL: they differ. */
static Tensor *shared_row(Import *import, const Tensor *states, int direction, int64_t width) {
    int64_t rows = states->dims[1].size;
    const float *first = states->reals + direction * rows * width;
    for (int64_t i = 0; i < rows * width; i++)
        if (first[i] != first[i % width]) return NULL;
    Tensor *row = constant_reals(import, first, 2, (Dim[]){{1, false}, {width, false}});
    row->trained = states->trained;
    row->name = states->name;
    return row;
}

/* The state with which a direction begins, [N, width] or [1, width]. NULL after reporting an
 * error. */
static Tensor *begin_of(Import *import, const OpNode *node, uint32_t input, const Recurrent *form,
                        int direction) {
    Tensor *states = node->in[input], *begin = NULL;
    int rows = form->rows_first ? 0 : 1;
    bool fits = states->rank == 3 && states->dims[1 - rows].size == form->directions &&
                !states->dims[1 - rows].rows && states->dims[2].size == form->width &&
                (states->dims[rows].size == 1 || states->constant);
    if (fits && !states->constant) begin = take_one(import, states, 1 - rows, direction);
    if (fits && states->constant && states->reals && !form->rows_first)
        begin = shared_row(import, states, direction, form->width);
    if (!begin) node_fail(import, node, "its input %u does not fit", input);
    return begin;
}

/* The call of the function for a direction: lstm(8, h = ..., c = ..., reverse = true). NULL after
 * reporting an error. */
static Tensor *make_call(Import *import, const OpNode *node, const Recurrent *form, Tensor *x,
                         int direction) {
    bool backwards = form->backwards || direction == 1,
         acts = strcmp(form->activations[direction], "tanh");
    uint32_t *forms = &import->recurrent_forms[form->kind], count = 1;
    Tensor *args[3] = {x};
    const char *text =
        arena_format(import->arena, "%s(%lld", kinds[form->kind].name, (long long)form->width);
    for (uint32_t input = 5; input <= 6; input++) {
        if (!is_given(import, node, input, 0)) continue;
        if (!(args[count] = begin_of(import, node, input, form, direction))) return NULL;
        text = arena_format(import->arena, "%s, %c = %%%u0", text, input == 5 ? 'h' : 'c', count);
        count++;
    }
    if (acts)
        text = arena_format(import->arena, "%s, act = \"%s\"", text, form->activations[direction]);
    text = arena_format(import->arena, backwards ? "%s, reverse = true)" : "%s)", text);
    *forms |= FORM_USED | (backwards ? FORM_BACKWARDS : 0) | (count > 1 ? FORM_BEGINS : 0) |
              (form->cells ? FORM_CELLS : 0) | (acts ? FORM_ACTIVATION : 0);
    Tensor *y = inner(import, LEVEL_PIPE, text, count, args);
    y->pipe = true;
    set_dims(y, 3, (Dim[]){form->rows, form->steps, {form->width, false}});
    add_weights(import, node, form, direction, y);
    return y;
}

/* -- outputs -- */

/* The last states of all directions, [directions, N, width], as output `which`. */
static void give_last(Import *import, OpNode *node, uint32_t which, const Recurrent *form,
                      Tensor *const *last) {
    if (which >= node->out_count || !*node->out[which]->name) return;
    int axis = form->rows_first ? 1 : 0;
    Tensor *parts[DIRECTIONS];
    for (int i = 0; i < form->directions; i++) {
        Tensor *state = last[i];
        Dim dims[] = {form->rows, form->rows, {form->width, false}};
        dims[axis] = (Dim){1, false};
        parts[i] = inner_pipe(import, arena_format(import->arena, "unsqueeze(%d)", axis), state);
        set_dims(parts[i], 3, dims);
    }
    make_same(import, node, which,
              form->directions == 1 ? parts[0] : joined(import, axis, 2, parts));
}

/* All states, [steps, directions, N, width], as output 0. */
static void give_all(Import *import, OpNode *node, const Recurrent *form, Tensor *const *states) {
    static const int steps_first[] = {1, 2, 0, 3};
    if (!*node->out[0]->name) return;
    Tensor *all = form->directions == 1 ? states[0] : joined(import, 2, 2, states);
    Dim dims[] = {form->rows, form->steps, {form->directions, false}, {form->width, false}};
    Tensor *apart = inner_pipe(
        import, arena_format(import->arena, "reshape(%s)", dims_text(import, dims, 4)), all);
    set_dims(apart, 4, dims);
    make_same(import, node, 0, form->rows_first ? apart : permuted(import, apart, steps_first));
}

/* Whether the file needs the last cell state of a layer: then the function returns it, too. */
static bool needs_cells(const Import *import) {
    const OnnxGraph *graph = &import->model->graph;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const OnnxNode *node = &graph->nodes[i];
        if (strcmp(node->op, "LSTM") || node->output_count < 3 || !*node->outputs[2]) continue;
        const Tensor *cells = names_find(import->tensors, node->outputs[2]);
        if (cells && cells->consumers) return true;
    }
    return false;
}

static Tensor *item(Import *import, Tensor *list, const char *text, int rank, const Dim *dims) {
    Tensor *tensor = inner(import, LEVEL_ATOM, text, 1, &list);
    set_dims(tensor, rank, dims);
    return tensor;
}

bool op_recurrent(Import *import, OpNode *node) {
    static const int rows_first[] = {1, 0, 2};
    Recurrent form = {.width = node_int(node, "hidden_size", 0)};
    const char *name = node->text;
    if (!strcmp(name, "gru") && !node_int(node, "linear_before_reset", 0)) name = "gru_first";
    while (strcmp(kinds[form.kind].name, name)) form.kind++;
    form.gates = kinds[form.kind].gates;
    form.cells = form.kind == RECURRENT_lstm && needs_cells(import);
    if (form.width < 1 || form.width > 1 << 20)
        return node_fail(import, node, "its hidden_size is %lld", (long long)form.width);
    if (!check_form(import, node, &form) || !weights_fit(import, node, &form)) return false;
    Tensor *x = form.rows_first ? node->in[0] : permuted(import, node->in[0], rows_first);
    Tensor *states[DIRECTIONS], *last[DIRECTIONS], *cells[DIRECTIONS];
    const Dim state[] = {form.rows, {form.width, false}};
    for (int i = 0; i < form.directions; i++) {
        Tensor *call = make_call(import, node, &form, x, i);
        if (!call) return false;
        call->apart = form.cells;
        states[i] = form.cells ? item(import, call, "%09[0]", 3, call->dims) : call;
        cells[i] = form.cells ? item(import, call, "%09[1]", 2, state) : NULL;
        bool backwards = form.backwards || i == 1;
        last[i] = take_one(import, states[i], 1, backwards ? 0 : form.steps.size - 1);
    }
    give_all(import, node, &form, states);
    give_last(import, node, 1, &form, last);
    if (form.cells) give_last(import, node, 2, &form, cells);
    return true;
}
