/* From an ONNX file to the text of a model: reads the file, chooses the outputs, checks the
 * operations, translates node by node. */
#include "onnx/in/translate.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    TranslateOp *function;
    uint32_t least, most;
    const char *text;
    Level level;
} operations[] = {
#define OP(name, function, least, most, text, level)                                               \
    {name, op_##function, least, most, text, LEVEL_##level},
#include "onnx/in/ops.def"
};
enum { OPERATIONS = sizeof operations / sizeof *operations };

static int operation_of(const OnnxNode *node) {
    for (int i = 0; i < OPERATIONS; i++) {
        const char *name = operations[i].name, *dot = strrchr(name, '.');
        size_t domain = dot ? (size_t)(dot - name) : 0;
        if (!strcmp(dot ? dot + 1 : name, node->op) && strlen(node->domain) == domain &&
            !strncmp(name, node->domain, domain))
            return i;
    }
    return -1;
}

/* -- outputs -- */

/* Maps the names of outputs to the nodes that make them. */
static Names *makers_of(const Import *import, const OnnxGraph *graph) {
    Names *makers = names_new(import->arena);
    for (uint32_t i = 0; i < graph->node_count; i++)
        for (uint32_t k = 0; k < graph->nodes[i].output_count; k++)
            names_put(makers, graph->nodes[i].outputs[k], &graph->nodes[i]);
    return makers;
}

/* The names of classes that a ZipMap gives to the columns of its input. */
static void take_classes(Import *import, const OnnxNode *map) {
    const OnnxAttribute *names = onnx_attribute(map, "classlabels_strings"),
                        *numbers = onnx_attribute(map, "classlabels_int64s");
    const OnnxAttribute *from = names && names->count ? names : numbers;
    if (!from || !from->count) return;
    const char **classes = ARENA_ARRAY(import->arena, const char *, from->count);
    for (uint32_t i = 0; i < from->count; i++)
        classes[i] = from == names
                         ? names->strings[i]
                         : arena_format(import->arena, "%lld", (long long)numbers->ints[i]);
    import->classes = classes;
    import->class_count = from->count;
}

static bool is_real(OnnxType type) {
    return type == ONNX_FLOAT || type == ONNX_FLOAT16 || type == ONNX_DOUBLE ||
           type == ONNX_BFLOAT16;
}

/* If the file computes a class from scores, the scores become the output instead. */
static void take_scores(Import *import, const Names *makers, OnnxValue *output, bool only) {
    const OnnxNode *maker = names_find(makers, output->name);
    if (maker && !strcmp(maker->op, "ZipMap") && maker->input_count == 1) {
        take_classes(import, maker);
        output->name = maker->inputs[0];
        output->type = ONNX_FLOAT;
        maker = names_find(makers, output->name);
    }
    if (maker && (!strcmp(maker->op, "ArgMax") || !strcmp(maker->op, "TopK")) && only &&
        maker->input_count) {
        import_note(
            import,
            "the output '%.60s' is a class; the model gives the scores from which it follows",
            output->name);
        output->name = maker->inputs[0];
        output->type = ONNX_FLOAT;
    }
}

/* Keeps the outputs of real numbers. */
static bool choose_outputs(Import *import, OnnxGraph *graph) {
    const Names *makers = makers_of(import, graph);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < graph->output_count; i++) {
        OnnxValue *output = &graph->outputs[i];
        take_scores(import, makers, output, graph->output_count == 1);
        if (output->type && !is_real(output->type) && graph->output_count > 1) {
            import_note(import, "the output '%.60s' is left out: it follows from the scores",
                        output->name);
            continue;
        }
        graph->outputs[kept++] = *output;
    }
    graph->output_count = kept;
    if (kept) return true;
    diag_error(import->diag, STATUS_MODEL, (Span){0}, "'%s' has no output of real numbers",
               import->path);
    return false;
}

/* -- inputs and tensors -- */

/* The size that the command line gives for a named axis; 0: none. */
static bool given_size(const Import *import, const char *name, int64_t *size) {
    size_t length = strlen(name);
    for (uint32_t i = 0; i < import->size_count && length; i++) {
        if (strncmp(import->sizes[i], name, length) || import->sizes[i][length] != '=') continue;
        *size = strtoll(import->sizes[i] + length + 1, NULL, 10);
        return *size > 0 && *size <= SHAPE_MAX_ELEMENTS;
    }
    return false;
}

static bool take_dims(const Import *import, const OnnxValue *value, Tensor *tensor) {
    if (!value->has_shape || value->rank == 0 || value->rank > SHAPE_MAX_RANK) {
        diag_error(
            import->diag, STATUS_MODEL, (Span){0},
            "'%s': the input '%.100s' has %d axes; the first one must be the rows of a batch, and at most %d are supported",
            import->path, value->name, value->rank, SHAPE_MAX_RANK);
        return false;
    }
    tensor->rank = value->rank;
    for (int i = 0; i < value->rank; i++) {
        const OnnxDim *dim = &value->dims[i];
        int64_t size = dim->value;
        tensor->dims[i] = i == 0 ? (Dim){1, true} : (Dim){size, false};
        if (i == 0 || !dim->param || given_size(import, dim->param, &tensor->dims[i].size))
            continue;
        diag_error(import->diag, STATUS_MODEL, (Span){0},
                   "'%s': axis %d of the input '%.100s' has no fixed size", import->path, i,
                   value->name);
        if (*dim->param)
            diag_help(import->diag, "--axis %.100s=SIZE gives it one", dim->param);
        else
            diag_help(import->diag,
                      "export the network with a fixed size, or with a name for the axis");
        return false;
    }
    return true;
}

static bool add_input(Import *import, const OnnxValue *value) {
    Tensor *tensor = tensor_new(import, value->name);
    bool real = is_real(value->type);
    tensor->type = value->type;
    tensor->kind = real ? KIND_REAL : value->type == ONNX_BOOL ? KIND_BOOL : KIND_WHOLE;
    if (!value->type || value->type == ONNX_STRING || value->type > ONNX_BFLOAT16) {
        diag_error(import->diag, STATUS_MODEL, (Span){0},
                   "'%s': the input '%.100s' is not a tensor of numbers", import->path,
                   value->name);
        return false;
    }
    if (!take_dims(import, value, tensor)) return false;
    int64_t batch = value->dims[0].param ? 0 : value->dims[0].value;
    if (import->input_count && import->batch && batch && batch != import->batch) {
        diag_error(import->diag, STATUS_MODEL, (Span){0},
                   "'%s': the input '%.100s' has %lld rows, and '%.100s' has %lld", import->path,
                   value->name, (long long)batch, import->inputs[0]->name,
                   (long long)import->batch);
        diag_help(import->diag, "weights must be in the file: an input without values is data");
        return false;
    }
    if (!import->input_count) import->batch = batch;
    import->inputs[import->input_count++] = tensor;
    names_put(import->tensors, value->name, tensor);
    return true;
}

/* The tensor that a node or an output reads, by its name. */
static Names *read_values(const Import *import, const OnnxGraph *graph) {
    Names *reads = names_new(import->arena);
    for (uint32_t i = 0; i < graph->node_count; i++)
        for (uint32_t k = 0; k < graph->nodes[i].input_count; k++)
            names_add(reads, graph->nodes[i].inputs[k]);
    for (uint32_t i = 0; i < graph->output_count; i++) names_add(reads, graph->outputs[i].name);
    return reads;
}

static bool add_sources(Import *import, const OnnxGraph *graph) {
    const Names *reads = read_values(import, graph);
    bool good = true;
    for (uint32_t i = 0; i < graph->tensor_count; i++) {
        Tensor *tensor = constant_of_file(import, graph->tensors[i]);
        tensor->name = graph->tensors[i]->name;
        if (tensor->type == ONNX_FLOAT16 || tensor->type == ONNX_BFLOAT16 ||
            tensor->type == ONNX_DOUBLE)
            import_note(import, "weights of 16 or 64 bits become f32");
        names_put(import->tensors, tensor->name, tensor);
    }
    import->inputs = ARENA_ARRAY(import->arena, Tensor *, graph->input_count);
    for (uint32_t i = 0; i < graph->input_count; i++) {
        const OnnxValue *value =
            &graph->inputs[i]; /* files of IR version 3 list tensors as inputs, too */
        if (names_find(import->tensors, value->name) || names_index(reads, value->name) < 0)
            continue;
        good &= add_input(import, value);
    }
    if (!good || import->input_count) return good;
    diag_error(import->diag, STATUS_MODEL, (Span){0}, "'%s' has no output that depends on an input",
               import->path);
    return false;
}

static void count_consumers(Import *import, const OnnxGraph *graph) {
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const OnnxNode *node = &graph->nodes[i];
        for (uint32_t k = 0; k < node->output_count; k++) {
            if (!*node->outputs[k]) continue;
            Tensor *tensor = tensor_new(import, node->outputs[k]);
            tensor->node = node;
            names_put(import->tensors, tensor->name, tensor);
        }
    }
    for (uint32_t i = 0; i < graph->node_count; i++)
        for (uint32_t k = 0; k < graph->nodes[i].input_count; k++) {
            Tensor *tensor = *graph->nodes[i].inputs[k]
                                 ? names_find(import->tensors, graph->nodes[i].inputs[k])
                                 : NULL;
            if (tensor) tensor->consumers++;
        }
    for (uint32_t i = 0; i < graph->output_count; i++) {
        Tensor *tensor = names_find(import->tensors, graph->outputs[i].name);
        if (tensor) tensor->consumers++;
    }
}

/* -- nodes -- */

static bool check_operations(const Import *import, const OnnxGraph *graph) {
    bool good = true;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        if (operation_of(&graph->nodes[i]) >= 0) continue;
        diag_error(import->diag, STATUS_MODEL, (Span){0},
                   "'%s': %s: this operation is not supported", import->path,
                   onnx_node_text(&graph->nodes[i], import->arena));
        good = false;
    }
    return good;
}

/* Checks that a node has the inputs that its row in ops.def requires. An operation of any number of
 * inputs needs all that it lists. */
static bool check_inputs(const Import *import, const OpNode *node, int row) {
    bool several = operations[row].most > 16;
    if (node->in_count < operations[row].least)
        return node_fail(import, node, "it has %u inputs", node->in_count);
    for (uint32_t i = 0; i < node->in_count; i++)
        if (!node->in[i] && (several || i < operations[row].least))
            return node_fail(import, node, "its input %u is missing", i);
    return node->out_count > 0 || node_fail(import, node, "it has no output");
}

static bool translate(Import *import, const OnnxNode *onnx) {
    int row = operation_of(onnx);
    OpNode node = {.onnx = onnx,
                   .text = operations[row].text,
                   .level = operations[row].level,
                   .in_count = onnx->input_count,
                   .out_count = onnx->output_count};
    bool failed = false, done;
    node.in = ARENA_ARRAY(import->arena, Tensor *, onnx->input_count);
    node.out = ARENA_ARRAY(import->arena, Tensor *, onnx->output_count);
    for (uint32_t i = 0; i < onnx->input_count; i++) {
        node.in[i] = *onnx->inputs[i] ? names_find(import->tensors, onnx->inputs[i]) : NULL;
        failed |= node.in[i] && node.in[i]->failed;
    }
    for (uint32_t i = 0; i < onnx->output_count; i++) {
        node.out[i] = *onnx->outputs[i] ? names_find(import->tensors, onnx->outputs[i])
                                        : tensor_new(import, "");
        node.out[i]->in = node.in;
    }
    bool good = !failed && check_inputs(import, &node, row) && fold(import, &node, &done) &&
                (done || operations[row].function(import, &node));
    for (uint32_t i = 0; i < onnx->output_count && !good; i++) node.out[i]->failed = true;
    return good;
}

static bool take_outputs(Import *import, const OnnxGraph *graph) {
    import->outputs = ARENA_ARRAY(import->arena, Tensor *, graph->output_count);
    for (uint32_t i = 0; i < graph->output_count; i++) {
        Tensor *tensor = names_find(import->tensors, graph->outputs[i].name);
        bool rows = tensor->rank > 0 && tensor->dims[0].rows && tensor->dims[0].size == 1;
        for (int k = 1; k < tensor->rank; k++) rows &= !tensor->dims[k].rows;
        if (tensor->constant || !rows) {
            diag_error(import->diag, STATUS_MODEL, (Span){0},
                       "'%s': the output '%.100s' is %s: it has no row for each row of the batch",
                       import->path, graph->outputs[i].name,
                       tensor->constant ? "a constant"
                                        : dims_text(import, tensor->dims, tensor->rank));
            return false;
        }
        /* a statement is needed for a second name of an input or output, and for truth values */
        bool again = !tensor->text || tensor->kind != KIND_REAL || !tensor->args;
        for (uint32_t k = 0; k < i; k++) again |= import->outputs[k] == tensor;
        if (again)
            tensor = inner(import, tensor->kind == KIND_BOOL ? LEVEL_ATOM : LEVEL_PRODUCT,
                           tensor->kind == KIND_BOOL ? "select(%00, 1.0, 0.0)" : "1.0 * %07", 1,
                           &tensor);
        tensor->kind = KIND_REAL;
        tensor->name = graph->outputs[i].name;
        import->outputs[import->output_count++] = tensor;
    }
    return true;
}

bool onnx_import(const char *path, const char *const *sizes, uint32_t size_count, Arena *arena,
                 Imported *imported, Diagnostics *diag) {
    *imported = (Imported){0};
    Import probe = {
        .path = path, .arena = arena, .diag = diag, .sizes = sizes, .size_count = size_count};
    for (uint32_t i = 0; i < probe.size_count; i++) {
        const char *equals = strchr(probe.sizes[i], '=');
        char *end = NULL;
        long long size = equals ? strtoll(equals + 1, &end, 10) : 0;
        if (equals && equals > probe.sizes[i] && size > 0 && size <= SHAPE_MAX_ELEMENTS && !*end)
            continue;
        diag_error(probe.diag, STATUS_USAGE, (Span){0}, "--axis takes NAME=SIZE, not '%.100s'",
                   probe.sizes[i]);
        return false;
    }
    OnnxModel *model = onnx_read(path, arena, diag);
    return model && onnx_translate(model, sizes, size_count, arena, imported, diag);
}

bool onnx_translate(OnnxModel *model, const char *const *sizes, uint32_t size_count, Arena *arena,
                    Imported *imported, Diagnostics *diag) {
    *imported = (Imported){0};
    Import import = {.model = model,
                     .path = model->path,
                     .arena = arena,
                     .diag = diag,
                     .tensors = names_new(arena),
                     .sizes = sizes,
                     .size_count = size_count,
                     .notes = &imported->notes};
    OnnxGraph *graph = &model->graph;
    if (!choose_outputs(&import, graph) || !onnx_order(model, arena, diag) ||
        !check_operations(&import, graph) || !add_sources(&import, graph))
        return false;
    count_consumers(&import, graph);
    bool good = true;
    for (uint32_t i = 0; i < graph->node_count; i++) good &= translate(&import, &graph->nodes[i]);
    if (!good || !take_outputs(&import, graph)) return false;
    write_model(&import, imported);
    return true;
}
