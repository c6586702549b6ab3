/* The job script for Slurm. */
#include "cli/sweep/slurm.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

/* Writes a text as one word of the shell. */
static void put_word(const char *text, FILE *out) {
    putc('\'', out);
    for (; *text; text++) fputs(*text == '\'' ? "'\\''" : (char[]){*text, 0}, out);
    putc('\'', out);
}

/* Whether sbatch takes a path as it is: it replaces %, and cuts at blanks. */
static bool is_plain(const char *path) {
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+-";
    return strspn(path, plain) == strlen(path);
}

static Path this_program(void) {
    Path program = {"mlc"};
    ssize_t length = readlink("/proc/self/exe", program.path, sizeof program.path - 1);
    if (length > 0) program.path[length] = 0;
    return program;
}

void sweep_print_slurm(const SweepPlan *plan, uint32_t workers, uint32_t threads, FILE *out) {
    enum { JOBS = 16 };
    uint32_t jobs = (plan_trials(plan) + workers - 1) / workers;
    Path folder = path_absolute(plan->folder.path), program = this_program();
    fprintf(out, "#!/bin/bash\n#SBATCH --job-name=mlc-sweep\n#SBATCH --array=1-%u\n",
            jobs < JOBS ? jobs : JOBS);
    fprintf(out, "#SBATCH --ntasks=1\n#SBATCH --cpus-per-task=%u\n#SBATCH --time=04:00:00\n",
            workers * threads);
    if (is_plain(folder.path)) fprintf(out, "#SBATCH --output=%s/slurm-%%A_%%a.log\n", folder.path);
    fputs(
        "# 90 seconds before the end of its time, or when it is preempted, a job saves its trials. Then any\n"
        "# other job goes on with them: one that is requeued, or 'sbatch' with this file once more.\n"
        "#SBATCH --signal=B:TERM@90\n#SBATCH --requeue\n#SBATCH --open-mode=append\n"
        "# A job ends when no trial is left. More or fewer jobs: sbatch --array=1-40 FILE\n",
        out);
    fputs("exec ", out);
    put_word(program.path, out);
    fputs(" sweep --join ", out);
    put_word(folder.path, out);
    fprintf(out, " --workers %u --threads %u --best 1\n", workers, threads);
}
