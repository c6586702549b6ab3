/* Files mapped into memory: only what is looked at is read, and more than memory holds can be looked at. Private to runtime/. */
#ifndef MLC_RUNTIME_MAP_H
#define MLC_RUNTIME_MAP_H

#include "runtime/idx.h"

typedef struct {
    const void *bytes; /* [length]; never NULL after map_open */
    size_t length;
} Map;

/* Nothing has to be closed after a failure. An empty file is a problem. */
bool map_open(const char *path, Map *map, Problem *problem);
void map_close(Map *map);

#endif
