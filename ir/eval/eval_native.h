/* Internal to ir/eval: loops of fused multiply-adds, compiled for any processor and for one that
 * has the instruction. The loop is chosen at run time, because the C library's function is slow. */
#ifndef MLC_IR_EVAL_EVAL_NATIVE_H
#define MLC_IR_EVAL_EVAL_NATIVE_H

#include "ir/eval/eval.h"

#if defined(__x86_64__)
#define FMA_TARGET __attribute__((target("avx2,fma")))
static inline bool has_fma(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#else
#define FMA_TARGET
static inline bool has_fma(void) { return false; }
#endif
#define INLINE static inline __attribute__((always_inline))

#endif
