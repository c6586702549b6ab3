#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/eval_graph.h"

#include <math.h>
#include <string.h>

EvalGraph fixture;

int eval_set_up(void **state) {
    (void)state;
    fixture = (EvalGraph){.diag = diag_new()};
    fixture.graph = graph_new("test", fixture.diag);
    return 0;
}

int eval_tear_down(void **state) {
    (void)state;
    interp_free(fixture.interp);
    graph_free(fixture.graph);
    diag_free(fixture.diag);
    return 0;
}

NodeId eval_input(DType dtype, Shape shape, const void *data) {
    static const char *const names[] = {"a", "b", "c", "d"};
    fixture.data[fixture.graph->symbol_count] = data;
    return graph_input(fixture.graph, SYMBOL_VALUE, names[fixture.graph->symbol_count], dtype,
                       shape);
}

/* Data of dtype f32 is given as float in both precisions. */
static void write_input(NodeId node, Precision precision, const void *data) {
    void *value = interp_value(fixture.interp, node);
    int64_t count = shape_elements(graph_node(fixture.graph, node)->shape);
    bool widen = precision == INTERP_F64 && graph_node(fixture.graph, node)->dtype == DTYPE_F32;
    for (int64_t i = 0; widen && i < count; i++)
        ((double *)value)[i] = (double)((const float *)data)[i];
    if (!widen) memcpy(value, data, interp_value_bytes(fixture.interp, node));
}

const void *eval_run(NodeId node, Precision precision) {
    assert_int_not_equal(node, NODE_NONE);
    graph_output(fixture.graph, "result", node);
    interp_free(fixture.interp);
    fixture.interp = interp_new(fixture.graph, precision);
    for (uint32_t i = 0; i < fixture.graph->symbol_count; i++)
        write_input(fixture.graph->symbols[i].node, precision, fixture.data[i]);
    interp_run(fixture.interp);
    return interp_value(fixture.interp, node);
}

static uint32_t canonical(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return isnan(value) ? 0x7fc00000 : bits;
}

/* For results that are rounded to f32: f64 may have another result. */
void expect_rounded(NodeId node, const float *expected, int count) {
    const float *got = eval_run(node, INTERP_F32);
    for (int i = 0; i < count; i++)
        if (canonical(got[i]) != canonical(expected[i]))
            fail_msg("element %d: %a, not %a", i, (double)got[i], (double)expected[i]);
}

void expect_floats(NodeId node, const float *expected, int count) {
    expect_rounded(node, expected, count);
    const double *twofold = eval_run(node, INTERP_F64);
    for (int i = 0; i < count; i++)
        if (canonical((float)twofold[i]) != canonical(expected[i]))
            fail_msg("f64 element %d: %a", i, twofold[i]);
}

void expect_ints(NodeId node, const int32_t *expected, int count) {
    for (Precision precision = INTERP_F32; precision <= INTERP_F64; precision++) {
        const int32_t *got = eval_run(node, precision);
        for (int i = 0; i < count; i++) assert_int_equal(got[i], expected[i]);
    }
}

void expect_bytes(NodeId node, const uint8_t *expected, int count) {
    for (Precision precision = INTERP_F32; precision <= INTERP_F64; precision++)
        assert_memory_equal(eval_run(node, precision), expected, (size_t)count);
}
