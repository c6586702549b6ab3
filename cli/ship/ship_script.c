/* The texts of a network for browsers. NAME.js contains the facts of NAME.json, and a program that
 * is the same for all networks. */
#include "cli/ship/base64.h"
#include "cli/ship/ship_texts.h"
#include "ir/base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

extern const char web_net_js[], web_load_js[];

void ship_script(const Shipment *shipment, FILE *out) {
    json_t *facts = ship_json(shipment);
    fprintf(out,
            "/* %s.js: a trained network for browsers and node. Made by mlc %s. It belongs to "
            "whoever made it; mlc's licence does not reach it (0BSD).\n"
            " *     import { load } from \"./%s.js\";\n"
            " *     const net = await load(); */\n"
            "export const facts = ",
            shipment->name, MLC_VERSION, shipment->name);
    json_dumpf(facts, out, JSON_COMPACT);
    fprintf(out, ";\n\n%s%s", web_net_js, web_load_js);
    json_decref(facts);
}

void ship_script_test(const Shipment *shipment, FILE *out) {
    fprintf(
        out,
        "/* Tests the network %s, by the module that is fast here and by the exact one: rows of "
        "random numbers, and the\n * bits that it must answer with.  node %s_test.mjs */\n"
        "import { readFile } from \"node:fs/promises\";\n"
        "import { load } from \"./%s.js\";\n\n"
        "const examples = JSON.parse(await readFile(new URL(\"%s_test.json\", "
        "import.meta.url)));\n"
        "let all = true;\n"
        "for (const options of [{}, { relaxed: false }]) {\n"
        "    const net = await load(options), { good, texts } = net.selfTest(examples);\n"
        "    for (const text of texts) console.log(`${net.relaxed ? \"relaxed\" : \"exact\"} "
        "${text}`);\n"
        "    all &&= good;\n"
        "}\n"
        "process.exitCode = all ? 0 : 1;\n",
        shipment->name, shipment->name, shipment->name, shipment->name);
}

/* -- examples -- */

static json_t *base64_json(const void *bytes, size_t length) {
    MemoryStream stream;
    memory_stream_begin(&stream);
    base64_write(stream.out, bytes, length);
    char *text = memory_stream_end(&stream);
    json_t *json = json_string(text);
    free(text);
    return json;
}

/* The numbers of an input in the type that the caller passes. */
static json_t *input_json(const Shipment *shipment, uint32_t number) {
    const ShipInput *input = &shipment->inputs[number];
    const void *data = shipment->examples.data[number];
    size_t count = (size_t)(shipment->examples.lines * input->elements),
           each = ship_type_bytes(input->type);
    char *bytes = memory_array(count, each, "the examples");
    for (size_t i = 0; i < count; i++) {
        DType dtype = input->field->dtype;
        double number_of = dtype == DTYPE_F32   ? (double)((const float *)data)[i]
                           : dtype == DTYPE_I32 ? (double)((const int32_t *)data)[i]
                                                : (double)((const uint8_t *)data)[i];
        shipment_put_number(input->type, bytes + i * each, number_of);
    }
    json_t *json = base64_json(bytes, count * each);
    free(bytes);
    return json;
}

/* The bits of f32 outputs. All NaNs get the same bits. */
static json_t *outputs_json(const Shipment *shipment, const float *const *outputs) {
    json_t *json = json_object();
    for (uint32_t i = 0; i < shipment->output_count; i++) {
        size_t count = (size_t)(shipment->examples.rows * shipment->outputs[i].elements);
        uint32_t *bits = memory_array(count, sizeof *bits, "the examples");
        memcpy(bits, outputs[i], count * sizeof *bits);
        for (size_t k = 0; k < count; k++)
            if ((bits[k] & 0x7fffffff) > 0x7f800000) bits[k] = 0x7fc00000;
        json_object_set_new(json, shipment->outputs[i].name,
                            base64_json(bits, count * sizeof *bits));
        free(bits);
    }
    return json;
}

static void add_training(const Shipment *shipment, json_t *json) {
    char hash[17];
    json_t *losses = json_array();
    for (int i = 0; i < SHIP_STEPS; i++) {
        uint32_t bits;
        memcpy(&bits, &shipment->examples.losses[i], sizeof bits);
        json_array_append_new(losses, json_integer(bits));
    }
    snprintf(hash, sizeof hash, "%016" PRIx64, shipment->examples.weights_hash);
    json_object_set_new(json, "losses", losses);
    json_object_set_new(json, "hash", json_string(hash));
    json_object_set_new(json, "trained", outputs_json(shipment, shipment->examples.trained));
}

void ship_script_examples(const Shipment *shipment, FILE *out) {
    json_t *inputs = json_object(),
           *json =
               json_pack("{s:I, s:o, s:o}", "rows", (json_int_t)shipment->examples.rows, "inputs",
                         inputs, "outputs", outputs_json(shipment, shipment->examples.outputs));
    for (uint32_t i = 0; i < shipment->input_count; i++)
        json_object_set_new(inputs, shipment->inputs[i].name, input_json(shipment, i));
    if (shipment->training) add_training(shipment, json);
    json_dumpf(json, out, JSON_COMPACT);
    fputc('\n', out);
    json_decref(json);
}

/* -- README.md -- */

/* "{ image }": the names of the inputs of the network, or of a step. */
static const char *given_names(const Shipment *shipment, bool step) {
    const char *text = "{ ";
    for (uint32_t i = 0; i < shipment->input_count; i++)
        if (step || !shipment->inputs[i].for_training)
            text = arena_format(shipment->arena, "%s%s%s", text, text[2] ? ", " : "",
                                shipment->inputs[i].name);
    return arena_format(shipment->arena, "%s }", text);
}

/* package.json. Without it, node 18 and 20 load NAME.js as a CommonJS script, which has no
 * exports. */
void ship_script_package(const Shipment *shipment, FILE *out) {
    fprintf(out, "{\n  \"private\": true,\n  \"type\": \"module\",\n  \"main\": \"%s.js\"\n}\n",
            shipment->name);
}

void ship_script_readme(const Shipment *shipment, FILE *out) {
    const char *name = shipment->name;
    fprintf(out,
            "# %s\n\nA trained network for browsers and node. It needs no other package.\n\n"
            "| file | holds |\n|---|---|\n"
            "| `%s.js` | a module of JavaScript that loads and runs the network |\n"
            "| `%s.relaxed.wasm`, `%s.exact.wasm` | the code: one of the two is loaded, the bits "
            "are the same |\n"
            "| `%s.weights` | the weights |\n"
            "| `%s_test.mjs`, `%s_test.json` | a program that checks it, bit by bit: `node "
            "%s_test.mjs` |\n"
            "| `%s.json` | facts for programs: inputs, outputs, sizes |\n"
            "| `package.json` | tells node that `%s.js` is a module |\n\n"
            "Use it:\n\n"
            "    import { load } from \"./%s.js\";\n"
            "    const net = await load();\n"
            "    const outputs = net.run(%s);\n",
            name, name, name, name, name, name, name, name, name, name, name,
            given_names(shipment, false));
    if (shipment->training)
        fprintf(out, "    const loss = net.step(%s); // %lld rows\n", given_names(shipment, true),
                (long long)shipment->step_rows);
    fputs("\nInputs are typed arrays, or arrays of numbers or names, of all rows. Outputs are "
          "Float32Arrays.\n",
          out);
}
