/* Collects errors, warnings, notes and helps, and prints them together. */
#include "ir/base/diag.h"
#include "ir/base/arena.h"
#include "ir/base/boundary.h"
#include "ir/base/files.h"
#include "ir/base/display.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    const char *name, *text;
    size_t length;
} Text;

/* An error or a warning; or a note or help, which belongs to the error or warning before it. */
typedef struct DiagEntry DiagEntry;
struct DiagEntry {
    DiagEntry *next;
    DiagKind kind;
    Span span;
    const char *message;
};

struct Diagnostics {
    Arena *arena;
    Text *texts;
    uint32_t text_count, text_capacity;
    DiagEntry *first, *last;
    size_t errors, warnings;
    bool dropped; /* there were too many: the error or warning that was reported last is not kept */
    Status status;
};

Diagnostics *diag_new(void) {
    Arena *arena = arena_new();
    Diagnostics *diag = ARENA_NEW(arena, Diagnostics);
    diag->arena = arena;
    return diag;
}

Diagnostics *diag_new_with(const Diagnostics *texts) {
    Diagnostics *diag = diag_new();
    diag->texts = texts->texts;
    diag->text_count = diag->text_capacity = texts->text_count;
    return diag;
}

void diag_free(Diagnostics *diag) {
    if (diag) arena_free(diag->arena);
}

uint32_t diag_add_text(Diagnostics *diag, const char *name, const char *text, size_t length) {
    ARENA_ROOM(diag->arena, diag->texts, diag->text_count, diag->text_capacity);
    Text *added = &diag->texts[diag->text_count++];
    added->name = arena_copy_string(diag->arena, name, strlen(name));
    added->text = arena_copy_string(diag->arena, text, length);
    added->length = length;
    return diag->text_count;
}

/* -- texts that all diagnostics know -- */

enum { FIRST_SHARED = INT32_MAX };
static Text shared_texts[DIAG_SHARED_TEXTS];

uint32_t diag_share_text(DiagShared which, const char *name, const char *text, size_t length) {
    shared_texts[which] = (Text){name, text, length};
    return FIRST_SHARED + (uint32_t)which;
}

static const Text *span_text(const Diagnostics *diag, Span span) {
    if (span.file >= FIRST_SHARED) return &shared_texts[span.file - FIRST_SHARED];
    return span.file && span.file <= diag->text_count ? &diag->texts[span.file - 1] : NULL;
}

/* -- collecting -- */

/* Notes and helps of an error that is not kept are not kept either. */
static void entry_add(Diagnostics *diag, DiagKind kind, Span span, const char *format,
                      va_list args) {
    if (kind == DIAG_ERROR) diag->dropped = ++diag->errors > DIAG_MAX_ERRORS;
    if (kind == DIAG_WARNING) diag->dropped = ++diag->warnings > DIAG_MAX_WARNINGS;
    if (diag->dropped) return;
    DiagEntry *line = ARENA_NEW(diag->arena, DiagEntry);
    line->kind = kind;
    line->span = span;
    line->message = display_shortened(diag->arena, arena_vformat(diag->arena, format, args));
    if (diag->last)
        diag->last->next = line;
    else
        diag->first = line;
    diag->last = line;
}

void diag_error(Diagnostics *diag, Status status, Span span, const char *format, ...) {
    va_list args;
    if (!diag->errors) diag->status = status;
    va_start(args, format);
    entry_add(diag, DIAG_ERROR, span, format, args);
    va_end(args);
}

void diag_warning(Diagnostics *diag, Span span, const char *format, ...) {
    va_list args;
    va_start(args, format);
    entry_add(diag, DIAG_WARNING, span, format, args);
    va_end(args);
}

void diag_note(Diagnostics *diag, Span span, const char *format, ...) {
    va_list args;
    va_start(args, format);
    entry_add(diag, DIAG_NOTE, span, format, args);
    va_end(args);
}

void diag_help(Diagnostics *diag, const char *format, ...) {
    va_list args;
    va_start(args, format);
    entry_add(diag, DIAG_HELP, (Span){0}, format, args);
    va_end(args);
}

size_t diag_errors(const Diagnostics *diag) { return diag->errors; }

bool diag_is_empty(const Diagnostics *diag) { return !diag->errors && !diag->warnings; }

Status diag_status(const Diagnostics *diag) { return diag->status; }

Status diag_outcome(const Diagnostics *diag, bool good) {
    if (!good && !diag->errors)
        diag_bug("something failed without telling why; the answer is not complete");
    return diag->status;
}

void diag_clear(Diagnostics *diag) {
    diag->first = diag->last = NULL;
    diag->errors = diag->warnings = 0;
    diag->dropped = false;
    diag->status = STATUS_OK;
}

/* Adds an entry with a finished text. entry_add counts it, so the limit holds. */
static void entry_copy(Diagnostics *diag, DiagKind kind, const char *format, ...) {
    va_list args;
    va_start(args, format);
    entry_add(diag, kind, (Span){0}, format, args);
    va_end(args);
}

void diag_append(Diagnostics *diag, const Diagnostics *from) {
    if (!diag->errors) diag->status = from->status;
    for (const DiagEntry *line = from->first; line; line = line->next)
        entry_copy(diag, line->kind, "%s", line->message);
}

/* -- printing -- */

/* Offset of the first byte of the line that holds offset `at`. */
static size_t line_start(const Text *text, size_t at) {
    while (at > 0 && text->text[at - 1] != '\n') at--;
    return at;
}

bool diag_locate(const Diagnostics *diag, Span span, const char **name, uint32_t *line,
                 uint32_t *column) {
    const Text *text = span_text(diag, span);
    if (!text) return false;
    size_t begin = span.begin < text->length ? span.begin : text->length;
    uint32_t count = 1;
    for (size_t i = 0; i < begin; i++) count += text->text[i] == '\n';
    *name = text->name;
    *line = count;
    *column = (uint32_t)(begin - line_start(text, begin)) + 1;
    return true;
}

bool diag_callee(const Diagnostics *diag, Span span, char name[DIAG_CALLEE]) {
    const Text *text = span_text(diag, span);
    size_t length = 0, at = text && span.begin < text->length ? span.begin : 0;
    while (text && at + length < text->length &&
           (isalnum((unsigned char)text->text[at + length]) || text->text[at + length] == '_'))
        length++;
    bool called = length && length < DIAG_CALLEE && at + length < text->length &&
                  text->text[at + length] == '(';
    snprintf(name, DIAG_CALLEE, "%.*s", called ? (int)length : 0, called ? text->text + at : "");
    return called;
}

/* The part of a source line that is printed. */
enum { SHOWN_BYTES = 160 };
typedef struct {
    size_t from, to;
    bool cut_before, cut_after;
} Excerpt;

static bool inside_character(const Text *text, size_t at) {
    return at < text->length && ((unsigned char)text->text[at] & 0xc0) == 0x80;
}

/* The whole line, or of a long one the part around `place`. */
static Excerpt excerpt_around(const Text *text, size_t place) {
    Excerpt w = {line_start(text, place), place, false, false};
    while (w.to < text->length && text->text[w.to] != '\n') w.to++;
    w.cut_before = place - w.from > SHOWN_BYTES * 3 / 4;
    if (w.cut_before) w.from = place - SHOWN_BYTES / 2;
    w.cut_after = w.to - w.from > SHOWN_BYTES;
    if (w.cut_after) w.to = w.from + SHOWN_BYTES;
    while (w.from < place && inside_character(text, w.from)) w.from++;
    while (w.to > place && w.cut_after && inside_character(text, w.to)) w.to--;
    return w;
}

static void print_caret(const Text *text, Span span, uint32_t line, FILE *out) {
    size_t begin = span.begin < text->length ? span.begin : text->length;
    Excerpt w = excerpt_around(text, begin);
    size_t stop = span.end < w.to ? span.end : w.to;
    fprintf(out, "%6u | %s", line, w.cut_before ? "..." : "");
    for (size_t at = w.from; at < w.to;) at += display_character(text->text + at, w.to - at, out);
    fprintf(out, "%s\n       | %*s^", w.cut_after ? "..." : "",
            (int)(display_columns(text->text + w.from, begin - w.from) + (w.cut_before ? 3 : 0)),
            "");
    for (size_t i = stop > begin ? display_columns(text->text + begin, stop - begin) : 1; i > 1;
         i--)
        fputc('~', out);
    fputc('\n', out);
}

void diag_visit(const Diagnostics *diag, DiagVisitor *visit, void *context) {
    for (const DiagEntry *line = diag->first; line; line = line->next) {
        DiagLine told = {.kind = line->kind, .message = line->message};
        if (line->kind != DIAG_HELP)
            diag_locate(diag, line->span, &told.file, &told.line, &told.column);
        visit(context, &told);
    }
}

enum { BUG_TEXT = 1024 };

void diag_bug(const char *format, ...) {
    va_list args;
    char text[BUG_TEXT];
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (boundary_active()) boundary_leave(FAILURE_BUG, text);
    fprintf(stderr, "mlc: a bug in mlc: %s\n", text);
    files_abandon();
    _exit(STATUS_BUG);
}

static void print_hidden(const char *what, size_t count, size_t most, FILE *out) {
    size_t hidden = count > most ? count - most : 0;
    if (hidden)
        fprintf(out, "mlc: %zu more %s%s not shown\n", hidden, what, hidden == 1 ? " is" : "s are");
}

void diag_print(const Diagnostics *diag, FILE *out) {
    for (const DiagEntry *line = diag->first; line; line = line->next) {
        static const char *const kinds[] = {"error", "warning", "note", "help"};
        const char *name;
        uint32_t number, column;
        bool placed =
            line->kind != DIAG_HELP && diag_locate(diag, line->span, &name, &number, &column);
        if (placed)
            display_text(name, out),
                fprintf(out, ":%u:%u: %s: ", number, column, kinds[line->kind]);
        else
            fprintf(out, line->kind == DIAG_HELP ? "  %s: " : "mlc: %s: ", kinds[line->kind]);
        display_text(line->message, out);
        fputc('\n', out);
        if (placed) print_caret(span_text(diag, line->span), line->span, number, out);
    }
    print_hidden("error", diag->errors, DIAG_MAX_ERRORS, out);
    print_hidden("warning", diag->warnings, DIAG_MAX_WARNINGS, out);
}

void diag_print_warnings(Diagnostics *diag, FILE *out) {
    if (diag->errors) return;
    diag_print(diag, out);
    diag_clear(diag);
}

enum { LONGEST_NAME = 63 };

static bool same_letter(char a, char b) {
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* The Damerau-Levenshtein distance, computed row by row: insertions, deletions, substitutions and
 * swaps of neighbours cost 1. Capitals equal small letters. */
static size_t edit_distance(const char *a, const char *b) {
    size_t rows[3][LONGEST_NAME + 1], n = strlen(b);
    for (size_t j = 0; j <= n; j++) rows[0][j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t *now = rows[i % 3], *before = rows[(i + 2) % 3], *two_before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t best = before[j - 1] + !same_letter(a[i - 1], b[j - 1]);
            if (before[j] + 1 < best) best = before[j] + 1;
            if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
            bool swapped = i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
                           same_letter(a[i - 2], b[j - 1]);
            if (swapped && two_before[j - 2] + 1 < best) best = two_before[j - 2] + 1;
            now[j] = best;
        }
    }
    return rows[strlen(a) % 3][n];
}

const char *diag_nearest(const char *name, const char *const *candidates, size_t count) {
    size_t length = strlen(name), limit = length <= 4 ? 1 : length <= 6 ? 2 : 3;
    const char *nearest = NULL;
    if (length > LONGEST_NAME) return NULL;
    for (size_t i = 0; i < count; i++) {
        if (strlen(candidates[i]) > LONGEST_NAME) continue;
        size_t distance = edit_distance(name, candidates[i]);
        if (distance > limit || distance >= length) continue;
        nearest = candidates[i];
        limit = distance ? distance - 1 : 0;
        if (!distance) break;
    }
    return nearest;
}

bool diag_suggest(Diagnostics *diag, const char *name, const char *const *candidates,
                  size_t count) {
    const char *near = diag_nearest(name, candidates, count);
    if (near) diag_help(diag, "did you mean '%s'?", near);
    return near != NULL;
}
