/* Help with names that other programs have for the same things: see foreign.def. */
#include "frontend/evaluate/evaluate.h"

#include <ctype.h>
#include <string.h>

static const struct {
    const char *name, *help;
} foreign[] = {
#define FOREIGN(name, help) {#name, help},
#include "frontend/evaluate/aliases.def"
};
enum { FOREIGN_COUNT = sizeof foreign / sizeof *foreign };

/* Capitals and '_' do not matter. */
static bool same_name(const char *name, const char *plain) {
    for (; *name; name++) {
        if (*name == '_') continue;
        if (tolower((unsigned char)*name) != *plain++) return false;
    }
    return !*plain;
}

const char *foreign_help(const char *name) {
    for (int i = 0; i < FOREIGN_COUNT; i++)
        if (same_name(name, foreign[i].name)) return foreign[i].help;
    return NULL;
}
