/* Cuts the text form into tokens. A text may hold any bytes. */
#include "ir/text/tokens.h"

#include <string.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '-'; }
static bool is_number(char c) { return is_word(c) || c == '.' || c == '+'; }

/* The byte at `at`. At the end of the text it is a newline, so nothing reads past it. */
static char peek(const Tokens *tokens, uint32_t ahead) {
    uint32_t at = tokens->at + ahead;
    return at < tokens->length ? tokens->text[at] : '\n';
}

static void token_finish(Tokens *tokens, TokenKind kind, uint32_t begin) {
    tokens->token.kind = kind;
    tokens->token.span = (Span){tokens->file, begin, tokens->at};
    if (kind != TOKEN_END && kind != TOKEN_STRING)
        tokens->token.text =
            arena_copy_string(tokens->arena, tokens->text + begin, tokens->at - begin);
}

static void token_bad(Tokens *tokens, uint32_t begin, const char *finding) {
    token_finish(tokens, TOKEN_BAD, begin);
    diag_error(tokens->diag, STATUS_MODEL, tokens->token.span, "%s", finding);
}

static int hex_digit(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The character of an escape; -1 if it is invalid. NUL is invalid, as names are C strings. */
static int read_escape(Tokens *tokens) {
    char c = peek(tokens, 0);
    if (c == '"' || c == '\\') return tokens->at++, c;
    int high = hex_digit(peek(tokens, 1)), low = hex_digit(peek(tokens, 2));
    if (c != 'x' || high < 0 || low < 0 || high + low == 0) return -1;
    tokens->at += 3;
    return high * 16 + low;
}

/* Reads characters into `text`, up to the closing quote; false after reporting an error. */
static bool read_characters(Tokens *tokens, uint32_t begin, char *text) {
    for (char c; (c = peek(tokens, 0)) != '"';) {
        if (c == '\n' || c == '\0')
            return token_bad(tokens, begin, "a string without its closing quote"), false;
        tokens->at++;
        int character = c == '\\' ? read_escape(tokens) : (unsigned char)c;
        if (character < 0)
            return token_bad(tokens, tokens->at - 1,
                             "only \\\", \\\\ and \\x01 .. \\xff stand for a character"),
                   false;
        *text++ = (char)character;
    }
    tokens->at++;
    return true;
}

static void read_string(Tokens *tokens) {
    uint32_t begin = tokens->at++, end = begin + 1;
    while (end < tokens->length && tokens->text[end] != '\n') end++;
    char *text = arena_alloc(tokens->arena, end - begin + 1);
    if (!read_characters(tokens, begin, text)) return;
    tokens->token.text = text;
    token_finish(tokens, TOKEN_STRING, begin);
}

static void read_run(Tokens *tokens, TokenKind kind, bool (*belongs)(char)) {
    uint32_t begin = tokens->at++;
    while (belongs(peek(tokens, 0))) tokens->at++;
    token_finish(tokens, kind, begin);
}

void tokens_next(Tokens *tokens) {
    while (peek(tokens, 0) == ' ' || peek(tokens, 0) == '\t' || peek(tokens, 0) == '\r')
        tokens->at++;
    char c = peek(tokens, 0);
    uint32_t begin = tokens->at;
    if (c == '\n' || c == '#')
        token_finish(tokens, TOKEN_END, begin);
    else if (c == '"')
        read_string(tokens);
    else if (c == '%' && is_digit(peek(tokens, 1)))
        read_run(tokens, TOKEN_ID, is_digit);
    else if (is_letter(c))
        read_run(tokens, TOKEN_WORD, is_word);
    else if (is_digit(c) || c == '-' || c == '+' || c == '.')
        read_run(tokens, TOKEN_NUMBER, is_number);
    else if (c && strchr("=[](),", c))
        tokens->at++, token_finish(tokens, TOKEN_SIGN, begin);
    else
        tokens->at++, token_bad(tokens, begin, "a character that means nothing here");
}

bool tokens_next_line(Tokens *tokens) {
    while (peek(tokens, 0) != '\n') tokens->at++;
    if (tokens->at + 1 >= tokens->length) return false;
    tokens->at++;
    tokens_next(tokens);
    return true;
}

bool token_is(const TextToken *token, TokenKind kind, const char *text) {
    return token->kind == kind && !strcmp(token->text, text);
}
