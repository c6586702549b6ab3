/* The training step on GPUs, as mlc summary prints it: nothing runs, so that no GPU is needed. */
#include "cli/commands/summarizing.h"
#include "engine/build/device.h"
#include "engine/build/programs.h"
#include "ir/base/memory.h"

#include <stdlib.h>

/* The GPUs for which the step is predicted: the known ones, and the one of this machine. */
typedef struct {
    Device *device; /* NULL: there is none, or it cannot be opened */
    CodegenGpu *gpus;
    uint32_t count;
} KnownGpus;

/* Opens the GPU that --device names, if there is a driver. */
static KnownGpus known_gpus(int number) {
    KnownGpus known = {0};
    const CodegenGpu *table = codegen_gpus(&known.count);
    Diagnostics *diag = diag_new();
    known.gpus = memory_array(known.count + 1, sizeof *known.gpus, "a summary");
    for (uint32_t i = 0; i < known.count; i++) known.gpus[i] = table[i];
    known.device = device_open(number, diag);
    if (known.device) known.gpus[known.count++] = build_device_gpu(device_facts(known.device));
    diag_free(diag);
    return known;
}

static void print_predictions(const KnownGpus *known, const CodegenPrediction *predictions) {
    printf("  %-28s %12s %12s %12s\n", "predicted, not measured: us", "kernels", "barriers",
           "step");
    for (uint32_t i = 0; i < known->count; i++) {
        const CodegenPrediction *p = &predictions[i];
        bool is_here = known->device && i + 1 == known->count;
        printf("  %-28.28s %12.1f %12.1f %12.1f%s\n", known->gpus[i].name, p->kernels * 1e6,
               p->barriers * 1e6, codegen_predicted_step(p) * 1e6,
               is_here ? "  (this machine's)" : "");
    }
}

static bool print_step(Build *build, const Compilation *compilation, const KnownGpus *known) {
    const Plan *plan = compilation->plan;
    Path cache;
    CodegenOptions options = build_codegen_options(&build->options, &cache);
    CodegenPrediction *predictions = memory_array(known->count, sizeof *predictions, "a summary");
    options.gpu = "sm_80";
    bool good =
        codegen_predict(plan, &options, known->gpus, known->count, predictions, build->diag);
    if (good) {
        printf("\ntraining step on a GPU, batch %u\n", build->info->batch);
        printf("  %-36s %16u\n", "stages, each ended by a barrier", predictions->stages);
        summary_print_bytes(
            "states and activations",
            (int64_t)(stored_state_bytes(compilation->graph, plan->states, plan->state_count) +
                      plan->slab_bytes + plan->thread_slab_bytes));
        print_predictions(known, predictions);
    }
    free(predictions);
    return good;
}

bool summary_print_device(Build *build) {
    const char *device = build->options.device;
    if (build_device_is_cpu(device)) return true;
    int number = build_device_is_auto(device) ? 0 : build_device_number(device, build->diag);
    if (number < 0) return false;
    Compilation compilation;
    build->options.on_device = true;
    if (!build_compilation(build, GRAPH_TRAIN, model_batch(build->info, GRAPH_TRAIN),
                           PASS_COUNT - 1, &compilation))
        return false;
    KnownGpus known = known_gpus(number);
    bool good = print_step(build, &compilation, &known);
    device_close(known.device);
    free(known.gpus);
    compilation_free(&compilation);
    return good;
}
