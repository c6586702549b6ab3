/* NAME.c of a shipped network: the functions of the header, which call those that codegen/
 * prints. */
#include "cli/ship/ship_texts.h"

/* "(ptr)(uintptr_t)row, ": the arguments for the inner functions. */
static void print_inputs(const Shipment *shipment, bool step, FILE *out) {
    if (shipment->has_members) fputs("(ptr)(uintptr_t)row, ", out);
    for (uint32_t i = 0; i < shipment->input_count; i++)
        if (!shipment->inputs[i].is_member && (step || !shipment->inputs[i].for_training))
            fprintf(out, "(ptr)(uintptr_t)%s, ", shipment->inputs[i].name);
}

static void print_outputs(const Shipment *shipment, FILE *out) {
    for (uint32_t i = 0; i < shipment->output_count; i++)
        fprintf(out, "(ptr)(uintptr_t)%s, ", shipment->outputs[i].name);
    fputs("(ptr)(uintptr_t)scratch);\n}\n", out);
}

static void print_training(const Shipment *shipment, FILE *out) {
    const char *name = shipment->name;
    fprintf(out,
            "\nvoid %s_state_trained(%s_state *state) {\n"
            "    ship_%s_state_trained((ptr)(uintptr_t)state);\n}\n\n"
            "void %s_state_weights(const %s_state *state, float *weights) {\n"
            "    ship_%s_state_weights((ptr)(uintptr_t)state, (ptr)(uintptr_t)weights);\n}\n\n"
            "%s_status %s_step(%s) {\n"
            "    return (%s_status)ship_%s_step((ptr)(uintptr_t)state, ",
            name, name, name, name, name, name, name, name, ship_step_parameters(shipment), name,
            name);
    print_inputs(shipment, true, out);
    fputs("(ptr)(uintptr_t)loss, (ptr)(uintptr_t)scratch);\n}\n", out);
    for (uint32_t i = 0; i < shipment->variant_count; i++) {
        const ShipVariant *variant = &shipment->variants[i];
        fprintf(out,
                "\n%s_status %s_run_state%s(const %s_state *state, %s) {\n"
                "    return (%s_status)ship_%s_run_state%s((ptr)(uintptr_t)state, ",
                name, name, variant->suffix, name, ship_parameters(shipment, variant), name, name,
                variant->suffix);
        print_inputs(shipment, false, out);
        print_outputs(shipment, out);
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
    for (uint32_t i = 0; i < shipment->variant_count; i++) {
        const ShipVariant *variant = &shipment->variants[i];
        fprintf(out, "\n%s_status %s(%s) {\n    return (%s_status)ship_%s(", name, variant->symbol,
                ship_parameters(shipment, variant), name, variant->symbol);
        if (shipment_takes_weights(shipment)) fputs("(ptr)(uintptr_t)weights, ", out);
        print_inputs(shipment, false, out);
        print_outputs(shipment, out);
    }
    if (shipment->training) print_training(shipment, out);
}
