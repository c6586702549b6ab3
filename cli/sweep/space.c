/* Parses the values of a sweep, and chooses those of each setting. */
#include "cli/sweep/space.h"
#include "cli/sweep/sobol.h"
#include "ir/base/hash.h"
#include "ir/base/integers.h"
#include "ir/ops/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- parsing -- */

static const char *skip_spaces(const char *text) { return text + strspn(text, " \t"); }

static bool number_at(const char **text, double *number, bool *whole) {
    char *end;
    *text = skip_spaces(*text);
    *number = strtod(*text, &end);
    /* "0..1": strtod takes "0." */
    if (end > *text && end[-1] == '.' && *end == '.') end--;
    if (end == *text || !isfinite(*number)) return false;
    *whole = strcspn(*text, ".eEnN") >= (size_t)(end - *text);
    *text = skip_spaces(end);
    return true;
}

static bool two_numbers(const char *text, const char *between, const char *after, Swept *swept) {
    bool low_whole, high_whole;
    if (!number_at(&text, &swept->low, &low_whole) || strncmp(text, between, strlen(between)) != 0)
        return false;
    text += strlen(between);
    if (!number_at(&text, &swept->high, &high_whole) || strcmp(text, after) != 0) return false;
    swept->kind = SWEPT_EVEN;
    swept->whole = low_whole && high_whole;
    return true;
}

/* The length of a text up to a '|' outside brackets and quotes. */
static size_t item_length(const char *text) {
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; text[i]; i++) {
        if (text[i] == '"') quoted = !quoted;
        if (quoted) continue;
        depth += (text[i] == '[' || text[i] == '(') - (text[i] == ']' || text[i] == ')');
        if (text[i] == '|' && depth <= 0) return i;
    }
    return strlen(text);
}

static void parse_list(const char *text, Swept *swept, Arena *arena) {
    swept->kind = SWEPT_LIST;
    swept->items = (const char **)ARENA_ARRAY(arena, char *, strlen(text) + 1);
    for (bool more = true; more;) {
        size_t length = item_length(text);
        more = text[length] == '|';
        const char *begin = skip_spaces(text), *end = text + length;
        while (end > begin && (end[-1] == ' ' || end[-1] == '\t')) end--;
        swept->items[swept->item_count++] = arena_format(arena, "%.*s", (int)(end - begin), begin);
        text += length + more;
    }
}

static bool report(const char *text, const char *finding, Diagnostics *diag) {
    diag_error(diag, STATUS_USAGE, (Span){0}, "--set %.200s: %s", text, finding);
    diag_help(
        diag,
        "a sweep takes lr=1e-3, lr=1e-3|1e-2, lr=log(1e-4, 1e-1), dropout=0..0.5 or layers=1..4");
    return false;
}

static bool check(const char *text, const Swept *swept, Diagnostics *diag) {
    for (uint32_t i = 0; i < swept->item_count; i++)
        if (!*swept->items[i]) return report(text, "a value is missing", diag);
    if (swept->kind == SWEPT_LIST) return true;
    if (swept->low >= swept->high)
        return report(text, "the first bound must be below the second one", diag);
    if (swept->kind == SWEPT_LOG && swept->low <= 0)
        return report(text, "the bounds of log must be above 0", diag);
    return !swept->whole || fmax(fabs(swept->low), fabs(swept->high)) < 0x1p53 ||
           report(text, "the bounds are too large", diag);
}

/* The name before the equals sign; NULL after reporting that there is none. */
static const char *name_of(const char *text, Arena *arena, Diagnostics *diag) {
    const char *end = strchr(text, '=');
    if (!end || end == text) return report(text, "it must be NAME=VALUES", diag), NULL;
    while (end > text && end[-1] == ' ') end--;
    return arena_format(arena, "%.*s", (int)(end - text), text);
}

static bool parse_one(Space *space, const char *text, Arena *arena, Diagnostics *diag) {
    Swept swept = {.name = name_of(text, arena, diag)};
    if (!swept.name) return false;
    const char *values = skip_spaces(strchr(text, '=') + 1);
    if (!strncmp(values, "log(", 4) && two_numbers(values + 4, ",", ")", &swept))
        swept.kind = SWEPT_LOG;
    else if (!two_numbers(values, "..", "", &swept))
        parse_list(values, &swept, arena);
    for (uint32_t i = 0; i < space->count; i++)
        if (!strcmp(space->params[i].name, swept.name))
            return report(text, "the name has been set before", diag);
    space->params[space->count++] = swept;
    return check(text, &swept, diag);
}

bool space_parse(Space *space, const OptionList *sets, Arena *arena, Diagnostics *diag) {
    bool good = true;
    *space = (Space){0};
    for (uint32_t i = 0; i < sets->count; i++)
        good &= parse_one(space, sets->items[i], arena, diag);
    return good;
}

bool space_fixed(Space *space, const OptionList *sets, Arena *arena, Diagnostics *diag) {
    *space = (Space){0};
    for (uint32_t i = 0; i < sets->count; i++) {
        Swept *swept = &space->params[space->count++];
        if (!(swept->name = name_of(sets->items[i], arena, diag))) return false;
        swept->items = (const char **)ARENA_ARRAY(arena, char *, 1);
        swept->items[0] = strchr(sets->items[i], '=') + 1;
        swept->item_count = 1;
    }
    return true;
}

/* -- settings -- */

uint32_t space_size(const Space *space) {
    uint64_t size = 1;
    for (uint32_t i = 0; i < space->count; i++) {
        if (space->params[i].kind != SWEPT_LIST) return 0;
        size = (uint64_t)min_i64((int64_t)(size * space->params[i].item_count), UINT32_MAX);
    }
    return (uint32_t)size;
}

/* The item that a parameter has in setting `number` of a grid. The items of all parameters are the
 * digits of `number` in a mixed base: each digit counts the items of its parameter. */
static uint32_t grid_item(const Space *space, uint32_t param, uint32_t number) {
    for (uint32_t i = space->count - 1; i > param; i--) number /= space->params[i].item_count;
    return number % space->params[param].item_count;
}

/* 32 random bits that belong to a parameter and a setting. */
static uint32_t bits_of(const Swept *swept, uint32_t number, uint64_t seed) {
    return random_bits(seed, STREAM_SWEEP, hash_name(swept->name), number);
}

/* Where a setting lies in the range of a parameter: in [0, 1), in steps of 2^-32. Sobol's points
 * are combined with random bits, the same for all settings, so that they depend on the seed and
 * none of them is at a bound. */
static double position_of(const Space *space, uint32_t param, uint32_t number, Search search,
                          uint64_t seed) {
    const Swept *swept = &space->params[param];
    uint32_t dimension = 0;
    if (search == SEARCH_RANDOM) return bits_of(swept, number, seed) * 0x1p-32;
    for (uint32_t i = 0; i < param; i++) dimension += swept_varies(&space->params[i]);
    return (sobol_bits(dimension, number) ^ bits_of(swept, UINT32_MAX, seed)) * 0x1p-32;
}

/* The value at `unit` of the way from low to high. For whole numbers, an even spread is rounded
 * down and a logarithmic one to the nearest. */
static double value_at(const Swept *swept, double unit) {
    if (swept->kind == SWEPT_LOG) {
        double value = exp(log(swept->low) + unit * log(swept->high / swept->low));
        return swept->whole ? fmin(fmax(rint(value), swept->low), swept->high) : value;
    }
    return swept->whole ? swept->low + floor(unit * (swept->high - swept->low + 1))
                        : swept->low + unit * (swept->high - swept->low);
}

/* "NAME=VALUE" with a number between bounds. It has six digits, so that people can type it and that
 * no C library's logarithm changes it. */
static const char *number_setting(const Swept *swept, double unit, Arena *arena) {
    return arena_format(arena, swept->whole ? "%s=%.0f" : "%s=%.6g", swept->name,
                        value_at(swept, unit));
}

const char *space_value(const Space *space, uint32_t param, uint32_t number, Search search,
                        uint64_t seed, Arena *arena) {
    const Swept *swept = &space->params[param];
    bool is_drawn = search != SEARCH_GRID && swept_varies(swept);
    double unit = is_drawn ? position_of(space, param, number, search, seed) : 0;
    if (swept->kind != SWEPT_LIST) return number_setting(swept, unit, arena);
    uint32_t item = search == SEARCH_GRID ? grid_item(space, param, number)
                                          : (uint32_t)(unit * swept->item_count);
    return arena_format(arena, "%s=%s", swept->name, swept->items[item]);
}

uint32_t space_ends(const Space *space, uint32_t param, const char **ends, Arena *arena) {
    const Swept *swept = &space->params[param];
    uint32_t count = swept->kind == SWEPT_LIST ? swept->item_count : 2;
    for (uint32_t i = 0; i < count; i++)
        ends[i] = swept->kind == SWEPT_LIST
                      ? arena_format(arena, "%s=%s", swept->name, swept->items[i])
                      : arena_format(arena, "%s=%.17g", swept->name, i ? swept->high : swept->low);
    return count;
}
