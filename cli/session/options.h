/* The parsed options of all commands. A command accepts the options of its row in commands.def; the
 * others keep their default values. */
#ifndef MLC_CLI_SESSION_OPTIONS_H
#define MLC_CLI_SESSION_OPTIONS_H

#include "ir/base/diag.h"
#include "ir/base/number_text.h"

#include <stdint.h>

typedef enum {
#define WORD(id, word)
#define OPTION(id, name, letter, kind, argument, low, high, standard, help) OPTION_##id,
#include "cli/session/options.def"
    OPTION_COUNT
} OptionId;

/* A set of options: bit OptionId. There are more than 64 of them. */
__extension__ typedef unsigned __int128 OptionSet;

enum { OPTION_LIST_MAX = 64 };
typedef struct {
    const char *items[OPTION_LIST_MAX];
    uint32_t count;
} OptionList;

/* An enumeration for each option that is a choice: Choice_kind is CHOICE_kind_train,
 * CHOICE_kind_eval or CHOICE_kind_predict. */
#define ENUM_FLAG(id, ...)
#define ENUM_TEXT(id, ...)
#define ENUM_NUMBER(id, ...)
#define ENUM_LIST(id, ...)
#define ENUM_CHOICE(id, ...) typedef enum { __VA_ARGS__ } Choice_##id;
#define WORD(id, word) CHOICE_##id##_##word,
#define OPTION(id, name, letter, kind, argument, low, high, standard, help)                        \
    ENUM_##kind(id, argument)
#include "cli/session/options.def"

#define FIELD_FLAG(id) bool id;
#define FIELD_TEXT(id) const char *id;
#define FIELD_NUMBER(id) int64_t id;
#define FIELD_LIST(id) OptionList id;
#define FIELD_CHOICE(id) Choice_##id id;
typedef struct Options {
#define WORD(id, word)
#define OPTION(id, name, letter, kind, argument, low, high, standard, help) FIELD_##kind(id)
#include "cli/session/options.def"
    OptionSet given;       /* bit OptionId: it was on the command line */
    char *const *operands; /* arguments that are not options */
    int operand_count;
} Options;

/* Sets of options, for commands.def */
#define OPTION_BIT(id) ((OptionSet)1 << OPTION_##id)
#define OPTIONS_CODE                                                                               \
    (OPTION_BIT(level) | OPTION_BIT(threads) | OPTION_BIT(cpu) | OPTION_BIT(gemm) |                \
     OPTION_BIT(no_cache) | OPTION_BIT(verbose) | OPTION_BIT(help))
#define OPTIONS_RUN                                                                                \
    (OPTION_BIT(split) | OPTION_BIT(checkpoint) | OPTION_BIT(json) | OPTION_BIT(device) |          \
     OPTIONS_CODE)

/* A row of options.def. */
typedef enum { KIND_FLAG, KIND_TEXT, KIND_NUMBER, KIND_CHOICE, KIND_LIST } OptionKind;
typedef struct {
    const char *name; /* NULL: the option has a letter only */
    char letter;      /* 0: none */
    OptionKind kind;
    const char *argument; /* "DIR"; "train|eval|predict" for a choice; "" for a flag */
    int64_t low, high, standard;
    const char *help;
    size_t offset; /* the offset of its field in Options */
} OptionRow;
extern const OptionRow option_rows[OPTION_COUNT];
/* "--out", or "-O" of an option with a letter only; returns `text`. */
enum { OPTION_SPELLING = 64 };
const char *option_spelling(const OptionRow *row, char text[OPTION_SPELLING]);
/* Whether option number `id` is in a set of options. */
bool option_in(OptionSet options, int id);

/* Parses the arguments of `command` (argv[0] is its name), which accepts the options in `allowed`.
 * false after reporting STATUS_USAGE errors. */
bool options_parse(Options *options, const char *command, OptionSet allowed, int argc, char **argv,
                   Diagnostics *diag);
bool option_given(const Options *options, OptionId id);
/* Prints one line for every option in `allowed`. */
void options_print(OptionSet allowed, FILE *out);

#endif
