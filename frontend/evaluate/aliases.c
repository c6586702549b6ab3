/* Help with names that other programs have for the same things: see aliases.def. */
#include "frontend/evaluate/evaluate.h"

#include <ctype.h>
#include <string.h>

static const struct {
    const char *name, *help;
} aliases[] = {
#define ALIAS(name, help) {#name, help},
#include "frontend/evaluate/aliases.def"
};
enum { ALIAS_COUNT = sizeof aliases / sizeof *aliases };

/* Capitals and '_' do not matter. */
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
