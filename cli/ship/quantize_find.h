/* What of a graph can be computed with bytes. Internal to quantize*.c. */
#ifndef MLC_CLI_SHIP_QUANTIZE_FIND_H
#define MLC_CLI_SHIP_QUANTIZE_FIND_H

#include "cli/ship/quantize.h"

/* The number `byte` stands for scale * (byte - zero). */
typedef struct {
    float scale;
    uint8_t zero;
} ByteScale;

/* The numbers of a product for the factors that follow it (quantize_numbers.h). */
typedef struct ProductVariant {
    const double *factor;
    const struct ProductNumbers *numbers;
    struct ProductVariant *next;
} ProductVariant;

/* A product by weights that depend on states alone. */
typedef struct {
    NodeId node;
    const char *weight; /* the first state of the weights */
    uint32_t use;       /* its number among the products of that weight */
    int64_t k, channels;
    ByteScale input; /* of the left operand */
    NodeId bytes;    /* the left operand in the new graph */
    ProductVariant *variants;
} Product;

/* A node is factor[channel] * product + addend[channel], and its channels lie along `axis`.
 * product: 1 + index; 0: it is something else. */
typedef struct {
    uint32_t product;
    int axis;
    const double *factor, *addend;
} Affine;

typedef struct {
    const Graph *graph;
    Arena *arena;
    const bool *live;
    bool *constant;       /* depends on states and constants alone */
    uint32_t *uses;       /* by live nodes and outputs */
    const float **values; /* of the constant nodes that products need; else NULL */
    Product *products;
    uint32_t product_count;
    Affine *affine;
} Found;

enum { BYTES_MAX_K = 33000 }; /* products with longer sums stay in f32 */

/* Finds the products. */
Found *found_new(const Graph *graph, Arena *arena);
/* Computes the constants, and finds what follows the products. false after reporting errors. */
bool found_follow(Found *found, const States *states);

/* Nodes that move or compare numbers and so can be computed with bytes: their operands have the
 * same scale. */
bool found_passes_bytes(const Node *node);
/* Whether the numbers are bytes of the data, perhaps divided by a constant; then *bytes is the node
 * of the bytes in the graph. */
bool found_native(const Found *found, NodeId id, ByteScale *scale);

#endif
