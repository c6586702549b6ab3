/* BLAKE3 of data in one piece. */
#ifndef MLC_RUNTIME_FORMATS_HASH_H
#define MLC_RUNTIME_FORMATS_HASH_H

#include <stddef.h>

enum { HASH_HEX = 65 }; /* 64 hex digits and the closing NUL */
void blake3_hex(const void *data, size_t bytes, char hex[HASH_HEX]);

#endif
