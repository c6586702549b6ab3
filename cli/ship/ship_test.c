/* The test program of a shipped network. It runs the examples by every function, compares every bit
 * of the outputs, and checks that nothing was written outside of scratch. */
#include "cli/ship/ship_names.h"
#include "cli/ship/ship_texts.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* -- the examples as arrays -- */

/* A number in hexadecimal, which every compiler reads without rounding. */
static void print_real(float value, bool is_double, FILE *out) {
    if (isnan(value))
        fputs(is_double ? "(double)NAN" : "(float)NAN", out);
    else
        fprintf(out, "%a%s", (double)value, is_double ? "" : "F");
}

static void print_number(const ShipInput *input, const void *data, int64_t at, FILE *out) {
    DType dtype = input->field->dtype;
    bool whole = input->type == SHIP_I32 || input->type == SHIP_U8;
    if (dtype == DTYPE_F32)
        print_real(((const float *)data)[at], input->type == SHIP_F64, out);
    else {
        int32_t number =
            dtype == DTYPE_I32 ? ((const int32_t *)data)[at] : ((const uint8_t *)data)[at];
        fprintf(out,
                whole                     ? "%" PRId32
                : input->type == SHIP_F64 ? "%" PRId32 ".0"
                                          : "%" PRId32 ".0F",
                number);
    }
}

enum { NUMBERS_IN_LINE = 16 };

static void print_array(const Shipment *shipment, uint32_t input, FILE *out) {
    const ShipInput *of = &shipment->inputs[input];
    int64_t count = shipment->examples.lines * of->elements;
    fprintf(out, "static const %s example_%s[%" PRId64 "] = {", ship_c_type(of), of->name, count);
    for (int64_t i = 0; i < count; i++) {
        fputs(i == 0 ? "\n    " : i % NUMBERS_IN_LINE ? ", " : ",\n    ", out);
        print_number(of, shipment->examples.data[input], i, out);
    }
    fputs("};\n\n", out);
}

static void print_rows(const Shipment *shipment, FILE *out) {
    fprintf(out, "static const %s_row example_rows[%" PRId64 "] = {\n", shipment->name,
            shipment->examples.lines);
    for (int64_t line = 0; line < shipment->examples.lines; line++) {
        const char *before = "    {";
        for (uint32_t i = 0; i < shipment->input_count; i++) {
            if (!shipment->inputs[i].is_member) continue;
            fputs(before, out);
            print_number(&shipment->inputs[i], shipment->examples.data[i], line, out);
            before = ", ";
        }
        fputs(line + 1 < shipment->examples.lines ? "},\n" : "}", out);
    }
    fputs("};\n\n", out);
}

/* Prints bits instead of numbers, as NaN may be a result too. */
void ship_test_bits(const char *name, const char *of, const float *values, int64_t count,
                    FILE *out) {
    fprintf(out, "static const uint32_t %s_%s[%" PRId64 "] = {", name, of, count);
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        if (isnan(values[i])) bits = 0x7fc00000;
        fprintf(out, "%s0x%08" PRIx32, i == 0 ? "\n    " : i % 8 ? ", " : ",\n    ", bits);
    }
    fputs("};\n\n", out);
}

/* -- the calls -- */

/* "digits_run(example_image + first * DIGITS_IMAGE, got_logits, &room.scratch)" */
static void print_call(const Shipment *shipment, const ShipVariant *variant, bool in_parts,
                       FILE *out) {
    const char *capitals = c_capitals(shipment->arena, shipment->name);
    bool gathered = shipment_lines(shipment) > 1 || variant->rows > 1;
    fprintf(out, "%s%s(%s%s", variant->symbol, in_parts ? "_part" : "",
            in_parts ? "phase, part, parts, " : "",
            shipment_takes_weights(shipment) ? "&weights, " : "");
    if (shipment->has_members) fprintf(out, gathered ? "given_rows, " : "example_rows + first, ");
    for (uint32_t i = 0; i < shipment->input_count; i++) {
        const ShipInput *input = &shipment->inputs[i];
        if (input->is_member || input->for_training) continue;
        if (gathered)
            fprintf(out, "given_%s, ", input->name);
        else
            fprintf(out, "example_%s + first * %s_%s, ", input->name, capitals,
                    c_capitals(shipment->arena, input->name));
    }
    for (uint32_t i = 0; i < shipment->output_count; i++)
        fprintf(out, "got_%s, ", shipment->outputs[i].name);
    fputs("&room.scratch)", out);
}

static void print_gather(const Shipment *shipment, int64_t rows, const char *type, const char *name,
                         int64_t elements, FILE *out) {
    long long each = (long long)(elements * shipment_lines(shipment));
    fprintf(out,
            "    static %s given_%s[%lld];\n"
            "    for (i = 0; i < %lld; i++)\n"
            "        memcpy(given_%s + i * %lld, example_%s + (first + i) %% %lld * %lld, %lld * "
            "sizeof(%s));\n",
            type, name, (long long)rows * each, (long long)rows, name, each, name,
            (long long)shipment->examples.rows, (long long)elements, each, type);
}

void ship_test_gather(const Shipment *shipment, int64_t rows, bool network, FILE *out) {
    if (shipment->has_members)
        print_gather(shipment, rows, arena_format(shipment->arena, "%s_row", shipment->name),
                     "rows", 1, out);
    for (uint32_t i = 0; i < shipment->input_count; i++) {
        const ShipInput *input = &shipment->inputs[i];
        if (!input->is_member && !(network && input->for_training))
            print_gather(shipment, rows, ship_c_type(input), input->name, input->elements, out);
    }
}

/* Prints the loops over all phases and parts of a call, from the last part on. phases: the name of
 * the constant. */
void ship_test_parts(const char *phases, const char *suffix, const Shipment *shipment, FILE *out) {
    fprintf(out,
            "for (phase = 0; parts && phase < %s_%s%s; phase++)\n"
            "        for (part = parts - 1; part >= 0; part--)\n"
            "            status |= (int)",
            c_capitals(shipment->arena, shipment->name), c_capitals(shipment->arena, phases),
            c_capitals(shipment->arena, suffix));
}

/* Prints the function that checks a variant. Declarations come first, as older compilers
 * require. */
static void print_variant(const Shipment *shipment, const ShipVariant *variant, FILE *out) {
    const char *name = shipment->name, *capitals = c_capitals(shipment->arena, name);
    bool in_parts = shipment_has_parts(shipment);
    bool gathers = shipment_lines(shipment) > 1 || variant->rows > 1;
    fprintf(out,
            "/* The examples from `first` on by %s. Scratch lies between two fences.%s */\n"
            "static int wrong_run%s(int first%s) {\n"
            "    static struct {\n"
            "        unsigned char before[64];\n"
            "        %s_scratch%s scratch;\n"
            "        unsigned char after[64];\n"
            "    } room;\n",
            variant->symbol,
            in_parts ? " Parts are called from the last one on; parts 0: the whole call." : "",
            variant->suffix, in_parts ? ", int parts" : "", name, variant->suffix);
    for (uint32_t i = 0; i < shipment->output_count; i++)
        fprintf(out, "    static float got_%s[%lld];\n", shipment->outputs[i].name,
                (long long)(variant->rows * shipment->outputs[i].elements));
    fprintf(out, "    int i, wrong = 0, status = %s_OK;\n", capitals);
    if (in_parts) fputs("    int phase, part;\n", out);
    if (gathers) ship_test_gather(shipment, variant->rows, true, out);
    fputs("    memset(&room, 0xa5, sizeof room);\n    ", out);
    if (in_parts) {
        ship_test_parts("phases", variant->suffix, shipment, out);
        print_call(shipment, variant, true, out);
        fputs(";\n    if (!parts) ", out);
    }
    fputs("status = (int)", out);
    print_call(shipment, variant, false, out);
    fprintf(out,
            ";\n    if (status != %s_OK) return %lld;\n"
            "    for (i = 0; i < 64; i++)\n"
            "        if (room.before[i] != 0xa5 || room.after[i] != 0xa5) return %lld;\n"
            "    for (i = 0; i < %lld; i++)\n        wrong += ",
            capitals, (long long)variant->rows, (long long)variant->rows, (long long)variant->rows);
    for (uint32_t i = 0; i < shipment->output_count; i++) {
        const ShipOutput *output = &shipment->outputs[i];
        long long n = (long long)output->elements;
        fprintf(out, "%sdiffers(got_%s + i * %lld, expected_%s + (first + i) %% %lld * %lld, %lld)",
                i ? " ||\n                 " : "", output->name, n, output->name,
                (long long)shipment->examples.rows, n, n);
    }
    fputs(";\n    return wrong;\n}\n\n", out);
}

/* Prints the function that reads the weights. */
static void print_read_weights(const Shipment *shipment, FILE *out) {
    const char *name = shipment->name;
    fprintf(out,
            "static %s_weights weights;\n\n"
            "static int read_weights(const char *path) {\n"
            "    FILE *file = fopen(path, \"rb\");\n"
            "    size_t bytes = file ? fread(weights.bytes, 1, sizeof weights.bytes, file) : 0;\n"
            "    if (file) fclose(file);\n"
            "    if (bytes == sizeof weights.bytes) return 1;\n"
            "    printf(\"cannot read %%s\\n\", path);\n"
            "    return 0;\n}\n\n",
            name);
}

static void print_main_begin(const Shipment *shipment, FILE *out) {
    const char *parts = shipment_has_parts(shipment) ? "    int parts;\n" : "";
    if (shipment_takes_weights(shipment))
        fprintf(out,
                "int main(int argc, char **argv) {\n    int first, wrong, all = 0;\n%s"
                "    if (!read_weights(argc > 1 ? argv[1] : \"%s.weights\")) return 1;\n",
                parts, shipment->name);
    else
        fprintf(out, "int main(void) {\n    int first, wrong, all = 0;\n%s", parts);
}

/* Runs all examples by a variant; in_parts: in each number of parts. */
static void print_runs(const Shipment *shipment, const ShipVariant *variant, bool in_parts,
                       FILE *out) {
    long long rows = (long long)variant->rows, examples = (long long)shipment->examples.rows,
              calls = rows >= examples ? 1 : examples / rows + (examples % rows != 0),
              done = calls * rows * (in_parts ? shipment->options->parts : 1);
    fputs("    wrong = 0;\n", out);
    if (in_parts)
        fprintf(out, "    for (parts = 1; parts <= %s_PARTS; parts++)\n    ",
                c_capitals(shipment->arena, shipment->name));
    fprintf(out,
            "    for (first = 0; first < %lld; first += %lld) wrong += wrong_run%s(first%s);\n"
            "    printf(\"%s%s: %%d of %lld rows bit-equal\\n\", %lld - wrong);\n"
            "    all += wrong;\n",
            calls * rows, rows, variant->suffix,
            in_parts                       ? ", parts"
            : shipment_has_parts(shipment) ? ", 0"
                                           : "",
            variant->symbol, in_parts ? "_part" : "", done, done);
}

static void print_main(const Shipment *shipment, FILE *out) {
    print_main_begin(shipment, out);
    for (int in_parts = 0; in_parts <= shipment_has_parts(shipment); in_parts++)
        for (uint32_t i = 0; i < shipment->variant_count; i++)
            print_runs(shipment, &shipment->variants[i], in_parts, out);
    if (shipment->training && shipment_has_parts(shipment))
        fprintf(out,
                "    for (parts = 0; parts <= %s_PARTS; parts++) all += wrong_training(parts);\n",
                c_capitals(shipment->arena, shipment->name));
    else if (shipment->training)
        fputs("    all += wrong_training();\n", out);
    fputs("    return all != 0;\n}\n", out);
}

void ship_test(const Shipment *shipment, FILE *out) {
    fprintf(out,
            "/* Tests the library %s: rows of random numbers, and the bits that its functions must "
            "answer with.\n"
            " *     cc %s_test.c lib%s.a%s && ./a.out */\n"
            "#include \"%s.h\"\n\n#include <math.h>\n#include <stdio.h>\n#include <string.h>\n\n",
            shipment->name, shipment->name, shipment->name,
            shipment_parts_weights(shipment)
                ? arena_format(shipment->arena, " %s_weights.o", shipment->name)
                : "",
            shipment->name);
    if (shipment->has_members) print_rows(shipment, out);
    for (uint32_t i = 0; i < shipment->input_count; i++)
        if (!shipment->inputs[i].is_member) print_array(shipment, i, out);
    for (uint32_t i = 0; i < shipment->output_count; i++)
        ship_test_bits("expected", shipment->outputs[i].name, shipment->examples.outputs[i],
                       shipment->examples.rows * shipment->outputs[i].elements, out);
    fputs("static int differs(const float *got, const uint32_t *expected, int count) {\n"
          "    int i, different = 0;\n"
          "    for (i = 0; i < count; i++) {\n"
          "        uint32_t bits;\n"
          "        memcpy(&bits, &got[i], sizeof bits);\n"
          "        if (got[i] != got[i]) bits = 0x7fc00000; /* any NaN will do */\n"
          "        different |= bits != expected[i];\n"
          "    }\n"
          "    return different;\n}\n\n",
          out);
    if (shipment_takes_weights(shipment)) print_read_weights(shipment, out);
    for (uint32_t i = 0; i < shipment->variant_count; i++)
        print_variant(shipment, &shipment->variants[i], out);
    if (shipment->training) ship_test_training(shipment, out);
    print_main(shipment, out);
}
