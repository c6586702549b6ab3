/* A job script for Slurm: an array of a few long jobs, each a group of workers. A job for each
 * trial would mostly wait in the queue: Slurm starts about ten small jobs a minute. */
#ifndef MLC_CLI_SWEEP_SLURM_H
#define MLC_CLI_SWEEP_SLURM_H

#include "cli/sweep/plan.h"

#include <stdio.h>

/* Writes the script. Each job has `workers` workers of `threads` threads. */
void sweep_print_slurm(const SweepPlan *plan, uint32_t workers, uint32_t threads, FILE *out);

#endif
