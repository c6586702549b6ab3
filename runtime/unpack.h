/* Reading a file that may be packed with gzip. Private to runtime/. */
#ifndef MLC_RUNTIME_UNPACK_H
#define MLC_RUNTIME_UNPACK_H

#include "runtime/problem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Unpacker Unpacker;

/* Looks at the first bytes to see whether the file is packed. NULL after setting the problem. */
Unpacker *unpack_open(const char *path, Problem *problem);
void unpack_close(Unpacker *unpacker); /* NULL is allowed */

/* The next bytes of the contents, fewer than wanted only at their end; -1 after setting the problem. */
int64_t unpack_read(Unpacker *unpacker, void *to, size_t want, Problem *problem);

/* No contents are longer than this; exact for a plain file. */
uint64_t unpack_longest(const Unpacker *unpacker);
bool unpack_is_packed(const Unpacker *unpacker);

#endif
