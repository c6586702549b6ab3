/* The parts of a graph that can be computed with bytes. Internal to quantize*.c. */
#ifndef MLC_CLI_SHIP_QUANTIZE_FIND_H
#define MLC_CLI_SHIP_QUANTIZE_FIND_H

#include "cli/ship/quantize.h"

/* A byte stands for the number scale * (byte - zero). */
typedef struct {
    float scale;
    uint8_t zero;
} ByteScale;

/* The numbers of a product (quantize_numbers.h) for the factors by which it is multiplied. */
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

/* A node that is factor[channel] * product + addend[channel]. axis: along which its channels lie.
 * product: 1 + index; 0: the node is something else. */
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
/* Computes the constants, and finds the affine nodes after the products. false after reporting
 * errors. */
bool found_follow(Found *found, const States *states);

/* Whether a node only moves or compares numbers. It can be computed with bytes, if all of its
 * operands have the same scale. */
bool found_passes_bytes(const Node *node);
/* Whether a node's numbers are bytes of the data, perhaps times or divided by a constant. *scale:
 * set to their scale. */
bool found_native(const Found *found, NodeId id, ByteScale *scale);

#endif
