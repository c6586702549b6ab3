/* Internal to ir/: what the printer and the reader of the text form share. */
#ifndef MLC_IR_GRAPH_TEXT_H
#define MLC_IR_GRAPH_TEXT_H

#include "ir/graph/graph.h"

enum { TEXT_VERSION = 1, TEXT_LISTS = 3, TEXT_FLOAT = 32 };

/* The names of the attributes a, b and c where a kind of op has them; NULL where not. */
extern const char *const text_lists[ATTRS_KINDS][TEXT_LISTS];
/* How many numbers a list holds: one for each of the operand's axes, or what the kind of op says. */
int text_list_length(AttrsKind kind, int list, int rank);

/* A first value: its name and how many numbers follow in brackets. */
typedef struct {
    const char *name;
    int numbers;
} TextInit;
extern const TextInit text_inits[INIT_KINDS];

/* The shortest decimal number that reads back as the same f32; "nan", "inf", "-inf". */
const char *text_float(float value, char buffer[TEXT_FLOAT]);
/* The node's attributes, each with a space before it. */
void text_print_attrs(const Graph *graph, const Node *node, FILE *out);
/* The node's whole line. */
void text_print_node(const Graph *graph, NodeId id, FILE *out);

#endif
