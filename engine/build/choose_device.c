/* Chooses between the CPU and a GPU by the predicted time of the whole work. */
#include "engine/build/choose_device.h"
#include "engine/build/device.h"
#include "engine/build/programs.h"

/* What a GPU takes before its first step: the driver starts, and compiles the code. */
static const double START_SECONDS = 0.5;

/* Seconds of all steps on the CPU; a negative number after reporting an error. */
static double cpu_seconds(const Build *build) {
    const DeviceWork *work = &build->work;
    Compilation compilation;
    if (!build_compilation(build, work->kind, work->batch, PASS_COUNT - 1, &compilation)) return -1;
    double step = plan_seconds(compilation.plan, build_threads(&build->options));
    compilation_free(&compilation);
    return step * work->steps;
}

/* What a step needs on the GPU. */
typedef struct {
    size_t states, values; /* bytes of memory */
    double seconds;        /* of all steps */
} DeviceNeeds;

/* Compiles for GPUs as far as the prediction needs it. false after reporting an error. */
static bool needs_of(Build *build, const DeviceFacts *facts, DeviceNeeds *needs) {
    Path cache;
    CodegenOptions options = build_codegen_options(&build->options, &cache);
    CodegenGpu gpu = build_device_gpu(facts);
    CodegenPrediction prediction;
    Compilation compilation;
    options.gpu = facts->code;
    build->options.on_device = true;
    bool good =
        build_compilation(build, build->work.kind, build->work.batch, PASS_COUNT - 1, &compilation);
    build->options.on_device = false;
    if (!good) return false;
    const Plan *plan = compilation.plan;
    good = codegen_predict(plan, &options, &gpu, 1, &prediction, build->diag);
    needs->states = stored_state_bytes(compilation.graph, plan->states, plan->state_count);
    needs->values = plan->slab_bytes + plan->thread_slab_bytes;
    if (good)
        needs->seconds = START_SECONDS + build->work.steps * codegen_predicted_step(&prediction);
    compilation_free(&compilation);
    return good;
}

/* The first error that speaks against the GPU is the reason for the CPU. */
static void note_obstacle(void *context, const DiagLine *line) {
    Build *build = context;
    if (line->kind == DIAG_ERROR && !*build->choice)
        snprintf(build->choice, sizeof build->choice, "the CPU: %s", line->message);
}

static bool takes_cpu(Build *build, const char *why) {
    snprintf(build->choice, sizeof build->choice, "the CPU: %s", why);
    return true;
}

/* Whether the device is faster, and its memory holds states and values; notes what it has found. */
static bool is_better(Build *build, Device *device, const DeviceNeeds *needs, double on_cpu,
                      Diagnostics *obstacles) {
    const char *name = device_facts(device)->name;
    if (needs->seconds >= on_cpu) {
        snprintf(build->choice, sizeof build->choice, "the CPU: predicted %.2f s, and %.2f s on %s",
                 on_cpu, needs->seconds, name);
        return false;
    }
    if (!device_fit(device, needs->states, needs->values, obstacles)) return false;
    snprintf(build->choice, sizeof build->choice, "%s: predicted %.2f s, and %.2f s on the CPU",
             name, needs->seconds, on_cpu);
    return true;
}

/* Takes the open device over. */
static bool compare(Build *build, Device *device, Diagnostics *obstacles) {
    DeviceNeeds needs = {0};
    double on_cpu = cpu_seconds(build);
    bool good = on_cpu >= 0 && needs_of(build, device_facts(device), &needs);
    if (good && is_better(build, device, &needs, on_cpu, obstacles)) {
        build->device = device;
        build->options.on_device = true;
        return true;
    }
    device_close(device);
    return good;
}

bool choose_device(Build *build) {
    if (build->options.external_gemm || build->options.cpu)
        return takes_cpu(build, "--gemm=openblas and --cpu do not go with a GPU");
    if (build->work.steps <= 0) return takes_cpu(build, "there is little to compute");
    Diagnostics *obstacles = diag_new();
    Device *device = codegen_has_gpus(obstacles) ? device_open(0, obstacles) : NULL;
    bool good = !device || compare(build, device, obstacles);
    diag_visit(obstacles, note_obstacle, build);
    diag_free(obstacles);
    return good;
}
