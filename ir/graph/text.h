/* Internal to ir/: what the printer (print.c) and the reader (ir/text/read.c) of the text form
 * share. */
#ifndef MLC_IR_GRAPH_TEXT_H
#define MLC_IR_GRAPH_TEXT_H

#include "ir/graph/graph.h"

enum { TEXT_VERSION = 1, TEXT_LISTS = 3 };

/* An attribute that is a list of numbers, such as stride=[1,2]. */
typedef struct {
    const char *name; /* NULL: the kind has no further list */
    size_t offset;    /* of its first int64_t in Attrs */
    int length;       /* 0: one number for each axis of the operand */
} AttrList;
extern const AttrList text_lists[ATTRS_KINDS][TEXT_LISTS];

/* The text form of an Init: a name and so many numbers in brackets. */
typedef struct {
    const char *name;
    int numbers;
} TextInit;
extern const TextInit text_inits[INIT_KINDS];

/* The node's attributes, each with a space before it. */
void text_print_attrs(const Graph *graph, const Node *node, FILE *out);
/* The node's whole line. */
void text_print_node(const Graph *graph, NodeId id, FILE *out);

#endif
