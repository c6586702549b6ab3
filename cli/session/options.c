/* Parses the command line according to the table options.def. */
#include "cli/session/options.h"
#include "cli/session/suggest.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef enum { KIND_FLAG, KIND_TEXT, KIND_NUMBER, KIND_CHOICE, KIND_LIST } OptionKind;

typedef struct {
    const char *name;
    char letter;
    OptionKind kind;
    const char *argument; /* "DIR"; "train|eval|predict" for a choice; "" for a flag */
    int64_t low, high, standard;
    const char *help;
    size_t offset;
} OptionRow;

static const OptionRow rows[OPTION_COUNT] = {
#define WORD(id, word) "|" #word
#define OPTION(id, name, letter, kind, argument, low, high, standard, help)                        \
    {name,     letter, KIND_##kind,          &(argument)[KIND_##kind == KIND_CHOICE], low, high,   \
     standard, help,   offsetof(Options, id)},
#include "cli/session/options.def"
};

/* store_choice writes each choice, an enumeration, as an int. */
_Static_assert(sizeof(Choice_kind) == sizeof(int), "an enumeration has the size of an int");

enum { LONG_BASE = 256, SPELLING_MAX = 64 };

static bool is_allowed(uint64_t allowed, int id) { return allowed >> id & 1; }

bool option_given(const Options *options, OptionId id) {
    return is_allowed(options->given, (int)id);
}

static void spelling(const OptionRow *row, char text[SPELLING_MAX]) {
    if (row->name)
        snprintf(text, SPELLING_MAX, "--%s", row->name);
    else
        snprintf(text, SPELLING_MAX, "-%c", row->letter);
}

bool parse_number(const char *text, int64_t low, int64_t high, int64_t *number) {
    const char *digits = text + (*text == '-' && low < 0);
    if (!*digits || strspn(digits, "0123456789") != strlen(digits)) return false;
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    if (errno || value < low || value > high) return false;
    *number = value;
    return true;
}

enum { CHOICES_MAX = 8 };

/* Stores the number of the word `text` in row->argument, which is "a|b|c". */

static bool store_choice(int *value, const char *option, const OptionRow *row, const char *text,
                         Diagnostics *diag) {
    char buffer[SPELLING_MAX];
    const char *words[CHOICES_MAX];
    size_t count = 0;
    snprintf(buffer, sizeof buffer, "%s", row->argument);
    char *rest = buffer;
    for (char *word; count < CHOICES_MAX && (word = strsep(&rest, "|"));) words[count++] = word;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], text) == 0) {
            *value = (int)i;
            return true;
        }
    }
    diag_error(diag, STATUS_USAGE, (Span){0}, "%s takes %s, not '%s'", option, row->argument, text);
    diag_suggest(diag, text, words, count);
    return false;
}

static bool store_number(int64_t *value, const char *option, const OptionRow *row, const char *text,
                         Diagnostics *diag) {
    if (parse_number(text, row->low, row->high, value)) return true;
    if (row->high == INT64_MAX)
        diag_error(diag, STATUS_USAGE, (Span){0}, "%s takes a whole number from %lld, not '%s'",
                   option, (long long)row->low, text);
    else
        diag_error(diag, STATUS_USAGE, (Span){0},
                   "%s takes a whole number from %lld to %lld, not '%s'", option,
                   (long long)row->low, (long long)row->high, text);
    return false;
}

static bool store_item(OptionList *list, const char *option, const char *text, Diagnostics *diag) {
    if (list->count < OPTION_LIST_MAX) {
        list->items[list->count++] = text;
        return true;
    }
    diag_error(diag, STATUS_USAGE, (Span){0}, "%s is given more than %d times", option,
               OPTION_LIST_MAX);
    return false;
}

static bool store(Options *options, int id, const char *text, Diagnostics *diag) {
    const OptionRow *row = &rows[id];
    void *field = (char *)options + row->offset;
    char option[SPELLING_MAX];
    spelling(row, option);
    options->given |= UINT64_C(1) << id;
    switch (row->kind) {
    case KIND_FLAG: *(bool *)field = true; return true;
    case KIND_TEXT: *(const char **)field = text; return true;
    case KIND_NUMBER: return store_number(field, option, row, text, diag);
    case KIND_CHOICE: return store_choice(field, option, row, text, diag);
    case KIND_LIST: return store_item(field, option, text, diag);
    }
    return false;
}

static void report_unknown(const char *command, const char *argument, uint64_t allowed,
                           Diagnostics *diag) {
    char name[SPELLING_MAX];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(argument, "="), argument);
    diag_error(diag, STATUS_USAGE, (Span){0}, "'mlc %s' has no option '%s'", command, name);
    const char *names[OPTION_COUNT];
    size_t count = 0;
    for (int id = 0; id < OPTION_COUNT; id++)
        if (is_allowed(allowed, id) && rows[id].name) names[count++] = rows[id].name;
    const char *near = strncmp(name, "--", 2) == 0 ? diag_nearest(name + 2, names, count) : NULL;
    if (suggest_option(name, allowed, diag)) return;
    if (near)
        diag_help(diag, "did you mean '--%s'?", near);
    else if (is_allowed(allowed, OPTION_set))
        diag_help(
            diag,
            "'mlc %s --help' lists them; settings of the model are given as --set train.epochs=3",
            command);
    else
        diag_help(diag, "'mlc %s --help' lists them", command);
}

static int id_of_letter(int letter) {
    int id = 0;
    while (rows[id].letter != letter) id++;
    return id;
}

/* Reports an error of getopt_long: a missing argument (found is ':'), an unwanted argument, or an
 * unknown option. */
static void report_refused(int found, const char *command, char **argv, uint64_t allowed,
                           Diagnostics *diag) {
    char option[SPELLING_MAX];
    bool is_long = optopt >= LONG_BASE;
    if (is_long)
        spelling(&rows[optopt - LONG_BASE], option);
    else
        snprintf(option, sizeof option, "-%c", optopt);
    if (found == ':')
        diag_error(diag, STATUS_USAGE, (Span){0}, "%s needs an argument: %s %s", option, option,
                   rows[is_long ? optopt - LONG_BASE : id_of_letter(optopt)].argument);
    else if (is_long)
        diag_error(diag, STATUS_USAGE, (Span){0}, "%s takes no argument", option);
    else
        report_unknown(command, optopt ? option : argv[optind - 1], allowed, diag);
}

/* Fills the tables of getopt_long. A long option has the value LONG_BASE + OptionId. */
static void make_tables(uint64_t allowed, struct option *longs, char *shorts) {
    *shorts++ = ':';
    for (int id = 0; id < OPTION_COUNT; id++) {
        if (!is_allowed(allowed, id)) continue;
        int argument = rows[id].kind == KIND_FLAG ? no_argument : required_argument;
        if (rows[id].name)
            *longs++ = (struct option){rows[id].name, argument, NULL, LONG_BASE + id};
        if (rows[id].letter) *shorts++ = rows[id].letter;
        if (rows[id].letter && argument) *shorts++ = ':';
    }
    *longs = (struct option){0};
    *shorts = 0;
}

bool options_parse(Options *options, const char *command, uint64_t allowed, int argc, char **argv,
                   Diagnostics *diag) {
    struct option longs[OPTION_COUNT + 1];
    char shorts[2 * OPTION_COUNT + 2];
    size_t before = diag_errors(diag);
    make_tables(allowed, longs, shorts);
    memset(options, 0, sizeof *options);
    for (int id = 0; id < OPTION_COUNT; id++)
        if (rows[id].kind == KIND_NUMBER)
            *(int64_t *)((char *)options + rows[id].offset) = rows[id].standard;
    opterr = 0;
    optind = 1;
    for (int found; (found = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        if (found == '?' || found == ':')
            report_refused(found, command, argv, allowed, diag);
        else
            store(options, found >= LONG_BASE ? found - LONG_BASE : id_of_letter(found), optarg,
                  diag);
    }
    options->operands = argv + optind;
    options->operand_count = argc - optind;
    return diag_errors(diag) == before;
}

void options_print(uint64_t allowed, FILE *out) {
    for (int id = 0; id < OPTION_COUNT; id++) {
        if (!is_allowed(allowed, id)) continue;
        char option[SPELLING_MAX], left[2 * SPELLING_MAX];
        spelling(&rows[id], option);
        snprintf(left, sizeof left, "%s%s%s", option, *rows[id].argument ? " " : "",
                 rows[id].argument);
        fprintf(out, "  %-28s %s%s\n", left, rows[id].help,
                rows[id].kind == KIND_LIST ? " (repeatable)" : "");
    }
}
