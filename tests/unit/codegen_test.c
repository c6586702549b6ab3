/* Generated code against the interpreter, bit for bit, on graphs given as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/equal_programs.h"
#include "tests/support/mlp_graph.h"

#include <string.h>

static void assert_equal(MakeGraph *make, const void *context, ProgramSetting setting) {
    assert_true(equal_programs(make, context, &setting));
}

static Graph *from_text(Diagnostics *diag, const void *text) {
    Graph *graph = graph_read("test", text, strlen(text), diag);
    if (!graph) diag_print(diag, stderr);
    assert_non_null(graph);
    return graph;
}

static Graph *from_shape(Diagnostics *diag, const void *shape) { return mlp_graph(shape, diag); }

static void assert_text(const char *text) {
    static const int threads[] = {1, 3};
    for (int level = 0; level <= 3; level++)
        for (int i = 0; i < 2; i++)
            assert_equal(from_text, text, (ProgramSetting){.level = level, .threads = threads[i]});
}

static void elementwise(void **state) {
    (void)state;
    assert_text(
        "mlc-ir 1\ngraph \"t\"\n"
        "%1 = input f32[7,33] value \"a\"\n%2 = input f32[7,33] value \"b\"\n"
        "%3 = add f32[7,33] %1 %2\n%4 = fma f32[7,33] %3 %1 %2\n%5 = lt bool[7,33] %4 %2\n"
        "%6 = select f32[7,33] %5 %3 %4\n%7 = max f32[7,33] %6 %1\n%8 = convert i32[7,33] %7\n"
        "output \"x\" %7\noutput \"y\" %8\noutput \"z\" %5\n");
}

/* Whole numbers of f32 that are NaN, infinite, beyond the limits of i32, and round the limits of
 * bytes. */
static void conversions(void **state) {
    (void)state;
    assert_text(
        "mlc-ir 1\ngraph \"t\"\n"
        "%1 = input f32[7,33] value \"a\"\n%2 = sqrt f32[7,33] %1\n%3 = constant f32[7,33] 0\n"
        "%4 = div f32[7,33] %1 %3\n%5 = constant f32[7,33] 100\n%6 = mul f32[7,33] %1 %5\n"
        "%7 = constant f32[7,33] 3e9\n%8 = mul f32[7,33] %1 %7\n"
        "%9 = constant f32[7,33] 255\n%10 = add f32[7,33] %1 %9\n"
        "%11 = concat f32[35,33] %2 %4 %6 %8 %10 axis=0\n"
        "%12 = convert i32[35,33] %11\n%13 = convert u8[35,33] %11\n%14 = convert i8[35,33] %11\n"
        "%15 = convert i32[35,33] %13\n%16 = convert i32[35,33] %14\n"
        "output \"whole\" %12\noutput \"u8\" %15\noutput \"i8\" %16\n");
}

static void views(void **state) {
    (void)state;
    assert_text(
        "mlc-ir 1\ngraph \"t\"\n"
        "%1 = input f32[5,6,7] value \"a\"\n"
        "%2 = transpose f32[7,5,6] %1 perm=[2,0,1]\n%3 = neg f32[7,5,6] %2\n%4 = reshape f32[35,6] %3\n"
        "%5 = pad f32[40,9] %4 before=[2,1] after=[3,2]\n%6 = slice f32[13,4] %5 start=[1,0] stop=[40,8] step=[3,2]\n"
        "%7 = concat f32[70,6] %4 %4 axis=0\noutput \"x\" %6\noutput \"y\" %5\n");
}

/* Values that are written along one axis and read along another: whole tiles, ragged tiles, and
 * several values at once. */
static void turned_tiles(void **state) {
    (void)state;
    assert_text(
        "mlc-ir 1\ngraph \"t\"\n"
        "%1 = input f32[3,20,50,2] value \"a\"\n%2 = input f32[3,20,50,2] value \"b\"\n%3 = input f32[3,50,20] value \"c\"\n"
        "%4 = sum f32[3,20,50] %1 axis=3\n%5 = sum f32[3,20,50] %2 axis=3\n"
        "%6 = transpose f32[3,50,20] %4 perm=[0,2,1]\n%7 = transpose f32[3,50,20] %5 perm=[0,2,1]\n"
        "%8 = fma f32[3,50,20] %6 %7 %3\n%9 = slice f32[3,16,32] %4 start=[0,2,5] stop=[3,18,37] step=[1,1,1]\n"
        "%10 = transpose f32[32,3,16] %9 perm=[2,0,1]\n%11 = reshape f32[32,48] %10\n%12 = neg f32[32,48] %11\n"
        "%13 = pad f32[3,26,53] %5 before=[0,4,1] after=[0,2,2]\n%14 = transpose f32[3,53,26] %13 perm=[0,2,1]\n"
        "output \"x\" %8\noutput \"y\" %12\noutput \"z\" %10\noutput \"p\" %14\n");
}

/* Concatenated parts that one vector reads together, along the vector's axis or another axis, and
 * parts that it does not. */
static void parts(void **state) {
    (void)state;
    assert_text(
        "mlc-ir 1\ngraph \"t\"\n"
        "%1 = input f32[5,32] value \"a\"\n%2 = input f32[5,16] value \"b\"\n%3 = input f32[5,20] value \"c\"\n"
        "%4 = concat f32[5,68] %1 %2 %3 axis=1\n%5 = neg f32[5,68] %4\n%6 = concat f32[5,64] %1 %2 %2 axis=1\n%7 = neg "
        "f32[5,64] %6\n"
        "%8 = concat f32[15,32] %1 %1 %1 axis=0\n%9 = sqrt f32[15,32] %8\n%10 = reshape f32[5,3,32] %9\n"
        "%11 = transpose f32[3,5,32] %10 perm=[1,0,2]\n%12 = pad f32[5,57] %3 before=[0,3] after=[0,34]\n"
        "%13 = broadcast f32[4,5,57] %12\n%14 = input f32[4,5,57] value \"d\"\n%15 = add f32[4,5,57] %13 %14\n"
        "%16 = pad f32[7,64] %1 before=[1,16] after=[1,16]\n%17 = neg f32[7,64] %16\n"
        "output \"u\" %5\noutput \"v\" %7\noutput \"w\" %11\noutput \"x\" %15\noutput \"y\" %17\n");
}

/* Running sums and scatters along the last axis and others, alone and with operations after
 * them. */
/* Single columns next to each other. If rows are whole vectors, two, three or eight columns are
 * interleaved in registers; others are chosen lane by lane. */
static void columns_in_turn(void **state) {
    (void)state;
    assert_text(
        "mlc-ir 1\ngraph \"t\"\n"
        "%1 = input f32[96,5] value \"a\"\n%2 = sum f32[96] %1 axis=1\n%3 = reduce_max f32[96] %1 axis=1\n"
        "%4 = argmax i32[96] %1 axis=1\n%5 = convert f32[96] %4\n"
        "%6 = reshape f32[96,1] %2\n%7 = reshape f32[96,1] %3\n%8 = reshape f32[96,1] %5\n"
        "%9 = concat f32[96,2] %6 %7 axis=1\n%10 = reshape f32[4,48] %9\n%11 = neg f32[4,48] %10\n"
        "%12 = reshape f32[24,8] %9\n%13 = neg f32[24,8] %12\n"
        "%14 = concat f32[96,3] %6 %7 %8 axis=1\n%15 = reshape f32[9,32] %14\n%16 = neg f32[9,32] %15\n"
        "%17 = concat f32[96,8] %6 %7 %7 %6 %6 %6 %7 %6 axis=1\n%18 = reshape f32[12,64] %17\n%19 = neg f32[12,64] %18\n"
        "output \"x\" %11\noutput \"y\" %13\noutput \"z\" %16\noutput \"w\" %19\n");
}

static void walks(void **state) {
    (void)state;
    assert_text(
        "mlc-ir 1\ngraph \"t\"\n"
        "%1 = input f32[40,20] value \"a\"\n%2 = input i32[40,1] value \"i\"\n%3 = input i32[40,20] value \"j\"\n"
        "%4 = broadcast i32[40,20] %2\n%5 = scatter_add f32[7,20] %1 %4 axis=0\n%6 = state f32[7,20] trainable \"w\" "
        "constant(0)\n"
        "%7 = add f32[7,20] %6 %5\n%8 = cumsum f32[40,20] %1 axis=1\n%9 = cumsum f32[40,20] %1 axis=0\n%10 = mul "
        "f32[40,20] %9 %1\n"
        "%11 = scatter_add f32[40,3] %1 %3 axis=1\n%12 = scatter_add f32[6,20] %1 %3 axis=0\n%13 = neg f32[6,20] %12\n"
        "output \"u\" %5\noutput \"v\" %8\noutput \"w\" %10\noutput \"x\" %11\noutput \"y\" %13\nupdate %6 %7\n");
}

/* Long columns: several vectors are added side by side. */
static void long_columns(void **state) {
    (void)state;
    assert_text(
        "mlc-ir 1\ngraph \"t\"\n"
        "%1 = input f32[100,256] value \"a\"\n%2 = input f32[9,33,60] value \"b\"\n%3 = sum f32[256] %1 axis=0\n"
        "%4 = sqrt f32[256] %3\n%5 = reduce_max f32[9,60] %2 axis=1\n%6 = input f32[40,50,6] value \"c\"\n"
        "%7 = sum f32[40,6] %6 axis=1\n%8 = input f32[14,40,32] value \"d\"\n%9 = sum f32[14,32] %8 axis=1\n"
        "output \"x\" %4\noutput \"y\" %5\noutput \"z\" %7\noutput \"w\" %9\n");
}

/* Sums in blocks: along columns, alone and side by side, along rows, of values computed on the way,
 * and with operations after them. */
static void long_sums(void **state) {
    (void)state;
    assert_text(
        "mlc-ir 1\ngraph \"t\"\n"
        "%1 = input f32[1025,40] value \"a\"\n%2 = sum f32[40] %1 axis=0\n%3 = sqrt f32[40] %2\n"
        "%4 = input f32[3,3072,64] value \"b\"\n%5 = sum f32[3,64] %4 axis=1\n"
        "%6 = input f32[5121,2] value \"c\"\n%7 = mul f32[5121,2] %6 %6\n%8 = sum f32[2] %7 axis=0\n"
        "%9 = input f32[2,16385] value \"d\"\n%10 = sum f32[2] %9 axis=1\n"
        "%11 = input f32[114695] value \"e\"\n%12 = abs f32[114695] %11\n%13 = sum f32[] %12 axis=0\n"
        "%14 = input f32[40000,1] value \"f\"\n%15 = sum f32[1] %14 axis=0\n"
        "output \"u\" %3\noutput \"v\" %5\noutput \"w\" %8\noutput \"x\" %10\noutput \"y\" %13\noutput \"z\" %15\n");
}

/* Maxima of zeros of both signs, of NaN among numbers, and of infinities of both signs: along short
 * rows, long rows and columns. */
static void largest(void **state) {
    (void)state;
    assert_text(
        "mlc-ir 1\ngraph \"t\"\n"
        "%1 = input f32[40,3,2] value \"a\"\n%2 = constant f32[40,3,2] 0\n%3 = mul f32[40,3,2] %1 %2\n"
        "%4 = sqrt f32[40,3,2] %1\n%5 = div f32[40,3,2] %1 %2\n"
        "%6 = reduce_max f32[40,3] %3 axis=2\n%7 = reduce_max f32[40,3] %4 axis=2\n%8 = reduce_max f32[40,3] %5 axis=2\n"
        "%9 = reduce_max f32[40,2] %3 axis=1\n%10 = reduce_max f32[40,2] %4 axis=1\n%11 = reduce_max f32[40,2] %5 axis=1\n"
        "%12 = reshape f32[240] %1\n%13 = reduce_max f32[] %12 axis=0\n%14 = reshape f32[240] %5\n"
        "%15 = reduce_max f32[] %14 axis=0\n"
        "output \"a\" %6\noutput \"b\" %7\noutput \"c\" %8\noutput \"d\" %9\noutput \"e\" %10\n"
        "output \"f\" %11\noutput \"g\" %13\noutput \"h\" %15\n");
}

static void narrow_products(void **state) {
    (void)state;
    assert_text(
        "mlc-ir 1\ngraph \"t\"\n"
        "%1 = input f32[9,5] value \"a\"\n%2 = input f32[5,1] value \"b\"\n%3 = input f32[1,5] value \"c\"\n"
        "%4 = matmul f32[9,1] %1 %2\n%5 = matmul f32[1,9] %3 %1 transpose_b\n%6 = matmul f32[1,1] %3 %2\n"
        "output \"x\" %4\noutput \"y\" %5\noutput \"z\" %6\n");
}

static void mlps(void **state) {
    (void)state;
    static const int64_t widths[] = {33, 40, 17, 10};
    MlpShape shape = {.batch = 13, .widths = widths, .layers = 3, .train = true};
    for (int level = 0; level <= 3; level++)
        for (int threads = 1; threads <= 3; threads++)
            assert_equal(from_shape, &shape, (ProgramSetting){.level = level, .threads = threads});
    assert_equal(from_shape, &shape,
                 (ProgramSetting){.level = 2, .threads = 2, .cpu = "x86-64-v3"});
    shape.batch = 1;
    assert_equal(from_shape, &shape, (ProgramSetting){.level = 3, .threads = 2});
}

static void mnist(void **state) {
    (void)state;
    static const int64_t widths[] = {784, 512, 256, 128, 10};
    MlpShape shape = {.batch = 64, .widths = widths, .layers = 4, .train = true};
    assert_equal(from_shape, &shape, (ProgramSetting){.level = 3, .threads = 2});
    /* another core with AVX-512, whose epilogues have another order, also with cut tiles */
    assert_equal(from_shape, &shape,
                 (ProgramSetting){.level = 2, .threads = 1, .cpu = "x86-64-v4"});
    static const int64_t odd[] = {100, 77, 50, 20};
    MlpShape cut = {.batch = 33, .widths = odd, .layers = 3, .train = true};
    assert_equal(from_shape, &cut, (ProgramSetting){.level = 2, .threads = 2, .cpu = "x86-64-v4"});
}

/* Forward only: for a gradient near zero, Adam turns the smallest difference into a whole step. */
static void openblas(void **state) {
    (void)state;
    static const int64_t widths[] = {33, 40, 17, 10};
    MlpShape shape = {.batch = 13, .widths = widths, .layers = 3};
    assert_equal(from_shape, &shape, (ProgramSetting){.level = 2, .threads = 2, .gemm = true});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elementwise),     cmocka_unit_test(conversions),
        cmocka_unit_test(views),           cmocka_unit_test(turned_tiles),
        cmocka_unit_test(parts),           cmocka_unit_test(columns_in_turn),
        cmocka_unit_test(walks),           cmocka_unit_test(long_columns),
        cmocka_unit_test(long_sums),       cmocka_unit_test(largest),
        cmocka_unit_test(narrow_products), cmocka_unit_test(mlps),
        cmocka_unit_test(mnist),           cmocka_unit_test(openblas)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
