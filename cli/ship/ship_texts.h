/* The texts around a shipped object. Each depends on the shipment alone: the same run gives the
 * same bytes. */
#ifndef MLC_CLI_SHIP_SHIP_TEXTS_H
#define MLC_CLI_SHIP_SHIP_TEXTS_H

#include "cli/ship/shipment.h"

#include <jansson.h>

void ship_header(const Shipment *shipment, FILE *out);         /* NAME.h */
void ship_source(const Shipment *shipment, FILE *out);         /* NAME.c */
void ship_weights_source(const Shipment *shipment, FILE *out); /* NAME_weights.c */
void ship_test(const Shipment *shipment, FILE *out);           /* NAME_test.c */
void ship_cmake(const Shipment *shipment, FILE *out);          /* CMakeLists.txt */
void ship_readme(const Shipment *shipment, FILE *out);         /* README.md */
json_t *ship_json(const Shipment *shipment);                   /* NAME.json, and --json */
/* Lines for the user: sizes and multiply-adds. */
void ship_summary(const Shipment *shipment, FILE *out);

/* For browsers: NAME.js, which loads and runs the modules; NAME_test.mjs and the examples for it,
 * NAME_test.json; package.json; README.md. */
void ship_script(const Shipment *shipment, FILE *out);
void ship_script_test(const Shipment *shipment, FILE *out);
void ship_script_examples(const Shipment *shipment, FILE *out);
void ship_script_package(const Shipment *shipment, FILE *out);
void ship_script_readme(const Shipment *shipment, FILE *out);

void ship_page(const Shipment *shipment, FILE *out); /* NAME.html */

/* The type of an input in C: "uint8_t". */
const char *ship_c_type(const ShipInput *input);
/* The parameters of a variant, such as "const uint8_t *image, float *logits, digits_scratch
 * *scratch"; those of a step. */
const char *ship_parameters(const Shipment *shipment, const ShipVariant *variant);
const char *ship_step_parameters(const Shipment *shipment);
/* What a function in parts has before the parameters of the whole function. */
#define SHIP_PART_PARAMETERS "int32_t phase, int32_t part, int32_t parts, "
/* The part of the header that is about training. */
void ship_header_training(const Shipment *shipment, FILE *out);
/* A constant of the header: #define NAME_<name><suffix> value, with a comment. */
void ship_constant(const Shipment *shipment, const char *name, const char *suffix, long long value,
                   const char *comment, FILE *out);
/* The part of the test program that is about training. */
void ship_test_training(const Shipment *shipment, FILE *out);
/* Declares given_NAME with the rows of a call: row i is example (first + i) modulo the number of
 * examples. network: without what only a step reads. */
void ship_test_gather(const Shipment *shipment, int64_t rows, bool network, FILE *out);
void ship_test_parts(const char *phases, const char *suffix, const Shipment *shipment, FILE *out);
/* static const uint32_t NAME_of_output[] = { bits }; */
void ship_test_bits(const char *name, const char *of, const float *values, int64_t count,
                    FILE *out);

#endif
