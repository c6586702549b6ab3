/* The public header of ir/: what a graph is and means. Every other folder sees this and its own files, nothing else. */
#ifndef MLC_IR_IR_H
#define MLC_IR_IR_H

#include "ir/arena.h"
#include "ir/diag.h"
#include "ir/graph.h"
#include "ir/interp.h"
#include "ir/judge.h"
#include "ir/plan.h"
#include "ir/program.h"
#include "ir/random.h"
#include "ir/run_clock.h"
#include "ir/source.h"

#endif
