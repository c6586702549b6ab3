/* Finds the help for a name that other programs use: see aliases.def. */
#include "frontend/evaluate/evaluate.h"

#include <ctype.h>
#include <string.h>

static const struct {
    const char *name, *help;
} aliases[] = {
#define MEANS(name, word)
#define ALIAS(name, help) {#name, help},
#include "frontend/evaluate/aliases.def"
};
enum { ALIAS_COUNT = sizeof aliases / sizeof *aliases };

static const struct {
    const char *name, *word;
} meanings[] = {
#define MEANS(name, word) {#name, #word},
#define ALIAS(name, help)
#include "frontend/evaluate/aliases.def"
};

/* Compares names without regard to capitals and '_'. `plain` has neither. */
static bool same_name(const char *name, const char *plain) {
    for (; *name; name++) {
        if (*name == '_') continue;
        if (tolower((unsigned char)*name) != *plain++) return false;
    }
    return !*plain;
}

const char *alias_help(const char *name) {
    for (int i = 0; i < ALIAS_COUNT; i++)
        if (same_name(name, aliases[i].name)) return aliases[i].help;
    return NULL;
}

bool alias_suggest(Diagnostics *diag, const char *name, const char *const *candidates,
                   size_t count) {
    const char *alias = alias_help(name), *near = diag_nearest(name, candidates, count);
    if (alias)
        diag_help(diag, "%s", alias);
    else if (near)
        diag_help(diag, "did you mean '%s'?", near);
    return alias || near;
}

bool alias_suggest_word(Diagnostics *diag, const char *name, const char *const *candidates,
                        size_t count) {
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        for (size_t k = 0; k < count && same_name(name, meanings[i].name); k++)
            if (!strcmp(candidates[k], meanings[i].word)) {
                diag_help(diag, "did you mean '%s'?", meanings[i].word);
                return true;
            }
    return alias_suggest(diag, name, candidates, count);
}
