/* The texts of problems. */
#include "runtime/formats/file_problem.h"

#include <stdarg.h>
#include <stdio.h>

void problem_set(Problem *problem, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(problem->finding, sizeof problem->finding, format, args);
    va_end(args);
    *problem->help = '\0';
}

void problem_help(Problem *problem, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(problem->help, sizeof problem->help, format, args);
    va_end(args);
}
