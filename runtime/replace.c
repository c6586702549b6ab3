/* Replacing a file so that after any crash there is the old one or the new one. */
#include "runtime/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool write_part(int fd, FilePart part) {
    const char *at = part.data;
    while (part.bytes > 0) {
        ssize_t n = write(fd, at, part.bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        at += n;
        part.bytes -= (size_t)n;
    }
    return true;
}

static bool write_file(const char *path, const FilePart *parts, uint32_t count) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) return false;
    bool good = true;
    for (uint32_t i = 0; i < count && good; i++) good = write_part(fd, parts[i]);
    good = good && fsync(fd) == 0;
    int error = errno; /* of what went wrong first */
    if (close(fd) != 0 && good) return false;
    errno = error;
    return good;
}

/* The new name is safe only when the folder is. */
static bool sync_folder(const char *path) {
    char *folder = strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;
    if (!folder) abort();
    if (slash) slash[slash == folder] = '\0';
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    if (fd < 0) return false;
    bool good = fsync(fd) == 0 || errno == EINVAL; /* some file systems cannot and need not */
    close(fd);
    return good;
}

bool file_replace(const char *path, const FilePart *parts, uint32_t count, Diagnostics *diag) {
    char *temporary = malloc(strlen(path) + sizeof ".tmp");
    if (!temporary) abort();
    strcat(strcpy(temporary, path), ".tmp");
    bool good = write_file(temporary, parts, count) && rename(temporary, path) == 0;
    int error = errno;
    if (!good) unlink(temporary);
    free(temporary);
    if (good && sync_folder(path)) return true;
    diag_error(diag, STATUS_FILE, (Span){0}, "cannot write '%s': %s", path, strerror(good ? errno : error));
    diag_help(diag, "make room there, or choose a folder that can be written to");
    return false;
}
