/* Files mapped into memory: pages are read when they are used, so files larger than memory work.
 * Inside of a boundary (ir/base/boundary.h) they are read at once.
 * Reading a file that was truncated after it was mapped raises SIGBUS; data_file_at then names the
 * file. */
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

/* After a failure there is nothing to close. An empty file is a problem. */
bool map_open(const char *path, Map *map, Problem *problem);
void map_close(Map *map);

/* Maps two files so that both are parts of one array: the second begins `distance` bytes, a
 * multiple of map_page(), after the first. The gap between them cannot be read. The files must have
 * the given lengths. */
bool map_open_two(const char *const paths[2], const size_t lengths[2], size_t distance, Map *map,
                  Problem *problem);
size_t map_page(void);
/* The row number at which the second file begins: a multiple of map_page(), so that the distance is
 * a multiple of it for rows of any size. */
int64_t map_second_row(int64_t rows);

/* The path of the file that is mapped at an address; NULL: none. Safe in a signal handler. */
const char *data_file_at(const void *address);

#endif
