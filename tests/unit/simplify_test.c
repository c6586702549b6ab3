/* Exact algebra. Every rule fires where it should, and does not where a bit would change. Each case
 * is interpreted before and after, on values that include all special ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "passes/pass_list.h"
#include "tests/support/random_graph.h"
#include "tests/support/texts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Inputs of every case. Its own nodes begin with %12, and the last one is the output. */
#define INPUTS                                                                                     \
    "mlc-ir 1\ngraph \"case\"\n"                                                                   \
    "%1 = input f32[32] value \"x\"\n"                                                             \
    "%2 = input f32[32] value \"y\"\n"                                                             \
    "%3 = input f32[4,8] value \"m\"\n"                                                            \
    "%4 = input f32[8,4] value \"n\"\n"                                                            \
    "%5 = input f32[] value \"s\"\n"                                                               \
    "%6 = input u8[32] value \"u\"\n"                                                              \
    "%7 = input bool[32] value \"c\"\n"                                                            \
    "%8 = input bool[32] value \"d\"\n"                                                            \
    "%9 = input i32[32] value \"i\"\n"                                                             \
    "%10 = input f32[1,8] value \"r\"\n"                                                           \
    "%11 = input f32[1,1,8] value \"q\"\n"

typedef struct {
    const char *lines;    /* the case */
    const char *expected; /* its output after simplification */
} Case;

static const Case arithmetic[] = {
    {"%12 = constant f32[32] -0\n%13 = add f32[32] %1 %12\n", "x"},
    {"%12 = constant f32[32] -0\n%13 = add f32[32] %12 %1\n", "x"},
    {"%12 = constant f32[32] 0\n%13 = add f32[32] %1 %12\n", "(add x 0)"},
    {"%12 = constant i32[32] 0\n%13 = add i32[32] %9 %12\n", "i"},
    {"%12 = neg f32[32] %2\n%13 = add f32[32] %1 %12\n", "(sub x y)"},
    {"%12 = neg f32[32] %1\n%13 = add f32[32] %12 %2\n", "(sub y x)"},
    {"%12 = constant f32[32] 0\n%13 = sub f32[32] %1 %12\n", "x"},
    {"%12 = constant f32[32] -0\n%13 = sub f32[32] %1 %12\n", "(sub x -0)"},
    {"%12 = constant f32[32] -0\n%13 = sub f32[32] %12 %1\n", "(neg x)"},
    {"%12 = constant f32[32] 0\n%13 = sub f32[32] %12 %1\n", "(sub 0 x)"},
    {"%12 = constant i32[32] 0\n%13 = sub i32[32] %12 %9\n", "(neg i)"},
    {"%12 = neg f32[32] %2\n%13 = sub f32[32] %1 %12\n", "(add x y)"},
    {"%12 = sub i32[32] %9 %9\n", "0"},
    {"%12 = sub f32[32] %1 %1\n", "(sub x x)"},
    {"%12 = constant f32[32] 1\n%13 = mul f32[32] %12 %1\n", "x"},
    {"%12 = constant f32[32] -1\n%13 = mul f32[32] %1 %12\n", "(neg x)"},
    {"%12 = constant f32[32] 0\n%13 = mul f32[32] %1 %12\n", "(mul x 0)"},
    {"%12 = constant i32[32] 0\n%13 = mul i32[32] %9 %12\n", "0"},
    {"%12 = neg f32[32] %1\n%13 = neg f32[32] %2\n%14 = mul f32[32] %12 %13\n", "(mul x y)"},
    {"%12 = neg f32[32] %1\n%13 = neg f32[32] %2\n%14 = div f32[32] %12 %13\n", "(div x y)"},
    {"%12 = neg f32[32] %1\n%13 = mul f32[32] %12 %2\n", "(mul (neg x) y)"},
    {"%12 = neg f32[32] %1\n%13 = constant f32[32] 3\n%14 = mul f32[32] %12 %13\n", "(mul x -3)"},
    {"%12 = neg f32[32] %1\n%13 = constant f32[32] 3\n%14 = div f32[32] %12 %13\n", "(div x -3)"},
    {"%12 = constant f32[32] 3\n%13 = mul f32[32] %1 %12\n%14 = neg f32[32] %13\n", "(mul x -3)"},
    {"%12 = sub f32[32] %1 %2\n%13 = neg f32[32] %12\n", "(neg (sub x y))"},
    {"%12 = neg f32[32] %1\n%13 = neg f32[32] %12\n", "x"},
    {"%12 = neg f32[32] %1\n%13 = abs f32[32] %12\n%14 = abs f32[32] %13\n", "(abs x)"},
    {"%12 = constant f32[32] 1\n%13 = div f32[32] %1 %12\n", "x"},
    {"%12 = constant f32[32] -8\n%13 = div f32[32] %1 %12\n", "(mul x -0.125)"},
    {"%12 = constant f32[32] 1.7014118e+38\n%13 = div f32[32] %1 %12\n", "(mul x 5.8774718e-39)"},
    {"%12 = constant f32[32] 1e-45\n%13 = div f32[32] %1 %12\n", "(div x 1.4012985e-45)"},
    {"%12 = constant f32[32] 3\n%13 = div f32[32] %1 %12\n", "(div x 3)"},
    {"%12 = constant f32[32] 0\n%13 = div f32[32] %1 %12\n", "(div x 0)"},
    {"%12 = constant f32[32] inf\n%13 = div f32[32] %1 %12\n", "(div x inf)"},
    {"%12 = constant f32[32] 1\n%13 = fma f32[32] %12 %1 %2\n", "(add x y)"},
    {"%12 = constant f32[32] -1\n%13 = fma f32[32] %1 %12 %2\n", "(sub y x)"},
    {"%12 = constant f32[32] -0\n%13 = fma f32[32] %1 %2 %12\n", "(mul x y)"},
    {"%12 = constant f32[32] 0\n%13 = fma f32[32] %1 %2 %12\n", "(fma x y 0)"},
    {"%12 = neg f32[32] %1\n%13 = neg f32[32] %2\n%14 = fma f32[32] %12 %13 %1\n", "(fma x y x)"},
    {"%12 = neg f32[32] %1\n%13 = constant f32[32] 3\n%14 = fma f32[32] %13 %12 %2\n",
     "(fma x -3 y)"},
    {"%12 = neg f32[32] %1\n%13 = fma f32[32] %12 %2 %1\n", "(fma (neg x) y x)"},
    {"%12 = mul f32[32] %1 %2\n%13 = add f32[32] %12 %1\n", "(add (mul x y) x)"},
    {"%12 = min f32[32] %1 %2\n%13 = min f32[32] %12 %2\n", "(min x y)"},
    {"%12 = max f32[32] %1 %1\n", "x"},
    {"%12 = constant f32[32] 0\n%13 = max f32[32] %1 %12\n%14 = max f32[32] %12 %13\n",
     "(max x 0)"},
    {"%12 = min f32[32] %1 %2\n%13 = max f32[32] %12 %2\n", "(max (min x y) y)"},
    {"%12 = rint f32[32] %1\n%13 = floor f32[32] %12\n", "(rint x)"},
    {"%12 = convert f32[32] %9\n%13 = rint f32[32] %12\n", "(convert:f32 i)"},
};

static const Case bytes[] = {
    {"%12 = convert f32[32] %6\n%13 = constant f32[32] 255\n%14 = div f32[32] %12 %13\n",
     "(fma (fma (mul (convert:f32 u) 0.0039215689) -255 (convert:f32 u)) 0.0039215689 (mul (convert:f32 u) 0.0039215689))"},
    {"%12 = convert f32[32] %6\n%13 = constant f32[32] 256\n%14 = div f32[32] %12 %13\n",
     "(mul (convert:f32 u) 0.00390625)"},
    {"%12 = convert f32[32] %6\n%13 = constant f32[32] 0\n%14 = div f32[32] %12 %13\n",
     "(div (convert:f32 u) 0)"},
    {"%12 = convert f32[32] %9\n%13 = constant f32[32] 255\n%14 = div f32[32] %12 %13\n",
     "(div (convert:f32 i) 255)"},
};

static const Case logic[] = {
    {"%12 = not bool[32] %7\n%13 = not bool[32] %12\n", "c"},
    {"%12 = eq bool[32] %1 %2\n%13 = not bool[32] %12\n", "(ne x y)"},
    {"%12 = ne bool[32] %1 %2\n%13 = not bool[32] %12\n", "(eq x y)"},
    {"%12 = lt bool[32] %1 %2\n%13 = not bool[32] %12\n", "(not (lt x y))"},
    {"%12 = and bool[32] %7 %7\n%13 = or bool[32] %12 %12\n", "c"},
    {"%12 = xor i32[32] %9 %9\n", "0"},
    {"%12 = constant bool[32] true\n%13 = and bool[32] %12 %7\n", "c"},
    {"%12 = constant bool[32] false\n%13 = and bool[32] %7 %12\n", "false"},
    {"%12 = constant bool[32] false\n%13 = or bool[32] %7 %12\n", "c"},
    {"%12 = constant bool[32] true\n%13 = or bool[32] %7 %12\n", "true"},
    {"%12 = constant bool[32] true\n%13 = xor bool[32] %7 %12\n", "(not c)"},
    {"%12 = constant bool[32] false\n%13 = xor bool[32] %7 %12\n", "c"},
    {"%12 = constant i32[32] 1\n%13 = and i32[32] %9 %12\n", "(and i 1)"},
    {"%12 = constant i32[32] -1\n%13 = and i32[32] %9 %12\n", "i"},
    {"%12 = constant i32[32] 0\n%13 = shl i32[32] %9 %12\n%14 = shr i32[32] %13 %12\n", "i"},
    {"%12 = lt bool[32] %1 %1\n", "false"},
    {"%12 = eq bool[32] %9 %9\n", "true"},
    {"%12 = le bool[32] %9 %9\n", "true"},
    {"%12 = eq bool[32] %1 %1\n", "(eq x x)"},
    {"%12 = ne bool[32] %1 %1\n", "(ne x x)"},
    {"%12 = le bool[32] %1 %1\n", "(le x x)"},
    {"%12 = constant bool[32] true\n%13 = select f32[32] %12 %1 %2\n", "x"},
    {"%12 = constant bool[32] false\n%13 = select f32[32] %12 %1 %2\n", "y"},
    {"%12 = select f32[32] %7 %1 %1\n", "x"},
    {"%12 = not bool[32] %7\n%13 = select f32[32] %12 %1 %2\n", "(select c y x)"},
    {"%12 = constant bool[32] true\n%13 = constant bool[32] false\n%14 = select bool[32] %7 %12 %13\n",
     "c"},
    {"%12 = constant bool[32] true\n%13 = constant bool[32] false\n%14 = select bool[32] %7 %13 %12\n",
     "(not c)"},
    {"%12 = select f32[32] %7 %1 %2\n%13 = abs f32[32] %1\n%14 = select f32[32] %7 %12 %13\n",
     "(select c x (abs x))"},
    {"%12 = select f32[32] %7 %1 %2\n%13 = abs f32[32] %1\n%14 = select f32[32] %7 %13 %12\n",
     "(select c (abs x) y)"},
    {"%12 = select f32[32] %8 %1 %2\n%13 = select f32[32] %7 %12 %2\n",
     "(select c (select d x y) y)"},
    {"%12 = convert i32[32] %6\n%13 = convert f32[32] %12\n", "(convert:f32 u)"},
    {"%12 = convert f32[32] %6\n%13 = convert u8[32] %12\n", "u"},
    {"%12 = convert u8[32] %9\n%13 = convert f32[32] %12\n", "(convert:f32 (convert:u8 i))"},
    {"%12 = convert f32[32] %9\n%13 = convert i32[32] %12\n", "(convert:i32 (convert:f32 i))"},
    {"%12 = convert bool[32] %6\n%13 = convert u8[32] %12\n", "(convert:u8 (convert:bool u))"},
    {"%12 = bitcast i32[32] %1\n%13 = bitcast f32[32] %12\n", "x"},
};

static const Case views[] = {
    {"%12 = reshape f32[2,16] %1\n%13 = reshape f32[32] %12\n", "x"},
    {"%12 = reshape f32[2,16] %1\n%13 = reshape f32[8,4] %12\n", "(reshape[8,4] x)"},
    {"%12 = broadcast f32[2,4] %5\n%13 = reshape f32[8] %12\n", "(broadcast[8] s)"},
    {"%12 = broadcast f32[2,8] %10\n%13 = broadcast f32[3,2,8] %12\n", "(broadcast[3,2,8] r)"},
    {"%12 = broadcast f32[1,1,8] %10\n", "(reshape[1,1,8] r)"},
    {"%12 = reshape f32[8] %10\n%13 = broadcast f32[4,8] %12\n", "(broadcast[4,8] r)"},
    {"%12 = reshape f32[8] %11\n%13 = broadcast f32[4,8] %12\n", "(broadcast[4,8] (reshape[8] q))"},
    {"%12 = reshape f32[8,1] %10\n%13 = broadcast f32[8,4] %12\n",
     "(broadcast[8,4] (reshape[8,1] r))"},
    {"%12 = transpose f32[8,1] %10 perm=[1,0]\n", "(reshape[8,1] r)"},
    {"%12 = transpose f32[8,4] %3 perm=[1,0]\n", "(transpose[8,4] m)"},
    {"%12 = transpose f32[8,4] %3 perm=[1,0]\n%13 = transpose f32[4,8] %12 perm=[1,0]\n", "m"},
    {"%12 = slice f32[4,8] %3 start=[0,0] stop=[4,8] step=[1,1]\n", "m"},
    {"%12 = slice f32[3,3] %3 start=[1,1] stop=[4,8] step=[1,3]\n%13 = slice f32[1,2] %12 start=[2,0] stop=[3,3] step=[2,2]\n",
     "(slice[1,2] m)"},
    {"%12 = abs f32[4,8] %3\n%13 = concat f32[8,8] %3 %12 axis=0\n%14 = slice f32[2,8] %13 start=[5,0] stop=[8,8] step=[2,1]\n",
     "(slice[2,8] (abs m))"},
    {"%12 = abs f32[4,8] %3\n%13 = concat f32[8,8] %3 %12 axis=0\n%14 = slice f32[2,8] %13 start=[3,0] stop=[5,8] step=[1,1]\n",
     "(slice[2,8] (concat[8,8] m (abs m)))"},
    {"%12 = pad f32[4,8] %3 before=[0,0] after=[0,0]\n", "m"},
    {"%12 = pad f32[5,8] %3 before=[1,0] after=[0,0]\n%13 = pad f32[7,9] %12 before=[1,0] after=[1,1]\n",
     "(pad[7,9] m)"},
    {"%12 = concat f32[4,8] %3 axis=1\n", "m"},
    {"%12 = sum f32[8] %10 axis=0\n", "(reshape[8] (add r 0))"},
    {"%12 = reduce_max f32[8] %10 axis=0\n", "(reshape[8] r)"},
    {"%12 = sum f32[8] %3 axis=0\n", "(sum m)"},
    {"%12 = broadcast f32[4,8] %10\n%13 = sum f32[8] %12 axis=0\n", "(sum (broadcast[4,8] r))"},
    {"%12 = transpose f32[8,4] %3 perm=[1,0]\n%13 = reshape f32[32] %12\n",
     "(reshape[32] (transpose[8,4] m))"},
    {"%12 = transpose f32[8,4] %3 perm=[1,0]\n%13 = matmul f32[4,4] %3 %12\n", "(matmul:b m m)"},
    {"%12 = transpose f32[8,4] %3 perm=[1,0]\n%13 = matmul f32[8,8] %12 %12 transpose_b\n",
     "(matmul:a m m)"},
    {"%12 = transpose f32[4,8] %4 perm=[1,0]\n%13 = matmul f32[8,8] %3 %12 transpose_a\n",
     "(matmul:ab m n)"},
};

static const Case motion[] = {
    {"%12 = reshape f32[2,16] %1\n%13 = abs f32[2,16] %12\n%14 = reshape f32[2,16] %2\n%15 = add f32[2,16] %13 %14\n",
     "(reshape[2,16] (add (abs x) y))"},
    {"%12 = reshape f32[2,16] %1\n%13 = constant f32[2,16] 3\n%14 = mul f32[2,16] %12 %13\n",
     "(reshape[2,16] (mul x 3))"},
    {"%12 = reshape f32[4,8] %1\n%13 = add f32[4,8] %12 %3\n", "(add (reshape[4,8] x) m)"},
    {"%12 = reshape f32[2,16] %1\n%13 = broadcast f32[2,16] %5\n%14 = mul f32[2,16] %12 %13\n",
     "(reshape[2,16] (mul x (broadcast[32] s)))"},
    {"%12 = broadcast f32[32] %5\n%13 = abs f32[32] %12\n", "(broadcast[32] (abs s))"},
    {"%12 = broadcast f32[4,8] %10\n%13 = broadcast f32[4,8] %5\n%14 = div f32[4,8] %12 %13\n",
     "(broadcast[4,8] (div r (broadcast[1,8] s)))"},
    {"%12 = broadcast f32[4,8] %10\n%13 = reshape f32[8,1] %10\n%14 = slice f32[4,1] %13 start=[0,0] stop=[4,1] step=[1,1]\n"
     "%15 = broadcast f32[4,8] %14\n%16 = mul f32[4,8] %12 %15\n",
     "(mul (broadcast[4,8] r) (broadcast[4,8] (slice[4,1] (reshape[8,1] r))))"},
    {"%12 = broadcast f32[4,8] %10\n%13 = mul f32[4,8] %12 %3\n", "(mul (broadcast[4,8] r) m)"},
};

/* The gradient g of max_pool over windows of 2 x 2 of an image, and of relu before it:
 * 0 < image ? back(argmax == place ? g : 0) : 0. */
#define POOL_GRADIENT(image, window, limit, compared, others)                                      \
    "%12 = reshape f32[2,16] %1\n%13 = slice f32[1,16] %12 start=[0,0] stop=[1,16] step=[1,1]\n"   \
    "%14 = reshape f32[1,4,4,1] %13\n%15 = concat f32[1,4,4,2] %14 %14 axis=3\n"                   \
    "%16 = " image "\n%17 = windows f32[1,2,2,2,2,2] %16 " window "\n"                             \
    "%18 = reshape f32[1,2,2,4,2] %17\n%19 = argmax i32[1,2,2,2] %18 axis=3\n"                     \
    "%20 = reshape i32[1,2,2,1,2] %19\n%21 = broadcast i32[1,2,2,4,2] %20\n"                       \
    "%22 = iota i32[1,2,2,4,2] axis=3\n%23 = eq bool[1,2,2,4,2] %21 %22\n"                         \
    "%24 = reshape f32[1,2,2,1,2] %10\n%25 = broadcast f32[1,2,2,4,2] %24\n"                       \
    "%26 = constant f32[1,2,2,4,2] 0\n%27 = select f32[1,2,2,4,2] %23 %25 %26\n"                   \
    "%28 = reshape f32[1,2,2,2,2,2] %27\n"                                                         \
    "%29 = transpose f32[1,2,2,2,2,2] %28 perm=[0,1,3,2,4,5]\n"                                    \
    "%30 = reshape f32[1,4,4,2] %29\n%31 = constant f32[1,4,4,2] " limit "\n"                      \
    "%32 = lt bool[1,4,4,2] %31 " compared "\n%33 = constant f32[1,4,4,2] " others "\n"            \
    "%34 = select f32[1,4,4,2] %32 %30 %33\n"
#define NEGATED "neg f32[1,4,4,2] %15"
#define APART "kernel=[2,2] stride=[2,2] dilation=[1,1]"
#define X_TWICE                                                                                    \
    "(concat[1,4,4,2] (reshape[1,4,4,1] (slice[1,16] (reshape[2,16] x))) "                         \
    "(reshape[1,4,4,1] (slice[1,16] (reshape[2,16] x))))"
#define CORNER "(slice[1,3,3,2] " X_TWICE ")"
#define ELEMENTS(image) "(reshape[1,2,2,4,2] (windows[1,2,2,2,2,2] " image "))"
#define BACK(image, gradient)                                                                      \
    "(reshape[1,4,4,2] (transpose[1,2,2,2,2,2] (reshape[1,2,2,2,2,2] (select (eq "                 \
    "(broadcast[1,2,2,4,2] (reshape[1,2,2,1,2] (argmax " ELEMENTS(                                 \
        image) "))) (iota)) "                                                                      \
               "(broadcast[1,2,2,4,2] " gradient ") 0))))"
#define GRADIENT "(reshape[1,2,2,1,2] r)"
#define MOVED(limit)                                                                               \
    BACK("(neg " X_TWICE ")", "(select (reshape[1,2,2,1,2] (lt " limit                             \
                              " (reduce_max " ELEMENTS("(neg " X_TWICE ")") "))) " GRADIENT " 0)")

/* The rule fires for any limit. It does not if another image is compared, windows overlap, or other
 * places get -0. */
static const Case pools[] = {
    {POOL_GRADIENT(NEGATED, APART, "0", "%16", "0"), MOVED("0")},
    {POOL_GRADIENT(NEGATED, APART, "-1", "%16", "0"), MOVED("-1")},
    {POOL_GRADIENT(NEGATED, APART, "0", "%15", "0"),
     "(select (lt 0 " X_TWICE ") " BACK("(neg " X_TWICE ")", GRADIENT) " 0)"},
    {POOL_GRADIENT("slice f32[1,3,3,2] %15 start=[0,0,0,0] stop=[1,3,3,2] step=[1,1,1,1]",
                   "kernel=[2,2] stride=[1,1] dilation=[1,1]", "0", "%15", "0"),
     "(select (lt 0 " X_TWICE ") " BACK(CORNER, GRADIENT) " 0)"},
    {POOL_GRADIENT(NEGATED, APART, "0", "%16", "-0"),
     "(select (lt 0 (neg " X_TWICE ")) " BACK("(neg " X_TWICE ")", GRADIENT) " -0)"},
};

/* -- a node as text -- */

static void write_node(FILE *out, const Graph *graph, NodeId id);

static void write_constant(FILE *out, const Node *node) {
    if (node->dtype == DTYPE_F32)
        fprintf(out, "%.8g", (double)node->attrs.value.f);
    else if (node->dtype == DTYPE_BOOL)
        fputs(node->attrs.value.bits ? "true" : "false", out);
    else
        fprintf(out, "%d", node->attrs.value.i);
}

static void write_operation(FILE *out, const Graph *graph, const Node *node) {
    fprintf(out, "(%s", op_name(node->op));
    if (op_class(node->op) == CLASS_VIEW) {
        for (int i = 0; i < node->shape.rank; i++)
            fprintf(out, "%c%d", i ? ',' : '[', (int)node->shape.dim[i]);
        fputc(']', out);
    }
    if (node->op == OP_convert || node->op == OP_bitcast)
        fprintf(out, ":%s", dtype_name(node->dtype));
    if (node->op == OP_matmul && (node->attrs.matmul.transpose_a || node->attrs.matmul.transpose_b))
        fprintf(out, ":%s%s", node->attrs.matmul.transpose_a ? "a" : "",
                node->attrs.matmul.transpose_b ? "b" : "");
    for (uint32_t i = 0; i < node->operand_count; i++) {
        fputc(' ', out);
        write_node(out, graph, node->operands[i]);
    }
    fputc(')', out);
}

static void write_node(FILE *out, const Graph *graph, NodeId id) {
    const Node *node = graph_node(graph, id);
    if (op_attrs(node->op) == ATTRS_SYMBOL)
        fputs(graph->symbols[node->attrs.symbol].name, out);
    else if (node->op == OP_constant)
        write_constant(out, node);
    else
        write_operation(out, graph, node);
}

/* -- values -- */

static const float awkward[] = {
    0,         -0.0f,           1,    -1, INFINITY,         -INFINITY, NAN, 0x1p-149f, -0x1p-149f,
    0x1p-126f, 0x1.fffffep127f, 0.1f, -3, 0x1.fffffep-127f, 1e30f,     7};

/* Every pair of special values meets in x and y: the second value stands `offset` later in the
 * list. */
static uint32_t value_bits(DType dtype, size_t i, size_t offset) {
    size_t at = (i * offset + i / 16) % 16;
    Attrs attrs = {.value.f = awkward[at]};
    if (dtype == DTYPE_F32) return attrs.value.bits;
    if (dtype == DTYPE_I32) return i % 3 ? (uint32_t)i * 2654435761u : (uint32_t)i;
    return dtype == DTYPE_U8 ? (uint32_t)(i * 7 + offset * 32) & 255
                             : (uint32_t)(i * offset / 2) & 1;
}

static void fill(Interp *interp, const Graph *graph, size_t round) {
    for (uint32_t s = 0; s < graph->symbol_count; s++) {
        const Symbol *symbol = &graph->symbols[s];
        if (!symbol->node) continue;
        for (size_t i = 0; i < (size_t)shape_elements(symbol->shape); i++) {
            uint32_t bits = value_bits(symbol->dtype, i + s * round, s + round);
            memcpy((char *)interp_value(interp, symbol->node) + i * dtype_bytes(symbol->dtype),
                   &bits, dtype_bytes(symbol->dtype));
        }
    }
}

static bool same_value(const void *a, const void *b, DType dtype) {
    float x, y;
    memcpy(&x, a, dtype_bytes(dtype));
    memcpy(&y, b, dtype_bytes(dtype));
    return !memcmp(a, b, dtype_bytes(dtype)) || (dtype == DTYPE_F32 && isnan(x) && isnan(y));
}

static void expect_same_values(const Graph *before, const Graph *after, const Case *at) {
    Interp *a = interp_new(before, INTERP_F32), *b = interp_new(after, INTERP_F32);
    const Node *node = graph_node(before, before->outputs[0].node);
    size_t size = dtype_bytes(node->dtype);
    for (size_t round = 1; round <= 16; round++) {
        fill(a, before, round);
        fill(b, after, round);
        interp_run(a);
        interp_run(b);
        const char *x = interp_value(a, before->outputs[0].node),
                   *y = interp_value(b, after->outputs[0].node);
        for (size_t i = 0; i < (size_t)shape_elements(node->shape); i++)
            if (!same_value(x + i * size, y + i * size, node->dtype))
                fail_msg("%selement %zu changes", at->lines, i);
    }
    interp_free(a);
    interp_free(b);
}

/* -- the tests -- */

static Graph *read_case(const Case *at, Diagnostics *diag) {
    int last = 12;
    for (const char *c = strchr(at->lines, '\n'); c[1]; c = strchr(c + 1, '\n')) last++;
    char text[4096];
    snprintf(text, sizeof text, "%s%soutput \"out\" %%%d\n", INPUTS, at->lines, last);
    Graph *graph = graph_read("case", text, strlen(text), diag);
    if (!graph) diag_print(diag, stderr);
    assert_non_null(graph);
    return graph;
}

static void check_case(const Case *at) {
    Diagnostics *diag = diag_new();
    Graph *before = read_case(at, diag), *after = pass_simplify(before, &(PassOptions){0});
    assert_true(graph_verify(after));
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    write_node(out, after, after->outputs[0].node);
    fclose(out);
    if (strcmp(text, at->expected)) fail_msg("%sis %s\nand not %s", at->lines, text, at->expected);
    free(text);
    expect_same_values(before, after, at);
    graph_free(before);
    graph_free(after);
    diag_free(diag);
}

#define TEST(group)                                                                                \
    static void test_##group(void **state) {                                                       \
        (void)state;                                                                               \
        for (size_t i = 0; i < sizeof group / sizeof *group; i++) check_case(&group[i]);           \
    }
TEST(arithmetic)
TEST(bytes)
TEST(logic)
TEST(views)
TEST(motion)
TEST(pools)

/* A second run of the pass changes nothing. */
static void test_once_is_enough(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        Diagnostics *diag = diag_new();
        PassOptions options = {.level = 1};
        Compilation compilation;
        assert_true(passes_run(&compilation, random_graph(seed, diag), &options, PASS_dce));
        char *once = graph_text(compilation.graph);
        assert_true(pass_run(PASS_simplify, &compilation, &options) &&
                    pass_run(PASS_dce, &compilation, &options));
        char *twice = graph_text(compilation.graph);
        assert_string_equal(once, twice);
        free(once);
        free(twice);
        compilation_free(&compilation);
        diag_free(diag);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arithmetic),     cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_logic),          cmocka_unit_test(test_views),
        cmocka_unit_test(test_motion),         cmocka_unit_test(test_pools),
        cmocka_unit_test(test_once_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
