/* A static library: "!<arch>\n", then members, each with a header of 60 characters and padded to an
 * even length. The headers of the first two members give padded lengths. Times, owners and groups
 * are 0, so that the same object gives the same bytes.
 *
 *     "/"     the index, in big-endian words: the number of symbols; for each one the offset of
 *             the header of its member; then their names
 *     "//"    the long names of members
 *     "/0"    the object, whose name begins at offset 0 of the long names */
#include "cli/ship/archive.h"

#include <stdint.h>
#include <string.h>

enum { MAGIC_BYTES = 8, HEADER_BYTES = 60 };

static size_t padded(size_t bytes) { return bytes + bytes % 2; }

static void write_header(FILE *out, const char *name, size_t bytes, const char *mode) {
    fprintf(out, "%-16s%-12s%-6s%-6s%-8s%-10zu`\n", name, mode ? "0" : "", mode ? "0" : "",
            mode ? "0" : "", mode ? mode : "", bytes);
}

static void write_word(FILE *out, size_t word) {
    for (int shift = 24; shift >= 0; shift -= 8) fputc((int)(word >> shift & 255), out);
}

void archive_write(FILE *out, const char *member, const void *bytes, size_t length,
                   const char *const *symbols, size_t symbol_count) {
    size_t index = 4 + 4 * symbol_count, name = strlen(member) + 2;
    for (size_t i = 0; i < symbol_count; i++) index += strlen(symbols[i]) + 1;
    size_t at = MAGIC_BYTES + HEADER_BYTES + padded(index) + HEADER_BYTES + padded(name);
    fputs("!<arch>\n", out);
    write_header(out, "/", padded(index), "0");
    write_word(out, symbol_count);
    for (size_t i = 0; i < symbol_count; i++) write_word(out, at);
    for (size_t i = 0; i < symbol_count; i++) fwrite(symbols[i], 1, strlen(symbols[i]) + 1, out);
    if (index % 2) fputc(0, out);
    write_header(out, "//", padded(name), NULL);
    fprintf(out, "%s/\n%s", member, name % 2 ? "\n" : "");
    write_header(out, "/0", length, "644");
    fwrite(bytes, 1, length, out);
    if (length % 2) fputc('\n', out);
}
