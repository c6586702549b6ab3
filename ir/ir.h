/* The public header of ir/: what a graph is and means. Every other folder sees this and its own
 * files, nothing else. */
#ifndef MLC_IR_IR_H
#define MLC_IR_IR_H

#include "ir/base/arena.h"
#include "ir/base/diag.h"
#include "ir/graph/graph.h"
#include "ir/interp/interp.h"
#include "ir/data/early_stopping.h"
#include "ir/plan/plan.h"
#include "ir/interp/program.h"
#include "ir/ops/random.h"
#include "ir/data/run_clock.h"
#include "ir/data/source.h"

#endif
