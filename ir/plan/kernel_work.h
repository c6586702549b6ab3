/* The work of a kernel: what profiles and predictions compare times with. */
#ifndef MLC_IR_PLAN_KERNEL_WORK_H
#define MLC_IR_PLAN_KERNEL_WORK_H

#include "ir/plan/plan.h"

/* The work of one kernel in one step. */
typedef struct {
    /* 2 m n k for a product, one per element for an elementwise op or a reduction */
    double operations;
    /* values read from outside the kernel, each counted once, and values stored; of an array that
     * the kernel slices, what the slices have */
    double bytes;
    double stored; /* the bytes of the stored ones */
    /* f32 divisions and square roots, which are in `operations` too */
    double divisions, roots;
} KernelWork;
KernelWork kernel_work(const Plan *plan, const Kernel *kernel);

#endif
