/* A library to be preloaded (LD_PRELOAD) that lets one call of a program fail: allocation number
 * FAULT_AT, or system call number FAULT_AT.
 *
 *   FAULT_KIND   "memory": malloc and its kind, mmap, pthread_create; "system": open, stat, read,
 *                write, fsync, rename... and stdio's own
 *   FAULT_AT     which of them fails, from 1; 0: none
 *   FAULT_ERROR  the errno of a system call that fails, as a number; ENOSPC without it
 *   FAULT_COUNT  a file that gets, at a normal end, how many calls there were
 *
 * EINTR fails a call that did nothing; other errors of close and rename come after their work is
 * undone or refused, as on Linux. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *old, size_t bytes);
extern void *__libc_memalign(size_t alignment, size_t bytes);

typedef enum { NOTHING, MEMORY, SYSTEM } FaultKind;
static FaultKind kind;
static long at;
static int error = ENOSPC;
static const char *count_file;
static atomic_long calls;

static long number_of(const char *name, long otherwise) {
    const char *text = getenv(name);
    return text ? strtol(text, NULL, 10) : otherwise;
}

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("FAULT_KIND");
    at = number_of("FAULT_AT", 0);
    error = (int)number_of("FAULT_ERROR", ENOSPC);
    count_file = getenv("FAULT_COUNT");
    kind = !name ? NOTHING : !strcmp(name, "memory") ? MEMORY : SYSTEM;
}

__attribute__((destructor)) static void end(void) {
    char text[32];
    FaultKind ended = kind;
    kind = NOTHING;
    if (!count_file || ended == NOTHING) return;
    int file = (int)syscall(SYS_openat, AT_FDCWD, count_file, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    int length = snprintf(text, sizeof text, "%ld\n", atomic_load(&calls));
    if (syscall(SYS_write, file, text, length) != length) _exit(99);
    syscall(SYS_close, file);
}

static bool fails(FaultKind of, int reason) {
    if (kind != of || atomic_fetch_add(&calls, 1) + 1 != at) return false;
    errno = reason;
    return true;
}

#define NO_MEMORY fails(MEMORY, ENOMEM)
#define REFUSED fails(SYSTEM, error)
/* the library's own function, behind the one of this file */
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* -- memory -- */

void *malloc(size_t bytes) { return NO_MEMORY ? NULL : __libc_malloc(bytes); }
void *calloc(size_t count, size_t bytes) { return NO_MEMORY ? NULL : __libc_calloc(count, bytes); }
void *realloc(void *old, size_t bytes) { return NO_MEMORY ? NULL : __libc_realloc(old, bytes); }
void *aligned_alloc(size_t alignment, size_t bytes) {
    return NO_MEMORY ? NULL : __libc_memalign(alignment, bytes);
}
void *memalign(size_t alignment, size_t bytes) {
    return NO_MEMORY ? NULL : __libc_memalign(alignment, bytes);
}

int posix_memalign(void **memory, size_t alignment, size_t bytes) {
    if (NO_MEMORY) return ENOMEM;
    *memory = __libc_memalign(alignment, bytes);
    return *memory ? 0 : ENOMEM;
}

void *mmap(void *address, size_t length, int protection, int flags, int file, off_t offset) {
    if (NO_MEMORY) return MAP_FAILED;
    return (void *)syscall(SYS_mmap, address, length, protection, flags, file, offset);
}

int mprotect(void *address, size_t length, int protection) {
    return NO_MEMORY ? -1 : (int)syscall(SYS_mprotect, address, length, protection);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *argument) {
    return NO_MEMORY ? EAGAIN : NEXT(pthread_create)(thread, attributes, run, argument);
}

/* -- system calls -- */

int open(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    return REFUSED ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    return REFUSED ? -1 : (int)syscall(SYS_openat, folder, path, flags, mode);
}

ssize_t read(int file, void *to, size_t bytes) {
    return REFUSED ? -1 : syscall(SYS_read, file, to, bytes);
}
ssize_t write(int file, const void *from, size_t bytes) {
    return REFUSED ? -1 : syscall(SYS_write, file, from, bytes);
}
int fsync(int file) { return REFUSED ? -1 : (int)syscall(SYS_fsync, file); }
int ftruncate(int file, off_t length) {
    return REFUSED ? -1 : (int)syscall(SYS_ftruncate, file, length);
}
int mkdir(const char *path, mode_t mode) {
    return REFUSED ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}
int unlink(const char *path) {
    return REFUSED ? -1 : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}
int rename(const char *from, const char *to) {
    return REFUSED ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}
int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    return REFUSED ? -1 : (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, 0);
}

/* Even a close that fails frees the descriptor, as on Linux. */
int close(int file) {
    int result = (int)syscall(SYS_close, file);
    return REFUSED ? -1 : result;
}

int stat(const char *path, struct stat *facts) { return REFUSED ? -1 : NEXT(stat)(path, facts); }
int fstat(int file, struct stat *facts) { return REFUSED ? -1 : NEXT(fstat)(file, facts); }
int lstat(const char *path, struct stat *facts) { return REFUSED ? -1 : NEXT(lstat)(path, facts); }
int access(const char *path, int mode) { return REFUSED ? -1 : NEXT(access)(path, mode); }
int dup(int file) { return REFUSED ? -1 : (int)syscall(SYS_dup, file); }
int unlinkat(int folder, const char *path, int flags) {
    return REFUSED ? -1 : (int)syscall(SYS_unlinkat, folder, path, flags);
}
struct dirent *readdir(DIR *folder) {
    return REFUSED ? NULL : NEXT(readdir)(folder);
}
DIR *fdopendir(int file) { return REFUSED ? NULL : NEXT(fdopendir)(file); }
DIR *opendir(const char *path) { return REFUSED ? NULL : NEXT(opendir)(path); }
FILE *fdopen(int file, const char *mode) { return REFUSED ? NULL : NEXT(fdopen)(file, mode); }
FILE *fopen(const char *path, const char *mode) { return REFUSED ? NULL : NEXT(fopen)(path, mode); }
int fflush(FILE *out) { return REFUSED ? EOF : NEXT(fflush)(out); }

/* ferror() must be true afterwards; it reads this flag of glibc's FILE. */
size_t fread(void *to, size_t size, size_t count, FILE *in) {
    enum { ERROR_SEEN = 0x20 };
    if (!REFUSED) return NEXT(fread)(to, size, count, in);
    in->_flags |= ERROR_SEEN;
    return 0;
}

/* The bytes that the stream still holds are lost, as when its last write fails. */
int fclose(FILE *out) {
    int result = NEXT(fclose)(out);
    return REFUSED ? EOF : result;
}
