/* Reads a file that may be compressed with gzip. zlib decompresses directly into the caller's
 * memory. Unlike with gzread, a truncated file and data after the end are errors. */
#include "runtime/formats/unpack.h"
#include "ir/base/files.h"
#include "ir/base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { INPUT_BYTES = 1 << 17, GZIP_WINDOW = 15 + 16 };

struct Unpacker {
    const char *path;
    int fd;
    uint64_t file_bytes;
    bool packed, ended; /* ended: the gzip stream is complete */
    bool streams;       /* standard input, of unknown length */
    z_stream stream;
    uint8_t input[INPUT_BYTES];
};

/* read() until `want` bytes or the end of the file. */
static int64_t read_file(Unpacker *unpacker, uint8_t *to, size_t want, Problem *problem) {
    size_t got = 0;
    while (got < want) {
        ssize_t n = read(unpacker->fd, to + got, want - got);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            problem_set(problem, "cannot read '%s': %s", unpacker->path, strerror(errno));
            return -1;
        }
        if (n == 0) break;
        got += (size_t)n;
    }
    return (int64_t)got;
}

/* The first bytes decide: gzip begins with 1f 8b, IDX files with two zeros. */
static bool look_ahead(Unpacker *unpacker, Problem *problem) {
    int64_t got = read_file(unpacker, unpacker->input, INPUT_BYTES, problem);
    if (got < 0) return false;
    unpacker->packed = got >= 2 && unpacker->input[0] == 0x1f && unpacker->input[1] == 0x8b;
    unpacker->stream.next_in = unpacker->input;
    unpacker->stream.avail_in = (uInt)got;
    unpacker->stream.zalloc = memory_library_array;
    unpacker->stream.zfree = memory_library_release;
    if (!unpacker->packed || inflateInit2(&unpacker->stream, GZIP_WINDOW) == Z_OK) return true;
    unpacker->packed = false;
    problem_set(problem, "cannot unpack '%s': zlib does not start", unpacker->path);
    return false;
}

Unpacker *unpack_open(const char *path, Problem *problem) {
    Unpacker *unpacker = MEMORY_NEW(Unpacker, "a file that is read");
    unpacker->path = path;
    unpacker->streams = !strcmp(path, "/dev/stdin");
    unpacker->fd = unpacker->streams ? dup(STDIN_FILENO) : file_open(path, &unpacker->file_bytes);
    if (unpacker->fd < 0)
        problem_set(problem, "cannot open '%s': %s", path, file_reason(errno));
    else if (look_ahead(unpacker, problem))
        return unpacker;
    unpack_close(unpacker);
    return NULL;
}

void unpack_close(Unpacker *unpacker) {
    if (!unpacker) return;
    if (unpacker->packed) inflateEnd(&unpacker->stream);
    if (unpacker->fd >= 0) close(unpacker->fd);
    free(unpacker);
}

static bool refill(Unpacker *unpacker, Problem *problem) {
    int64_t got = read_file(unpacker, unpacker->input, INPUT_BYTES, problem);
    if (got < 0) return false;
    unpacker->stream.next_in = unpacker->input;
    unpacker->stream.avail_in = (uInt)got;
    return true;
}

/* After the end of a gzip stream another one may follow, whose contents are appended. Other data
 * are an error. */
static bool next_member(Unpacker *unpacker, Problem *problem) {
    z_stream *stream = &unpacker->stream;
    if (!stream->avail_in && !refill(unpacker, problem)) return false;
    if (!stream->avail_in) {
        unpacker->ended = true;
        return true;
    }
    if (stream->next_in[0] != 0x1f) {
        problem_set(problem, "'%s' continues after the end of its gzip data", unpacker->path);
        return false;
    }
    return inflateReset(stream) == Z_OK;
}

/* Calls inflate and describes its errors. */
static bool inflate_some(Unpacker *unpacker, Problem *problem) {
    z_stream *stream = &unpacker->stream;
    if (!stream->avail_in && !refill(unpacker, problem)) return false;
    if (!stream->avail_in) {
        problem_set(problem, "'%s' is cut short: its gzip data do not end within its %llu bytes",
                    unpacker->path,
                    (unsigned long long)(unpacker->streams ? (uint64_t)stream->total_in
                                                           : unpacker->file_bytes));
        return false;
    }
    int status = inflate(stream, Z_NO_FLUSH);
    if (status == Z_STREAM_END) return next_member(unpacker, problem);
    if (status == Z_OK || status == Z_BUF_ERROR) return true;
    problem_set(problem, "'%s' is damaged: %s", unpacker->path,
                stream->msg ? stream->msg : "its gzip data cannot be unpacked");
    return false;
}

static int64_t packed_read(Unpacker *unpacker, uint8_t *to, size_t want, Problem *problem) {
    z_stream *stream = &unpacker->stream;
    size_t got = 0;
    while (got < want && !unpacker->ended) {
        size_t part = want - got < (1u << 30) ? want - got : 1u << 30; /* zlib counts in 32 bits */
        stream->next_out = to + got;
        stream->avail_out = (uInt)part;
        if (!inflate_some(unpacker, problem)) return -1;
        got += part - stream->avail_out;
    }
    return (int64_t)got;
}

int64_t unpack_read(Unpacker *unpacker, void *to, size_t want, Problem *problem) {
    if (unpacker->packed) return packed_read(unpacker, to, want, problem);
    /* Bytes that were read to recognize gzip come first. */
    z_stream *ahead = &unpacker->stream;
    size_t first = want < ahead->avail_in ? want : ahead->avail_in;
    if (first) memcpy(to, ahead->next_in, first);
    ahead->next_in += first;
    ahead->avail_in -= (uInt)first;
    int64_t rest = read_file(unpacker, (uint8_t *)to + first, want - first, problem);
    return rest < 0 ? -1 : (int64_t)first + rest;
}

uint64_t unpack_longest(const Unpacker *unpacker) {
    if (unpacker->streams) return UNPACK_STREAM_MAX;
    return unpacker->packed ? unpacker->file_bytes * DEFLATE_MAX_RATIO : unpacker->file_bytes;
}

bool unpack_is_packed(const Unpacker *unpacker) { return unpacker->packed; }

bool unpack_knows_length(const Unpacker *unpacker) {
    return !unpacker->packed && !unpacker->streams;
}

uint64_t unpack_reasonable(const Unpacker *unpacker) {
    uint64_t most = unpacker->file_bytes * UNPACK_REASONABLE_RATIO;
    if (unpacker->streams) return UNPACK_STREAM_MAX;
    return unpacker->packed ? (most > UNPACK_REASONABLE ? most : UNPACK_REASONABLE)
                            : unpacker->file_bytes;
}
