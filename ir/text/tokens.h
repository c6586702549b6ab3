/* Internal to ir/: the tokens of the text form, line by line. */
#ifndef MLC_IR_TEXT_TOKENS_H
#define MLC_IR_TEXT_TOKENS_H

#include "ir/graph/graph.h"

typedef enum {
    TOKEN_END, /* of the line */
    TOKEN_ID,  /* %7: number */
    TOKEN_WORD,
    TOKEN_NUMBER,
    TOKEN_STRING, /* text: without quotes and escapes */
    TOKEN_SIGN,   /* one of = [ ] ( ) , */
    TOKEN_BAD     /* an error that has been reported */
} TokenKind;

typedef struct {
    TokenKind kind;
    Span span;
    const char *text; /* as written, NUL-terminated; in the arena */
} TextToken;

typedef struct {
    const char *text;
    uint32_t at, length, file;
    Arena *arena; /* for the tokens' texts */
    Diagnostics *diag;
    TextToken token; /* the current one */
} Tokens;

/* Reads the next token of this line; comments end a line. */
void tokens_next(Tokens *tokens);
/* Goes to the first token of the next line; false at the end of the text. */
bool tokens_next_line(Tokens *tokens);
bool token_is(const TextToken *token, TokenKind kind, const char *text);

#endif
