/* Reading a file that may be packed with gzip. Private to runtime/. */
#ifndef MLC_RUNTIME_FORMATS_UNPACK_H
#define MLC_RUNTIME_FORMATS_UNPACK_H

#include "runtime/formats/file_problem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Unpacker Unpacker;

/* Looks at the first bytes to see whether the file is packed. "/dev/stdin" is standard input. NULL
 * after setting the problem. */
Unpacker *unpack_open(const char *path, Problem *problem);
void unpack_close(Unpacker *unpacker); /* NULL is allowed */

/* The next bytes of the contents, fewer than wanted only at their end; -1 after setting the
 * problem. */
int64_t unpack_read(Unpacker *unpacker, void *to, size_t want, Problem *problem);

/* No contents are longer than this; exact for a plain file. */
uint64_t unpack_longest(const Unpacker *unpacker);
bool unpack_is_packed(const Unpacker *unpacker);
bool unpack_knows_length(const Unpacker *unpacker); /* neither packed nor from standard input */

/* A small file must not fill the memory: text that is read whole may have this many bytes, and more
 * only if it was packed to more than the UNPACK_REASONABLE_RATIO-th part of that. Deflate can pack
 * zeros to a thousandth; tables do not come near. */
#define UNPACK_REASONABLE ((uint64_t)64 << 20)
#define UNPACK_REASONABLE_RATIO 200
#define UNPACK_STREAM_MAX ((uint64_t)1 << 30) /* from standard input */
uint64_t unpack_reasonable(const Unpacker *unpacker);

#endif
