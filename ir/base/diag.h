/* Diagnostics: every error a user can cause goes through here. An error has a place (a span of a
 * registered text), a finding, and usually a help that says what to do; notes add further places
 * ("defined here", "called from here"). A warning is written in the same way, but is no error: the
 * program goes on, and its exit status stays.
 *
 *   diag_error(diag, STATUS_MODEL, span, "unknown function '%s'", name);
 *   diag_help(diag, "did you mean '%s'?", near);
 *
 * Printed form (golden tests depend on it):
 *   mnist.mdl:12:9: error: unknown function 'rleu'
 *      12 |     x = rleu(x)
 *         |         ^~~~
 *      help: did you mean 'relu'?
 * Errors without a place print "mlc: error: ...". Long names are shortened, and control characters
 * are printed as '?': see ir/base/display.h. After 20 errors, and after 20 warnings, further ones
 * are only counted. */
#ifndef MLC_IR_BASE_DIAG_H
#define MLC_IR_BASE_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit statuses of the program; an error carries the one it leads to. */
typedef enum {
    STATUS_OK = 0,
    STATUS_BUG = 1,
    STATUS_USAGE = 2,
    STATUS_MODEL = 3, /* a model or IR file */
    STATUS_DATA = 4,
    STATUS_FILE = 5,          /* files, checkpoints, and what the system refuses, such as memory */
    STATUS_NONFINITE = 6,     /* a loss, a weight or an answer is not finite */
    STATUS_EXPECT = 7,        /* --expect not met */
    STATUS_RANK = 8,          /* another process of the training has ended or differs */
    STATUS_HUNG_UP = 129,     /* SIGHUP: saved and stopped */
    STATUS_INTERRUPTED = 130, /* SIGINT: likewise */
    STATUS_TERMINATED = 143   /* SIGTERM: likewise */
} Status;

/* Bytes [begin, end) of text number `file`; file 0 means "no place". Shared texts have numbers
 * above those of others. */
typedef struct {
    uint32_t file, begin, end;
} Span;

typedef struct Diagnostics Diagnostics;

enum { DIAG_MAX_ERRORS = 20, DIAG_MAX_WARNINGS = 20 };

Diagnostics *diag_new(void);
/* New diagnostics that know the texts of others, which must outlive them. */
Diagnostics *diag_new_with(const Diagnostics *texts);
void diag_free(Diagnostics *diag); /* NULL is allowed */

/* Registers a text (copied) under a name to print; returns its number (1, 2, ...). */
uint32_t diag_add_text(Diagnostics *diag, const char *name, const char *text, size_t length);
/* Registers one of the texts that all diagnostics of the process know: those of the library, which
 * is parsed once. The text is not copied and must live as long as the process. It is registered
 * before any other thread uses it. */
typedef enum { DIAG_SHARED_SIGNATURES, DIAG_SHARED_STDLIB, DIAG_SHARED_TEXTS } DiagShared;
uint32_t diag_share_text(DiagShared which, const char *name, const char *text, size_t length);

void diag_error(Diagnostics *diag, Status status, Span span, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A warning is about something valid that is probably a mistake. */
void diag_warning(Diagnostics *diag, Span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A note has a place of its own; a help says what to do. Both belong to the error or warning before
 * them. */
void diag_note(Diagnostics *diag, Span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void diag_help(Diagnostics *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));

size_t diag_errors(const Diagnostics *diag); /* how many so far */
bool diag_is_empty(const Diagnostics *diag); /* neither errors nor warnings */
Status diag_status(const Diagnostics *diag); /* of the first error; STATUS_OK without one */
/* The exit status of a command that succeeded (`good`) or failed. A failed command must have
 * reported an error; otherwise this is a bug and ends the process. */
Status diag_outcome(const Diagnostics *diag, bool good);
/* errors and warnings in order of their report */
void diag_print(const Diagnostics *diag, FILE *out);
/* forget errors and warnings, keep the texts */
void diag_clear(Diagnostics *diag);
/* Prints the warnings and forgets them, before work that takes long. With an error this does
 * nothing: diag_print will print both. */
void diag_print_warnings(Diagnostics *diag, FILE *out);
/* One part of the diagnostics, for output that programs read. */
typedef enum { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE, DIAG_HELP } DiagKind;
typedef struct {
    DiagKind kind; /* a note or a help belongs to the error or warning before it */
    const char *message;
    const char *file; /* NULL: without a place */
    uint32_t line, column;
} DiagLine;
typedef void DiagVisitor(void *context, const DiagLine *line);
/* Calls `visit` with each part, in the order in which diag_print prints them. */
void diag_visit(const Diagnostics *diag, DiagVisitor *visit, void *context);
/* Adds the errors and warnings of `from`, which must have no places. Other threads collect
 * diagnostics of their own, which are added so. */
void diag_append(Diagnostics *diag, const Diagnostics *from);

/* Ends the process with STATUS_BUG and one line, or the call inside of a boundary, after an
 * invariant of mlc itself is violated. Temporary files are removed. */
_Noreturn void diag_bug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Line (from 1) and column (from 1, in bytes) of a span's first byte, and its text's name; false
 * without a place. */
bool diag_locate(const Diagnostics *diag, Span span, const char **name, uint32_t *line,
                 uint32_t *column);

/* The name of the function that is called at a span: "sqrt" if it begins with sqrt(...). Otherwise
 * false, and "". */
enum { DIAG_CALLEE = 64 };
bool diag_callee(const Diagnostics *diag, Span span, char name[DIAG_CALLEE]);

/* The candidate nearest to `name` by edit distance; NULL if none is near enough to suggest. */
const char *diag_nearest(const char *name, const char *const *candidates, size_t count);
/* Helps with "did you mean ...?" and the nearest candidate; false, and no help, if none is near
 * enough. */
bool diag_suggest(Diagnostics *diag, const char *name, const char *const *candidates, size_t count);

#endif
