/* Mapping files into memory. */
#include "runtime/map.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool map_file(int file, Map *map) {
    struct stat status;
    if (fstat(file, &status)) return false;
    if (!S_ISREG(status.st_mode)) return errno = EINVAL, false;
    map->length = (size_t)status.st_size;
    if (!map->length) return errno = ENODATA, false;
    void *bytes = mmap(NULL, map->length, PROT_READ, MAP_PRIVATE, file, 0);
    map->bytes = bytes == MAP_FAILED ? NULL : bytes;
    return map->bytes != NULL;
}

bool map_open(const char *path, Map *map, Problem *problem) {
    *map = (Map){0};
    int file = open(path, O_RDONLY | O_CLOEXEC);
    bool good = file >= 0 && map_file(file, map);
    if (!good) problem_set(problem, "it cannot be read: %s", errno == ENODATA ? "it is empty" : strerror(errno));
    if (file >= 0) close(file);
    return good;
}

void map_close(Map *map) {
    if (map->bytes) munmap((void *)map->bytes, map->length);
    *map = (Map){0};
}
