/* Reading a text: the scanner (lexer.l) finds words, tokens.c turns them into the parser's tokens
 * (newlines, brackets), the grammar (parser.y) makes the tree, syntax_error.c says what is wrong.
 * This is the state they share. */
#ifndef MLC_FRONTEND_SYNTAX_SYNTAX_H
#define MLC_FRONTEND_SYNTAX_SYNTAX_H

#include "frontend/syntax/ast.h"

enum {
    SYNTAX_MAX_BYTES = 1 << 20,
    SYNTAX_MAX_NESTING = 64, /* limit for brackets of all kinds, and for `else if` chains */
    SYNTAX_MAX_NAME = 200
};

typedef struct Syntax Syntax;

/* The text to read: text[0, length). Its first byte is byte `base` of the text that the diagnostics
 * know as `file`. */
typedef struct {
    Arena *arena;
    Diagnostics *diag;
    uint32_t file, base;
    const char *text;
    size_t length;
    uint32_t *header_end; /* gets the offset after `mdl 1`; may be NULL */
} SyntaxInput;
/* Both return NULL after reporting errors. */
ItemList *syntax_read_model(const SyntaxInput *input);
Expr *syntax_read_expression(const SyntaxInput *input);

/* -- shared by lexer.l, tokens.c, parser.y and syntax_error.c -- */

/* The value of a token or of a rule of the grammar. */
typedef union {
    int64_t integer;
    double real;
    const char *text;
    Expr *expr;
    ExprList exprs;
    Name name;
    NameList names;
    Type *type;
    Arg *arg;
    ArgList args;
    Sub *sub;
    SubList subs;
    Limits *limits;
    Formal *formal;
    FormalList formals;
    Stmt *stmt;
    StmtList stmts;
    ArmList arms;
    Setting *setting;
    SettingList settings;
    Item *item;
} Semantic;

typedef struct {
    int kind;
    Semantic value;
    Span span;
    uint32_t indent; /* bytes before the first word of its line */
    bool first_on_line;
} SyntaxToken;

typedef struct {
    int kind; /* the kind of the opening token */
    Span span;
    uint32_t indent; /* of its line */
} Bracket;

/* The end of a text may close all brackets at once, with up to three tokens for each. */
enum { TOKEN_QUEUE = 4 * SYNTAX_MAX_NESTING };

struct Syntax {
    SyntaxInput input;
    void *scanner;
    uint32_t at; /* scanner: offset of the next byte in the text */
    /* tokens.c */
    int goal; /* READ_MODEL or READ_EXPRESSION: the first token selects the rule of the grammar */
    bool started;                   /* the token of `goal` has been returned */
    SyntaxToken queue[TOKEN_QUEUE]; /* a ring of tokens that have not been returned yet */
    uint32_t queue_first, queue_count;
    SyntaxToken looked_ahead; /* the word after a newline */
    bool has_looked_ahead;
    uint32_t line_start, line_indent; /* the line that the scanner is in */
    bool line_has_word;
    bool first_on_line;   /* the last token returned is the first of its line */
    bool first_word_seen; /* `mdl` is a keyword only before it */
    int previous;         /* kind of the last token returned; 0 at the start */
    Bracket brackets[SYNTAX_MAX_NESTING];
    uint32_t depth;
    /* an error about a bracket or a character was reported: the parser's next error follows from it
     * and stays silent */
    bool repaired;
    bool stopped; /* nested too deep: the rest of the text is not read */
    bool lost;    /* the head of an item was wrong: errors stay silent up to the next item */
    bool has_error;
    uint32_t error_line;     /* where the line of the last error begins */
    uint64_t signs_reported; /* bit i: other_signs[i] of lexer.l has been reported */
    /* parser.y */
    ItemList items;
    Expr *expression;
    bool too_deep; /* reported once */
};

/* The scanner's next word (lexer.l); sets `value` and `span`. Newlines and `;` are NL, the end is
 * 0. */
int syntax_scan(Syntax *syntax, Semantic *value, Span *span);
bool syntax_scanner_open(Syntax *syntax);
void syntax_scanner_close(Syntax *syntax);

/* The next token for the parser, with the newline rule applied and brackets balanced (tokens.c). */
int syntax_token(Semantic *value, Span *span, Syntax *syntax);

/* Reports an error at a place in the text (syntax_error.c). Only the first error of a line is
 * reported, as the others mostly follow from it. Returns false where nothing was reported: then no
 * note and no help may follow. */
bool syntax_error(Syntax *syntax, Span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A token for which the grammar has no rule, and the tokens that it would accept there. */
typedef struct {
    int token; /* 0: the end of the text */
    Span span;
    const int *expected;
    int expected_count;
} UnexpectedToken;
void syntax_unexpected(Syntax *syntax, const UnexpectedToken *unexpected);

#endif
