/* A static library with one member, as `ar` writes it with its options D and s. */
#ifndef MLC_CLI_SHIP_ARCHIVE_H
#define MLC_CLI_SHIP_ARCHIVE_H

#include <stddef.h>
#include <stdio.h>

/* Writes the archive. symbols: the names that the member defines; the linker finds them by the
 * archive's index. */
void archive_write(FILE *out, const char *member, const void *bytes, size_t length,
                   const char *const *symbols, size_t symbol_count);

#endif
