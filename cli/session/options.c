/* Parses the command line according to the table options.def. */
#include "cli/session/options.h"
#include "cli/session/suggest.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(OPTION_COUNT <= 8 * sizeof(OptionSet), "a set of options has a bit for each");
const OptionRow option_rows[OPTION_COUNT] = {
#define WORD(id, word) "|" #word
#define OPTION(id, name, letter, kind, argument, low, high, standard, help)                        \
    {name,     letter, KIND_##kind,          &(argument)[KIND_##kind == KIND_CHOICE], low, high,   \
     standard, help,   offsetof(Options, id)},
#include "cli/session/options.def"
};

/* store_choice writes each choice, an enumeration, as an int. */
_Static_assert(sizeof(Choice_kind) == sizeof(int), "an enumeration has the size of an int");

enum { LONG_BASE = 256 };

bool option_in(OptionSet options, int id) { return options >> id & 1; }

bool option_given(const Options *options, OptionId id) {
    return option_in(options->given, (int)id);
}

const char *option_spelling(const OptionRow *row, char text[OPTION_SPELLING]) {
    if (row->name)
        snprintf(text, OPTION_SPELLING, "--%s", row->name);
    else
        snprintf(text, OPTION_SPELLING, "-%c", row->letter);
    return text;
}

enum { CHOICES_MAX = 8 };

/* Stores the number of the word `text` in row->argument, which is "a|b|c". */

static bool store_choice(int *value, const char *option, const OptionRow *row, const char *text,
                         Diagnostics *diag) {
    char buffer[OPTION_SPELLING];
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
    const OptionRow *row = &option_rows[id];
    void *field = (char *)options + row->offset;
    char option[OPTION_SPELLING];
    option_spelling(row, option);
    options->given |= (OptionSet)1 << id;
    switch (row->kind) {
    case KIND_FLAG: *(bool *)field = true; return true;
    case KIND_TEXT: *(const char **)field = text; return true;
    case KIND_NUMBER: return store_number(field, option, row, text, diag);
    case KIND_CHOICE: return store_choice(field, option, row, text, diag);
    case KIND_LIST: return store_item(field, option, text, diag);
    }
    return false;
}

static void report_unknown(const char *command, const char *argument, OptionSet allowed,
                           Diagnostics *diag) {
    char name[OPTION_SPELLING];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(argument, "="), argument);
    diag_error(diag, STATUS_USAGE, (Span){0}, "'mlc %s' has no option '%s'", command, name);
    const char *names[OPTION_COUNT];
    size_t count = 0;
    for (int id = 0; id < OPTION_COUNT; id++)
        if (option_in(allowed, id) && option_rows[id].name) names[count++] = option_rows[id].name;
    const char *near = strncmp(name, "--", 2) == 0 ? diag_nearest(name + 2, names, count) : NULL;
    if (suggest_option(name, allowed, diag)) return;
    if (near)
        diag_help(diag, "did you mean '--%s'?", near);
    else if (option_in(allowed, OPTION_set))
        diag_help(
            diag,
            "'mlc %s --help' lists them; settings of the model are given as --set train.epochs=3",
            command);
    else
        diag_help(diag, "'mlc %s --help' lists them", command);
}

/* The option of that letter in the set `allowed`, which has one. */
static int id_of_letter(OptionSet allowed, int letter) {
    int id = 0;
    while (option_rows[id].letter != letter || !option_in(allowed, id)) id++;
    return id;
}

/* Reports an error of getopt_long: a missing argument (found is ':'), an unwanted argument, or an
 * unknown option. */
static void report_refused(int found, const char *command, char **argv, OptionSet allowed,
                           Diagnostics *diag) {
    char option[OPTION_SPELLING];
    bool is_long = optopt >= LONG_BASE;
    if (is_long)
        option_spelling(&option_rows[optopt - LONG_BASE], option);
    else
        snprintf(option, sizeof option, "-%c", optopt);
    if (found == ':')
        diag_error(
            diag, STATUS_USAGE, (Span){0}, "%s needs an argument: %s %s", option, option,
            option_rows[is_long ? optopt - LONG_BASE : id_of_letter(allowed, optopt)].argument);
    else if (is_long)
        diag_error(diag, STATUS_USAGE, (Span){0}, "%s takes no argument", option);
    else
        report_unknown(command, optopt ? option : argv[optind - 1], allowed, diag);
}

/* Fills the tables of getopt_long. A long option has the value LONG_BASE + OptionId. */
static void make_tables(OptionSet allowed, struct option *longs, char *shorts) {
    *shorts++ = ':';
    for (int id = 0; id < OPTION_COUNT; id++) {
        if (!option_in(allowed, id)) continue;
        int argument = option_rows[id].kind == KIND_FLAG ? no_argument : required_argument;
        if (option_rows[id].name)
            *longs++ = (struct option){option_rows[id].name, argument, NULL, LONG_BASE + id};
        if (option_rows[id].letter) *shorts++ = option_rows[id].letter;
        if (option_rows[id].letter && argument) *shorts++ = ':';
    }
    *longs = (struct option){0};
    *shorts = 0;
}

bool options_parse(Options *options, const char *command, OptionSet allowed, int argc, char **argv,
                   Diagnostics *diag) {
    struct option longs[OPTION_COUNT + 1];
    char shorts[2 * OPTION_COUNT + 2];
    size_t before = diag_errors(diag);
    make_tables(allowed, longs, shorts);
    memset(options, 0, sizeof *options);
    for (int id = 0; id < OPTION_COUNT; id++)
        if (option_rows[id].kind == KIND_NUMBER)
            *(int64_t *)((char *)options + option_rows[id].offset) = option_rows[id].standard;
    opterr = 0;
    optind = 1;
    for (int found; (found = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        if (found == '?' || found == ':')
            report_refused(found, command, argv, allowed, diag);
        else
            store(options, found >= LONG_BASE ? found - LONG_BASE : id_of_letter(allowed, found),
                  optarg, diag);
    }
    options->operands = argv + optind;
    options->operand_count = argc - optind;
    return diag_errors(diag) == before;
}

/* An option that is too long for its column has a line of its own. */
void options_print(OptionSet allowed, FILE *out) {
    enum { LEFT = 28 };
    for (int id = 0; id < OPTION_COUNT; id++) {
        if (!option_in(allowed, id)) continue;
        char option[OPTION_SPELLING], left[2 * OPTION_SPELLING];
        option_spelling(&option_rows[id], option);
        snprintf(left, sizeof left, "%s%s%s", option, *option_rows[id].argument ? " " : "",
                 option_rows[id].argument);
        if (strlen(left) > LEFT) fprintf(out, "  %s\n", left), *left = '\0';
        fprintf(out, "  %-*s %s%s\n", LEFT, left, option_rows[id].help,
                option_rows[id].kind == KIND_LIST ? " (repeatable)" : "");
    }
}
