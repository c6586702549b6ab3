/* The pieces of a line of the text form: words, signs, numbers, types. */
#include "ir/graph/text.h"
#include "ir/text/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Reports what the line should have at this place, unless the token is bad: then that has been
 * reported. */
bool line_expected(GraphReader *reader, const char *what) {
    const TextToken *token = line_token(reader);
    if (token->kind == TOKEN_END)
        diag_error(reader->graph->diag, STATUS_MODEL, token->span,
                   "the line ends where %s should be", what);
    else if (token->kind != TOKEN_BAD)
        diag_error(reader->graph->diag, STATUS_MODEL, token->span, "expected %s", what);
    return false;
}

bool line_error(GraphReader *reader, const char *finding) {
    diag_error(reader->graph->diag, STATUS_MODEL, line_token(reader)->span, "%s", finding);
    return false;
}

bool line_accept(GraphReader *reader, TokenKind kind, const char *text) {
    if (!token_is(line_token(reader), kind, text)) return false;
    tokens_next(&reader->tokens);
    return true;
}

bool line_sign(GraphReader *reader, const char *sign) {
    char what[] = "'='";
    what[1] = sign[0];
    return line_accept(reader, TOKEN_SIGN, sign) || line_expected(reader, what);
}

bool line_word(GraphReader *reader, const char *word) {
    return line_accept(reader, TOKEN_WORD, word) || line_expected(reader, word);
}

bool line_end(GraphReader *reader) {
    return line_token(reader)->kind == TOKEN_END || line_expected(reader, "the end of the line");
}

bool line_string(GraphReader *reader, const char **text) {
    if (line_token(reader)->kind != TOKEN_STRING)
        return line_expected(reader, "a name in double quotes");
    *text = line_token(reader)->text;
    tokens_next(&reader->tokens);
    return true;
}

bool line_integer(GraphReader *reader, int64_t low, int64_t high, int64_t *value) {
    if (line_token(reader)->kind != TOKEN_NUMBER) return line_expected(reader, "a whole number");
    char *end;
    errno = 0;
    *value = strtoll(line_token(reader)->text, &end, 10);
    if (*end) return line_expected(reader, "a whole number");
    if (errno || *value < low || *value > high) {
        diag_error(reader->graph->diag, STATUS_MODEL, line_token(reader)->span,
                   "the number must be between %" PRId64 " and %" PRId64, low, high);
        return false;
    }
    tokens_next(&reader->tokens);
    return true;
}

/* Reads a number, nan, inf or -inf. */
bool line_float(GraphReader *reader, float *value) {
    const TextToken *token = line_token(reader);
    bool is_word = token_is(token, TOKEN_WORD, "nan") || token_is(token, TOKEN_WORD, "inf");
    if (token->kind != TOKEN_NUMBER && !is_word) return line_expected(reader, "a number");
    char *end;
    errno = 0;
    *value = strtof(token->text, &end);
    if (*end) return line_expected(reader, "a number");
    if (errno && isinf(*value)) return line_error(reader, "the number is too large for f32");
    tokens_next(&reader->tokens);
    return true;
}

bool line_unknown(GraphReader *reader, const char *what, const char *(*name_at)(int)) {
    if (line_token(reader)->kind != TOKEN_WORD) return line_expected(reader, what);
    diag_error(reader->graph->diag, STATUS_MODEL, line_token(reader)->span, "'%s' is not %s",
               line_token(reader)->text, what);
    const char *names[(int)OP_COUNT + (int)DTYPE_COUNT + (int)INIT_KINDS];
    size_t count = 0;
    while ((names[count] = name_at((int)count))) count++;
    diag_suggest(reader->graph->diag, line_token(reader)->text, names, count);
    return false;
}

static const char *dtype_at(int i) { return i < DTYPE_COUNT ? dtype_name((DType)i) : NULL; }

/* A tensor has at most 2^31 elements, so the limit of a size depends on the sizes before it. */
static bool read_dims(GraphReader *reader, Shape *shape) {
    int64_t elements = 1;
    if (!line_sign(reader, "[")) return false;
    while (!token_is(line_token(reader), TOKEN_SIGN, "]")) {
        if (shape->rank && !line_sign(reader, ",")) return false;
        if (shape->rank == SHAPE_MAX_RANK) return line_error(reader, "a tensor has at most 6 axes");
        int64_t *dim = &shape->dim[shape->rank++];
        if (!line_integer(reader, 1, SHAPE_MAX_ELEMENTS / elements, dim)) return false;
        elements *= *dim;
    }
    return line_sign(reader, "]");
}

bool line_type(GraphReader *reader, NodeLine *line) {
    const TextToken *token = line_token(reader);
    line->type_span = token->span;
    if (token->kind != TOKEN_WORD ||
        !dtype_from_name(token->text, strlen(token->text), &line->type.dtype))
        return line_unknown(reader, "a type", dtype_at);
    tokens_next(&reader->tokens);
    if (!read_dims(reader, &line->type.shape)) return false;
    line->type_span.end = line_token(reader)->span.begin;
    return true;
}
