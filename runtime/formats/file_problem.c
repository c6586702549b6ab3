/* The texts of problems. */
#include "runtime/formats/file_problem.h"

#include <stdarg.h>
#include <stdbool.h>
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

void problem_help_kind(Problem *problem, const unsigned char *bytes, size_t length,
                       const char *made) {
    bool packed = length > 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
    problem_help(problem, "%s",
                 packed ? "it is packed by gzip: unpack it by gunzip, and name the unpacked file"
                        : made);
}
