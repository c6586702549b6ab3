/* What the test programs of the interface share. */
#include "checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void check_that(bool good, const char *what, const char *file, int line, const char *message) {
    if (good) return;
    printf("%s:%d: %s does not hold; the last message:\n%s", file, line, what, message);
    exit(1);
}

unsigned char *read_bytes(const char *path, size_t *length) {
    FILE *in = fopen(path, "rb");
    unsigned char *bytes = malloc(1 << 26);
    if (!in || !bytes) {
        printf("cannot read %s\n", path);
        exit(1);
    }
    *length = fread(bytes, 1, (1 << 26) - 1, in);
    bytes[*length] = 0;
    fclose(in);
    return bytes;
}

static int64_t big_endian(const unsigned char *at) {
    return (int64_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

unsigned char *read_idx_rows(const char *path, int64_t *rows, int64_t *width) {
    size_t length;
    unsigned char *bytes = read_bytes(path, &length);
    int axes = bytes[3];
    *rows = big_endian(bytes + 4);
    *width = 1;
    for (int i = 1; i < axes; i++) *width *= big_endian(bytes + 4 + 4 * i);
    return memmove(bytes, bytes + 4 + 4 * axes, (size_t)(*rows * *width));
}

int input_named(const mlc_network *network, const char *name) {
    for (int i = 0; i < mlc_input_count(network); i++)
        if (!strcmp(mlc_input(network, i)->name, name)) return i;
    printf("there is no input '%s'\n", name);
    exit(1);
}
