/* The CPUs that --cpu may name. */
#ifndef MLC_CODEGEN_TARGET_CPU_H
#define MLC_CODEGEN_TARGET_CPU_H

#include "ir/ir.h"

/* False after reporting an unknown name (STATUS_USAGE). */
bool cpu_known(const char *name, Diagnostics *diag);
/* False after reporting that a machine with the LLVM features `host` ("+avx2,-avx512f,...") cannot
 * run the code of a known CPU. */
bool cpu_runs_on(const char *name, const char *host, Diagnostics *diag);
/* Whether code for a known CPU may use the feature. */
bool cpu_has(const char *name, const char *feature);
/* Whether a list of LLVM features has "+feature". */
bool features_have(const char *list, const char *feature);

#endif
