/* The target: the host with all its features, or a CPU by its LLVM name. */
#include "codegen/target/target.h"
#include "codegen/target/cpu.h"
#include "codegen/target/platform.h"

#include <llvm-c/Error.h>
#include <llvm-c/Support.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void initialize_once(void) {
    /* LLVM's loop strength reduction takes a third of the compile time and makes nothing faster, as
     * addresses are simple already. */
    LLVMParseCommandLineOptions(2, (const char *const[]){"mlc", "-disable-lsr"}, NULL);
    LLVMInitializeNativeTarget();
    LLVMInitializeNativeAsmPrinter();
    LLVMInitializeNativeAsmParser();
}

static void initialize(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, initialize_once);
}

LLVMCodeGenOptLevel target_codegen_level(int level) {
    static const LLVMCodeGenOptLevel levels[] = {LLVMCodeGenLevelNone, LLVMCodeGenLevelLess,
                                                 LLVMCodeGenLevelDefault, LLVMCodeGenLevelDefault};
    return levels[level < 0 ? 0 : level > 3 ? 3 : level];
}

static bool is_host(const char *cpu) {
    char *host = LLVMGetHostCPUName();
    bool same = !cpu || !strcmp(cpu, host) || !strcmp(cpu, "native");
    LLVMDisposeMessage(host);
    return same;
}

bool target_runs_here(const CodegenOptions *options, Diagnostics *diag) {
    if (is_host(options->cpu)) return true;
    char *features = LLVMGetHostCPUFeatures();
    bool runs = cpu_known(options->cpu, diag) && cpu_runs_on(options->cpu, features, diag);
    LLVMDisposeMessage(features);
    return runs;
}

/* How an x86 CPU multiplies and adds: not all have the instruction. features NULL: those of a CPU
 * by its name. */
static FmaKind fma_of_x86(const char *cpu, const char *features) {
    bool has = features ? features_have(features, "fma") : cpu_has(cpu, "fma");
    return has ? FMA_INSTRUCTION : FMA_EMULATED;
}

/* The instruction that multiplies pairs of i16. The one for bytes is never used, as its sums
 * saturate at 16 bits. */
static PairProduct pairs_of_x86(const char *cpu, const char *features) {
    bool wide = features ? features_have(features, "avx512bw") : cpu_has(cpu, "avx512bw"),
         half = features ? features_have(features, "avx2") : cpu_has(cpu, "avx2");
    if (wide) return (PairProduct){"llvm.x86.avx512.pmaddw.d.512", 16};
    return half ? (PairProduct){"llvm.x86.avx2.pmadd.wd", 8}
                : (PairProduct){"llvm.x86.sse2.pmadd.wd", 4};
}

static bool is_x86(const char *triple) { return !strncmp(triple, "x86", 3); }

/* LLVM message strings and plain copies are both freed by LLVMDisposeMessage. */
static bool name_host(Target *target, const CodegenOptions *options, Diagnostics *diag) {
    bool host = is_host(options->cpu);
    if (!host && !cpu_known(options->cpu, diag)) return false;
    target->triple = LLVMGetDefaultTargetTriple();
    target->cpu = host ? LLVMGetHostCPUName() : LLVMCreateMessage(options->cpu);
    target->features = host ? LLVMGetHostCPUFeatures() : LLVMCreateMessage("");
    target->many_registers =
        host ? features_have(target->features, "avx512f") : cpu_has(target->cpu, "avx512f");
    target->return_bytes = platform_here()->return_bytes;
    const char *features = host ? target->features : NULL;
    target->x86 = is_x86(target->triple);
    if (target->x86) target->fma = fma_of_x86(target->cpu, features);
    if (target->x86) target->pairs = pairs_of_x86(target->cpu, features);
    return true;
}

/* Only for x86-64 can --cpu name another CPU than the least one. */
static bool name_platform(Target *target, const Platform *platform, const char *cpu,
                          Diagnostics *diag) {
    bool x86 = is_x86(platform->triple);
    if (cpu && !x86) {
        diag_error(diag, STATUS_USAGE, (Span){0},
                   "--cpu %s: code for %s runs on all its CPUs; leave --cpu out", cpu,
                   platform->name);
        return false;
    }
    if (cpu && !cpu_known(cpu, diag)) return false;
    platform->initialize();
    target->triple = LLVMCreateMessage(platform->triple);
    target->cpu = LLVMCreateMessage(cpu ? cpu : platform->cpu);
    target->features = LLVMCreateMessage(platform->features);
    target->many_registers = x86 && cpu_has(target->cpu, "avx512f");
    target->return_bytes = platform->return_bytes;
    target->x86 = x86;
    if (x86) target->fma = fma_of_x86(target->cpu, NULL);
    if (x86) target->pairs = pairs_of_x86(target->cpu, NULL);
    return true;
}

static const Platform *choose_platform(const CodegenOptions *options, Diagnostics *diag) {
    if (options->gpu) return platform_gpu(options->gpu, diag);
    return options->wasm ? platform_wasm(options->wasm) : platform_named(options->platform, diag);
}

static LLVMTargetMachineRef make_machine(LLVMTargetRef description, const Target *target,
                                         const char *abi, int level) {
    LLVMTargetMachineOptionsRef options = LLVMCreateTargetMachineOptions();
    LLVMTargetMachineOptionsSetCPU(options, target->cpu);
    LLVMTargetMachineOptionsSetFeatures(options, target->features);
    LLVMTargetMachineOptionsSetABI(options, abi);
    LLVMTargetMachineOptionsSetCodeGenOptLevel(options, target_codegen_level(level));
    LLVMTargetMachineOptionsSetRelocMode(options, target->wasm ? LLVMRelocStatic : LLVMRelocPIC);
    LLVMTargetMachineOptionsSetCodeModel(options, LLVMCodeModelSmall);
    LLVMTargetMachineRef machine =
        LLVMCreateTargetMachineWithOptions(description, target->triple, options);
    LLVMDisposeTargetMachineOptions(options);
    return machine;
}

bool target_open(Target *target, const CodegenOptions *options, Diagnostics *diag) {
    initialize();
    char *message = NULL;
    LLVMTargetRef description;
    bool elsewhere = options->platform || options->wasm || options->gpu;
    const Platform *platform = elsewhere ? choose_platform(options, diag) : NULL;
    if (elsewhere && !platform) return false;
    if (platform ? !name_platform(target, platform, options->cpu, diag)
                 : !name_host(target, options, diag))
        return false;
    target->wasm = options->wasm != WASM_NONE;
    target->threads = options->gpu != NULL;
    target->no_vectors = platform && platform->no_vectors;
    target->cortex_m = !strncmp(target->triple, "thumb", strlen("thumb"));
    target->short_vectors = target->wasm;
    target->core = core_of(target->cpu);
    if (target->wasm) target->fma = options->wasm == WASM_RELAXED ? FMA_RELAXED : FMA_EMULATED;
    if (target->wasm) target->pairs = (PairProduct){"llvm.wasm.dot", 4};
    if (LLVMGetTargetFromTriple(target->triple, &description, &message)) {
        diag_error(diag, STATUS_BUG, (Span){0}, "LLVM does not know '%s': %s", target->triple,
                   message);
        LLVMDisposeMessage(message);
        return false;
    }
    target->machine =
        make_machine(description, target, platform ? platform->abi : "", options->level);
    if (!target->machine)
        diag_error(diag, STATUS_BUG, (Span){0}, "LLVM makes no code for '%s'", target->triple);
    return target->machine != NULL;
}

Target target_widened(const Target *target) {
    static char cpu[] = "x86-64-v4";
    Target wide = *target;
    wide.cpu = cpu;
    wide.many_registers = true;
    wide.pairs = pairs_of_x86(cpu, NULL);
    return wide;
}

void target_close(Target *target) {
    if (target->machine) LLVMDisposeTargetMachine(target->machine);
    LLVMDisposeMessage(target->triple);
    LLVMDisposeMessage(target->cpu);
    LLVMDisposeMessage(target->features);
}

/* Equal kernels, of which a network with equal layers has many, are compiled once. The emitter
 * makes vector code already, so the passes only simplify index arithmetic and move it out of
 * loops. */
const char *target_pipeline(int level) {
#define CLEAN "sroa,early-cse"
    static const char *const pipelines[] = {
        "",
        "mergefunc,function(" CLEAN ")",
        "mergefunc,function(" CLEAN
        ",instcombine<no-verify-fixpoint>,simplifycfg,loop-mssa(licm),early-cse)",
    };
#undef CLEAN
    return pipelines[level < 0 ? 0 : level > 2 ? 2 : level];
}

bool target_optimize(const Target *target, LLVMModuleRef module, int level, Diagnostics *diag) {
    return target_run_passes(target, module, target_pipeline(level), diag);
}

bool target_run_passes(const Target *target, LLVMModuleRef module, const char *pipeline,
                       Diagnostics *diag) {
    if (!*pipeline) return true;
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMErrorRef error = LLVMRunPasses(module, pipeline, target->machine, options);
    LLVMDisposePassBuilderOptions(options);
    if (!error) return true;
    char *message = LLVMGetErrorMessage(error);
    diag_error(diag, STATUS_BUG, (Span){0}, "LLVM's passes failed: %s", message);
    LLVMDisposeErrorMessage(message);
    return false;
}
