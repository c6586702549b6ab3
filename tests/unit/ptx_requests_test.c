/* Products on a GPU ask the memory of their block as often as the cost model says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "codegen/cuda/cuda_tile.h"
#include "passes/passes.h"
#include "tests/ptx/ptx.h"
#include "tests/ptx/ptx_code.h"
#include "tests/support/results.h"

#include <stdio.h>

/* -- single loads -- */

static void loads_take_the_documented_number_of_requests(void **state) {
    static const struct {
        uint32_t bytes, step, threads; /* thread n: address step * (n / threads) */
        uint32_t modulo, requests;
    } loads[] = {{4, 4, 1, 32, 1},   {4, 4, 1, 1, 1},    {4, 8, 1, 32, 2},   {4, 128, 1, 32, 32},
                 {16, 16, 1, 32, 4}, {16, 16, 1, 4, 4},  {16, 16, 2, 32, 2}, {16, 0, 1, 32, 2},
                 {16, 144, 1, 8, 4}, {16, 128, 2, 8, 16}};
    (void)state;
    for (size_t i = 0; i < sizeof loads / sizeof *loads; i++) {
        uint64_t address[PTX_WARP];
        for (uint32_t n = 0; n < PTX_WARP; n++)
            address[n] = loads[i].step * (n / loads[i].threads % loads[i].modulo);
        assert_int_equal(ptx_requests(address, UINT32_MAX, loads[i].bytes), loads[i].requests);
    }
}

/* -- products -- */

/* One whose tiles fit exactly: x [rows, depth] times w [depth, columns], or w transposed. */
typedef struct {
    int64_t rows, columns;
    bool transposed;
} RequestProduct;

static Graph *make_product(const RequestProduct *p, int64_t depth, Diagnostics *diag) {
    Graph *graph = graph_new("product", diag);
    Init uniform = {INIT_UNIFORM, -1, 1};
    Shape right = p->transposed ? shape_of(2, (int64_t[]){p->columns, depth})
                                : shape_of(2, (int64_t[]){depth, p->columns});
    NodeId x = graph_state(graph, "x", DTYPE_F32, shape_of(2, (int64_t[]){p->rows, depth}), uniform,
                           false),
           w = graph_state(graph, "w", DTYPE_F32, right, uniform, false);
    graph_output(graph, "y", build_matmul(graph, x, w, false, p->transposed));
    return graph;
}

static uint64_t count_requests(const RequestProduct *p, int64_t depth) {
    uint64_t requests = 0;
    Diagnostics *diag = diag_new();
    Compilation compiled;
    PtxSetting setting = {.blocks = 2, .level = 2, .requests = &requests};
    assert_true(passes_run(&compiled, make_product(p, depth, diag),
                           &(PassOptions){.level = 2, .threads = 1, .on_gpu = true},
                           PASS_COUNT - 1));
    Program *program = ptx_program(compiled.plan, compiled.graph, &setting, diag);
    assert_non_null(program);
    results_free(results_run(program, 1, 1, 1));
    assert_string_equal(ptx_program_error(program), "");
    program_free(program);
    diag_free(diag);
    return requests;
}

static CudaWork divide(const RequestProduct *p, int64_t depth) {
    CudaWork work = {.batch = 1,
                     .rows = p->rows,
                     .columns = p->columns,
                     .depth = depth,
                     .together = CUDA_TOGETHER,
                     .end = 300};
    cuda_divide_product(&work);
    return work;
}

static void products_take_the_predicted_number_of_requests(void **state) {
    static const RequestProduct products[] = {
        {64, 512, false}, {64, 128, true}, {512, 256, false}, {768, 512, true}};
    uint32_t failures = 0;
    (void)state;
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        const RequestProduct *p = &products[i];
        CudaWork work = divide(p, 256);
        int64_t chunk = cuda_tile_chunk(&work.tile, 256), depth = 2 * chunk;
        assert_int_equal(divide(p, depth + chunk).tile.rows, work.tile.rows);
        double got = (double)(count_requests(p, depth + chunk) - count_requests(p, depth)),
               expected = (double)(work.units * chunk) * cuda_step_requests(&work.tile);
        if (got != expected)
            fprintf(stderr, "%d x %d threads, tile %d x %d: %.0f requests, predicted %.0f\n",
                    work.tile.down, work.tile.across, work.tile.rows, work.tile.columns, got,
                    expected);
        failures += got != expected;
    }
    assert_int_equal(failures, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_take_the_documented_number_of_requests),
        cmocka_unit_test(products_take_the_predicted_number_of_requests)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
