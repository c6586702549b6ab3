/* Checks a finished plan by simulating it: see plan_check.c. */
#ifndef MLC_TESTS_PLAN_CHECK_H
#define MLC_TESTS_PLAN_CHECK_H

#include "ir/ir.h"

/* NULL if the plan is right, else what is wrong (in a static buffer). */
const char *plan_check(const Plan *plan);

#endif
