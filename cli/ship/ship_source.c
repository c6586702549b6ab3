/* NAME.c of a shipped network: the functions of the header, which call those that codegen/
 * prints. */
#include "cli/ship/ship_texts.h"

#include <string.h>

/* Arguments in front of those of a whole function. */
#define PART_NUMBERS "(uint32_t)phase, (uint32_t)part, (uint32_t)parts, "

/* "(ptr)(uintptr_t)row, ": the arguments for the inner functions. */
static void print_inputs(const Shipment *shipment, bool step, FILE *out) {
    if (shipment->has_members) fputs("(ptr)(uintptr_t)row, ", out);
    for (uint32_t i = 0; i < shipment->input_count; i++)
        if (!shipment->inputs[i].is_member && (step || !shipment->inputs[i].for_training))
            fprintf(out, "(ptr)(uintptr_t)%s, ", shipment->inputs[i].name);
}

/* The functions of a step, whole and in parts. */
static void print_step(const Shipment *shipment, bool in_parts, FILE *out) {
    const char *name = shipment->name;
    fprintf(out,
            "\n%s_status %s_step%s(%s%s) {\n"
            "    return (%s_status)ship_%s_step%s(%s(ptr)(uintptr_t)state, ",
            name, name, in_parts ? "_part" : "", in_parts ? SHIP_PART_PARAMETERS : "",
            ship_step_parameters(shipment), name, name, in_parts ? "_part" : "",
            in_parts ? PART_NUMBERS : "");
    print_inputs(shipment, true, out);
    fputs("(ptr)(uintptr_t)loss, (ptr)(uintptr_t)scratch);\n}\n", out);
}

/* A function of the network, whole or in parts. of: the state or the weights that it takes, "state"
 * or "weights"; NULL: none. */
static void print_run(const Shipment *shipment, const ShipVariant *variant, const char *of,
                      bool in_parts, FILE *out) {
    const char *name = shipment->name;
    bool with_state = of && !strcmp(of, "state");
    const char *symbol =
        with_state ? arena_format(shipment->arena, "%s_run_state%s", name, variant->suffix)
                   : variant->symbol;
    if (in_parts) symbol = arena_format(shipment->arena, "%s_part", symbol);
    fprintf(out, "\n%s_status %s(%s", name, symbol, in_parts ? SHIP_PART_PARAMETERS : "");
    if (with_state) fprintf(out, "const %s_state *state, ", name);
    fprintf(out, "%s) {\n    return (%s_status)ship_%s(%s", ship_parameters(shipment, variant),
            name, symbol, in_parts ? PART_NUMBERS : "");
    if (of) fprintf(out, "(ptr)(uintptr_t)%s, ", of);
    print_inputs(shipment, false, out);
    for (uint32_t i = 0; i < shipment->output_count; i++)
        fprintf(out, "(ptr)(uintptr_t)%s, ", shipment->outputs[i].name);
    fputs("(ptr)(uintptr_t)scratch);\n}\n", out);
}

static void print_training(const Shipment *shipment, FILE *out) {
    const char *name = shipment->name;
    fprintf(out,
            "\nvoid %s_state_trained(%s_state *state) {\n"
            "    ship_%s_state_trained((ptr)(uintptr_t)state);\n}\n\n"
            "%s_status %s_state_check(const %s_state *state) {\n"
            "    return (%s_status)ship_%s_state_check((ptr)(uintptr_t)state);\n}\n\n"
            "void %s_state_weights(const %s_state *state, float *weights) {\n"
            "    ship_%s_state_weights((ptr)(uintptr_t)state, (ptr)(uintptr_t)weights);\n}\n",
            name, name, name, name, name, name, name, name, name, name, name);
    if (shipment->training->fresh)
        fprintf(out,
                "\nvoid %s_state_fresh(%s_state *state, uint64_t seed) {\n"
                "    ship_%s_state_fresh((ptr)(uintptr_t)state, seed);\n}\n",
                name, name, name);
    for (int in_parts = 0; in_parts <= shipment_has_parts(shipment); in_parts++) {
        print_step(shipment, in_parts, out);
        for (uint32_t i = 0; i < shipment->variant_count; i++)
            print_run(shipment, &shipment->variants[i], "state", in_parts, out);
    }
}

void ship_weights_source(const Shipment *shipment, FILE *out) {
    fprintf(out,
            "/* %s_weights.c: the weights of %s.c. Made by mlc %s. A linker that does not find "
            "them under the\n"
            " * name in %s.c has those of another network. */\n",
            shipment->name, shipment->name, MLC_VERSION, shipment->name);
    codegen_ship_weights_source(&shipment->request, out);
}

void ship_source(const Shipment *shipment, FILE *out) {
    const char *name = shipment->name;
    fprintf(out,
            "/* %s.c: the network of %s.h. Made by mlc %s. Compile it by any C compiler from C99 "
            "on, or as C++;\n"
            " * -O2 or more makes it fast, and -mfma or -march=native on PCs. */\n"
            "#include \"%s.h\"\n\n%s",
            name, name, MLC_VERSION, name, shipment->source);
    const char *given = shipment_takes_weights(shipment) ? "weights" : NULL;
    for (int in_parts = 0; in_parts <= shipment_has_parts(shipment); in_parts++)
        for (uint32_t i = 0; i < shipment->variant_count; i++)
            print_run(shipment, &shipment->variants[i], given, in_parts, out);
    if (shipment->training) print_training(shipment, out);
}
