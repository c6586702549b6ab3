/* A job script for Slurm: an array of a few long jobs, each a group of workers. Slurm starts about
 * ten small jobs a minute, so a job a trial would wait for the queue most of the time. */
#ifndef MLC_CLI_SWEEP_SLURM_H
#define MLC_CLI_SWEEP_SLURM_H

#include "cli/sweep/plan.h"

#include <stdio.h>

/* Each job has `workers` workers of `threads` threads. */
void sweep_print_slurm(const SweepPlan *plan, uint32_t workers, uint32_t threads, FILE *out);

#endif
