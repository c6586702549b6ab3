/* The CPUs that --cpu may name. */
#ifndef MLC_CODEGEN_TARGET_CPU_H
#define MLC_CODEGEN_TARGET_CPU_H

#include "ir/ir.h"

/* false after reporting a STATUS_USAGE error: the name is not known; or a machine with the LLVM features `host`
 * ("+avx2,-avx512f,...") cannot run the code of the CPU, a known one. */
bool cpu_known(const char *name, Diagnostics *diag);
/* Whether the code of a known CPU may use a feature. */
bool cpu_has(const char *name, const char *feature);
/* Whether a list of LLVM features holds "+feature". */
bool features_have(const char *list, const char *feature);
bool cpu_runs_on(const char *name, const char *host, Diagnostics *diag);

#endif
