/* The texts around a shipped object. Each depends on the shipment alone: the same run gives the
 * same bytes. */
#ifndef MLC_CLI_SHIP_SHIP_TEXTS_H
#define MLC_CLI_SHIP_SHIP_TEXTS_H

#include "cli/ship/shipment.h"

#include <jansson.h>

void ship_header(const Shipment *shipment, FILE *out); /* NAME.h */
void ship_test(const Shipment *shipment, FILE *out);   /* NAME_test.c */
void ship_cmake(const Shipment *shipment, FILE *out);  /* CMakeLists.txt */
void ship_readme(const Shipment *shipment, FILE *out); /* README.md */
json_t *ship_json(const Shipment *shipment);           /* NAME.json, and --json */
/* One line for a person: sizes, and multiply-adds. */
void ship_summary(const Shipment *shipment, FILE *out);

/* The type of an input in C: "uint8_t". */
const char *ship_c_type(const ShipInput *input);
/* The parameters of a function, such as "const uint8_t *image, float *logits, digits_scratch
 * *scratch". */
const char *ship_parameters(const Shipment *shipment, const ShipVariant *variant);

#endif
