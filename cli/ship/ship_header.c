/* The header of a shipped network. */
#include "cli/ship/ship_names.h"
#include "cli/ship/ship_texts.h"
#include "cli/results/confusion.h"

#include <string.h>

const char *ship_c_type(const ShipInput *input) {
    static const char *const names[SHIP_TYPES] = {
        [SHIP_U8] = "uint8_t", [SHIP_I32] = "int32_t", [SHIP_F32] = "float", [SHIP_F64] = "double"};
    return names[input->type];
}

/* "const digits_row *row, const uint8_t *image, ": the parameters of the network, or of a step. */
static const char *input_parameters(const Shipment *shipment, bool step) {
    Arena *arena = shipment->arena;
    const char *text =
        shipment->has_members ? arena_format(arena, "const %s_row *row, ", shipment->name) : "";
    for (uint32_t i = 0; i < shipment->input_count; i++)
        if (!shipment->inputs[i].is_member && (step || !shipment->inputs[i].for_training))
            text = arena_format(arena, "%sconst %s *%s, ", text, ship_c_type(&shipment->inputs[i]),
                                shipment->inputs[i].name);
    return text;
}

const char *ship_parameters(const Shipment *shipment, const ShipVariant *variant) {
    Arena *arena = shipment->arena;
    const char *text = input_parameters(shipment, false);
    if (shipment_takes_weights(shipment))
        text = arena_format(arena, "const %s_weights *weights, %s", shipment->name, text);
    for (uint32_t i = 0; i < shipment->output_count; i++)
        text = arena_format(arena, "%sfloat *%s, ", text, shipment->outputs[i].name);
    return arena_format(arena, "%s%s_scratch%s *scratch", text, shipment->name, variant->suffix);
}

const char *ship_step_parameters(const Shipment *shipment) {
    return arena_format(shipment->arena, "%s_state *state, %sfloat *loss, %s_step_scratch *scratch",
                        shipment->name, input_parameters(shipment, true), shipment->name);
}

/* Text of the model or its data as part of a comment in C. Characters that could end the comment
 * are replaced. */
static const char *in_comment(const Shipment *shipment, const char *text) {
    char *copy = arena_copy_string(shipment->arena, text, strlen(text));
    for (char *at = copy; *at; at++)
        if ((unsigned char)*at < 32 || (unsigned char)*at > 126 || *at == '*' || *at == '\\')
            *at = *at == '*' ? '+' : '?';
    return copy;
}

static const char *shape_of_row(const Shipment *shipment, Shape row) {
    const char *text = "";
    for (int i = 0; i < row.rank; i++)
        text =
            arena_format(shipment->arena, "%s%s%lld", text, i ? ", " : "", (long long)row.dim[i]);
    return arena_format(shipment->arena, "[%s]", text);
}

static void print_head(const Shipment *shipment, FILE *out) {
    fprintf(out,
            "/* %s.h: the network '%s', %llu epochs trained, as a C library. Made by mlc %s.\n"
            " *\n"
            " * This file and what it declares belong to whoever made them; mlc's licence does not "
            "reach them (0BSD).\n"
            " *\n"
            " * Model    %.16s (BLAKE3 of its text)\n"
            " * Weights  %.16s (BLAKE3 of all of them)\n"
            " * Target   %s\n"
            " *\n"
            " * The library has no heap, no input or output, and no variables.\n"
            " * Functions may be called from several threads at once if each has its own scratch.\n"
            " * The outputs have %s. That needs the state of the processor "
            "in which a C program\n"
            " * begins: rounding to nearest, and no flushing of small numbers to zero. */\n",
            shipment->name, in_comment(shipment, shipment->session.build.info->name),
            (unsigned long long)shipment->checkpoint.epoch, MLC_VERSION, shipment->model_hash,
            shipment->weights_hash, shipment_target(shipment),
            shipment->quantization ? "the same bits on every target" : "the bits of `mlc predict`");
}

void ship_constant(const Shipment *shipment, const char *name, const char *suffix, long long value,
                   const char *comment, FILE *out) {
    const char *whole =
        arena_format(shipment->arena, "%s_%s%s", c_capitals(shipment->arena, shipment->name),
                     c_capitals(shipment->arena, name), c_capitals(shipment->arena, suffix));
    fprintf(out, "#define %-32s %-9lld /* %s */\n", whole, value, comment);
}

static void print_constants(const Shipment *shipment, FILE *out) {
    for (uint32_t i = 0; i < shipment->input_count; i++) {
        const ShipInput *input = &shipment->inputs[i];
        if (input->is_member) continue;
        const char *comment =
            arena_format(shipment->arena, "numbers of source.%s in a row: %s%s",
                         in_comment(shipment, input->field->name), dtype_name(input->field->dtype),
                         shape_of_row(shipment, input->field->row));
        ship_constant(shipment, input->name, "", input->elements, comment, out);
    }
    for (uint32_t i = 0; i < shipment->output_count; i++)
        ship_constant(shipment, shipment->outputs[i].name, "", shipment->outputs[i].elements,
                      arena_format(shipment->arena, "numbers of the output in a row: f32%s",
                                   shape_of_row(shipment, shipment->outputs[i].row)),
                      out);
    if (shipment_lines(shipment) > 1) {
        ship_constant(shipment, "window", "", shipment_lines(shipment),
                      "rows of a series that the network reads for one answer, in their order",
                      out);
        ship_constant(shipment, "window_before", "", -shipment->window.from,
                      "how many of them lie before the row itself", out);
    }
    ship_constant(shipment, "weights_bytes", "", (long long)shipment->weights_bytes,
                  shipment_takes_weights(shipment)   ? "the file of the weights"
                  : shipment_parts_weights(shipment) ? "constant data of an object of their own"
                                                     : "constant data",
                  out);
    if (!shipment_is_source(shipment))
        ship_constant(shipment, "code_bytes", "", (long long)shipment->shipped.code_bytes,
                      "code and other constant data", out);
    ship_constant(shipment, "align", "", SHIP_ALIGNMENT, "of scratch, in bytes", out);
    if (shipment_has_parts(shipment))
        ship_constant(shipment, "parts", "", (long long)shipment->options->parts,
                      "the most parts of a call", out);
    for (uint32_t i = 0; i < shipment->variant_count; i++) {
        const ShipVariant *variant = &shipment->variants[i];
        ShipSizes sizes = shipment_sizes(shipment, i);
        ship_constant(shipment, "scratch_bytes", variant->suffix, (long long)sizes.scratch,
                      arena_format(shipment->arena, "of %s", variant->symbol), out);
        if (shipment_has_parts(shipment))
            ship_constant(shipment, "phases", variant->suffix, sizes.phases,
                          arena_format(shipment->arena, "of %s_part", variant->symbol), out);
        if (shipment_is_source(shipment)) continue;
        ship_constant(shipment, "stack_bytes", variant->suffix, (long long)sizes.stack,
                      arena_format(shipment->arena,
                                   "the deepest use of the stack by %s, its return address "
                                   "included",
                                   variant->symbol),
                      out);
        if (shipment_has_parts(shipment))
            ship_constant(
                shipment, "part_stack_bytes", variant->suffix, (long long)sizes.part_stack,
                arena_format(shipment->arena, "the same of %s_part", variant->symbol), out);
    }
}

/* -- rows of a table -- */

/* The numbers of the categories of a column of text. */
static void print_categories(const Shipment *shipment, const ShipInput *input, FILE *out) {
    Arena *arena = shipment->arena;
    uint32_t count = input->field->category_count;
    const char **taken = (const char **)ARENA_ARRAY(arena, char *, count + 1);
    const char *prefix =
        c_capitals(arena, arena_format(arena, "%s_%s", shipment->name, input->name));
    fprintf(out,
            "/* Column %s, as numbers of its categories; -1: another one, or missing. */\nenum {\n",
            in_comment(shipment, input->field->name));
    for (uint32_t i = 0; i < count; i++) {
        const char *category = input->field->categories[i];
        taken[i] = c_name(arena, *category ? category : "empty", taken, i);
        fprintf(out, "    %s_%s = %u%s /* %s */\n", prefix, c_capitals(arena, taken[i]), i,
                i + 1 < count ? "," : "", in_comment(shipment, category));
    }
    fputs("};\n\n", out);
}

static const char *member_comment(const Shipment *shipment, const ShipInput *input) {
    const char *name = in_comment(shipment, input->field->name);
    if (input->for_training) name = arena_format(shipment->arena, "%s, for training only", name);
    if (input->field->is_text)
        return arena_format(shipment->arena, "column %s: a number of the enumeration, or -1", name);
    return arena_format(shipment->arena,
                        input->type == SHIP_I32 ? "column %s: a whole number"
                        : input->has_gaps       ? "column %s; NAN: missing"
                                                : "column %s",
                        name);
}

static void print_row_type(const Shipment *shipment, FILE *out) {
    if (!shipment->has_members) return;
    for (uint32_t i = 0; i < shipment->input_count; i++)
        if (shipment->inputs[i].is_member && shipment->inputs[i].field->is_text &&
            shipment->inputs[i].field->category_count)
            print_categories(shipment, &shipment->inputs[i], out);
    fputs("/* A row of the data, as the csv file has it: everything else is done inside. */\n"
          "typedef struct {\n",
          out);
    for (uint32_t i = 0; i < shipment->input_count; i++) {
        const ShipInput *input = &shipment->inputs[i];
        if (!input->is_member) continue;
        fprintf(out, "    %s %s; /* %s */\n", ship_c_type(input), input->name,
                member_comment(shipment, input));
    }
    fprintf(out, "} %s_row;\ntypedef char %s_row_has_its_size[sizeof(%s_row) == %zu ? 1 : -1];\n\n",
            shipment->name, shipment->name, shipment->name, shipment->struct_bytes);
}

/* -- outputs, functions -- */

static void print_classes(const Shipment *shipment, const ShipOutput *output, FILE *out) {
    const char *name = shipment->name, *capitals = c_capitals(shipment->arena, name);
    const char *size = c_capitals(shipment->arena, output->name);
    char number[NUMBER_TEXT];
    if (!output->output->classes) return;
    fprintf(out,
            "/* The names of the classes of %s: static const char *const names[] = "
            "%s_%s_CLASSES; */\n#define %s_%s_CLASSES { \\\n",
            output->name, capitals, size, capitals, size);
    for (int32_t i = 0; i < output->elements; i++)
        fprintf(out, "    %s%s \\\n",
                c_string(shipment->arena, class_name(&shipment->session.build.info->schema,
                                                     output->output->label, i, number)),
                i + 1 < output->elements ? "," : "");
    fprintf(out,
            "}\n\n"
            "/* The class of a row: the place of the first largest number in its %s. */\n"
            "static inline int %s_%s_class(const float %s[%s_%s]) {\n"
            "    int best = 0, i;\n"
            "    for (i = 1; i < %s_%s; i++)\n"
            "        if (%s[i] > %s[best]) best = i;\n"
            "    return best;\n"
            "}\n\n",
            output->name, name, output->name, output->name, capitals, size, capitals, size,
            output->name, output->name);
}

static void print_weights_type(const Shipment *shipment, FILE *out) {
    const char *name = shipment->name, *capitals = c_capitals(shipment->arena, name);
    if (shipment_takes_weights(shipment))
        fprintf(
            out,
            "/* The bytes of %s.weights, which may be read from anywhere, or stay in flash. */\n"
            "typedef struct {\n"
            "    %s_ALIGNED unsigned char bytes[%s_WEIGHTS_BYTES];\n"
            "} %s_weights;\n\n",
            name, capitals, capitals, name);
}

static void print_functions(const Shipment *shipment, FILE *out) {
    const char *name = shipment->name, *capitals = c_capitals(shipment->arena, name);
    for (uint32_t i = 0; i < shipment->variant_count; i++) {
        const ShipVariant *variant = &shipment->variants[i];
        const char *suffix = c_capitals(shipment->arena, variant->suffix);
        fprintf(out,
                "/* Memory of %s; what it holds does not matter between calls. */\n"
                "typedef struct {\n"
                "    %s_ALIGNED unsigned char bytes[%s_SCRATCH_BYTES%s];\n"
                "} %s_scratch%s;\n\n"
                "/* %s, one after the other. No argument but scratch needs an "
                "alignment. */\n"
                "%s_status %s(%s);\n\n",
                variant->symbol, capitals, capitals, suffix, name, variant->suffix,
                variant->rows == 1 ? "The outputs of one row"
                                   : arena_format(shipment->arena, "The outputs of %lld rows",
                                                  (long long)variant->rows),
                name, variant->symbol, ship_parameters(shipment, variant));
        if (shipment_has_parts(shipment))
            fprintf(
                out,
                "/* %s in parts, for several threads. In each phase 0 .. %s_PHASES%s - 1, all "
                "parts\n"
                " * 0 .. parts - 1 are called, in any order or at the same time. A phase begins "
                "when all calls\n"
                " * of the phase before have returned. All other arguments are those of %s, "
                "and the same in\n"
                " * all calls. The outputs are there after the last phase. */\n"
                "%s_status %s_part(%s%s);\n\n",
                variant->symbol, capitals, suffix, variant->symbol, name, variant->symbol,
                SHIP_PART_PARAMETERS, ship_parameters(shipment, variant));
    }
}

static void print_alignment(const Shipment *shipment, FILE *out) {
    const char *capitals = c_capitals(shipment->arena, shipment->name);
    fprintf(out,
            "#if defined(__cplusplus)\n#define %s_ALIGNED alignas(%s_ALIGN)\n"
            "#elif defined(_MSC_VER) && !defined(__clang__)\n"
            "#define %s_ALIGNED __declspec(align(%d))\n"
            "#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L\n"
            "#define %s_ALIGNED _Alignas(%s_ALIGN)\n"
            "#else\n#define %s_ALIGNED __attribute__((aligned(%s_ALIGN)))\n#endif\n\n",
            capitals, capitals, capitals, SHIP_ALIGNMENT, capitals, capitals, capitals, capitals);
}

void ship_header(const Shipment *shipment, FILE *out) {
    const char *name = shipment->name, *capitals = c_capitals(shipment->arena, name);
    print_head(shipment, out);
    fprintf(out,
            "#ifndef %s_H\n#define %s_H\n\n#include <stdint.h>\n\n"
            "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n",
            capitals, capitals);
    print_constants(shipment, out);
    fputc('\n', out);
    print_alignment(shipment, out);
    fprintf(out,
            "typedef enum {\n    %s_OK = 0,\n"
            "    %s_MISALIGNED = 1 /* scratch%s is not at a multiple of %s_ALIGN; nothing was done "
            "*/",
            capitals, capitals,
            shipment->training                 ? " or a state"
            : shipment_takes_weights(shipment) ? " or weights"
                                               : "",
            capitals);
    if (shipment_takes_weights(shipment))
        fprintf(
            out,
            ",\n    %s_WRONG_WEIGHTS = 2 /* they are not of a build of this network; nothing was "
            "done */",
            capitals);
    if (shipment->training)
        fprintf(
            out,
            ",\n    %s_WRONG_STATE = 2, /* %s_state_trained of this library did not make it; "
            "nothing was done */\n"
            "    %s_NOT_FINITE = 3 /* the loss of a step is infinite or not a number; the state "
            "is spoilt */",
            capitals, name, capitals);
    if (shipment_has_parts(shipment))
        fprintf(out,
                ",\n    %s_WRONG_PART = 4 /* the numbers of the phase or the parts are too large; "
                "nothing was done */",
                capitals);
    fprintf(out, "\n} %s_status;\n\n", name);
    print_row_type(shipment, out);
    print_weights_type(shipment, out);
    print_functions(shipment, out);
    if (shipment->training) ship_header_training(shipment, out);
    for (uint32_t i = 0; i < shipment->output_count; i++)
        print_classes(shipment, &shipment->outputs[i], out);
    fputs("#ifdef __cplusplus\n}\n#endif\n#endif\n", out);
}
