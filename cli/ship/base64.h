/* Bytes as text of 64 characters (RFC 4648). */
#ifndef MLC_CLI_SHIP_BASE64_H
#define MLC_CLI_SHIP_BASE64_H

#include <stddef.h>
#include <stdio.h>

void base64_write(FILE *out, const void *bytes, size_t length);

#endif
