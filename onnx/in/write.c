/* Writes the text of an imported model, block by block: head, data, functions, model, train. */
#include "ir/base/memory.h"
#include "onnx/in/writing.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const recurrent_texts[] = {
#define RECURRENT(name, op, gates, text) text,
#include "onnx/in/recurrent.def"
};

static SourceField field_of(const char *name, DType dtype, int rank, const Dim *dims) {
    SourceField field = {.name = name, .dtype = dtype, .row = {.rank = rank - 1}};
    for (int i = 1; i < rank; i++) field.row.dim[i - 1] = dims[i].size;
    return field;
}

/* The kind of target that the loss compares an output with. */
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
} LossTarget;

static bool has_classes(TargetKind kind) {
    return kind == TARGET_LOGITS || kind == TARGET_PROBABILITIES || kind == TARGET_LOG;
}

static const char *loss_text(Arena *arena, const LossTarget *target) {
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

/* Writes the line of an input in the data block; returns its field. */
static SourceField print_input(const Writing *writing, const Tensor *input) {
    const char *name = input->variable;
    bool bytes = input->type == ONNX_UINT8 || input->kind == KIND_BOOL;
    DType dtype = bytes ? DTYPE_U8 : input->kind == KIND_WHOLE ? DTYPE_I32 : DTYPE_F32;
    SourceField field = field_of(name, dtype, input->rank, input->dims);
    fprintf(writing->out, "    field %s = source.%s%s    # %s\n", name, name,
            input->kind == KIND_BOOL ? " != 0" : "", row_text(writing->import, &field));
    return field;
}

/* Writes the line of a target in the data block, classes or numbers; returns its field. */
static SourceField print_target(const Writing *writing, const LossTarget *target) {
    const Import *import = writing->import;
    const Tensor *output = target->tensor;
    fprintf(writing->out, "    field %s = source.%s    # ", target->target, target->target);
    if (!has_classes(target->kind)) {
        SourceField field = field_of(target->target, DTYPE_F32, output->rank, output->dims);
        fprintf(writing->out, "%s\n", row_text(import, &field));
        return field;
    }
    int64_t classes = output->dims[1].size;
    SourceField field = {.name = target->target, .dtype = DTYPE_I32, .classes = (int32_t)classes};
    if ((int64_t)import->class_count == classes) {
        field.categories = import->classes;
        field.category_count = import->class_count;
    }
    fprintf(writing->out, "the class of each row, from 0 to %lld\n", (long long)classes - 1);
    return field;
}

static void print_data(Writing *writing, const LossTarget *targets, uint32_t count) {
    const Import *import = writing->import;
    SourceField *fields = ARENA_ARRAY(import->arena, SourceField, import->input_count + count);
    uint32_t field_count = 0;
    fprintf(
        writing->out,
        "# Fill in your data: here an archive of NumPy, made by numpy.savez(\"data.npz\", ...), with an array for each\n"
        "# field. csv(...), images(...), mnist() and others read other files: see 'mlc explain csv'.\n"
        "data {\n    source = npz(\"data.npz\")\n");
    for (uint32_t i = 0; i < import->input_count; i++)
        fields[field_count++] = print_input(writing, import->inputs[i]);
    for (uint32_t i = 0; i < count; i++) fields[field_count++] = print_target(writing, &targets[i]);
    fprintf(writing->out, "    test = 0.1\n}\n\n");
    writing->imported->schema = (SourceSchema){.fields = fields, .field_count = field_count};
}

static void print_train(Writing *writing, const LossTarget *targets, uint32_t count) {
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

/* Gives the inputs, the outputs and their targets names as variables. */
static void name_variables(Writing *writing, LossTarget *targets) {
    Import *import = writing->import;
    for (uint32_t i = 0; i < import->made_count; i++)
        if (import->made[i]->reached) write_take_words(writing, import->made[i]->text);
    write_take_words(writing, "cross_entropy mse bce nll log max accuracy adam npz");
    for (uint32_t i = 0; i < import->input_count; i++)
        import->inputs[i]->variable = write_identifier(writing, import->inputs[i]->name, "x");
    for (uint32_t i = 0; i < import->output_count; i++) {
        Tensor *output = import->outputs[i];
        TargetKind kind = target_kind(output);
        output->variable = write_identifier(writing, output->name,
                                            kind == TARGET_LOGITS          ? "logits"
                                            : kind == TARGET_PROBABILITIES ? "probabilities"
                                                                           : "y");
        targets[i] = (LossTarget){kind, output->variable, NULL, output};
    }
    for (uint32_t i = 0; i < import->output_count; i++) {
        const char *base = has_classes(targets[i].kind) ? "label" : "target", *name = base;
        for (int k = 2; names_find(writing->taken, name); k++)
            name = arena_format(import->arena, "%s%d", base, k);
        names_put(writing->taken, name, (void *)name);
        targets[i].target = name;
    }
}

/* Writes the text of a recurrent layer with the parts that the layers of the file need: see
 * recurrent.def. */
static void print_function(FILE *out, const char *text, uint32_t forms) {
    static const struct {
        char letter;
        uint32_t form;
    } letters[] = {
        {'R', FORM_BACKWARDS}, {'B', FORM_BEGINS}, {'C', FORM_CELLS}, {'A', FORM_ACTIVATION}};
    bool shown = true;
    for (; *text; text++) {
        if (*text == '>' && (text[-1] != '-'))
            shown = true;
        else if (*text != '<' && shown)
            putc(*text, out);
        if (*text != '<') continue;
        text++;
        for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
            if (toupper((unsigned char)*text) == letters[i].letter)
                shown = ((forms & letters[i].form) != 0) == (*text == letters[i].letter);
    }
}

/* model net(x) -> y { ... }, or with several outputs -> (y, z) */
static void print_block(const Writing *writing, const char *statements) {
    const Import *import = writing->import;
    bool one = import->output_count == 1;
    fprintf(writing->out, "model net(");
    for (uint32_t i = 0; i < import->input_count; i++)
        fprintf(writing->out, "%s%s", i ? ", " : "", import->inputs[i]->variable);
    fprintf(writing->out, one ? ") -> %s" : ") -> (%s", import->outputs[0]->variable);
    for (uint32_t i = 1; i < import->output_count; i++)
        fprintf(writing->out, ", %s", import->outputs[i]->variable);
    fprintf(writing->out, one ? " {\n%s}\n" : ") {\n%s}\n", statements);
}

void write_model(Import *import, Imported *imported) {
    MemoryStream stream, body;
    Arena *arena = import->arena;
    Writing writing = {.import = import,
                       .imported = imported,
                       .taken = names_new(arena),
                       .numbers = names_new(arena),
                       .counts = names_new(arena)};
    LossTarget *targets = ARENA_ARRAY(arena, LossTarget, import->output_count);
    write_choose_named(import);
    name_variables(&writing, targets);
    memory_stream_begin(&body);
    writing.out = body.out;
    write_statements(&writing);
    char *statements = memory_stream_end(&body);
    memory_stream_begin(&stream);
    writing.out = stream.out;
    print_head(&writing);
    print_data(&writing, targets, import->output_count);
    for (int i = 0; i < RECURRENT_KINDS; i++)
        if (import->recurrent_forms[i])
            print_function(writing.out, recurrent_texts[i], import->recurrent_forms[i]);
    print_block(&writing, statements);
    print_train(&writing, targets, import->output_count);
    char *text = memory_stream_end(&stream);
    imported->text = arena_copy_string(arena, text, strlen(text));
    free(statements);
    free(text);
}
