/* The code for GPUs, as text. Each f32 operation of a model rounds once, as the numerics contract
 * demands: ptxas may fuse a multiplication and an addition unless both say how they round (.rn).
 *   ptx_test           the training steps of all models, and all graphs of some
 *   ptx_test PATTERN   all graphs of these models at all levels */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "codegen/cuda/cuda.h"
#include "codegen/cuda/ptx.h"
#include "passes/passes.h"
#include "tests/support/models.h"

#include <stdlib.h>
#include <string.h>

/* -- the operations of a module -- */

static bool calls(LLVMValueRef instruction, const char *intrinsic) {
    if (LLVMGetInstructionOpcode(instruction) != LLVMCall) return false;
    size_t length;
    const char *name = LLVMGetValueName2(LLVMGetCalledValue(instruction), &length);
    return !strncmp(name, intrinsic, strlen(intrinsic));
}

typedef bool IsOperation(LLVMValueRef instruction);
static bool is_fma(LLVMValueRef i) { return calls(i, "llvm.fma."); }
static bool is_max(LLVMValueRef i) { return calls(i, "llvm.maximum."); }
static bool is_min(LLVMValueRef i) { return calls(i, "llvm.minimum."); }
static bool is_sqrt(LLVMValueRef i) { return calls(i, "llvm.sqrt."); }
static bool is_arithmetic(LLVMValueRef i) {
    LLVMOpcode opcode = LLVMGetInstructionOpcode(i);
    return opcode == LLVMFAdd || opcode == LLVMFSub || opcode == LLVMFMul || opcode == LLVMFDiv;
}

static size_t count_operations(LLVMModuleRef module, IsOperation *is) {
    size_t count = 0;
    for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f))
        for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(f); b; b = LLVMGetNextBasicBlock(b))
            for (LLVMValueRef i = LLVMGetFirstInstruction(b); i; i = LLVMGetNextInstruction(i))
                count += is(i);
    return count;
}

/* -- the text -- */

/* Not by strstr: AddressSanitizer's measures the rest of the text in each call. */
static size_t count_text(const char *text, const char *word) {
    size_t count = 0, length = strlen(word);
    for (const char *at = text; *at; at++) count += *at == *word && !strncmp(at, word, length);
    return count;
}

/* Each operation of the module is one instruction of the text, which rounds to nearest. LLVM may
 * write x - 3 as x + -3, x * 2 as x + x, x / 4 as x * 0.25, and 1 / x as an instruction of its
 * own. */
static bool has_all_operations(const PtxModule *ptx, const char *text, const char *title) {
    static const struct {
        IsOperation *is;
        const char *words[7];
    } operations[] = {
        {is_fma, {"fma.rn.f32"}},
        {is_arithmetic,
         {"add.rn.f32", "add.rn.f64", "sub.rn.f32", "mul.rn.f32", "div.rn.f32", "rcp.rn.f32"}},
        {is_sqrt, {"sqrt.rn.f32"}},
        {is_max, {"max.NaN.f32"}},
        {is_min, {"min.NaN.f32"}}};
    bool good = true;
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        size_t expected = count_operations(ptx->module, operations[i].is), found = 0;
        for (int w = 0; operations[i].words[w]; w++)
            found += count_text(text, operations[i].words[w]);
        if (found != expected)
            fprintf(stderr, "%s: %zu %s, not %zu\n", title, found, operations[i].words[0],
                    expected);
        good &= found == expected;
    }
    return good;
}

/* Instructions that leave the rounding to ptxas, approximate, or take denormal numbers for 0. */
static bool has_only_exact_operations(const char *text, const char *title) {
    static const char *const forbidden[] = {
        "add.f",  "sub.f", "mul.f", "mad.f",  "fma.f", "div.f", "sqrt.f", "rcp.f", "rsqrt",
        "approx", ".ftz",  ".full", "sin.",   "cos.",  "ex2.",  "lg2.",   "tanh.", "add.rz",
        "add.rm", "atom.", ".sat",  "mad.rn", ".f16",  ".bf16", ".tf32",  "wmma",  "mma."};
    bool good = true;
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
        const char *found = strstr(text, forbidden[i]);
        if (found) fprintf(stderr, "%s: '%.40s'\n", title, found);
        good &= !found;
    }
    return good;
}

/* Every driver since 2020 takes it. */
static bool has_old_version(const char *text, const char *title) {
    bool good = strstr(text, "\n.version 7.0\n") && strstr(text, "\n.target sm_80\n") &&
                strstr(text, "\n.visible .entry step(") && strstr(text, "\n.reqntid 256, 1, 1");
    if (!good) fprintf(stderr, "%s: '%.200s'\n", title, text);
    return good;
}

/* Where values reuse memory, no kernel waits for it: there are no more stages than phases of the
 * plan. */
static bool has_few_stages(const Plan *plan, const CodegenOptions *options, const char *title,
                           Diagnostics *diag) {
    CodegenPrediction prediction = {0};
    uint32_t phases = 1, count;
    for (uint32_t k = 0; k < plan->kernel_count; k++) phases += plan->kernels[k].barrier_before;
    bool good = codegen_predict(plan, options, codegen_gpus(&count), 1, &prediction, diag) &&
                prediction.stages <= phases;
    if (!good) fprintf(stderr, "%s: %u stages, %u phases\n", title, prediction.stages, phases);
    return good;
}

static bool check_plan(const Plan *plan, int level, const char *title, Diagnostics *diag) {
    PtxModule ptx;
    LLVMMemoryBufferRef buffer = NULL;
    CodegenOptions options = {.level = level, .gpu = "sm_80"};
    if (ptx_open(&ptx, plan, &options, diag)) buffer = ptx_text(&ptx, diag);
    diag_print(diag, stderr);
    const char *text = buffer ? LLVMGetBufferStart(buffer) : NULL;
    bool good = text && has_few_stages(plan, &options, title, diag) &&
                has_old_version(text, title) && has_only_exact_operations(text, title) &&
                has_all_operations(&ptx, text, title);
    if (buffer) LLVMDisposeMemoryBuffer(buffer);
    ptx_close(&ptx);
    return good;
}

/* -- the models -- */

static uint32_t failures;

static void check_graph(const char *path, const Model *model, GraphKind kind, int level,
                        Diagnostics *diag) {
    enum { BATCH = 16 };
    char title[300];
    Compilation compilation;
    snprintf(title, sizeof title, "%s, graph %d, -O%d", path, (int)kind, level);
    bool good =
        passes_run(&compilation, model_graph(model, kind, BATCH, diag),
                   &(PassOptions){.level = level, .threads = 2, .on_gpu = true}, PASS_COUNT - 1) &&
        check_plan(compilation.plan, level, title, diag);
    failures += !good;
    compilation_free(&compilation);
}

static void check_step(const char *path, const Model *model, Diagnostics *diag) {
    check_graph(path, model, GRAPH_TRAIN, 2, diag);
}

static void check_graphs(const char *path, const Model *model, Diagnostics *diag) {
    for (GraphKind kind = GRAPH_TRAIN; kind <= GRAPH_PREDICT; kind++)
        for (int level = 0; level <= 3; level++) check_graph(path, model, kind, level, diag);
}

static const char *pattern; /* of the command line, or NULL */

static void operations_round_once(void **state) {
    (void)state;
    if (pattern) {
        each_model(pattern, check_graphs);
    } else {
        each_model(MLC_SOURCE_DIR "/models/*.mdl", check_step);
        each_model(MLC_SOURCE_DIR "/bench/networks/*.mdl", check_step);
        each_model(MLC_SOURCE_DIR "/models/mnist.mdl", check_graphs);
        each_model(MLC_SOURCE_DIR "/models/lenet5.mdl", check_graphs);
    }
    assert_int_equal(failures, 0);
}

int main(int argc, char **argv) {
    if (argc > 1) pattern = argv[1];
    const struct CMUnitTest tests[] = {cmocka_unit_test(operations_round_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
