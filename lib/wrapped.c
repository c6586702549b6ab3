/* The functions of the C library that make something which has to be given back, for all code in
 * libmlc.so: the linker redirects the calls here (--wrap, in CMakeLists.txt). A boundary
 * (ir/base/boundary.h) learns what a call of the interface has made. Memory that the system refuses
 * is not NULL for the caller, which often does not check it: the call ends. */
#include "ir/base/boundary.h"
#include "ir/base/memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* WRAP(type, name, parameters): declares the function of the C library and the one that takes its
 * place. */
#define WRAP(type, name, ...)                                                                      \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

/* -- memory -- */

/* Without a boundary, as while the library is loaded, the caller gets NULL. */
static void *refused(size_t bytes) {
    return boundary_active() ? memory_library_refused(bytes) : NULL;
}

static void *held(void *memory) {
    if (memory) boundary_hold_memory(memory);
    return memory;
}

/* The result of `call`, which is repeated if there was a reserve. */
#define TRY(call)                                                                                  \
    void *memory = (call);                                                                         \
    if (!memory && boundary_spend_reserve()) memory = (call)

WRAP(void *, malloc, size_t bytes) {
    TRY(__real_malloc(bytes));
    return memory ? held(memory) : refused(bytes);
}

WRAP(void *, calloc, size_t count, size_t bytes) {
    TRY(__real_calloc(count, bytes));
    return memory ? held(memory) : refused(count * bytes);
}

WRAP(void *, aligned_alloc, size_t alignment, size_t bytes) {
    TRY(__real_aligned_alloc(alignment, bytes));
    return memory ? held(memory) : refused(bytes);
}

WRAP(char *, strdup, const char *text) {
    TRY(__real_strdup(text));
    return memory ? held(memory) : refused(strlen(text) + 1);
}

/* realloc to 0 bytes frees the memory and may return NULL; this is no refusal. */
WRAP(void *, realloc, void *old, size_t bytes) {
    TRY(__real_realloc(old, bytes));
    if (!memory && bytes) return refused(bytes);
    if (old) boundary_drop_memory(old);
    return held(memory);
}

WRAP(void, free, void *memory) {
    if (memory) boundary_drop_memory(memory);
    __real_free(memory);
}

/* -- files -- */

static void *of_file(int file) { return (void *)(intptr_t)file; }

static void release_file(void *file, size_t size) {
    (void)size;
    close((int)(intptr_t)file);
}

static int held_file(int file) {
    if (file >= 0) boundary_hold(of_file(file), 0, release_file);
    return file;
}

static mode_t mode_of(int flags, va_list args) {
    return flags & O_CREAT ? va_arg(args, mode_t) : 0;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return held_file(__real_open(path, flags, mode));
}

int __real_openat(int folder, const char *path, int flags, ...);
int __wrap_openat(int folder, const char *path, int flags, ...);
int __wrap_openat(int folder, const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return held_file(__real_openat(folder, path, flags, mode));
}

WRAP(int, close, int file) {
    boundary_drop(of_file(file), release_file);
    return __real_close(file);
}

static void release_stream(void *stream, size_t size) {
    (void)size;
    fclose(stream);
}

/* A stream or a list takes over its file. */
WRAP(FILE *, fdopen, int file, const char *mode) {
    FILE *stream = __real_fdopen(file, mode);
    if (!stream) return NULL;
    boundary_drop(of_file(file), release_file);
    boundary_hold(stream, 0, release_stream);
    return stream;
}

WRAP(FILE *, fopen, const char *path, const char *mode) {
    FILE *stream = __real_fopen(path, mode);
    if (stream) boundary_hold(stream, 0, release_stream);
    return stream;
}

WRAP(int, fclose, FILE *stream) {
    boundary_drop(stream, release_stream);
    return __real_fclose(stream);
}

static void release_list(void *list, size_t size) {
    (void)size;
    closedir(list);
}

WRAP(DIR *, fdopendir, int file) {
    DIR *list = __real_fdopendir(file);
    if (!list) return NULL;
    boundary_drop(of_file(file), release_file);
    boundary_hold(list, 0, release_list);
    return list;
}

WRAP(DIR *, opendir, const char *path) {
    DIR *list = __real_opendir(path);
    if (list) boundary_hold(list, 0, release_list);
    return list;
}

WRAP(int, closedir, DIR *list) {
    boundary_drop(list, release_list);
    return __real_closedir(list);
}

/* -- pages -- */

static void release_pages(void *begin, size_t bytes) { munmap(begin, bytes); }

/* Pages at a fixed address are a part of others that are held. */
WRAP(void *, mmap, void *at, size_t bytes, int protection, int flags, int file, off_t offset) {
    void *begin = __real_mmap(at, bytes, protection, flags, file, offset);
    if (begin != MAP_FAILED && !(flags & MAP_FIXED)) boundary_hold(begin, bytes, release_pages);
    return begin;
}

WRAP(int, munmap, void *begin, size_t bytes) {
    boundary_drop(begin, release_pages);
    return __real_munmap(begin, bytes);
}
