/* Opening and replacing files. */
#include "ir/base/files.h"
#include "ir/base/boundary.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- reading -- */

/* Without O_NONBLOCK, opening a pipe would wait for a writer. For a regular file the flag changes
 * nothing. */
int file_open(const char *path, uint64_t *length) {
    struct stat status;
    int file;
    while ((file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) < 0 && errno == EINTR)
        continue;
    if (file < 0) return -1;
    int error = fstat(file, &status) != 0      ? errno
                : S_ISDIR(status.st_mode)      ? EISDIR
                : S_ISREG(status.st_mode) == 0 ? EINVAL
                                               : 0;
    *length = error ? 0 : (uint64_t)status.st_size;
    if (!error) return file;
    close(file);
    errno = error;
    return -1;
}

bool file_is_there(const char *path) {
    struct stat status;
    if (stat(path, &status) == 0) return true;
    return errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG && errno != ELOOP;
}

const char *folder_next(DIR *folder) {
    errno = 0;
    const struct dirent *entry = readdir(folder);
    return entry ? entry->d_name : NULL;
}

const char *file_reason(int error) {
    if (error == EINVAL || error == ENXIO) return "it is no file, but a pipe or a device";
    return error ? strerror(error) : "it ends too early";
}

/* -- replacing -- */

#define TEMPORARY_END ".tmp"

bool file_write_part(int file, FilePart part) {
    const char *at = part.data;
    while (part.bytes > 0) {
        ssize_t n = write(file, at, part.bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) errno = EIO;
        if (n <= 0) return false;
        at += n;
        part.bytes -= (size_t)n;
    }
    return true;
}

/* An existing name is not touched: it may belong to another process, or be a link. */
static int open_temporary(Replacement *replacement) {
    enum { TRIES = 100 };
    for (int i = 0; i < TRIES; i++) {
        int length = snprintf(replacement->temporary, sizeof replacement->temporary,
                              "%s.%d-%d" TEMPORARY_END, replacement->path, (int)getpid(), i);
        if (length >= PATH_MAX) return errno = ENAMETOOLONG, -1;
        replacement->made = (Temporary){AT_FDCWD, replacement->temporary};
        int file = temporary_make(&replacement->made, 0666);
        if (file >= 0 || (errno != EEXIST && errno != EINTR)) return file;
    }
    return -1;
}

/* Each thread writes one file at a time, so few temporary files exist at once. One that finds no
 * room in this table is not removed by files_abandon. */
enum { TEMPORARIES_MAX = 16 };
static const Temporary *temporaries[TEMPORARIES_MAX];
static pthread_mutex_t temporaries_lock = PTHREAD_MUTEX_INITIALIZER;

static void exchange_temporary(const Temporary *from, const Temporary *to) {
    int i = 0;
    while (i < TEMPORARIES_MAX && temporaries[i] != from) i++;
    if (i < TEMPORARIES_MAX) temporaries[i] = to;
}

static void release_temporary(void *object, size_t size) {
    const Temporary *temporary = object;
    (void)size;
    unlinkat(temporary->folder, temporary->name, 0);
    temporary_gone(temporary);
}

int temporary_make(const Temporary *temporary, mode_t mode) {
    pthread_mutex_lock(&temporaries_lock);
    int file = openat(temporary->folder, temporary->name,
                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (file >= 0) exchange_temporary(NULL, temporary);
    pthread_mutex_unlock(&temporaries_lock);
    if (file >= 0) boundary_hold((void *)temporary, 0, release_temporary);
    return file;
}

void temporary_gone(const Temporary *temporary) {
    pthread_mutex_lock(&temporaries_lock);
    exchange_temporary(temporary, NULL);
    pthread_mutex_unlock(&temporaries_lock);
    boundary_drop((void *)temporary, release_temporary);
}

/* The process whose temporary file has this name; 0: it is no temporary file. */
static pid_t owner_of(const char *name) {
    size_t length = strlen(name);
    int process, number, end = 0;
    if (length < sizeof TEMPORARY_END ||
        strcmp(name + length - sizeof TEMPORARY_END + 1, TEMPORARY_END))
        return 0;
    const char *at = name + length - sizeof TEMPORARY_END + 1;
    while (at > name && at[-1] != '.') at--;
    return at > name && sscanf(at, "%d-%d%n", &process, &number, &end) == 2 &&
                   !strcmp(at + end, TEMPORARY_END)
               ? process
               : 0;
}

void temporaries_sweep(int folder) {
    /* closedir closes what it reads */
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy >= 0 ? fdopendir(copy) : NULL;
    if (!list && copy >= 0) close(copy);
    for (struct dirent *item; list && (item = readdir(list));) {
        pid_t owner = owner_of(item->d_name);
        if (owner > 0 && kill(owner, 0) != 0 && errno == ESRCH) unlinkat(folder, item->d_name, 0);
    }
    if (list) closedir(list);
}

void files_abandon(void) {
    pthread_mutex_lock(&temporaries_lock); /* for ever */
    for (int i = 0; i < TEMPORARIES_MAX; i++)
        if (temporaries[i]) unlinkat(temporaries[i]->folder, temporaries[i]->name, 0);
}

bool replacement_begin(Replacement *replacement, const char *path) {
    replacement->path = path;
    struct stat status;
    replacement->in_place = !stat(path, &status) && !S_ISREG(status.st_mode);
    if (!replacement->in_place) return (replacement->file = open_temporary(replacement)) >= 0;
    /* a pipe without a reader is an error (ENXIO): nothing here waits for one */
    replacement->file = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int flags = replacement->file < 0 ? -1 : fcntl(replacement->file, F_GETFL);
    if (flags >= 0) fcntl(replacement->file, F_SETFL, flags & ~O_NONBLOCK);
    return replacement->file >= 0;
}

static bool sync_file(int file) {
    int result;
    while ((result = fsync(file)) != 0 && errno == EINTR) continue;
    return result == 0;
}

/* A new name survives a crash only after its folder is synced. */
static bool sync_folder(const char *path) {
    char folder[PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');
    if (slash)
        snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return false;
    bool good = sync_file(file) || errno == EINVAL; /* some file systems cannot and need not */
    int error = errno;
    close(file);
    errno = error;
    return good;
}

bool replacement_end(Replacement *replacement, bool good) {
    int error = errno; /* the errno of the first failure */
    if (good && !replacement->in_place && !sync_file(replacement->file))
        good = false, error = errno;
    if (close(replacement->file) != 0 && errno != EINTR && good) good = false, error = errno;
    if (replacement->in_place) return errno = error, good;
    if (good && rename(replacement->temporary, replacement->path) != 0) good = false, error = errno;
    if (!good) unlink(replacement->temporary);
    temporary_gone(&replacement->made);
    if (good) return sync_folder(replacement->path);
    errno = error;
    return false;
}

bool file_replace(const char *path, const FilePart *parts, uint32_t count) {
    Replacement replacement;
    if (!replacement_begin(&replacement, path)) return false;
    bool good = true;
    for (uint32_t i = 0; i < count && good; i++) good = file_write_part(replacement.file, parts[i]);
    return replacement_end(&replacement, good);
}
