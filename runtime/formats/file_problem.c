/* The texts of problems. */
#include "runtime/formats/file_problem.h"

#include <stdarg.h>
#include <stdio.h>

void problem_set(Problem *problem, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(problem->finding, sizeof problem->finding, format, args);
    va_end(args);
    *problem->remedy = '\0';
}

void problem_remedy(Problem *problem, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(problem->remedy, sizeof problem->remedy, format, args);
    va_end(args);
}
