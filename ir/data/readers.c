/* The sources of data by name. */
#include "ir/data/readers.h"

#include <string.h>
#include <strings.h>

static const DataReader readers[] = {
#define SOURCE(name, signature, doc, read, cached, input, endings)                                 \
    {#name, cached, INPUT_##input, endings},
#include "ir/data/sources.def"
};
static const char *const names[] = {
#define SOURCE(name, ...) #name,
#include "ir/data/sources.def"
};
enum { READERS = sizeof readers / sizeof *readers };

const DataReader *reader_named(const char *name) {
    for (int i = 0; i < READERS; i++)
        if (!strcmp(readers[i].name, name)) return &readers[i];
    return NULL;
}

/* The ending after one of `size` characters in a list of endings; "" after the last one. */
static const char *next_ending(const char *ending, size_t size) {
    return ending + size + (ending[size] == ' ');
}

const DataReader *reader_of_file(const char *file) {
    size_t length = strlen(file), size;
    for (int i = 0; i < READERS; i++)
        for (const char *ending = readers[i].endings; *ending; ending = next_ending(ending, size)) {
            size = strcspn(ending, " ");
            if (length > size && !strncasecmp(file + length - size, ending, size))
                return &readers[i];
        }
    return NULL;
}

const char *reader_endings(Arena *arena) {
    const char *text = "";
    size_t size;
    for (int i = 0; i < READERS; i++)
        for (const char *ending = readers[i].endings; *ending; ending = next_ending(ending, size)) {
            size = strcspn(ending, " ");
            text = arena_format(arena, "%s%s%.*s", text, *text ? ", " : "", (int)size, ending);
        }
    return text;
}

const char *const *reader_names(uint32_t *count) {
    *count = READERS;
    return names;
}
