/* Turns the scanner's words into the parser's tokens: decides which newlines end a statement, and
 * repairs brackets.
 *
 * A newline ends a statement if three things hold: the token before it can end a statement; the
 * newline is outside of ( ) and [ ]; the next line does not begin with `|>` or `else`. A closing
 * brace ends the statement before it as well.
 *
 * A bracket that is never closed is reported at its opener, as soon as a word follows that cannot
 * stand inside it. It is then closed, so that parsing continues. */
#include "parser.h"

#include <string.h>

static SyntaxToken *queue_at(Syntax *syntax, uint32_t i) {
    return &syntax->queue[(syntax->queue_first + i) % TOKEN_QUEUE];
}

static void queue_push(Syntax *syntax, SyntaxToken token) {
    *queue_at(syntax, syntax->queue_count++) = token;
}

/* The next word, with the facts about its line that the newline rule needs. */
static SyntaxToken scan_word(Syntax *syntax) {
    SyntaxToken token = {0};
    token.kind = syntax_scan(syntax, &token.value, &token.span);
    uint32_t begin = token.span.begin - syntax->input.base;
    if (token.kind == NL) {
        bool new_line = syntax->input.text[begin] == '\n';
        if (new_line) syntax->line_start = begin + 1;
        syntax->line_has_word &= !new_line;
        return token;
    }
    token.first_on_line = !syntax->line_has_word;
    if (token.first_on_line) syntax->line_indent = begin - syntax->line_start;
    syntax->line_has_word = true;
    token.indent = syntax->line_indent;
    return token;
}

static bool can_end_statement(int kind) {
    switch (kind) {
    case ID:
    case INT:
    case FLOAT:
    case STRING:
    case TRUE:
    case FALSE:
    case ')':
    case ']':
    case '}': return true;
    default: return false;
    }
}

static bool begins_item(int kind) {
    switch (kind) {
    case USE:
    case PARAM:
    case DEF:
    case MODEL:
    case DATA:
    case TRAIN: return true;
    default: return false;
    }
}

/* Words that cannot continue a complete expression. */
static bool begins_statement(int kind) {
    return kind == ID || kind == FOR || kind == IF || kind == FIELD || begins_item(kind);
}

static int closer_of(int opener) { return opener == '(' ? ')' : opener == '[' ? ']' : '}'; }

static const Bracket *innermost(const Syntax *syntax) {
    return syntax->depth ? &syntax->brackets[syntax->depth - 1] : NULL;
}

static bool inside_expression(const Syntax *syntax) {
    return syntax->depth && innermost(syntax)->kind != '{';
}

/* A token of no length that is not in the text, placed before `at`. */
static SyntaxToken inserted(int kind, Span at) {
    return (SyntaxToken){.kind = kind, .span = {at.file, at.begin, at.begin}};
}

/* A newline, unless the last token cannot end a statement. */
static void end_statement(Syntax *syntax, Span at) {
    int last =
        syntax->queue_count ? queue_at(syntax, syntax->queue_count - 1)->kind : syntax->previous;
    if (can_end_statement(last)) queue_push(syntax, inserted(NL, at));
}

/* Reports the innermost bracket as never closed, and inserts the closing one before `at`. */
static void close_innermost(Syntax *syntax, Span at) {
    const Bracket *bracket = innermost(syntax);
    if (syntax_error(syntax, bracket->span, "this '%c' is never closed", bracket->kind))
        diag_note(syntax->input.diag, at, "'%c' is missing before this", closer_of(bracket->kind));
    syntax->depth--;
    syntax->repaired = true;
    if (bracket->kind == '{') end_statement(syntax, at);
    queue_push(syntax, inserted(closer_of(bracket->kind), at));
    if (bracket->kind == '{') end_statement(syntax, at);
}

static void close_expression_brackets(Syntax *syntax, Span at) {
    while (inside_expression(syntax)) close_innermost(syntax, at);
}

/* `)` or `]`. One that does not fit the innermost bracket is replaced by the one that does. One
 * without an opening bracket is left out. */
static void queue_closer(Syntax *syntax, SyntaxToken token) {
    if (!inside_expression(syntax)) {
        syntax_error(syntax, token.span, "'%c' has no opening bracket", token.kind);
        return;
    }
    const Bracket *bracket = innermost(syntax);
    int fitting = closer_of(bracket->kind);
    if (token.kind != fitting) {
        if (syntax_error(syntax, token.span, "'%c' where '%c' is expected", token.kind, fitting))
            diag_note(syntax->input.diag, bracket->span, "to close this '%c'", bracket->kind);
        syntax->repaired = true;
        token.kind = fitting;
    }
    syntax->depth--;
    queue_push(syntax, token);
}

static void queue_brace(Syntax *syntax, SyntaxToken token) {
    close_expression_brackets(syntax, token.span);
    if (!syntax->depth) {
        syntax_error(syntax, token.span, "'}' has no opening brace");
        return;
    }
    syntax->depth--;
    bool ended = syntax->queue_count ? queue_at(syntax, syntax->queue_count - 1)->kind == NL
                                     : !can_end_statement(syntax->previous);
    if (!ended) queue_push(syntax, inserted(NL, token.span));
    queue_push(syntax, token);
}

static void queue_end(Syntax *syntax, SyntaxToken token) {
    while (syntax->depth && !syntax->stopped) close_innermost(syntax, token.span);
    end_statement(syntax, token.span);
    queue_push(syntax, token);
}

/* Reads a run of newlines and the word after it. That word decides whether the newlines count. */
static void queue_newline(Syntax *syntax, SyntaxToken newline) {
    SyntaxToken next = scan_word(syntax);
    while (next.kind == NL) next = scan_word(syntax);
    bool ends = can_end_statement(syntax->previous);
    bool outside = inside_expression(syntax) && ends && begins_statement(next.kind) &&
                   next.indent <= innermost(syntax)->indent;
    if (outside) close_expression_brackets(syntax, next.span);
    if (ends && !inside_expression(syntax) && next.kind != PIPE && next.kind != ELSE)
        queue_push(syntax, newline);
    syntax->looked_ahead = next;
    syntax->has_looked_ahead = true;
}

/* A keyword at the start of a line cannot stand inside ( ) or [ ]. An item cannot stand inside a
 * brace either, unless it is indented deeper than the line with the brace. */
static void close_before_keyword(Syntax *syntax, const SyntaxToken *token) {
    bool keyword = begins_statement(token->kind) && token->kind != ID;
    if (!keyword || !token->first_on_line) return;
    bool closed = inside_expression(syntax);
    close_expression_brackets(syntax, token->span);
    if (closed) end_statement(syntax, token->span);
    while (begins_item(token->kind) && syntax->depth && token->indent <= innermost(syntax)->indent)
        close_innermost(syntax, token->span);
}

static void queue_word(Syntax *syntax, SyntaxToken token) {
    close_before_keyword(syntax, &token);
    if (token.kind == '{' || token.kind == ARROW) close_expression_brackets(syntax, token.span);
    if (!syntax->first_word_seen && token.kind == ID && !strcmp(token.value.text, "mdl"))
        token.kind = MDL;
    syntax->first_word_seen = true;
    bool opens = token.kind == '(' || token.kind == '[' || token.kind == '{';
    if (opens && syntax->depth == SYNTAX_MAX_NESTING) {
        syntax_error(syntax, token.span, "brackets are nested more than %d levels deep",
                     SYNTAX_MAX_NESTING);
        syntax->stopped = true;
    } else if (opens)
        syntax->brackets[syntax->depth++] = (Bracket){token.kind, token.span, token.indent};
    queue_push(syntax, token);
}

/* Puts the next word into the queue, with the tokens that are inserted before it. */
static void fill_queue(Syntax *syntax) {
    SyntaxToken token = syntax->has_looked_ahead ? syntax->looked_ahead : scan_word(syntax);
    syntax->has_looked_ahead = false;
    switch (token.kind) {
    case NL: queue_newline(syntax, token); break;
    case ')':
    case ']': queue_closer(syntax, token); break;
    case '}': queue_brace(syntax, token); break;
    case 0: queue_end(syntax, token); break;
    default: queue_word(syntax, token); break;
    }
}

int syntax_token(Semantic *value, Span *span, Syntax *syntax) {
    if (!syntax->started) {
        syntax->started = true;
        *span = (Span){syntax->input.file, syntax->input.base, syntax->input.base};
        return syntax->goal;
    }
    while (!syntax->queue_count && !syntax->stopped) fill_queue(syntax);
    if (syntax->stopped) return *span = inserted(0, *span).span, 0;
    SyntaxToken token = *queue_at(syntax, 0);
    syntax->queue_first = (syntax->queue_first + 1) % TOKEN_QUEUE;
    syntax->queue_count--;
    if (syntax->previous == NL && token.kind != '}') syntax->repaired = false;
    if (begins_item(token.kind) && token.first_on_line && !syntax->depth) syntax->lost = false;
    syntax->first_on_line = token.first_on_line;
    *value = token.value;
    *span = token.span;
    return syntax->previous = token.kind;
}
