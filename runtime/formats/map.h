/* Files mapped into memory: only what is looked at is read, and more than memory holds can be
 * looked at. A file that is cut short while it is mapped raises SIGBUS where it is read:
 * data_file_at tells whose fault that is. */
#ifndef MLC_RUNTIME_FORMATS_MAP_H
#define MLC_RUNTIME_FORMATS_MAP_H

#include "runtime/formats/file_problem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const void *bytes; /* [length]; never NULL after map_open */
    size_t length;
} Map;

/* Nothing has to be closed after a failure. An empty file is a problem. */
bool map_open(const char *path, Map *map, Problem *problem);
void map_close(Map *map);

/* Two files in one stretch of addresses, so that both can be parts of one array: the second begins
 * `distance` bytes, a multiple of map_page(), behind the first. What lies between them cannot be
 * read. Their lengths must be those given. */
bool map_open_two(const char *const paths[2], const size_t lengths[2], size_t distance, Map *map,
                  Problem *problem);
size_t map_page(void);
/* Where the second part's rows begin, in rows: a multiple of map_page(), so that rows of any size
 * agree with it. */
int64_t map_second_row(int64_t rows);

/* The data file that is mapped into memory at an address; NULL: none. For a handler of SIGBUS,
 * which is raised where a file is read that has become shorter. */
const char *data_file_at(const void *address);

#endif
