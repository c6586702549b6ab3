/* Internal to ir/: the state of reading the text form of a graph, and the pieces of a line. Each
 * function reads at the current token; false after reporting an error there. */
#ifndef MLC_IR_TEXT_READER_H
#define MLC_IR_TEXT_READER_H

#include "ir/text/tokens.h"

/* The node of an id of the text; NODE_NONE if its line had an error, which has been reported. */
typedef struct {
    NodeId node;
    bool defined;
} Named;

typedef struct {
    Tokens tokens;
    Graph *graph;
    Named *named; /* by id */
    uint32_t named_capacity;
    uint32_t *operands;
    uint32_t operand_capacity;
} GraphReader;

/* The line of a node, before it is built. */
typedef struct {
    Span span, type_span;
    Op op;
    TensorType type;
    const NodeId *operands;
    uint32_t count;
    bool broken; /* an operand is bad */
    Attrs attrs;
    Symbol symbol;
} NodeLine;

static inline const TextToken *line_token(const GraphReader *reader) {
    return &reader->tokens.token;
}

/* Reports what the line should have at this place, unless the token is bad: then that has been
 * reported. Returns false. */
bool line_expected(GraphReader *reader, const char *what);
bool line_error(GraphReader *reader, const char *finding);
/* Reports a word that is not one of name_at(0), name_at(1), ...; NULL ends them. */
bool line_unknown(GraphReader *reader, const char *what, const char *(*name_at)(int));
/* Reads the token if it is this one; else reports nothing. */
bool line_accept(GraphReader *reader, TokenKind kind, const char *text);
bool line_sign(GraphReader *reader, const char *sign);
bool line_word(GraphReader *reader, const char *word);
bool line_end(GraphReader *reader);
bool line_string(GraphReader *reader, const char **text);
bool line_integer(GraphReader *reader, int64_t low, int64_t high, int64_t *value);
/* Reads a number, nan, inf or -inf. */
bool line_float(GraphReader *reader, float *value);
bool line_type(GraphReader *reader, NodeLine *line);
/* Reads the attributes of a node, after its operands (attributes.c). */
bool line_attributes(GraphReader *reader, NodeLine *line);

#endif
