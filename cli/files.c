/* Files and paths: read whole, written whole. */
#include "cli/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_MAX = 256 << 20 }; /* no text that mlc reads is longer: /dev/zero must not fill the memory */

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
    if (slash) snprintf(folder.path, sizeof folder.path, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    return folder;
}

Path path_absolute(const char *path) {
    Path absolute;
    if (realpath(path, absolute.path)) return absolute;
    snprintf(absolute.path, sizeof absolute.path, "%s", path);
    return absolute;
}

bool path_exists(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0;
}

static char *read_stream(FILE *in, size_t *length) {
    size_t used = 0, capacity = 1 << 16;
    char *text = malloc(capacity + 1);
    for (size_t got; text && used < READ_MAX && (got = fread(text + used, 1, capacity - used, in)) > 0;) {
        used += got;
        if (used < capacity) continue;
        char *grown = realloc(text, 2 * capacity + 1);
        if (!grown) free(text);
        text = grown;
        capacity *= 2;
    }
    if (text) text[used] = 0;
    *length = used;
    return text;
}

/* Nothing but a file is read, so that a name in a model cannot make mlc wait. */
char *file_read_plain(const char *path, size_t *length) {
    struct stat facts;
    if (stat(path, &facts) != 0) return NULL;
    errno = S_ISDIR(facts.st_mode) ? EISDIR : EINVAL;
    FILE *in = S_ISREG(facts.st_mode) ? fopen(path, "rb") : NULL;
    char *text = in ? read_stream(in, length) : NULL;
    if (in) fclose(in);
    return text;
}

char *file_read(const char *path, size_t *length, Status status, Diagnostics *diag) {
    bool is_stdin = strcmp(path, "-") == 0;
    errno = 0;
    FILE *in = is_stdin ? stdin : fopen(path, "rb");
    char *text = in ? read_stream(in, length) : NULL;
    bool failed = !text || ferror(in);
    int reason = errno;
    if (in && !is_stdin) fclose(in);
    if (!failed) return text;
    free(text);
    diag_error(diag, status, (Span){0}, "cannot read '%s': %s", path, strerror(reason ? reason : EIO));
    return NULL;
}

static bool write_stream(FILE *out, const char *text, size_t length, bool sync) {
    bool written = fwrite(text, 1, length, out) == length && fflush(out) == 0 && (!sync || fsync(fileno(out)) == 0);
    int reason = errno;
    bool closed = fclose(out) == 0;
    if (!written) errno = reason;
    return written && closed;
}

/* What is there and no regular file (a pipe, /dev/null) is written to, not replaced. */
static bool is_replaceable(const char *path) {
    struct stat facts;
    return stat(path, &facts) != 0 || S_ISREG(facts.st_mode);
}

bool file_write(const char *path, const char *text, size_t length, Diagnostics *diag) {
    char temporary[PATH_MAX + 8];
    bool replace = is_replaceable(path);
    snprintf(temporary, sizeof temporary, "%s%s", path, replace ? ".tmp" : "");
    FILE *out = fopen(temporary, "wb");
    if (out && write_stream(out, text, length, replace) && (!replace || rename(temporary, path) == 0)) return true;
    diag_error(diag, STATUS_FILE, (Span){0}, "cannot write '%s': %s", path, strerror(errno));
    if (out && replace) unlink(temporary);
    return false;
}
