/* An error in a data file. Private to runtime/. */
#ifndef MLC_RUNTIME_FORMATS_FILE_PROBLEM_H
#define MLC_RUNTIME_FORMATS_FILE_PROBLEM_H

#include <stddef.h>

/* A problem is text, because files are read on several threads and Diagnostics are not
 * thread-safe. */
enum { PROBLEM_TEXT = 1024 };
typedef struct {
    /* the file name, the finding and what was expected; "": no problem */
    char finding[PROBLEM_TEXT];
    char help[PROBLEM_TEXT]; /* or "" */
} Problem;
void problem_set(Problem *problem, const char *format, ...) __attribute__((format(printf, 2, 3)));
void problem_help(Problem *problem, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sets the help for a file of another kind: how to make the right one, or how to unpack a gzip
 * file. */
void problem_help_kind(Problem *problem, const unsigned char *bytes, size_t length,
                       const char *made);

#endif
