/* Describes a shipped network: a line of sizes, JSON, README.md, a file for CMake. */
#include "cli/ship/ship_names.h"
#include "cli/ship/ship_texts.h"
#include "cli/results/confusion.h"
#include "cli/results/journal.h"
#include "cli/show/progress.h"
#include "ir/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* -- multiply-adds -- */

/* The multiply-adds of all products of a plan, for one row. */
static int64_t multiply_adds(const Shipment *shipment) {
    int64_t sum = 0;
    const ShipVariant *variant = &shipment->variants[0];
    const Plan *plan = variant->compilation.plan;
    for (uint32_t i = 0; i < plan->kernel_count; i++) {
        const Kernel *kernel = &plan->kernels[i];
        if (kernel->kind != KERNEL_MATMUL) continue;
        const Node *node = graph_node(plan->graph, kernel->root);
        Shape left = graph_operand(plan->graph, node, 0)->shape;
        int k = node->attrs.matmul.transpose_a ? left.rank - 2 : left.rank - 1;
        sum += shape_elements(node->shape) * left.dim[k];
    }
    return sum / variant->rows;
}

/* The stack of C source is not printed, as only its compiler knows it. */
static void print_sizes(const Shipment *shipment, ShipSizes sizes, FILE *out) {
    char number[NUMBER_TEXT];
    fprintf(out, "scratch %s B", text_count(number, (int64_t)sizes.scratch));
    if (!shipment_is_source(shipment))
        fprintf(out, " | stack %s B", text_count(number, (int64_t)sizes.stack));
    if (shipment_has_parts(shipment))
        fprintf(out, " | %s %s in parts", text_count(number, sizes.phases),
                sizes.phases == 1 ? "phase" : "phases");
}

/* "code 5,212 B"; for browsers the code of both modules and their memory; of C source "C99". */
static const char *code_text(const Shipment *shipment) {
    char code[NUMBER_TEXT], relaxed[NUMBER_TEXT], memory[NUMBER_TEXT];
    const Shipped *shipped = &shipment->shipped;
    if (shipment_is_source(shipment)) return "C99";
    text_count(code, (int64_t)shipped->code_bytes);
    if (!shipment_is_web(shipment)) return arena_format(shipment->arena, "code %s B", code);
    return arena_format(shipment->arena, "code %s B relaxed, %s B exact | memory %s B",
                        text_count(relaxed, (int64_t)shipment->relaxed.code_bytes), code,
                        text_count(memory, (int64_t)shipped->memory));
}

/* "int8: accuracy 97.71 % -> 97.68 %, loss 0.0743 -> 0.0745 on 10,000 test rows" */
static void print_quantization(const Quantization *quantization, FILE *out) {
    char before[NUMBER_TEXT], after[NUMBER_TEXT], rows[NUMBER_TEXT];
    const ModelInfo *info = quantization->session.build.info;
    fputs("int8: ", out);
    for (uint32_t i = 0; i < info->metric_count; i++)
        if (!info->counts[i].classes)
            fprintf(out, "%s %s -> %s, ", info->metrics[i],
                    metric_text(before, info->answers[i] > 0, quantization->before.metrics[i]),
                    metric_text(after, info->answers[i] > 0, quantization->after.metrics[i]));
    fprintf(out, "loss %s -> %s on %s %s rows\n",
            metric_text(before, false, quantization->before.loss),
            metric_text(after, false, quantization->after.loss),
            text_count(rows, quantization->before.rows), split_name(quantization->split));
}

void ship_summary(const Shipment *shipment, FILE *out) {
    char number[NUMBER_TEXT];
    if (shipment->quantization) print_quantization(shipment->quantization, out);
    fprintf(out, "weights %s B%s | ", text_count(number, (int64_t)shipment->weights_bytes),
            shipment_is_web(shipment)          ? ""
            : shipment_takes_weights(shipment) ? " given"
            : shipment_parts_weights(shipment) ? " apart"
                                               : " const");
    fprintf(out, "%s | %s multiply-adds a row\n", code_text(shipment),
            text_count(number, multiply_adds(shipment)));
    for (uint32_t i = 0; i < shipment->variant_count; i++) {
        fprintf(out, "%s: ", shipment->variants[i].symbol);
        print_sizes(shipment, shipment_sizes(shipment, i), out);
        fputc('\n', out);
    }
    if (!shipment->training) return;
    fprintf(out, "%s_step: state %s B | ", shipment->name,
            text_count(number, (int64_t)shipment->training->bytes));
    print_sizes(shipment, shipment_step_sizes(shipment), out);
    fprintf(out, " | %lld rows\n", (long long)shipment->step_rows);
}

/* -- JSON -- */

static json_t *shape_json(Shape row) {
    json_t *array = json_array();
    for (int i = 0; i < row.rank; i++)
        json_array_append_new(array, json_integer((json_int_t)row.dim[i]));
    return array;
}

static json_t *texts_json(const char *const *texts, uint32_t count) {
    json_t *array = json_array();
    for (uint32_t i = 0; i < count; i++) json_array_append_new(array, json_string(texts[i]));
    return array;
}

static json_t *inputs_json(const Shipment *shipment) {
    json_t *array = json_array();
    for (uint32_t i = 0; i < shipment->input_count; i++) {
        const ShipInput *input = &shipment->inputs[i];
        json_t *json =
            json_pack("{s:s, s:s, s:s, s:o}", "name", input->name, "field", input->field->name,
                      "type", ship_c_type(input), "shape", shape_json(input->field->row));
        if (input->is_member)
            json_object_set_new(json, "offset", json_integer((json_int_t)input->offset));
        json_object_set_new(json, "argument", json_integer(shipment_argument(shipment, input)));
        if (input->has_gaps) json_object_set_new(json, "gaps", json_true());
        if (input->for_training) json_object_set_new(json, "training", json_true());
        if (input->field->is_text)
            json_object_set_new(json, "categories",
                                texts_json(input->field->categories, input->field->category_count));
        json_array_append_new(array, json);
    }
    return array;
}

static json_t *outputs_json(const Shipment *shipment) {
    json_t *array = json_array();
    for (uint32_t i = 0; i < shipment->output_count; i++) {
        const ShipOutput *output = &shipment->outputs[i];
        char number[NUMBER_TEXT];
        json_t *json =
            json_pack("{s:s, s:s, s:s, s:o}", "name", output->name, "output", output->output->name,
                      "type", "float", "shape", shape_json(output->row));
        static const char *const kinds[] = {[NUMBERS_UNKNOWN] = "unknown",
                                            [NUMBERS_LOGITS] = "logits",
                                            [NUMBERS_PROBABILITIES] = "probabilities"};
        json_t *classes = output->output->classes ? json_array() : NULL;
        if (classes)
            json_object_set_new(json, "numbers", json_string(kinds[output->output->numbers]));
        int64_t class_count = output->output->is_binary ? 2 : output->elements;
        for (int32_t k = 0; classes && k < class_count; k++)
            json_array_append_new(classes,
                                  json_string(class_name(&shipment->session.build.info->schema,
                                                         output->output->label, k, number)));
        if (classes) json_object_set_new(json, "classes", classes);
        json_array_append_new(array, json);
    }
    return array;
}

/* A function with its sizes. */
static json_t *function_json(const Shipment *shipment, const char *name, int64_t rows,
                             ShipSizes sizes) {
    json_t *json = json_pack("{s:s, s:I, s:I}", "name", name, "rows", (json_int_t)rows,
                             "scratch_bytes", (json_int_t)sizes.scratch);
    if (!shipment_is_source(shipment))
        json_object_set_new(json, "stack_bytes", json_integer((json_int_t)sizes.stack));
    if (!shipment_has_parts(shipment)) return json;
    json_object_set_new(json, "phases", json_integer(sizes.phases));
    if (!shipment_is_source(shipment))
        json_object_set_new(json, "part_stack_bytes", json_integer((json_int_t)sizes.part_stack));
    return json;
}

static json_t *functions_json(const Shipment *shipment) {
    json_t *array = json_array();
    for (uint32_t i = 0; i < shipment->variant_count; i++)
        json_array_append_new(array, function_json(shipment, shipment->variants[i].symbol,
                                                   shipment->variants[i].rows,
                                                   shipment_sizes(shipment, i)));
    return array;
}

/* How a weight is initialized (ir/ops/random.c). */
static json_t *init_json(const Symbol *symbol) {
    static const char *const kinds[INIT_KINDS] = {[INIT_CONSTANT] = "constant",
                                                  [INIT_UNIFORM] = "uniform",
                                                  [INIT_NORMAL] = "normal",
                                                  [INIT_ORTHOGONAL] = "orthogonal",
                                                  [INIT_FITTED] = "fitted"};
    return json_pack("{s:s, s:f, s:f}", "kind", kinds[symbol->init.kind], "a",
                     (double)symbol->init.a, "b", (double)symbol->init.b);
}

static json_t *training_json(const Shipment *shipment) {
    const ShipTraining *training = shipment->training;
    json_t *tensors = json_array();
    for (uint32_t i = 0; i < training->tensor_count; i++) {
        const Symbol *symbol = training->blocks[training->tensors[i]].symbol;
        json_t *tensor =
            json_pack("{s:s, s:o}", "name", symbol->name, "shape", shape_json(symbol->shape));
        if (shipment_is_web(shipment)) json_object_set_new(tensor, "init", init_json(symbol));
        json_array_append_new(tensors, tensor);
    }
    json_t *json = function_json(shipment, arena_format(shipment->arena, "%s_step", shipment->name),
                                 shipment->step_rows, shipment_step_sizes(shipment));
    json_object_set_new(json, "state_bytes", json_integer((json_int_t)training->bytes));
    json_object_set_new(json, "seed", json_integer((json_int_t)training->seed));
    json_object_set_new(json, "weights", tensors);
    return json;
}

/* The numbers that stand for the classes of a label, unless they are 0, 1, ... */
static json_t *label_json(const Shipment *shipment, const ShipInput *input) {
    json_t *json = json_pack("{s:s}", "input", input->name);
    const SourceSchema *schema = &shipment->session.build.info->schema;
    for (uint32_t i = 0; i < shipment->output_count; i++) {
        SourceRows rows;
        const char *label = shipment->outputs[i].output->label;
        const SourceField *field = label ? source_any(schema, source_rows_of(label, &rows)) : NULL;
        if (!field || !field->numbers) continue;
        json_t *values = json_array();
        for (uint32_t k = 0; k < field->category_count; k++)
            json_array_append_new(values, json_integer((json_int_t)field->numbers[k]));
        json_object_set_new(json, "values", values);
        break;
    }
    return json;
}

/* The facts that the program of a page needs. */
static json_t *page_json(const Shipment *shipment) {
    static const char *const kinds[] = {
        [PAGE_DRAWING] = "drawing", [PAGE_PICTURE] = "picture", [PAGE_TABLE] = "table"};
    const ModelInfo *info = shipment->session.build.info;
    json_t *labels = json_array();
    for (uint32_t i = 0; i < shipment->input_count; i++)
        if (shipment->inputs[i].for_training)
            json_array_append_new(labels, label_json(shipment, &shipment->inputs[i]));
    return json_pack("{s:s, s:s, s:b, s:b, s:I, s:I, s:o}", "kind", kinds[shipment->page.kind],
                     "title", shipment->name, "digits", !strcmp(info->source.reader, "mnist"),
                     "stretch", !strcmp(info->source.reader, "images"), "test",
                     (json_int_t)shipment->page.test, "kept", (json_int_t)shipment->page.kept,
                     "labels", labels);
}

/* Loss and metrics of a network. */
static json_t *evaluation_json(const ModelInfo *info, const Evaluation *evaluation) {
    json_t *json = json_pack("{s:o}", "loss", json_number(evaluation->loss));
    for (uint32_t i = 0; i < info->metric_count; i++)
        if (!info->counts[i].classes)
            json_object_set_new(json, info->metrics[i], json_number(evaluation->metrics[i]));
    return json;
}

static json_t *quantization_json(const Quantization *quantization) {
    const ModelInfo *info = quantization->session.build.info;
    return json_pack("{s:i, s:I, s:s, s:I, s:o, s:o}", "layers", (int)quantization->range_count,
                     "calibration_rows", (json_int_t)quantization->calibration, "split",
                     split_name(quantization->split), "rows", (json_int_t)quantization->before.rows,
                     "before", evaluation_json(info, &quantization->before), "after",
                     evaluation_json(info, &quantization->after));
}

json_t *ship_json(const Shipment *shipment) {
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s*, s:i, s:I, s:I, s:i, s:i, s:I, s:I, s:o, s:o, s:o}",
        "name", shipment->name, "made_by", "mlc " MLC_VERSION, "model",
        shipment->session.build.info->name, "model_hash", shipment->model_hash, "weights_hash",
        shipment->weights_hash, "target",
        shipment_is_source(shipment) ? "C99" : shipment->shipped.target, "cpu",
        shipment->shipped.cpu, "numerics", NUMERICS_VERSION, "weights_bytes",
        (json_int_t)shipment->weights_bytes, "multiply_adds", (json_int_t)multiply_adds(shipment),
        "align", (int)SHIP_ALIGNMENT, "row_bytes", (int)shipment->struct_bytes, "window",
        (json_int_t)shipment_lines(shipment), "window_before", (json_int_t)-shipment->window.from,
        "inputs", inputs_json(shipment), "outputs", outputs_json(shipment), "functions",
        functions_json(shipment));
    if (!shipment_is_source(shipment))
        json_object_set_new(json, "code_bytes",
                            json_integer((json_int_t)shipment->shipped.code_bytes));
    if (shipment_is_web(shipment)) {
        json_object_set_new(json, "relaxed_code_bytes",
                            json_integer((json_int_t)shipment->relaxed.code_bytes));
        json_object_set_new(json, "memory_bytes",
                            json_integer((json_int_t)shipment->shipped.memory));
    }
    if (shipment_takes_weights(shipment))
        json_object_set_new(json, "weights", json_string("given"));
    if (shipment_parts_weights(shipment)) {
        json_object_set_new(json, "weights", json_string("apart"));
        json_object_set_new(json, "weights_symbol", json_string(shipment->request.weights_symbol));
    }
    if (shipment_has_parts(shipment))
        json_object_set_new(json, "parts", json_integer((json_int_t)shipment->options->parts));
    if (shipment->quantization)
        json_object_set_new(json, "int8", quantization_json(shipment->quantization));
    if (shipment_is_page(shipment)) json_object_set_new(json, "page", page_json(shipment));
    if (shipment->training) json_object_set_new(json, "training", training_json(shipment));
    return json;
}

/* -- texts -- */

void ship_cmake(const Shipment *shipment, FILE *out) {
    const char *name = shipment->name;
    bool apart = shipment_parts_weights(shipment);
    fprintf(out,
            "# The network %s for a program that uses CMake:\n"
            "#     add_subdirectory(%s)\n"
            "#     target_link_libraries(program PRIVATE %s)\n"
            "cmake_minimum_required(VERSION 3.13)\n"
            "project(%s LANGUAGES C)\n",
            name, name, name, name);
    if (shipment_is_source(shipment))
        fprintf(out,
                "add_library(%s STATIC %s.c%s)\n"
                "target_include_directories(%s PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})\n"
                "target_link_libraries(%s PUBLIC m)\n",
                name, name, apart ? arena_format(shipment->arena, " %s_weights.c", name) : "", name,
                name);
    else
        fprintf(out,
                "add_library(%s STATIC IMPORTED GLOBAL)\n"
                "set_target_properties(%s PROPERTIES\n"
                "  IMPORTED_LOCATION ${CMAKE_CURRENT_SOURCE_DIR}/lib%s.a\n"
                "  INTERFACE_INCLUDE_DIRECTORIES ${CMAKE_CURRENT_SOURCE_DIR}%s)\n",
                name, name, name,
                apart ? arena_format(shipment->arena,
                                     "\n  INTERFACE_LINK_LIBRARIES "
                                     "${CMAKE_CURRENT_SOURCE_DIR}/%s_weights.o",
                                     name)
                      : "");
    fprintf(out,
            "add_executable(%s_test EXCLUDE_FROM_ALL %s_test.c)\n"
            "target_link_libraries(%s_test PRIVATE %s)\n",
            name, name, name, name);
}

/* An example of a program that calls the first function. */
static void print_example(const Shipment *shipment, FILE *out) {
    const ShipVariant *variant = &shipment->variants[0];
    const char *name = shipment->name, *capitals = c_capitals(shipment->arena, name);
    long long rows = (long long)variant->rows, lines = rows * (long long)shipment_lines(shipment);
    fprintf(out, "    #include \"%s.h\"\n\n", name);
    if (shipment->has_members)
        fprintf(out, "    static %s_row rows[%lld]; /* fill in */\n", name, lines);
    for (uint32_t i = 0; i < shipment->input_count; i++)
        if (!shipment->inputs[i].is_member && !shipment->inputs[i].for_training)
            fprintf(out, "    static %s %s[%lld * %s_%s]; /* fill in */\n",
                    ship_c_type(&shipment->inputs[i]), shipment->inputs[i].name, lines, capitals,
                    c_capitals(shipment->arena, shipment->inputs[i].name));
    for (uint32_t i = 0; i < shipment->output_count; i++)
        fprintf(out, "    static float %s[%lld * %s_%s];\n", shipment->outputs[i].name, rows,
                capitals, c_capitals(shipment->arena, shipment->outputs[i].name));
    if (shipment_takes_weights(shipment))
        fprintf(out, "    static %s_weights weights; /* the bytes of %s.weights */\n", name, name);
    fprintf(out, "    static %s_scratch%s scratch;\n\n    %s(%s", name, variant->suffix,
            variant->symbol, shipment_takes_weights(shipment) ? "&weights, " : "");
    if (shipment->has_members) fputs("rows, ", out);
    for (uint32_t i = 0; i < shipment->input_count; i++)
        if (!shipment->inputs[i].is_member && !shipment->inputs[i].for_training)
            fprintf(out, "%s, ", shipment->inputs[i].name);
    for (uint32_t i = 0; i < shipment->output_count; i++)
        fprintf(out, "%s, ", shipment->outputs[i].name);
    fputs("&scratch);\n", out);
}

/* What a program is compiled with: "libdigits.a", or "-O2 digits.c -lm". */
static const char *ingredients(const Shipment *shipment) {
    bool apart = shipment_parts_weights(shipment);
    const char *form = shipment_is_source(shipment)
                           ? apart ? "-O2 %s.c %s_weights.c -lm" : "-O2 %s.c -lm"
                       : apart ? "lib%s.a %s_weights.o"
                               : "lib%s.a";
    return arena_format(shipment->arena, form, shipment->name, shipment->name);
}

void ship_readme(const Shipment *shipment, FILE *out) {
    const char *name = shipment->name, *with = ingredients(shipment);
    bool source = shipment_is_source(shipment);
    const char *given = shipment_takes_weights(shipment)    ? ".weights"
                        : !shipment_parts_weights(shipment) ? ""
                        : source                            ? "_weights.c"
                                                            : "_weights.o";
    if (*given) given = arena_format(shipment->arena, "| `%s%s` | the weights |\n", name, given);
    fprintf(out, "# %s\n\nA trained network as a C %s.\n\n| file | holds |\n|---|---|\n", name,
            source ? "source. Of the C library it needs sqrtf and memcpy"
                   : "library. It needs no other library, not even that of C");
    fprintf(out,
            "| `%s.h` | the functions, their arguments, sizes |\n"
            "| `%s%s%s` | code%s for %s |\n"
            "%s"
            "| `%s_test.c` | a program that checks it, bit by bit |\n"
            "| `CMakeLists.txt` | a library for `add_subdirectory` |\n"
            "| `%s.json` | the same facts for programs |\n\n"
            "Check it on the machine where it will run:\n\n"
            "    cc %s_test.c %s -o %s_test && ./%s_test\n\n"
            "Use it:\n\n",
            name, source ? "" : "lib", name, source ? ".c" : ".a", *given ? "" : " and weights",
            shipment_target(shipment), given, name, name, name, with, name, name);
    print_example(shipment, out);
    fprintf(out, "\n    cc program.c %s\n\nSizes:\n\n    ", with);
    MemoryStream stream;
    memory_stream_begin(&stream);
    ship_summary(shipment, stream.out);
    char *text = memory_stream_end(&stream);
    for (char *at = text; *at; at++) {
        fputc(*at, out);
        if (*at == '\n' && at[1]) fputs("    ", out);
    }
    free(text);
}
