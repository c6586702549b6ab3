/* What is wrong with a file of data. Private to runtime/. */
#ifndef MLC_RUNTIME_FORMATS_FILE_PROBLEM_H
#define MLC_RUNTIME_FORMATS_FILE_PROBLEM_H

#include <stddef.h>

/* Kept as text because files are read on several threads, and diagnostics are not for threads. */
enum { PROBLEM_TEXT = 1024 };
typedef struct {
    char finding
        [PROBLEM_TEXT]; /* with the file's name, what was found, and what was expected; "": nothing is wrong */
    char help[PROBLEM_TEXT]; /* or "" */
} Problem;
void problem_set(Problem *problem, const char *format, ...) __attribute__((format(printf, 2, 3)));
void problem_help(Problem *problem, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sets the help with a file of another kind: how it is made, or unpacked if it is packed by gzip. */
void problem_help_kind(Problem *problem, const unsigned char *bytes, size_t length,
                       const char *made);

#endif
