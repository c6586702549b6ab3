/* The code for GPUs computes what the interpreter of graphs computes, bit for bit, in whatever
 * order its threads run; and the interpreter of PTX finds mistakes in it.
 *   ptx_equality_test              forty seeds, one level each; models; mistakes
 *   ptx_equality_test 0 1000       these seeds, every level, with 1 to 3 blocks
 *   ptx_equality_test 0 1000 132   the same with 132 blocks
 *   ptx_equality_test 0 1000 0 one these seeds, one level each, with 1 to 3 blocks
 *   ptx_equality_test FILE.mdl     the step of a model, with 3 blocks
 *   ptx_equality_test FILE.mdl 132 5  the same with 132 blocks, in five orders of its threads
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "codegen/cuda/cuda_tile.h"
#include "passes/passes.h"
#include "tests/ptx/ptx.h"
#include "tests/support/models.h"
#include "tests/support/op_graph.h"
#include "tests/support/random_graph.h"
#include "tests/support/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 2, LEVELS = 4, SEEDS = 40 };

static uint64_t first_seed, last_seed = SEEDS; /* the last one is not included */
static bool all_levels;
static uint32_t given_blocks; /* 0: 1 to 3 */

/* A graph, and a name for messages. */
typedef struct {
    Graph *(*make)(const void *context, Diagnostics *diag);
    const void *context;
    char title[300];
} PtxCase;

/* What differs, or what went wrong; NULL: nothing. In a static buffer. */
static const char *compare(const PtxCase *one, PtxSetting setting, uint64_t seed) {
    static char message[600];
    Diagnostics *diag = diag_new();
    Compilation reference, compiled;
    assert_true(passes_run(&reference, one->make(one->context, diag),
                           &(PassOptions){.level = 0, .threads = 1}, PASS_functions));
    assert_true(
        passes_run(&compiled, one->make(one->context, diag),
                   &(PassOptions){.level = setting.level, .threads = -3, .on_gpu = seed % 4 != 1},
                   PASS_COUNT - 1));
    setting.data_rows = RANDOM_DATA_ROWS;
    Program *expected = program_interpret(reference.graph),
            *got = ptx_program(compiled.plan, compiled.graph, &setting, diag);
    const char *difference = "no code";
    *message = 0;
    if (got) {
        RunResults *a = results_run(expected, seed, STEPS, 1),
                   *b = results_run(got, seed, STEPS, 1);
        difference = results_difference(a, b, 0);
        if (*ptx_program_error(got)) difference = ptx_program_error(got);
        if (difference) snprintf(message, sizeof message, "%s", difference);
        results_free(a);
        results_free(b);
    } else {
        snprintf(message, sizeof message, "%s", difference);
        diag_print(diag, stderr);
    }
    program_free(got);
    program_free(expected);
    compilation_free(&reference);
    diag_free(diag);
    return difference ? message : NULL;
}

static uint32_t check(const PtxCase *one, PtxSetting setting, uint64_t seed) {
    const char *difference = compare(one, setting, seed);
    if (difference)
        fprintf(stderr, "%s, -O%d, %u blocks: %s\n", one->title, setting.level, setting.blocks,
                difference);
    return difference != NULL;
}

/* -- random graphs -- */

static Graph *make_random(const void *context, Diagnostics *diag) {
    return random_graph(*(const uint64_t *)context, diag);
}

static uint32_t check_seed(uint64_t seed) {
    PtxCase one = {make_random, &seed, ""};
    uint32_t failures = 0;
    snprintf(one.title, sizeof one.title, "seed %llu", (unsigned long long)seed);
    for (int level = 0; level < LEVELS; level++)
        if (all_levels || (uint64_t)level == seed % LEVELS)
            failures +=
                check(&one,
                      (PtxSetting){.blocks = given_blocks ? given_blocks : (uint32_t)(1 + seed % 3),
                                   .seed = seed,
                                   .level = level,
                                   .gpu = seed % 5 == 4 ? "sm_75" : "sm_80"},
                      seed);
    return failures;
}

static void code_for_gpus_equals_the_interpreter(void **state) {
    (void)state;
    uint32_t failures = 0;
    for (uint64_t seed = first_seed; seed < last_seed; seed++) failures += check_seed(seed);
    assert_int_equal(failures, 0);
}

/* -- models -- */

enum { BATCH = 4 };

static Graph *make_step(const void *context, Diagnostics *diag) {
    return model_graph(context, GRAPH_TRAIN, BATCH, diag);
}

static uint32_t model_failures, model_blocks = 3, model_orders = 1;

static void check_model(const char *path, const Model *model, Diagnostics *diag) {
    PtxCase one = {make_step, model, ""};
    (void)diag;
    snprintf(one.title, sizeof one.title, "%s", path);
    for (uint32_t order = 0; order < model_orders; order++) {
        PtxSetting setting = {.blocks = model_blocks, .seed = 5 + STEPS * order, .level = 2};
        model_failures += check(&one, setting, 7);
    }
}

static void steps_of_models_have_the_same_bits(void **state) {
    static const char *const names[] = {"softmax", "iris", "mnist_tanh", "lenet5"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[300];
        snprintf(path, sizeof path, MLC_SOURCE_DIR "/models/%s.mdl", names[i]);
        each_model(path, check_model);
    }
    assert_int_equal(model_failures, 0);
}

/* -- ops alone, on numbers at the edges -- */

/* [1024] with number i / `step` mod 16 of a list at i. They come from states, so that nothing of the
 * op is computed before the step runs. */
static NodeId edge_numbers(Graph *graph, int step) {
    static const float edges[] = {0,         -0.0f,      1,         -1,        0.5f,    -2.5f,
                                  0x1p-149f, -0x1p-140f, 0x1p-126f, 1e-30f,    0x1p20f, -3.5e9f,
                                  3.4e38f,   INFINITY,   -INFINITY, (float)NAN};
    enum { EDGES = sizeof edges / sizeof *edges, NUMBERS = 1024 };
    Shape shape = shape_of(1, (int64_t[]){NUMBERS});
    NodeId which =
        build_binary(graph, OP_shr, build_iota(graph, shape, 0), build_i32(graph, step, shape));
    which = build_binary(graph, OP_and, which, build_i32(graph, EDGES - 1, shape));
    NodeId numbers = build_f32(graph, 0, shape);
    for (int i = 0; i < EDGES; i++) {
        char name[32];
        snprintf(name, sizeof name, "edge%d.%d", step, i);
        NodeId edge = graph_state(graph, name, DTYPE_F32, (Shape){0},
                                  (Init){INIT_CONSTANT, edges[i], 0}, false);
        NodeId here = build_binary(graph, OP_eq, which, build_i32(graph, i, shape));
        numbers =
            build_ternary(graph, OP_select, here, build_broadcast(graph, edge, shape), numbers);
    }
    return numbers;
}

/* One output: the op on edge numbers, of which operand i changes 16 ^ i times slower than the first. */
static Graph *make_op(const void *context, Diagnostics *diag) {
    Op op = *(const Op *)context;
    Graph *graph = graph_new(op_name(op), diag);
    NodeId numbers[3];
    for (int i = 0; i < op_arity(op); i++) numbers[i] = edge_numbers(graph, 4 * i);
    graph_output(graph, "y", op_on_numbers(graph, op, numbers));
    return graph;
}

static void ops_have_the_same_bits_at_the_edges(void **state) {
    static const char *const gpus[] = {"sm_75", "sm_80"};
    uint32_t failures = 0, ops = 0;
    (void)state;
    for (Op op = 0; op < OP_COUNT; op++) {
        PtxCase one = {make_op, &op, ""};
        if (op_class(op) != CLASS_ELEMENTWISE) continue;
        snprintf(one.title, sizeof one.title, "%s", op_name(op));
        for (int gpu = 0; gpu < 2; gpu++)
            failures += check(
                &one, (PtxSetting){.blocks = 2, .seed = op, .level = 2 * gpu, .gpu = gpus[gpu]}, 7);
        ops++;
    }
    assert_true(ops > 40);
    assert_int_equal(failures, 0);
}

/* -- products -- */

/* x [rows, depth] times w [depth, columns], plus a row. */
typedef struct {
    int64_t rows, columns, depth;
} PtxProduct;

static Graph *make_product(const void *context, Diagnostics *diag) {
    const PtxProduct *p = context;
    Graph *graph = graph_new("product", diag);
    Init uniform = {INIT_UNIFORM, -1, 1};
    NodeId x = graph_state(graph, "x", DTYPE_F32, shape_of(2, (int64_t[]){p->rows, p->depth}),
                           uniform, true),
           w = graph_state(graph, "w", DTYPE_F32, shape_of(2, (int64_t[]){p->depth, p->columns}),
                           uniform, true),
           bias = graph_state(graph, "bias", DTYPE_F32, shape_of(1, (int64_t[]){p->columns}),
                              uniform, true);
    NodeId product = build_matmul(graph, x, w, false, false);
    graph_output(graph, "sums", build_binary(graph, OP_add, product, bias));
    return graph;
}

/* Of different tiles; the edges of the product cut tiles. */
static const PtxProduct products[] = {{1, 1, 1},      {37, 19, 70},  {33, 705, 5},   {65, 705, 33},
                                      {65, 833, 6},   {257, 833, 4}, {225, 513, 3},  {129, 833, 7},
                                      {257, 897, 37}, {20, 40, 600}, {61, 250, 130}, {1, 500, 90},
                                      {130, 2000, 9}, {3000, 33, 9}};

static CudaTile tile_of(const PtxProduct *p) {
    CudaWork work = {.batch = 1,
                     .rows = p->rows,
                     .columns = p->columns,
                     .depth = p->depth,
                     .together = CUDA_TOGETHER,
                     .end = 300};
    cuda_divide_product(&work);
    return work.tile;
}

/* 0: single elements. */
static uint32_t tile_number(const CudaTile *tile) {
    uint32_t number = tile->rows ? cuda_tile_count() : 0;
    for (; number; number--) {
        CudaTile other = cuda_tile(number - 1);
        if (other.down == tile->down && other.across == tile->across && other.rows == tile->rows &&
            other.columns == tile->columns)
            return number;
    }
    return 0;
}

static void tiles_of_all_shapes_have_the_same_bits(void **state) {
    uint32_t failures = 0, shapes = 0;
    bool seen[256] = {false};
    (void)state;
    assert_true(cuda_tile_count() < 256);
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        PtxCase one = {make_product, &products[i], ""};
        CudaTile tile = tile_of(&products[i]);
        uint32_t number = tile_number(&tile);
        shapes += !seen[number];
        seen[number] = true;
        snprintf(one.title, sizeof one.title, "product %zu, %d x %d threads, tile %d x %d", i,
                 tile.down, tile.across, tile.rows, tile.columns);
        failures += check(&one, (PtxSetting){.blocks = 3, .seed = i, .level = 2}, 7);
    }
    assert_int_equal(shapes, 10);
    assert_int_equal(failures, 0);
}

/* -- mistakes -- */

/* A layer whose results are compared with NaNs, sums of rows, a product that is added, and an
 * update. */
static Graph *make_layer(const void *context, Diagnostics *diag) {
    (void)context;
    Graph *graph = graph_new("layer", diag);
    Init uniform = {INIT_UNIFORM, -1, 1};
    NodeId x = graph_input(graph, SYMBOL_BATCH, "x", DTYPE_F32, shape_of(2, (int64_t[]){6, 40})),
           w = graph_state(graph, "w", DTYPE_F32, shape_of(2, (int64_t[]){40, 24}), uniform, true),
           zero = graph_state(graph, "zero", DTYPE_F32, shape_of(2, (int64_t[]){6, 24}),
                              (Init){INIT_CONSTANT, 0, 0}, false);
    NodeId product = build_matmul(graph, x, w, false, false);
    NodeId sum =
        build_binary(graph, OP_add, build_binary(graph, OP_mul, product, product), product);
    NodeId row = build_reduce(graph, OP_sum, build_unary(graph, OP_abs, sum), 1, true);
    graph_output(graph, "row", row);
    graph_output(graph, "shares", build_binary(graph, OP_div, sum, row));
    graph_output(graph, "nan",
                 build_binary(graph, OP_max, sum, build_binary(graph, OP_div, zero, zero)));
    NodeId loss = build_reduce_axes(graph, OP_sum, sum, 3);
    graph_output(graph, "loss", loss);
    graph_update(graph, w, build_binary(graph, OP_sub, w, build_grad(graph, loss, w)));
    return graph;
}

/* Rows of a product become shares of their sum, and those the rows of another product, which takes
 * several tiles: two blocks have 20 rows. */
static Graph *make_chain(const void *context, Diagnostics *diag) {
    (void)context;
    Graph *graph = graph_new("chain", diag);
    Init uniform = {INIT_UNIFORM, -1, 1};
    NodeId x = graph_input(graph, SYMBOL_BATCH, "x", DTYPE_F32, shape_of(2, (int64_t[]){20, 40})),
           w = graph_state(graph, "w", DTYPE_F32, shape_of(2, (int64_t[]){40, 10}), uniform, true),
           v = graph_state(graph, "v", DTYPE_F32, shape_of(2, (int64_t[]){10, 100}), uniform, true);
    NodeId product = build_matmul(graph, x, w, false, false),
           row = build_reduce(graph, OP_sum, build_unary(graph, OP_abs, product), 1, true);
    NodeId shares = build_binary(graph, OP_div, product, row);
    graph_output(graph, "next", build_matmul(graph, shares, v, false, false));
    return graph;
}

/* What each mistake must be found by: a part of the message. "A|B": one of two, as it depends on
 * where memory has been allocated. */
typedef struct {
    PtxMutation mutations[PTX_MUTATIONS];
    const char *found;
} PtxMistake;

static bool is_found(const PtxMistake *mistake, const char *message) {
    char first[64];
    const char *second = strchr(mistake->found, '|');
    if (!second) return strstr(message, mistake->found) != NULL;
    snprintf(first, sizeof first, "%.*s", (int)(second - mistake->found), mistake->found);
    return strstr(message, first) || strstr(message, second + 1);
}

static const PtxMistake mistakes[] = {
    {{{"red.release.gpu", "red.relaxed.gpu", 0}}, "without a barrier between"},
    {{{"ld.acquire.gpu", "ld.relaxed.gpu", 0}}, "without a barrier between"},
    /* in the barrier of the grid */
    {{{"bar.sync \t0;\n\tmov.u32", "mov.u32", 0}}, "without a barrier between"},
    {{{"bar.sync \t0;\n\tret;", "ret;", 0}}, "without a barrier between"},
    {{{"bar.sync \t0;\n\tret;", "@%p1 bar.sync 0;\n\tret;", 0}}, "only some threads of a warp"},
    {{{"setp.lt.s32 \t%p2, %r5, 0;", "setp.gt.s32 \t%p2, %r5, 9;", -1}},
     "without a barrier between"}, /* no waiting */
    {{{"mul.rn.f32", "mul.f32", 0}, {"add.rn.f32", "add.f32", 0}}, "output 'row'"},
    {{{"max.NaN.f32", "max.f32", 0}}, "output 'nan'"},
    {{{"shfl.sync.down", "shfl.sync.idx", 1}}, "output 'row'"},
    {{{"0, 4127, -1", "0, 31, -1", 1}}, "output 'row'"}, /* of 32 threads instead of 16 */
    {{{"st.global.f32", "//", 1}}, "loads what was never stored"},
    {{{"ld.global.f32", "ld.local.f32", 1}}, "names local memory"},
    {{{"st.global.f32", "st.local.f32", 1}}, "names local memory"},
    {{{"+8]", "+12]", 1}}, "not aligned"},
    {{{"+16]", "+65536]", 1}}, "outside of the memory"},
    {{{", 143;", ", 4000;", 0}}, /* more elements than there are */
     "outside of the memory|loads what was never stored"},
    {{{"st.shared.f32", "st.global.f32", 1}},
     "names other memory, but means the memory of a block"},
    {{{"ld.global.f32", "ld.shared.f32", 1}}, "names the memory of a block"},
    {{{"ld.shared.v4.f32", "//", 1}}, "output 'row'"},
};

/* In a tile of several chunks: before a chunk is stored, and after; before the sums are stored, and
 * after. */
static const PtxMistake mistakes_in_tiles[] = {
    {{{"bar.sync \t0;", "", 1}}, "without a barrier between"},
    {{{"bar.sync \t0;", "", 2}}, "without a barrier between|loads what was never stored"},
    {{{"bar.sync \t0;", "", 3}}, "without a barrier between"},
    {{{"bar.sync \t0;", "", 4}}, "without a barrier between|loads what was never stored"},
};

/* Between kernels of which each block reads only the rows that it has stored. */
static const PtxMistake mistakes_in_chains[] = {
    {{{"bar.sync \t0;\n\tmov.u64", "mov.u64", 0}}, "without a barrier between"},
};

static uint32_t missed_mistakes(const PtxCase *one, const PtxMistake *mistake, uint64_t seed) {
    PtxSetting setting = {.blocks = 2, .level = 2, .seed = seed};
    memcpy(setting.mutations, mistake->mutations, sizeof setting.mutations);
    const char *found = compare(one, setting, 1);
    if (found && is_found(mistake, found)) return 0;
    const PtxMutation *mutation = mistake->mutations;
    fprintf(stderr, "'%s' instead of '%s' (%d): %s\n", mutation->to, mutation->from,
            mutation->number, found ? found : "not found");
    return 1;
}

static void mistakes_are_found(void **state) {
    static const PtxCase layer = {make_layer, NULL, "layer"},
                         product = {make_product, &products[9], "product"},
                         chain = {make_chain, NULL, "chain"};
    uint32_t missed = check(&layer, (PtxSetting){.blocks = 2, .level = 2}, 1) +
                      check(&chain, (PtxSetting){.blocks = 2, .level = 2}, 1);
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
        missed += missed_mistakes(&layer, &mistakes[i], i);
    for (size_t i = 0; i < sizeof mistakes_in_tiles / sizeof *mistakes_in_tiles; i++)
        missed += missed_mistakes(&product, &mistakes_in_tiles[i], i);
    for (size_t i = 0; i < sizeof mistakes_in_chains / sizeof *mistakes_in_chains; i++)
        missed += missed_mistakes(&chain, &mistakes_in_chains[i], i);
    assert_int_equal(missed, 0);
}

int main(int argc, char **argv) {
    if (argc >= 2 && strchr(argv[1], '.')) {
        if (argc > 2) model_blocks = (uint32_t)atoi(argv[2]);
        if (argc > 3) model_orders = (uint32_t)atoi(argv[3]);
        each_model(argv[1], check_model);
        return model_failures != 0;
    }
    if (argc >= 3) {
        if (argc >= 4) given_blocks = (uint32_t)atoi(argv[3]);
        first_seed = strtoull(argv[1], NULL, 10);
        last_seed = strtoull(argv[2], NULL, 10);
        all_levels = argc < 5;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_for_gpus_equals_the_interpreter),
        cmocka_unit_test(steps_of_models_have_the_same_bits),
        cmocka_unit_test(ops_have_the_same_bits_at_the_edges),
        cmocka_unit_test(tiles_of_all_shapes_have_the_same_bits),
        cmocka_unit_test(mistakes_are_found),
    };
    if (argc >= 3)
        return cmocka_run_group_tests_name("seeds", ((struct CMUnitTest[]){tests[0]}), NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
