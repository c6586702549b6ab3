/* A temporary folder for tests that need files, and IDX files in it. */
#ifndef MLC_TESTS_TEMPORARY_H
#define MLC_TESTS_TEMPORARY_H

#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static char temporary_folder[64];

static inline int temporary_set_up(void **state) {
    (void)state;
    strcpy(temporary_folder, "/tmp/mlc-test-XXXXXX");
    return mkdtemp(temporary_folder) ? 0 : -1;
}

static inline int temporary_remove(const char *path, const struct stat *status, int type,
                                   struct FTW *place) {
    (void)status, (void)type, (void)place;
    return remove(path);
}

static inline int temporary_tear_down(void **state) {
    (void)state;
    return nftw(temporary_folder, temporary_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* The path of a name in the folder; eight of them live at a time. */
static inline const char *temporary_path(const char *name) {
    static char paths[8][256];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", temporary_folder, name);
    return path;
}

static inline void temporary_write(const char *name, const void *data, size_t bytes) {
    FILE *file = fopen(temporary_path(name), "wb");
    if (!file || fwrite(data, 1, bytes, file) != bytes || fclose(file)) abort();
}

static inline void temporary_write_packed(const char *name, const void *data, size_t bytes) {
    gzFile file = gzopen(temporary_path(name), "wb");
    if (!file || gzwrite(file, data, (unsigned)bytes) != (int)bytes || gzclose(file)) abort();
}

static inline size_t temporary_read(const char *name, void *data, size_t room) {
    FILE *file = fopen(temporary_path(name), "rb");
    if (!file) return 0;
    size_t got = fread(data, 1, room, file);
    fclose(file);
    return got;
}

/* An IDX file of bytes in memory; returns its length. */
static inline size_t idx_bytes(uint8_t *to, int rank, const int *dims, const uint8_t *data) {
    size_t elements = 1;
    memcpy(to, (uint8_t[4]){0, 0, 8, (uint8_t)rank}, 4);
    for (int i = 0; i < rank; i++) {
        elements *= (size_t)dims[i];
        for (int byte = 0; byte < 4; byte++)
            to[4 + 4 * i + byte] = (uint8_t)(dims[i] >> (24 - 8 * byte));
    }
    memcpy(to + 4 + 4 * rank, data, elements);
    return 4 + 4 * (size_t)rank + elements;
}

#endif
