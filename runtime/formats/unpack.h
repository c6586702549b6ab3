/* Reads a file that may be compressed with gzip. Private to runtime/. */
#ifndef MLC_RUNTIME_FORMATS_UNPACK_H
#define MLC_RUNTIME_FORMATS_UNPACK_H

#include "runtime/formats/file_problem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No deflate stream expands more: https://zlib.net/zlib_tech.html */
enum { DEFLATE_MAX_RATIO = 1032 };

typedef struct Unpacker Unpacker;

/* Opens a file; its first bytes tell whether it is a gzip file. "/dev/stdin" is standard input.
 * NULL after setting the problem. */
Unpacker *unpack_open(const char *path, Problem *problem);
void unpack_close(Unpacker *unpacker); /* NULL is allowed */

/* Reads `want` bytes of the contents, fewer only at the end; -1 after setting the problem. */
int64_t unpack_read(Unpacker *unpacker, void *to, size_t want, Problem *problem);

/* An upper bound for the length of the contents; exact for a plain file. */
uint64_t unpack_longest(const Unpacker *unpacker);
bool unpack_is_packed(const Unpacker *unpacker);
bool unpack_knows_length(const Unpacker *unpacker); /* a plain file, not gzip or stdin */

/* A small gzip file must not fill the memory. Text may have UNPACK_REASONABLE bytes, or
 * UNPACK_REASONABLE_RATIO times the size of the file if that is more. Deflate compresses zeros to a
 * thousandth, but tables never that far. */
#define UNPACK_REASONABLE ((uint64_t)64 << 20)
#define UNPACK_REASONABLE_RATIO 200
#define UNPACK_STREAM_MAX ((uint64_t)1 << 30) /* from standard input */
uint64_t unpack_reasonable(const Unpacker *unpacker);

#endif
