/* Maps files into memory, and finds the file at an address. */
#include "runtime/formats/map.h"
#include "ir/base/boundary.h"
#include "ir/base/files.h"
#include "ir/base/memory.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* -- the list of mapped files: read by a signal handler, so without a lock -- */

/* Entries are never removed from the list; a free one is reused. */
typedef struct Known Known;
struct Known {
    Known *next;
    _Atomic(const char *) begin; /* NULL: the entry is free */
    size_t length;
    char path[PATH_MAX];
};
static _Atomic(Known *) known;
static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER;

static void remember(const char *path, const void *begin, size_t length) {
    pthread_mutex_lock(&known_lock);
    Known *entry = atomic_load(&known);
    while (entry && atomic_load(&entry->begin)) entry = entry->next;
    if (!entry) {
        entry = MEMORY_NEW(Known, "a file that is read");
        entry->next = atomic_load(&known);
        atomic_store(&known, entry);
    }
    entry->length = length;
    snprintf(entry->path, sizeof entry->path, "%s", path);
    atomic_store(&entry->begin, begin);
    pthread_mutex_unlock(&known_lock);
}

const char *data_file_at(const void *address) {
    for (const Known *entry = atomic_load(&known); entry; entry = entry->next) {
        uintptr_t begin = (uintptr_t)atomic_load(&entry->begin), page = map_page();
        if (begin && (uintptr_t)address - begin < (entry->length + page - 1) / page * page)
            return entry->path;
    }
    return NULL;
}

/* -- one file -- */

static bool fill(int file, char *bytes, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t got = read(file, bytes + done, length - done);
        if (got < 0 && errno == EINTR) continue;
        if (got == 0) errno = 0;
        if (got <= 0) return false;
        done += (size_t)got;
    }
    return true;
}

/* Puts a file into memory; at: a reserved address, or NULL. Inside of another program it is read at
 * once: no handler waits there for the SIGBUS of a mapped file that is cut short. */
static void *place(int file, void *at, size_t length) {
    int flags = MAP_PRIVATE | (at ? MAP_FIXED : 0);
    if (!boundary_active()) return mmap(at, length, PROT_READ, flags, file, 0);
    void *bytes = mmap(at, length, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED || fill(file, bytes, length)) return bytes;
    munmap(bytes, length);
    return MAP_FAILED;
}

static int open_file(const char *path, size_t *length) {
    uint64_t bytes;
    int file = file_open(path, &bytes);
    *length = file < 0 ? 0 : (size_t)bytes;
    if (file < 0 || bytes) return file;
    close(file);
    errno = ENODATA;
    return -1;
}

static bool cannot_read(Problem *problem) {
    problem_set(problem, "it cannot be read: %s",
                errno == ENODATA ? "it is empty" : file_reason(errno));
    return false;
}

bool map_open(const char *path, Map *map, Problem *problem) {
    *map = (Map){0};
    int file = open_file(path, &map->length);
    bool good = file >= 0;
    void *bytes = good ? place(file, NULL, map->length) : MAP_FAILED;
    good = bytes != MAP_FAILED || cannot_read(problem);
    if (file >= 0) close(file);
    if (!good) return *map = (Map){0}, false;
    map->bytes = bytes;
    if (!boundary_active()) remember(path, bytes, map->length);
    return true;
}

void map_close(Map *map) {
    if (map->bytes) {
        const void *begin = map->bytes;
        size_t length = map->length;
        pthread_mutex_lock(&known_lock);
        for (Known *entry = atomic_load(&known); entry; entry = entry->next) {
            uintptr_t at = (uintptr_t)atomic_load(&entry->begin);
            if (at && at - (uintptr_t)begin < length) atomic_store(&entry->begin, NULL);
        }
        pthread_mutex_unlock(&known_lock);
    }
    if (map->bytes) munmap((void *)map->bytes, map->length);
    *map = (Map){0};
}

/* -- two -- */

size_t map_page(void) {
    static _Atomic size_t page;
    if (!page) page = (size_t)sysconf(_SC_PAGESIZE);
    return page;
}

int64_t map_second_row(int64_t rows) {
    int64_t page = (int64_t)map_page();
    return (rows + page - 1) / page * page;
}

/* Maps a file into a part of the reserved addresses. */
static bool map_part(const char *path, size_t length, char *at, Problem *problem) {
    size_t found;
    int file = open_file(path, &found);
    bool good = file >= 0;
    if (!good) cannot_read(problem);
    if (good && found != length) problem_set(problem, "it changed while it was read"), good = false;
    if (good && place(file, at, length) == MAP_FAILED) good = cannot_read(problem);
    if (file >= 0) close(file);
    if (good && !boundary_active()) remember(path, at, length);
    return good;
}

bool map_open_two(const char *const paths[2], const size_t lengths[2], size_t distance, Map *map,
                  Problem *problem) {
    *map = (Map){.length = distance + lengths[1]};
    char *bytes =
        mmap(NULL, map->length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (bytes == MAP_FAILED) return cannot_read(problem);
    map->bytes = bytes;
    if (map_part(paths[0], lengths[0], bytes, problem) &&
        map_part(paths[1], lengths[1], bytes + distance, problem))
        return true;
    map_close(map);
    return false;
}
