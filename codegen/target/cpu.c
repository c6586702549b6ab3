/* The CPUs that --cpu may name, and the features that a machine needs to run their code. For an
 * unknown name, LLVM itself only warns, and makes code that this machine may not be able to run. */
#include "codegen/target/cpu.h"

#include <string.h>

#define NEEDS_V2 "sse3 ssse3 sse4.1 sse4.2 popcnt "
#define NEEDS_V3 NEEDS_V2 "avx avx2 fma bmi bmi2 f16c lzcnt movbe "
#define NEEDS_V4 NEEDS_V3 "avx512f avx512bw avx512cd avx512dq avx512vl "

typedef struct {
    const char *name, *needs;
} Cpu;

static const Cpu cpus[] = {
    {"x86-64", ""},
    {"x86-64-v2", NEEDS_V2},
    {"x86-64-v3", NEEDS_V3},
    {"x86-64-v4", NEEDS_V4},
    {"nehalem", NEEDS_V2},
    {"haswell", NEEDS_V3},
    {"skylake", NEEDS_V3 "adx aes "},
    {"skylake-avx512", NEEDS_V4 "adx aes "},
    {"cascadelake", NEEDS_V4 "adx aes avx512vnni "},
    {"znver1", NEEDS_V3 "adx aes sha sse4a "},
    {"znver2", NEEDS_V3 "adx aes sha sse4a "},
    {"znver3", NEEDS_V3 "adx aes sha sse4a vaes "},
};
enum { CPU_COUNT = sizeof cpus / sizeof cpus[0], FEATURE_MAX = 32 };

/* Whether "+feature" is in the list, up to a comma or the end. */
static bool has_feature(const char *list, const char *feature, size_t length) {
    for (const char *at = strchr(list, '+'); at; at = strchr(at + 1, '+'))
        if (strncmp(at + 1, feature, length) == 0 && (at[1 + length] == ',' || !at[1 + length]))
            return true;
    return false;
}

bool features_have(const char *list, const char *feature) {
    return has_feature(list, feature, strlen(feature));
}

static const Cpu *find(const char *name) {
    for (size_t i = 0; i < CPU_COUNT; i++)
        if (strcmp(cpus[i].name, name) == 0) return &cpus[i];
    return NULL;
}

bool cpu_has(const char *name, const char *feature) {
    size_t length = strlen(feature);
    for (const char *need = find(name)->needs; *need; need += strcspn(need, " ") + 1)
        if (strcspn(need, " ") == length && strncmp(need, feature, length) == 0) return true;
    return false;
}

bool cpu_runs_on(const char *name, const char *host, Diagnostics *diag) {
    for (const char *need = find(name)->needs; *need;) {
        size_t length = strcspn(need, " ");
        if (!has_feature(host, need, length)) {
            diag_error(diag, STATUS_USAGE, (Span){0},
                       "this machine cannot run code for the CPU '%s': it has no %.*s", name,
                       (int)length, need);
            return false;
        }
        need += length + 1;
    }
    return true;
}

bool cpu_known(const char *name, Diagnostics *diag) {
    if (find(name)) return true;
    const char *names[CPU_COUNT];
    for (size_t i = 0; i < CPU_COUNT; i++) names[i] = cpus[i].name;
    diag_error(diag, STATUS_USAGE, (Span){0}, "unknown CPU '%s'", name);
    if (!diag_suggest(diag, name, names, CPU_COUNT))
        diag_help(
            diag,
            "'native' is this machine; x86-64, x86-64-v2, x86-64-v3 and x86-64-v4 are common denominators");
    return false;
}
