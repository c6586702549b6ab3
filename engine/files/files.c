/* Paths, and files read or written at once. */
#include "engine/files/files.h"
#include "ir/base/files.h"
#include "ir/base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* the longest text in bytes: /dev/zero must not fill the memory */
enum { READ_MAX = 256 << 20 };

Path path_join(const char *folder, const char *name) {
    Path joined;
    size_t length = strlen(folder);
    const char *slash = length && folder[length - 1] == '/' ? "" : "/";
    snprintf(joined.path, sizeof joined.path, "%s%s%s", folder, slash, name);
    return joined;
}

Path path_folder(const char *path) {
    Path folder = {"."};
    const char *slash = strrchr(path, '/');
    if (slash)
        snprintf(folder.path, sizeof folder.path, "%.*s", slash == path ? 1 : (int)(slash - path),
                 path);
    return folder;
}

Path path_absolute(const char *path) {
    Path absolute;
    if (realpath(path, absolute.path)) return absolute;
    snprintf(absolute.path, sizeof absolute.path, "%s", path);
    return absolute;
}

bool path_is_folder(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

bool path_ends_in(const char *path, const char *ending) {
    size_t length = strlen(path), end = strlen(ending);
    return length > end && !strcmp(path + length - end, ending);
}

/* The text up to the end of the stream; NULL with errno set. */
static char *read_stream(FILE *in, size_t *length) {
    size_t used = 0, capacity = 1 << 16;
    char *text = memory_try_grow(NULL, capacity + 1);
    for (size_t got;
         text && used < READ_MAX && (got = fread(text + used, 1, capacity - used, in)) > 0;) {
        used += got;
        if (used < capacity) continue;
        char *grown = memory_try_grow(text, 2 * capacity + 1);
        if (!grown) free(text);
        text = grown;
        capacity *= 2;
    }
    if (text && ferror(in)) {
        free(text);
        return NULL;
    }
    if (text) text[used] = 0;
    *length = used;
    return text;
}

/* Pipes and devices are refused: reading one that a model names could wait forever. */
char *file_read_plain(const char *path, size_t *length) {
    uint64_t bytes;
    int file = file_open(path, &bytes);
    FILE *in = file < 0 ? NULL : fdopen(file, "rb");
    if (!in && file >= 0) close(file);
    char *text = in ? read_stream(in, length) : NULL;
    int reason = errno;
    if (in) fclose(in);
    errno = reason;
    return text;
}

bool path_is_stdin(const char *path) { return !strcmp(path, "-") || !strcmp(path, "/dev/stdin"); }

char *file_read(const char *path, size_t *length, Status status, Diagnostics *diag) {
    errno = 0;
    char *text = path_is_stdin(path) ? read_stream(stdin, length) : file_read_plain(path, length);
    if (text) return text;
    diag_error(diag, status, (Span){0}, "cannot read '%s': %s", path,
               file_reason(errno ? errno : EIO));
    return NULL;
}

static void report_unwritten(const char *path, Diagnostics *diag) {
    diag_error(diag, STATUS_FILE, (Span){0}, "cannot write '%s': %s", path, file_reason(errno));
}

bool file_write(const char *path, const char *text, size_t length, Diagnostics *diag) {
    if (file_replace(path, &(FilePart){text, length}, 1)) return true;
    report_unwritten(path, diag);
    return false;
}

bool file_write_stream(const char *path, MemoryStream *stream, Diagnostics *diag) {
    char *text = memory_stream_end(stream);
    bool to_stdout = !strcmp(path, "-");
    if (to_stdout) fwrite(text, 1, stream->length, stdout); /* main checks stdout at the end */
    bool written = to_stdout || file_write(path, text, stream->length, diag);
    free(text);
    return written;
}

void file_give_up(FILE **file, const char *path, Diagnostics *diag) {
    report_unwritten(path, diag);
    if (*file) fclose(*file);
    *file = NULL;
}
