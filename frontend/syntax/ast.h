/* The syntax tree. Its nodes live in an arena. After parsing only `--set` changes the tree: it
 * replaces the expression of a param or a setting. Every node knows its place in the text. */
#ifndef MLC_FRONTEND_SYNTAX_AST_H
#define MLC_FRONTEND_SYNTAX_AST_H

#include "ir/base/number_text.h"
#include "ir/base/arena.h"
#include "ir/base/diag.h"

typedef struct Expr Expr;
typedef struct Stmt Stmt;

/* A list with elements chained through `next`, in the order of the text. */
#define AST_LIST(list, element)                                                                    \
    typedef struct {                                                                               \
        struct element *first, *last;                                                              \
        uint32_t count;                                                                            \
    } list

typedef struct {
    const char *text;
    Span span;
} Name;

typedef struct NameNode {
    struct NameNode *next;
    Name name;
} NameNode;
AST_LIST(NameList, NameNode);
AST_LIST(ExprList, Expr);
AST_LIST(StmtList, Stmt);

/* Operators, weakest first: OPERATOR(name, symbol, verb), verb as in "cannot multiply". */
#define OPERATORS(OPERATOR)                                                                        \
    OPERATOR(OR, "or", "combine")                                                                  \
    OPERATOR(AND, "and", "combine")                                                                \
    OPERATOR(NOT, "not", "negate")                                                                 \
    OPERATOR(LT, "<", "compare")                                                                   \
    OPERATOR(LE, "<=", "compare")                                                                  \
    OPERATOR(GT, ">", "compare")                                                                   \
    OPERATOR(GE, ">=", "compare")                                                                  \
    OPERATOR(EQ, "==", "compare")                                                                  \
    OPERATOR(NE, "!=", "compare")                                                                  \
    OPERATOR(RANGE, "..", "make a range of")                                                       \
    OPERATOR(ADD, "+", "add")                                                                      \
    OPERATOR(SUB, "-", "subtract")                                                                 \
    OPERATOR(MUL, "*", "multiply")                                                                 \
    OPERATOR(DIV, "/", "divide")                                                                   \
    OPERATOR(MOD, "%", "divide")                                                                   \
    OPERATOR(MATMUL, "@", "multiply")                                                              \
    OPERATOR(NEG, "-", "negate")                                                                   \
    OPERATOR(POW, "**", "raise")

typedef enum {
#define OPERATOR(name, symbol, verb) OPERATOR_##name,
    OPERATORS(OPERATOR)
#undef OPERATOR
        OPERATOR_COUNT
} Operator;
const char *operator_symbol(Operator op);
const char *operator_verb(Operator op);

/* [name =] value */
typedef struct Arg {
    struct Arg *next;
    Name name; /* text NULL: positional */
    Expr *value;
} Arg;
AST_LIST(ArgList, Arg);

/* Inside [ ]: an index, or from:to with either end left out. */
typedef struct Sub {
    struct Sub *next;
    bool is_slice;
    Expr *from, *to, *step; /* each may be NULL; an index has only `from` */
    Span span;
} Sub;
AST_LIST(SubList, Sub);

typedef enum {
    EXPR_INT,
    EXPR_FLOAT,
    EXPR_STRING,
    EXPR_BOOL,
    EXPR_NAME,
    EXPR_LIST,
    EXPR_UNARY,
    EXPR_BINARY,
    EXPR_CALL,
    EXPR_INDEX,
    EXPR_MEMBER
} ExprKind;

struct Expr {
    Expr *next;
    ExprKind kind;
    uint32_t depth; /* 1 for a leaf, else 1 more than that of the deepest child */
    Span span;
    union {
        int64_t integer;
        double real;
        bool boolean;
        const char *text; /* of STRING (without quotes) and NAME */
        ExprList elements;
        struct {
            Operator op;
            Span operator_span;
            Expr *left, *right; /* UNARY has only `right` */
        } operation;
        struct {
            Expr *callee;
            ArgList args; /* x |> f(a) has the arguments x and a */
            bool piped;
        } call;
        struct {
            Expr *object;
            SubList subs;
        } index;
        struct {
            Expr *object;
            Name name;
        } member;
    };
};

/* f32[N, 784]; without brackets has_shape is false */
typedef struct {
    Name name;
    bool has_shape;
    ExprList shape;
    Span span;
} Type;

/* The limits of a param or an input, which follow `in`. Either a range, one of low..high,
 * low..<high, low.. and low<.. , or an expression whose value is the list of choices. */
typedef struct {
    Expr *choices;     /* NULL: a range */
    Expr *low, *high;  /* high NULL: no upper end */
    bool above, below; /* low<..: `low` itself is not allowed; low..<high: `high` is not */
    Span span;
} Limits;

/* name [: type] [= value] [in limits] */
typedef struct Formal {
    struct Formal *next;
    Name name;
    Type *type;
    Expr *value;
    Limits *limits;
} Formal;
AST_LIST(FormalList, Formal);

/* if condition { body } */
typedef struct Arm {
    struct Arm *next;
    Expr *condition;
    StmtList body;
} Arm;
AST_LIST(ArmList, Arm);

typedef enum { STMT_ASSIGN, STMT_FOR, STMT_IF } StmtKind;

struct Stmt {
    Stmt *next;
    StmtKind kind;
    Span span;
    union {
        struct {
            NameList names;
            ExprList values;
        } assign;
        struct {
            Name name;
            Expr *over;
            StmtList body;
        } loop;
        struct {
            ArmList arms; /* if, else if, else if ... */
            StmtList otherwise;
        } branch;
    };
};

/* A def or a model. */
typedef struct {
    Name name;
    FormalList formals;
    NameList outs;
    Expr *value; /* the expression of `def f(x) = value`, else NULL */
    StmtList body;
} Function;

/* [field] name = value */
typedef struct Setting {
    struct Setting *next;
    bool is_field;
    Name name;
    Expr *value;
    Span written; /* "= value" as it stands in the text */
} Setting;
AST_LIST(SettingList, Setting);

typedef struct {
    Name name;
    Type *type;
    Expr *value;
    Span written;   /* "= value" as it stands in the text */
    Limits *limits; /* or NULL */
} Param;

/* use "FILE". The first `use` of a file gets its text (model/imports.c); for a repeated one `text`
 * is NULL. */
typedef struct SourceText SourceText;
typedef struct {
    Name name;
    SourceText *text;
} ImportItem;

typedef enum { ITEM_USE, ITEM_PARAM, ITEM_DEF, ITEM_MODEL, ITEM_DATA, ITEM_TRAIN } ItemKind;
typedef struct Item {
    struct Item *next;
    ItemKind kind;
    Span span; /* the keyword and, for blocks, everything to the closing brace */
    union {
        ImportItem import;
        Param param;
        Function function;
        SettingList settings;
    };
} Item;
AST_LIST(ItemList, Item);

#define AST_APPEND(list, element)                                                                  \
    do {                                                                                           \
        if ((list).last)                                                                           \
            (list).last->next = (element);                                                         \
        else                                                                                       \
            (list).first = (element);                                                              \
        (list).last = (element);                                                                   \
        (list).count++;                                                                            \
    } while (0)

enum { AST_MAX_DEPTH = 600 }; /* of an expression, so that recursion over it fits the stack */

/* Writes a number as a literal: with the fewest digits that read back as the same number, and
 * always with a point or an exponent. */
const char *number_text(double value, char text[NUMBER_TEXT]);

Expr *ast_expr(Arena *arena, ExprKind kind, Span span);
Expr *ast_list(Arena *arena, Span span, ExprList elements);
Expr *ast_unary(Arena *arena, Operator op, Span place, Expr *right);
Expr *ast_binary(Arena *arena, Operator op, Span place, Expr *left, Expr *right);
Expr *ast_call(Arena *arena, Span span, Expr *callee, ArgList args);
/* value |> callee(args): the value becomes the first argument */
Expr *ast_pipe(Arena *arena, Span span, Expr *value, Expr *callee, ArgList args);
Expr *ast_index(Arena *arena, Span span, Expr *object, SubList subs);
Expr *ast_member(Arena *arena, Span span, Expr *object, Name name);
Arg *ast_arg(Arena *arena, Name name, Expr *value);
Sub *ast_sub(Arena *arena, Span span, Expr *at);
Sub *ast_slice(Arena *arena, Span span, Expr *from, Expr *to, Expr *step);
NameNode *ast_name(Arena *arena, Name name);
Type *ast_type(Arena *arena, Span span, Name name, bool has_shape, ExprList shape);
Limits *ast_limits(Arena *arena, Limits limits);
/* The expression a..b gives a range, any other expression gives the choices. */
Limits *ast_limits_of(Arena *arena, Expr *expr);
Formal *ast_formal(Arena *arena, Name name, Type *type, Expr *value, Limits *limits);
Stmt *ast_assign(Arena *arena, Span span, NameList names, ExprList values);
Stmt *ast_for(Arena *arena, Span span, Name name, Expr *over, StmtList body);
Arm *ast_arm(Arena *arena, Expr *condition, StmtList body);
Stmt *ast_if(Arena *arena, Span span, ArmList arms, StmtList otherwise);
Setting *ast_setting(Arena *arena, bool is_field, Name name, Expr *value, Span written);
Item *ast_item(Arena *arena, ItemKind kind, Span span);

/* Calls `visit` with an expression, then with all expressions inside it. `expr` may be NULL. */
typedef void ExprVisitor(void *context, const Expr *expr);
void ast_visit(const Expr *expr, ExprVisitor *visit, void *context);

static inline Span span_join(Span a, Span b) { return (Span){a.file, a.begin, b.end}; }

#endif
