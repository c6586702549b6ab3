/* What the test programs of the interface share. */
#ifndef MLC_TESTS_INTERFACE_CHECKS_H
#define MLC_TESTS_INTERFACE_CHECKS_H

#include "mlc.h"

#include <stdbool.h>
#include <stdint.h>

/* Ends the program with the place and the message if `good` is false. */
#define CHECK(good, network) check_that(good, #good, __FILE__, __LINE__, mlc_message(network))
void check_that(bool good, const char *what, const char *file, int line, const char *message);

/* The bytes of a file, freed by the caller; the program ends if it cannot be read. */
unsigned char *read_bytes(const char *path, size_t *length);
/* The rows of an IDX file: pictures, or labels. */
unsigned char *read_idx_rows(const char *path, int64_t *rows, int64_t *width);

/* The index of an input of that name; the program ends if there is none. */
int input_named(const mlc_network *network, const char *name);

#endif
