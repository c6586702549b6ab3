/* The text of the model. What is used once stands where it is used; what is used more often, and
 * what would be hard to read inside of an expression, gets a name. Layers are numbered as the
 * language does: in the order of their evaluation, which is that of the text. */
#include "onnx/in/translate.h"
#include "ir/base/memory.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    Import *import;
    Imported *imported;
    FILE *out;
    Names *taken;   /* names of variables */
    Names *numbers; /* of variables with the same name */
    Names *counts;  /* of layers, by their kind */
    uint32_t values;
} Writing;

enum { WIDTH = 96, SHORT = 88 };
#define PIPE_MARK '\1' /* where a line may end: before "|> " */

static const char *const recurrent_texts[] = {
#define RECURRENT(name, op, gates, text) text,
#include "onnx/in/recurrent.def"
};

/* -- names -- */

/* Weights of the functions that the text defines are called lstm_input, for instance. */
static bool is_recurrent(const char *name) {
    static const char *const names[] = {
#define RECURRENT(kind, op, gates, text) #kind,
#include "onnx/in/recurrent.def"
    };
    for (int i = 0; i < RECURRENT_KINDS; i++) {
        size_t length = strlen(names[i]);
        if (!strncmp(names[i], name, length) && (!name[length] || name[length] == '_')) return true;
    }
    return false;
}

static bool is_reserved(const char *name) {
    static const char *const words[] = {
        "use",   "param",  "def",   "model",      "data",     "train", "field", "for",
        "in",    "if",     "else",  "true",       "false",    "and",   "or",    "not",
        "N",     "pi",     "none",  "full_batch", "training", "loss",  "epoch", "step",
        "steps", "source", "label", "target",     "lr"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(words[i], name)) return true;
    return is_recurrent(name);
}

/* Words of the texts: a variable that is called as a function that they call would hide it. */
static void take_words(Writing *writing, const char *text) {
    while (text && *text) {
        size_t length = 0;
        while (isalnum((unsigned char)text[length]) || text[length] == '_') length++;
        if (length && isalpha((unsigned char)*text)) {
            const char *word = arena_copy_string(writing->import->arena, text, length);
            if (!names_find(writing->taken, word)) names_put(writing->taken, word, (void *)word);
        }
        text += length ? length : 1;
    }
}

/* A name of the file as an identifier: "layer1.0.weight" is layer1_0_weight, "/fc/Gemm_output_0"
 * and "onnx::MatMul_12" are `standard`. */
static const char *identifier(const Writing *writing, const char *name, const char *standard) {
    enum { LONGEST = 40 };
    Arena *arena = writing->import->arena;
    bool good = strlen(name) <= LONGEST && isalpha((unsigned char)*name) && !strstr(name, "::");
    char *text = arena_copy_string(arena, good ? name : standard, strlen(good ? name : standard));
    for (char *at = text; *at; at++)
        if (!isalnum((unsigned char)*at)) *at = '_';
    const char *base = is_reserved(text) ? arena_format(arena, "%s_", text) : text;
    const char *unique = base;
    uint32_t *last = names_find(writing->numbers, base);
    if (!last) names_put(writing->numbers, base, last = ARENA_NEW(arena, uint32_t));
    while (names_find(writing->taken, unique)) /* goes on with the number of the last one */
        unique = arena_format(arena, "%s_%u", base, ++*last + 1);
    names_put(writing->taken, unique, (void *)unique);
    return unique;
}

/* -- which tensors get a name -- */

/* The next "%05" of a text: the number of the argument and its level. NULL: there are no more. */
static const char *next_argument(const char *text, uint32_t *index, Level *level) {
    for (; *text; text++) {
        if (*text != '%' || text[1] < '0') continue;
        *index = (uint32_t)(text[1] - '0');
        *level = (Level)(text[2] - '0');
        return text;
    }
    return NULL;
}

static void use(Tensor *arg) {
    arg->reached = true;
    arg->uses++;
}

static void reach(Import *import) {
    for (uint32_t i = 0; i < import->output_count; i++)
        import->outputs[i]->reached = import->outputs[i]->apart = true;
    for (uint32_t i = import->made_count; i-- > 0;) {
        Tensor *tensor = import->made[i];
        uint32_t index;
        Level level;
        if (!tensor->reached) continue;
        if (tensor->pipe) use(tensor->args[0]);
        for (const char *at = tensor->text; (at = next_argument(at, &index, &level)); at++)
            use(tensor->args[index]);
    }
    for (uint32_t i = 0; i < import->made_count; i++)
        import->made[i]->apart |= import->made[i]->uses > 1;
}

/* A chain of several calls, or one with weights, stands in front of further calls or alone, not
 * inside of an expression. */
static void set_apart(Import *import) {
    for (uint32_t i = 0; i < import->made_count; i++) {
        Tensor *tensor = import->made[i];
        uint32_t index;
        Level level;
        if (!tensor->reached) continue;
        tensor->stages = 1 + (tensor->layer != NULL);
        if (tensor->pipe && !tensor->args[0]->apart) tensor->stages += tensor->args[0]->stages;
        for (const char *at = tensor->text; (at = next_argument(at, &index, &level)); at++) {
            Tensor *arg = tensor->args[index];
            if (arg->pipe && arg->stages > 1) arg->apart = true;
            if (!arg->apart) tensor->stages += arg->stages;
            if (tensor->stages > 5) arg->apart |= arg->arg_count > 0;
        }
    }
}

/* -- expressions -- */

static const char *expression(Writing *writing, Tensor *tensor);

static const char *argument(Writing *writing, Tensor *arg, Level level) {
    if (arg->variable) return arg->variable;
    const char *text = expression(writing, arg);
    bool call = arg->pipe && strchr(text, PIPE_MARK) == NULL; /* relu(x), which holds together */
    return arg->level >= level || call ? text : arena_format(writing->import->arena, "(%s)", text);
}

static void add_weight(Writing *writing, const char *name, const Tensor *value) {
    Imported *imported = writing->imported;
    Shape shape = {.rank = value->rank};
    for (int i = 0; i < value->rank; i++) shape.dim[i] = value->dims[i].size;
    ARENA_ROOM(writing->import->arena, imported->weights, imported->weight_count,
               imported->weight_capacity);
    imported->weights[imported->weight_count++] = (ImportedWeight){name, shape, value->reals};
}

/* To be called where the text of the layer is written, after its arguments. */
static void name_layer(Writing *writing, const Tensor *tensor) {
    const Layer *layer = tensor->layer;
    Arena *arena = writing->import->arena;
    if (!layer->kind) {
        add_weight(writing, tensor->variable, layer->values[0]);
        return;
    }
    uint32_t *count = names_find(writing->counts, layer->kind);
    if (!count) names_put(writing->counts, layer->kind, count = ARENA_NEW(arena, uint32_t));
    ++*count;
    writing->imported->layers++;
    for (uint32_t i = 0; i < layer->count; i++) {
        const char *role = layer->roles[i];
        const char *name = !layer->defined
                               ? arena_format(arena, "%s%u.%s", layer->kind, *count, role)
                           : *count == 1 ? role
                                         : arena_format(arena, "%s_%u", role, *count);
        add_weight(writing, name, layer->values[i]);
    }
}

/* x |> f(1), f(x, 1) */
static const char *pipe_text(Writing *writing, const Tensor *tensor) {
    Arena *arena = writing->import->arena;
    Tensor *x = tensor->args[0];
    const char *from = argument(writing, x, LEVEL_PIPE), *bracket = strchr(tensor->text, '(');
    bool chain = x->variable || x->pipe || x->level == LEVEL_ATOM;
    if (!chain && !bracket) return arena_format(arena, "%s(%s)", tensor->text, from);
    return arena_format(arena, chain ? "%s%c|> %s" : "(%s)%c|> %s", from, PIPE_MARK, tensor->text);
}

static const char *expression(Writing *writing, Tensor *tensor) {
    Arena *arena = writing->import->arena;
    const char *result = "";
    if (tensor->pipe) {
        result = pipe_text(writing, tensor);
    } else {
        const char *from = tensor->text, *at;
        uint32_t index;
        Level level;
        while ((at = next_argument(from, &index, &level))) {
            result = arena_format(arena, "%s%.*s%s", result, (int)(at - from), from,
                                  argument(writing, tensor->args[index], level));
            from = at + 3;
        }
        result = arena_format(arena, "%s%s", result, from);
    }
    if (tensor->layer) name_layer(writing, tensor);
    return result;
}

/* -- statements -- */

static bool begins_layer(const char *text) {
    static const char *const layers[] = {"dense(", "conv(", "depthwise(", "conv_transpose(",
                                         "embedding("};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        if (!strncmp(text, layers[i], strlen(layers[i]))) return true;
    return false;
}

/* Prints NAME = TEXT. A long chain goes on in further lines, one for each layer. */
static void print_statement(Writing *writing, const char *name, const char *text) {
    size_t indent = 4 + strlen(name) + strlen(" = "), column = indent, length = strlen(text);
    bool fits = indent + length <= SHORT;
    int depth = 0;
    fprintf(writing->out, "    %s = ", name);
    for (const char *at = text; *at; at++) {
        depth += *at == '(' || *at == '[';
        depth -= *at == ')' || *at == ']';
        if (*at != PIPE_MARK) {
            putc(*at, writing->out);
            column++;
            continue;
        }
        size_t part = strcspn(at + 1, (char[]){PIPE_MARK, 0}) + 1;
        bool first = column < indent + 1;
        bool ends =
            depth == 0 && !fits && !first && (begins_layer(at + 4) || column + part > WIDTH);
        if (ends && at != text)
            fprintf(writing->out, "\n%*s", (int)indent, "");
        else
            putc(' ', writing->out);
        column = ends ? indent : column + 1;
    }
    putc('\n', writing->out);
}

static void print_body(Writing *writing) {
    Import *import = writing->import;
    for (uint32_t i = 0; i < import->made_count; i++) {
        Tensor *tensor = import->made[i];
        if (!tensor->reached || !tensor->apart) continue;
        bool weight = tensor->layer && !tensor->layer->kind;
        if (!tensor->variable) {
            const char *standard =
                weight ? (strstr(tensor->text, "state") == tensor->text ? "number" : "w")
                       : arena_format(import->arena, "h%u", ++writing->values);
            tensor->variable = weight ? identifier(writing, tensor->name, standard)
                                      : identifier(writing, "", standard);
        }
        const char *own = tensor->variable;
        if (!weight) tensor->variable = NULL; /* its own text is wanted, not its name */
        const char *text = expression(writing, tensor);
        tensor->variable = own;
        print_statement(writing, own, text);
    }
}

/* -- blocks -- */

static DType field_type(const Tensor *input) {
    return input->type == ONNX_UINT8 || input->kind == KIND_BOOL ? DTYPE_U8
           : input->kind == KIND_WHOLE                           ? DTYPE_I32
                                                                 : DTYPE_F32;
}

static SourceField field_of(const char *name, DType dtype, int rank, const Dim *dims) {
    SourceField field = {.name = name, .dtype = dtype, .row = {.rank = rank - 1}};
    for (int i = 1; i < rank; i++) field.row.dim[i - 1] = dims[i].size;
    return field;
}

/* What an output is compared with, and how. */
typedef enum {
    TARGET_LOGITS,
    TARGET_PROBABILITIES,
    TARGET_LOG,
    TARGET_SIGMOID,
    TARGET_NUMBERS
} TargetKind;

static bool is_made_by(const Tensor *tensor, const char *op) {
    return tensor->node && !strcmp(tensor->node->op, op);
}

static TargetKind target_kind(const Tensor *output) {
    bool classes = output->rank == 2 && output->dims[1].size > 1;
    if (is_made_by(output, "Sigmoid")) return TARGET_SIGMOID;
    if (!classes) return TARGET_NUMBERS;
    if (is_made_by(output, "LogSoftmax")) return TARGET_LOG;
    if (is_made_by(output, "Softmax") || strstr(output->name, "prob")) return TARGET_PROBABILITIES;
    return TARGET_LOGITS;
}

typedef struct {
    TargetKind kind;
    const char *output, *target;
    const Tensor *tensor;
} Target;

static bool has_classes(TargetKind kind) {
    return kind == TARGET_LOGITS || kind == TARGET_PROBABILITIES || kind == TARGET_LOG;
}

static const char *loss_text(Arena *arena, const Target *target) {
    static const char *const losses[] = {[TARGET_LOGITS] = "cross_entropy(%s, %s)",
                                         [TARGET_PROBABILITIES] = "nll(log(max(%s, 1e-30)), %s)",
                                         [TARGET_LOG] = "nll(%s, %s)",
                                         [TARGET_SIGMOID] = "bce(%s, %s)",
                                         [TARGET_NUMBERS] = "mse(%s, %s)"};
    const char *format = losses[target->kind], *first = strstr(format, "%s"),
               *second = strstr(first + 2, "%s");
    return arena_format(arena, "%.*s%s%.*s%s%s", (int)(first - format), format, target->output,
                        (int)(second - first - 2), first + 2, target->target, second + 2);
}

static const char *row_text(const Import *import, const SourceField *field) {
    char text[SHAPE_TEXT];
    Shape whole = {.rank = field->row.rank + 1, .dim = {1}};
    memcpy(&whole.dim[1], field->row.dim, (size_t)field->row.rank * sizeof *field->row.dim);
    const char *dims = strchr(shape_text(field->dtype, whole, text), '[') + 2;
    return arena_format(import->arena, "%s[N%s", dtype_name(field->dtype), dims);
}

static void print_data(Writing *writing, const Target *targets, uint32_t count) {
    Import *import = writing->import;
    SourceField *fields = ARENA_ARRAY(import->arena, SourceField, import->input_count + count);
    uint32_t field_count = 0;
    fprintf(
        writing->out,
        "# Fill in your data: here an archive of NumPy, made by numpy.savez(\"data.npz\", ...), with an array for each\n"
        "# field. csv(...), images(...), mnist() and others read other files: see 'mlc explain csv'.\n"
        "data {\n    source = npz(\"data.npz\")\n");
    for (uint32_t i = 0; i < import->input_count; i++) {
        Tensor *input = import->inputs[i];
        fields[field_count] =
            field_of(input->variable, field_type(input), input->rank, input->dims);
        fprintf(writing->out, "    field %s = source.%s%s    # %s\n", input->variable,
                input->variable, input->kind == KIND_BOOL ? " != 0" : "",
                row_text(import, &fields[field_count]));
        field_count++;
    }
    for (uint32_t i = 0; i < count; i++) {
        const Target *target = &targets[i];
        bool classes = has_classes(target->kind);
        fields[field_count] =
            classes
                ? (SourceField){.name = target->target,
                                .dtype = DTYPE_I32,
                                .classes = (int32_t)target->tensor->dims[1].size}
                : field_of(target->target, DTYPE_F32, target->tensor->rank, target->tensor->dims);
        if (classes && (int64_t)import->class_count == target->tensor->dims[1].size) {
            fields[field_count].categories = import->classes;
            fields[field_count].category_count = import->class_count;
        }
        if (classes)
            fprintf(writing->out,
                    "    field %s = source.%s    # the class of each row, from 0 to %lld\n",
                    target->target, target->target, (long long)target->tensor->dims[1].size - 1);
        else
            fprintf(writing->out, "    field %s = source.%s    # %s\n", target->target,
                    target->target, row_text(import, &fields[field_count]));
        field_count++;
    }
    fprintf(writing->out, "    test = 0.1\n}\n\n");
    writing->imported->schema = (SourceSchema){.fields = fields, .field_count = field_count};
}

static void print_train(Writing *writing, const Target *targets, uint32_t count) {
    Arena *arena = writing->import->arena;
    fprintf(writing->out, "\ntrain {\n    loss      = ");
    for (uint32_t i = 0; i < count; i++)
        fprintf(writing->out, "%s%s", i ? " + " : "", loss_text(arena, &targets[i]));
    fprintf(writing->out, "\n    optimizer = adam(lr)\n    batch     = 64\n    epochs    = 10\n");
    for (uint32_t i = 0; i < count; i++)
        if (has_classes(targets[i].kind)) {
            fprintf(writing->out, "    metrics   = [accuracy(%s, %s)]\n", targets[i].output,
                    targets[i].target);
            break;
        }
    fprintf(
        writing->out,
        "    weights   = \"net.safetensors\"    # those of the file; without this line it begins anew\n}\n");
}

static void print_functions(const Writing *writing) {
    for (int i = 0; i < RECURRENT_KINDS; i++)
        if (writing->import->defines[i]) fputs(recurrent_texts[i], writing->out);
}

static void print_head(Writing *writing) {
    const OnnxModel *model = writing->import->model;
    const char *slash = strrchr(writing->import->path, '/');
    char name[128], producer[64];
    snprintf(name, sizeof name, "%.100s", slash ? slash + 1 : writing->import->path);
    snprintf(producer, sizeof producer, "%.40s", model->producer);
    for (char *at = name; *at; at++)
        if (iscntrl((unsigned char)*at)) *at = '?';
    for (char *at = producer; *at; at++)
        if (iscntrl((unsigned char)*at)) *at = '?';
    fprintf(writing->out, "mdl 1\n# Imported from %s%s%s (opset %lld).\n", name,
            *producer ? ", written by " : "", producer, (long long)model->opset);
    for (uint32_t i = 0; i < writing->import->notes->count; i++)
        fprintf(writing->out, "# Note: %s.\n", writing->import->notes->items[i]);
    fprintf(writing->out,
            "\nparam lr = 1e-4 in 0.0..1.0    # small: the network has learnt already\n\n");
}

void write_model(Import *import, Imported *imported) {
    MemoryStream stream, body;
    Writing writing = {import,
                       imported,
                       NULL,
                       names_new(import->arena),
                       names_new(import->arena),
                       names_new(import->arena),
                       0};
    Target *targets = ARENA_ARRAY(import->arena, Target, import->output_count);
    reach(import);
    set_apart(import);
    for (uint32_t i = 0; i < import->made_count; i++)
        if (import->made[i]->reached) take_words(&writing, import->made[i]->text);
    take_words(&writing, "cross_entropy mse bce nll log max accuracy adam npz");
    for (uint32_t i = 0; i < import->input_count; i++)
        import->inputs[i]->variable = identifier(&writing, import->inputs[i]->name, "x");
    for (uint32_t i = 0; i < import->output_count; i++) {
        Tensor *output = import->outputs[i];
        TargetKind kind = target_kind(output);
        output->variable = identifier(&writing, output->name,
                                      kind == TARGET_LOGITS          ? "logits"
                                      : kind == TARGET_PROBABILITIES ? "probabilities"
                                                                     : "y");
        targets[i] = (Target){kind, output->variable, NULL, output};
    }
    for (uint32_t i = 0; i < import->output_count; i++) {
        const char *base = has_classes(targets[i].kind) ? "label" : "target", *name = base;
        for (int k = 2; names_find(writing.taken, name); k++)
            name = arena_format(import->arena, "%s%d", base, k);
        names_put(writing.taken, name, (void *)name);
        targets[i].target = name;
    }
    memory_stream_begin(&body);
    writing.out = body.out;
    print_body(&writing);
    char *statements = memory_stream_end(&body);
    memory_stream_begin(&stream);
    writing.out = stream.out;
    print_head(&writing);
    print_data(&writing, targets, import->output_count);
    print_functions(&writing);
    fprintf(stream.out, "model net(");
    for (uint32_t i = 0; i < import->input_count; i++)
        fprintf(stream.out, "%s%s", i ? ", " : "", import->inputs[i]->variable);
    fprintf(stream.out, import->output_count == 1 ? ") -> %s" : ") -> (%s",
            import->outputs[0]->variable);
    for (uint32_t i = 1; i < import->output_count; i++)
        fprintf(stream.out, ", %s", import->outputs[i]->variable);
    fprintf(stream.out, import->output_count == 1 ? " {\n%s}\n" : ") {\n%s}\n", statements);
    print_train(&writing, targets, import->output_count);
    char *text = memory_stream_end(&stream);
    imported->text = arena_copy_string(import->arena, text, strlen(text));
    free(statements);
    free(text);
}
