/* ONNX files of random graphs are sound: every value has one maker, which stands before its
 * readers. tests/truth/onnx_random.py compares what onnxruntime answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ir/base/memory.h"
#include "ir/base/names.h"
#include "onnx/wire/reader.h"
#include "tests/support/random_onnx.h"

#include <stdlib.h>
#include <string.h>

enum { SEEDS = 400 };

typedef struct {
    uint64_t seed;
    Arena *arena;
    Names *made;
} File;

static WireReader graph_of(const Exported *exported) {
    WireReader at = wire_open(exported->bytes, exported->length), graph = {0};
    WireField field;
    while (wire_next(&at, &field))
        if (field.number == MODEL_graph) graph = wire_message(&at, &field);
    assert_false(at.damaged);
    return graph;
}

static void make(File *file, const WireField *name) {
    const char *text = wire_string(name, file->arena);
    if (names_index(file->made, text) >= 0)
        fail_msg("seed %llu: '%s' is made twice", (unsigned long long)file->seed, text);
    names_add(file->made, text);
}

static void read(const File *file, const WireField *name) {
    const char *text = wire_string(name, file->arena);
    if (names_index(file->made, text) < 0)
        fail_msg("seed %llu: '%s' is read before it is made", (unsigned long long)file->seed, text);
}

/* Visits the texts in one field of a message: names of values. */
static void each_text(File *file, WireReader message, uint32_t number, bool makes) {
    WireField field;
    while (wire_next(&message, &field)) {
        if (field.number != number) continue;
        if (makes)
            make(file, &field);
        else
            read(file, &field);
    }
    assert_false(message.damaged);
}

static void each_message(File *file, WireReader graph, uint32_t number, uint32_t text, bool makes) {
    WireField field;
    while (wire_next(&graph, &field))
        if (field.number == number) each_text(file, wire_message(&graph, &field), text, makes);
}

static void check_nodes(File *file, WireReader graph) {
    WireField field;
    while (wire_next(&graph, &field)) {
        if (field.number != GRAPH_node) continue;
        WireReader node = wire_message(&graph, &field);
        each_text(file, node, NODE_input, false);
        each_text(file, node, NODE_output, true);
    }
}

static bool check_seed(uint64_t seed) {
    Diagnostics *diag = diag_new();
    File file = {.seed = seed, .arena = arena_new()};
    Exported exported;
    Graph *graph = random_onnx_graph(seed, diag);
    bool written = random_onnx_export(graph, seed, file.arena, &exported);
    if (written) {
        WireReader at = graph_of(&exported);
        file.made = names_new(file.arena);
        each_message(&file, at, GRAPH_input, VALUE_name, true);
        each_message(&file, at, GRAPH_initializer, TENSOR_name, true);
        check_nodes(&file, at);
        each_message(&file, at, GRAPH_output, VALUE_name, false);
    }
    free(exported.bytes);
    graph_free(graph);
    arena_free(file.arena);
    diag_free(diag);
    return written;
}

static void random_files_are_sound(void **state) {
    (void)state;
    int written = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) written += check_seed(seed);
    assert_true(written >
                SEEDS / 2); /* the other graphs have random numbers, or read bits as numbers */
}

/* Operations that ONNX lacks are named in the error, and no file is written. */
static void what_onnx_lacks_is_named(void **state) {
    (void)state;
    static const char text[] =
        "mlc-ir 1\ngraph \"g\"\n%1 = input f32[3] value \"x\"\n"
        "%2 = bitcast i32[3] %1\n%3 = constant i32[] 1\n"
        "%4 = random i32[3] %3 %3 %3 %3 stream=1 substream=0 row=0\n%5 = add i32[3] %2 %4\n"
        "output \"y\" %5\n";
    Diagnostics *diag = diag_new();
    Arena *arena = arena_new();
    Exported exported;
    Graph *graph = graph_read("g", text, strlen(text), diag);
    if (!graph) diag_print(diag, stderr);
    assert_non_null(graph);
    const ExportInput input = {"x", "x", 1, ONNX_FLOAT};
    const OnnxExport wanted = {.graph = graph, .inputs = &input, .input_count = 1, .name = "g"};
    assert_false(onnx_export(&wanted, arena, &exported, diag));
    assert_null(exported.bytes);
    MemoryStream stream;
    memory_stream_begin(&stream);
    diag_print(diag, stream.out);
    char *messages = memory_stream_end(&stream);
    assert_non_null(strstr(messages, "ONNX has no operation for 'random'"));
    free(messages);
    graph_free(graph);
    arena_free(arena);
    diag_free(diag);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_files_are_sound),
                                       cmocka_unit_test(what_onnx_lacks_is_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
