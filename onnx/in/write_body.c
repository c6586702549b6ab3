/* Writes the statements of an imported model. A value that is used once is written where it is
 * used. A value that is used more often, or would be hard to read inside an expression, gets a
 * name. Layers are numbered as the language does it: in the order of their evaluation, which is
 * that of the text. */
#include "onnx/in/writing.h"

#include <ctype.h>
#include <string.h>

enum { WIDTH = 96, SHORT = 88 };
#define PIPE_MARK '\1' /* a line may be broken here: before "|> " */

/* -- names -- */

static bool is_reserved(const char *name) {
    static const char *const words[] = {
        "use",   "param",  "def",   "model",      "data",     "train", "field", "for",
        "in",    "if",     "else",  "true",       "false",    "and",   "or",    "not",
        "N",     "pi",     "none",  "full_batch", "training", "loss",  "epoch", "step",
        "steps", "source", "label", "target",     "lr"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(words[i], name)) return true;
    /* Weights of the functions that the text defines are called lstm_input, for instance. */
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

/* Reserves the words of a text: a variable with the name of a function would hide it. */
void write_take_words(Writing *writing, const char *text) {
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
const char *write_identifier(const Writing *writing, const char *name, const char *standard) {
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
    while (names_find(writing->taken, unique)) /* continues after the last number */
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

/* Counts the uses of a value in expressions. */
static void use(Tensor *arg) {
    arg->reached = true;
    arg->uses++;
}

/* Marks the tensors that the outputs need, and sets apart those that are used more than once. */
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

/* A chain of several calls, or with a layer, may begin another chain, but inside of an expression
 * it gets a name. */
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

void write_choose_named(Import *import) {
    reach(import);
    set_apart(import);
}

/* -- expressions -- */

static const char *expression(Writing *writing, Tensor *tensor);

static const char *argument(Writing *writing, Tensor *arg, Level level) {
    if (arg->variable) return arg->variable;
    const char *text = expression(writing, arg);
    bool call = arg->pipe && strchr(text, PIPE_MARK) ==
                                 NULL; /* a call such as relu(x), which needs no brackets */
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

/* Names a layer. It is called when the text of the layer is written, after its arguments. */
static void name_layer(Writing *writing, const Tensor *tensor) {
    const Layer *layer = tensor->layer;
    Arena *arena = writing->import->arena;
    if (!layer->kind) {
        add_weight(writing, tensor->variable, layer->values[0]);
        return;
    }
    uint32_t *count = names_find(writing->counts, layer->kind);
    if (!count) names_put(writing->counts, layer->kind, count = ARENA_NEW(arena, uint32_t));
    *count += layer->count > 0; /* without weights it has no number */
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

/* The text of a tensor with its arguments in it. */
static const char *filled_text(Writing *writing, const Tensor *tensor) {
    Arena *arena = writing->import->arena;
    const char *result = "", *from = tensor->text, *at;
    uint32_t index;
    Level level;
    while ((at = next_argument(from, &index, &level))) {
        result = arena_format(arena, "%s%.*s%s", result, (int)(at - from), from,
                              argument(writing, tensor->args[index], level));
        from = at + 3;
    }
    return arena_format(arena, "%s%s", result, from);
}

/* x |> f(1), f(x, 1) */
static const char *pipe_text(Writing *writing, const Tensor *tensor) {
    Arena *arena = writing->import->arena;
    Tensor *x = tensor->args[0];
    const char *from = argument(writing, x, LEVEL_PIPE), *call = filled_text(writing, tensor);
    bool chain = x->variable || x->pipe || x->level == LEVEL_ATOM;
    if (!chain && !strchr(call, '(')) return arena_format(arena, "%s(%s)", call, from);
    return arena_format(arena, chain ? "%s%c|> %s" : "(%s)%c|> %s", from, PIPE_MARK, call);
}

static const char *expression(Writing *writing, Tensor *tensor) {
    const char *result = tensor->pipe ? pipe_text(writing, tensor) : filled_text(writing, tensor);
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

void write_statements(Writing *writing) {
    Import *import = writing->import;
    for (uint32_t i = 0; i < import->made_count; i++) {
        Tensor *tensor = import->made[i];
        if (!tensor->reached || !tensor->apart) continue;
        bool weight = tensor->layer && !tensor->layer->kind;
        if (!tensor->variable) {
            const char *standard =
                weight ? (strstr(tensor->text, "state") == tensor->text ? "number" : "w")
                       : arena_format(import->arena, "h%u", ++writing->values);
            tensor->variable = weight ? write_identifier(writing, tensor->name, standard)
                                      : write_identifier(writing, "", standard);
        }
        const char *own = tensor->variable;
        if (!weight) tensor->variable = NULL; /* prints the weight's own text, not its name */
        const char *text = expression(writing, tensor);
        tensor->variable = own;
        print_statement(writing, own, text);
    }
}
