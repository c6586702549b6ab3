/* The values that a sweep tries for its parameters. --set NAME=VALUES gives one parameter:
 *
 *     lr=1e-3                     one value
 *     hidden=[128]|[256, 128]     these values
 *     dropout=0..0.5              real numbers between two bounds
 *     layers=1..4                 whole numbers, both bounds included
 *     lr=log(1e-4, 1e-1)          real numbers whose logarithms are evenly spread
 *     hidden=log(8, 512)          the same for whole numbers
 *
 * A setting has one value for each parameter. */
#ifndef MLC_CLI_SWEEP_SPACE_H
#define MLC_CLI_SWEEP_SPACE_H

#include "cli/session/options.h"
#include "ir/base/arena.h"

typedef enum { SWEPT_LIST, SWEPT_EVEN, SWEPT_LOG } SweptKind;

typedef struct {
    const char *name;
    SweptKind kind;
    const char **items; /* of a list; one item: the value does not vary */
    uint32_t item_count;
    double low, high; /* bounds of the other kinds: low < high, and 0 < low for SWEPT_LOG */
    bool whole;       /* both bounds are whole numbers, so the values are */
} Swept;

/* Whether a parameter has more than one value. */
static inline bool swept_varies(const Swept *swept) {
    return swept->kind != SWEPT_LIST || swept->item_count > 1;
}

typedef struct {
    Swept params[OPTION_LIST_MAX];
    uint32_t count;
} Space;

typedef enum { SEARCH_GRID, SEARCH_RANDOM, SEARCH_SOBOL } Search;

/* Reads the --set options. false after reporting STATUS_USAGE errors. */
bool space_parse(Space *space, const OptionList *sets, Arena *arena, Diagnostics *diag);
/* Reads --set options that each give one value, whatever characters it has. */
bool space_fixed(Space *space, const OptionList *sets, Arena *arena, Diagnostics *diag);
/* How many settings there are, at most UINT32_MAX. 0: a parameter takes numbers between bounds, so
 * there is no end to them. */
uint32_t space_size(const Space *space);
/* "NAME=VALUE" of parameter `param` in setting `number`, the same whenever the arguments are. A
 * grid varies the last parameter fastest. */
const char *space_value(const Space *space, uint32_t param, uint32_t number, Search search,
                        uint64_t seed, Arena *arena);
/* The values at the ends of a parameter: both bounds, or all items of a list. Returns how many. */
uint32_t space_ends(const Space *space, uint32_t param, const char **ends, Arena *arena);

#endif
