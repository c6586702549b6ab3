/* Training in the header and in the test program of a shipped network. */
#include "cli/ship/ship_names.h"
#include "cli/ship/ship_texts.h"

#include <inttypes.h>

/* -- the header -- */

static int64_t weight_numbers(const Shipment *shipment) {
    const ShipTraining *training = shipment->training;
    int64_t numbers = 0;
    for (uint32_t i = 0; i < training->tensor_count; i++)
        numbers += shape_elements(training->blocks[training->tensors[i]].symbol->shape);
    return numbers;
}

static void print_constants(const Shipment *shipment, FILE *out) {
    ShipSizes sizes = shipment_step_sizes(shipment);
    ship_constant(shipment, "state_bytes", "", (long long)shipment->training->bytes,
                  "weights, and what the optimizer keeps", out);
    ship_constant(shipment, "weight_numbers", "", (long long)weight_numbers(shipment),
                  "numbers of all weights and running statistics", out);
    ship_constant(shipment, "step_rows", "", (long long)shipment->step_rows, "rows of a step", out);
    ship_constant(shipment, "step_scratch_bytes", "", (long long)sizes.scratch, "of a step", out);
    if (shipment_has_parts(shipment))
        ship_constant(shipment, "step_phases", "", sizes.phases,
                      arena_format(shipment->arena, "of %s_step_part", shipment->name), out);
    if (shipment_is_source(shipment)) return;
    ship_constant(shipment, "step_stack_bytes", "", (long long)sizes.stack,
                  "the deepest use of the stack by a step", out);
    if (!shipment_has_parts(shipment)) return;
    ship_constant(shipment, "step_part_stack_bytes", "", (long long)sizes.part_stack,
                  arena_format(shipment->arena, "the same of %s_step_part", shipment->name), out);
}

static void print_types(const Shipment *shipment, FILE *out) {
    const char *name = shipment->name, *capitals = c_capitals(shipment->arena, name);
    fprintf(
        out,
        "/* The state of a training. It may be copied, written to a file and read back, for this\n"
        " * library. */\n"
        "typedef struct {\n    %s_ALIGNED unsigned char bytes[%s_STATE_BYTES];\n} %s_state;\n\n"
        "/* Memory of %s_step; what it holds does not matter between calls. */\n"
        "typedef struct {\n"
        "    %s_ALIGNED unsigned char bytes[%s_STEP_SCRATCH_BYTES];\n} %s_step_scratch;\n\n",
        capitals, capitals, name, name, capitals, capitals, name);
}

static void print_part_functions(const Shipment *shipment, FILE *out) {
    const char *name = shipment->name, *capitals = c_capitals(shipment->arena, name);
    fprintf(out,
            "/* A step in parts, as %s_part, in %s_STEP_PHASES phases. Part 0 of the last phase "
            "tells whether\n * the loss is finite. */\n"
            "%s_status %s_step_part(%s%s);\n\n",
            shipment->variants[0].symbol, capitals, name, name, SHIP_PART_PARAMETERS,
            ship_step_parameters(shipment));
    for (uint32_t i = 0; i < shipment->variant_count; i++) {
        const ShipVariant *variant = &shipment->variants[i];
        fprintf(out,
                "/* As %s_part, with the weights of a state. */\n"
                "%s_status %s_run_state%s_part(%sconst %s_state *state, %s);\n\n",
                variant->symbol, name, name, variant->suffix, SHIP_PART_PARAMETERS, name,
                ship_parameters(shipment, variant));
    }
}

/* The functions that make a state, or tell whether it is one. */
static void print_new_states(const Shipment *shipment, FILE *out) {
    const char *name = shipment->name, *capitals = c_capitals(shipment->arena, name);
    fprintf(out,
            "/* The weights of the library, and an optimizer that has not seen anything. */\n"
            "void %s_state_trained(%s_state *state);\n\n",
            name, name);
    if (shipment->training->fresh)
        fprintf(out,
                "/* The first weights of `mlc train --set train.seed=SEED`. Later random numbers, "
                "such as those of\n * dropout, have that seed too. */\n"
                "void %s_state_fresh(%s_state *state, uint64_t seed);\n\n",
                name, name);
    fprintf(out,
            "/* %s_WRONG_STATE: these bytes do not begin as a state of this library, such as one "
            "read from a\n * file of another. */\n"
            "%s_status %s_state_check(const %s_state *state);\n\n",
            capitals, name, name, name);
}

void ship_header_training(const Shipment *shipment, FILE *out) {
    const char *name = shipment->name, *capitals = c_capitals(shipment->arena, name);
    print_constants(shipment, out);
    fputc('\n', out);
    print_types(shipment, out);
    print_new_states(shipment, out);
    fprintf(
        out,
        "/* One step of training on %s_STEP_ROWS rows, one after the other: gives the loss before "
        "it, and\n * changes the state. */\n"
        "%s_status %s_step(%s);\n\n"
        "/* All weights and running statistics, %s_WEIGHT_NUMBERS numbers, in the order of "
        "%s.json. */\n"
        "void %s_state_weights(const %s_state *state, float *weights);\n\n",
        capitals, name, name, ship_step_parameters(shipment), capitals, name, name, name);
    for (uint32_t i = 0; i < shipment->variant_count; i++) {
        const ShipVariant *variant = &shipment->variants[i];
        fprintf(out,
                "/* As %s, with the weights of a state. */\n"
                "%s_status %s_run_state%s(const %s_state *state, %s);\n\n",
                variant->symbol, name, name, variant->suffix, name,
                ship_parameters(shipment, variant));
    }
    if (shipment_has_parts(shipment)) print_part_functions(shipment, out);
}

/* -- the test program -- */

static void print_step_call(const Shipment *shipment, bool in_parts, FILE *out) {
    fprintf(out, "%s_step%s(%s&state, ", shipment->name, in_parts ? "_part" : "",
            in_parts ? "phase, part, parts, " : "");
    if (shipment->has_members) fputs("given_rows, ", out);
    for (uint32_t i = 0; i < shipment->input_count; i++)
        if (!shipment->inputs[i].is_member) fprintf(out, "given_%s, ", shipment->inputs[i].name);
    fputs("&loss, &scratch)", out);
}

static void print_steps(const Shipment *shipment, FILE *out) {
    const char *name = shipment->name, *capitals = c_capitals(shipment->arena, name);
    bool in_parts = shipment_has_parts(shipment);
    fprintf(out,
            "static %s_state state;\n\n"
            "/* The steps from `first` on: their losses, and a hash of the weights after them. "
            "*/\n"
            "static int wrong_step(int first, int number%s) {\n"
            "    static %s_step_scratch scratch;\n"
            "    float loss = 0;\n    int i, status = %s_OK%s;\n",
            name, in_parts ? ", int parts" : "", name, capitals, in_parts ? ", phase, part" : "");
    ship_test_gather(shipment, shipment->step_rows, false, out);
    fputs("    ", out);
    if (in_parts) {
        ship_test_parts("step_phases", "", shipment, out);
        print_step_call(shipment, true, out);
        fputs(";\n    if (!parts) ", out);
    }
    fputs("status = (int)", out);
    print_step_call(shipment, false, out);
    fprintf(out,
            ";\n    if (status != %s_OK && status != %s_NOT_FINITE) return 1;\n"
            "    return differs(&loss, expected_losses + number, 1);\n}\n\n"
            "static int wrong_weights(uint64_t expected) {\n"
            "    static float weights[%s_WEIGHT_NUMBERS];\n"
            "    uint64_t hash = 0xcbf29ce484222325u;\n"
            "    int i, k;\n"
            "    %s_state_weights(&state, weights);\n"
            "    for (i = 0; i < %s_WEIGHT_NUMBERS; i++) {\n"
            "        uint32_t bits;\n"
            "        memcpy(&bits, &weights[i], sizeof bits);\n"
            "        if (weights[i] != weights[i]) bits = 0x7fc00000;\n"
            "        for (k = 0; k < 32; k += 8) hash = (hash ^ (bits >> k & 255)) * "
            "0x100000001b3u;\n"
            "    }\n"
            "    return hash != expected;\n}\n\n",
            capitals, capitals, capitals, name, capitals);
}

/* Prints the function that runs the first variant with the trained state, and compares its
 * outputs. */
static void print_trained(const Shipment *shipment, FILE *out) {
    const ShipVariant *variant = &shipment->variants[0];
    long long examples = (long long)shipment->examples.rows, rows = (long long)variant->rows;
    fprintf(out,
            "static int wrong_trained(int first) {\n    static %s_scratch%s scratch;\n"
            "    int i, wrong = 0;\n",
            shipment->name, variant->suffix);
    for (uint32_t i = 0; i < shipment->output_count; i++)
        fprintf(out, "    static float got_%s[%lld];\n", shipment->outputs[i].name,
                rows * (long long)shipment->outputs[i].elements);
    ship_test_gather(shipment, variant->rows, true, out);
    fprintf(out, "    if (%s_run_state%s(&state, ", shipment->name, variant->suffix);
    if (shipment->has_members) fputs("given_rows, ", out);
    for (uint32_t i = 0; i < shipment->input_count; i++)
        if (!shipment->inputs[i].is_member && !shipment->inputs[i].for_training)
            fprintf(out, "given_%s, ", shipment->inputs[i].name);
    for (uint32_t i = 0; i < shipment->output_count; i++)
        fprintf(out, "got_%s, ", shipment->outputs[i].name);
    fprintf(out, "&scratch)) return 1;\n    for (i = 0; i < %lld; i++)\n        wrong += ", rows);
    for (uint32_t i = 0; i < shipment->output_count; i++) {
        const ShipOutput *output = &shipment->outputs[i];
        long long n = (long long)output->elements;
        fprintf(out, "%sdiffers(got_%s + i * %lld, trained_%s + (first + i) %% %lld * %lld, %lld)",
                i ? " ||\n                 " : "", output->name, n, output->name, examples, n, n);
    }
    fputs(";\n    return wrong;\n}\n\n", out);
}

/* Prints the tests of states, after the steps: a new one, and one that is not a state. */
static void print_state_tests(const Shipment *shipment, FILE *out) {
    const char *name = shipment->name, *capitals = c_capitals(shipment->arena, name);
    fprintf(out, "    if (%s_state_check(&state) != %s_OK) wrong++;\n", name, capitals);
    if (shipment->training->fresh)
        fprintf(out,
                "    %s_state_fresh(&state, UINT64_C(0x%016" PRIx64 "));\n"
                "    if (wrong_weights(UINT64_C(0x%016" PRIx64
                "))) wrong++, printf(\"%s_state_fresh: the weights differ\\n\");\n",
                name, (uint64_t)SHIP_FRESH_SEED, shipment->examples.fresh_hash, name);
    fprintf(out,
            "    state.bytes[0] ^= 1;\n"
            "    if (%s_state_check(&state) != %s_WRONG_STATE) wrong++;\n",
            name, capitals);
}

void ship_test_training(const Shipment *shipment, FILE *out) {
    long long batch = (long long)shipment->step_rows, rows = (long long)shipment->variants[0].rows,
              examples = (long long)shipment->examples.rows;
    bool in_parts = shipment_has_parts(shipment);
    ship_test_bits("expected", "losses", shipment->examples.losses, SHIP_STEPS, out);
    for (uint32_t i = 0; i < shipment->output_count; i++)
        ship_test_bits("trained", shipment->outputs[i].name, shipment->examples.trained[i],
                       examples * shipment->outputs[i].elements, out);
    print_steps(shipment, out);
    print_trained(shipment, out);
    fprintf(out,
            "static int wrong_training(%s) {\n"
            "    int i, wrong = 0;\n"
            "    %s_state_trained(&state);\n"
            "    for (i = 0; i < %d; i++) wrong += wrong_step((int)(i * %lldLL %% %lld), i%s);\n"
            "    printf(\"%s_step%s: %%d of %d losses bit-equal\\n\", %s%d - wrong);\n"
            "    if (wrong_weights(UINT64_C(0x%016" PRIx64
            "))) wrong++, printf(\"%s_step: the weights differ\\n\");\n"
            "    for (i = 0; i < %lld; i += %lld) wrong += wrong_trained(i);\n",
            in_parts ? "int parts" : "void", shipment->name, SHIP_STEPS, batch, examples,
            in_parts ? ", parts" : "", shipment->name, in_parts ? "%s" : "", SHIP_STEPS,
            in_parts ? "parts ? \"_part\" : \"\", " : "", SHIP_STEPS,
            shipment->examples.weights_hash, shipment->name, examples, rows);
    print_state_tests(shipment, out);
    fputs("    return wrong;\n}\n\n", out);
}
