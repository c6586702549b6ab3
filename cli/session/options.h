/* The options of all commands, parsed. A command is given those it declares in commands.def; the others keep their
 * standard values. */
#ifndef MLC_CLI_SESSION_OPTIONS_H
#define MLC_CLI_SESSION_OPTIONS_H

#include "ir/base/diag.h"

#include <stdint.h>

typedef enum {
#define OPTION(id, name, letter, kind, argument, low, high, standard, help) OPTION_##id,
#include "cli/session/options.def"
    OPTION_COUNT
} OptionId;

enum { GEMM_JIT, GEMM_OPENBLAS }; /* the choices of --gemm */

enum { OPTION_LIST_MAX = 64 };
typedef struct {
    const char *items[OPTION_LIST_MAX];
    uint32_t count;
} OptionList;

typedef bool OptionFLAG;
typedef const char *OptionTEXT; /* NULL if not given */
typedef int64_t OptionNUMBER;
typedef int OptionCHOICE; /* the number of the word, from 0 */
typedef OptionList OptionLIST;

typedef struct {
#define OPTION(id, name, letter, kind, argument, low, high, standard, help) Option##kind id;
#include "cli/session/options.def"
    uint64_t given;        /* bit OptionId: it was on the command line */
    char *const *operands; /* what is no option */
    int operand_count;
} Options;

/* Sets of options, for commands.def */
#define OPTION_BIT(id) (UINT64_C(1) << OPTION_##id)
#define OPTIONS_CODE                                                                                                           \
    (OPTION_BIT(level) | OPTION_BIT(threads) | OPTION_BIT(cpu) | OPTION_BIT(gemm) | OPTION_BIT(no_cache) |                     \
     OPTION_BIT(verbose) | OPTION_BIT(help))
#define OPTIONS_RUN (OPTION_BIT(split) | OPTION_BIT(checkpoint) | OPTION_BIT(json) | OPTIONS_CODE)

/* Parses the arguments of `command` (argv[0] is its name), of which only options in `allowed` are known. Reports
 * STATUS_USAGE errors and returns false. */
bool options_parse(Options *options, const char *command, uint64_t allowed, int argc, char **argv, Diagnostics *diag);
bool option_given(const Options *options, OptionId id);
/* A line for every option of the set. */
void options_print(uint64_t allowed, FILE *out);

/* Strict: decimal digits and nothing else (a leading '-' if low is negative), low..high. */
bool parse_number(const char *text, int64_t low, int64_t high, int64_t *number);

#endif
