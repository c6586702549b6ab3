/* Making nodes of the syntax tree. */
#include "frontend/syntax/ast.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *symbol, *verb;
} operators[OPERATOR_COUNT] = {
#define OPERATOR(name, symbol, verb) [OPERATOR_##name] = {symbol, verb},
    OPERATORS(OPERATOR)
#undef OPERATOR
};

const char *operator_symbol(Operator op) { return operators[op].symbol; }
const char *operator_verb(Operator op) { return operators[op].verb; }

const char *number_text(double value, char text[NUMBER_TEXT]) {
    int decimals = 0;
    do snprintf(text, NUMBER_TEXT, "%.*e", decimals, value);
    while (strtod(text, NULL) != value && ++decimals < 17);
    int exponent = atoi(strchr(text, 'e') + 1);
    if (exponent < -4 || exponent > 15) {
        /* "1e-06" becomes "1e-6", as one would write it by hand. */
        char *digits = strchr(text, 'e') + 1;
        digits += *digits == '-';
        size_t skip = strspn(digits, "+0");
        memmove(digits, digits + skip, strlen(digits + skip) + 1);
    } else
        snprintf(text, NUMBER_TEXT, "%.*f", decimals > exponent ? decimals - exponent : 1, value);
    return text;
}

/* The depth of a node that has this child, if its other children give it `depth`. */
static uint32_t deeper(uint32_t depth, const Expr *child) {
    return child && child->depth >= depth ? child->depth + 1 : depth;
}

Expr *ast_expr(Arena *arena, ExprKind kind, Span span) {
    Expr *expr = ARENA_NEW(arena, Expr);
    expr->kind = kind;
    expr->span = span;
    expr->depth = 1;
    return expr;
}

Expr *ast_list(Arena *arena, Span span, ExprList elements) {
    Expr *expr = ast_expr(arena, EXPR_LIST, span);
    expr->elements = elements;
    for (const Expr *element = elements.first; element; element = element->next)
        expr->depth = deeper(expr->depth, element);
    return expr;
}

static Expr *operation(Arena *arena, ExprKind kind, Operator op, Span place, Expr *left,
                       Expr *right) {
    Expr *expr = ast_expr(arena, kind, span_join(left ? left->span : place, right->span));
    expr->operation.op = op;
    expr->operation.operator_span = place;
    expr->operation.left = left;
    expr->operation.right = right;
    expr->depth = deeper(deeper(1, left), right);
    return expr;
}

Expr *ast_unary(Arena *arena, Operator op, Span place, Expr *right) {
    return operation(arena, EXPR_UNARY, op, place, NULL, right);
}

Expr *ast_binary(Arena *arena, Operator op, Span place, Expr *left, Expr *right) {
    return operation(arena, EXPR_BINARY, op, place, left, right);
}

Expr *ast_call(Arena *arena, Span span, Expr *callee, ArgList args) {
    Expr *expr = ast_expr(arena, EXPR_CALL, span);
    expr->call.callee = callee;
    expr->call.args = args;
    expr->depth = deeper(1, callee);
    for (const Arg *arg = args.first; arg; arg = arg->next)
        expr->depth = deeper(expr->depth, arg->value);
    return expr;
}

Expr *ast_pipe(Arena *arena, Span span, Expr *value, Expr *callee, ArgList args) {
    Arg *first = ast_arg(arena, (Name){0}, value);
    first->next = args.first;
    Expr *expr = ast_call(arena, span, callee,
                          (ArgList){first, args.last ? args.last : first, args.count + 1});
    expr->call.piped = true;
    return expr;
}

Expr *ast_index(Arena *arena, Span span, Expr *object, SubList subs) {
    Expr *expr = ast_expr(arena, EXPR_INDEX, span);
    expr->index.object = object;
    expr->index.subs = subs;
    expr->depth = deeper(1, object);
    for (const Sub *sub = subs.first; sub; sub = sub->next)
        expr->depth = deeper(deeper(deeper(expr->depth, sub->from), sub->to), sub->step);
    return expr;
}

Expr *ast_member(Arena *arena, Span span, Expr *object, Name name) {
    Expr *expr = ast_expr(arena, EXPR_MEMBER, span);
    expr->member.object = object;
    expr->member.name = name;
    expr->depth = deeper(1, object);
    return expr;
}

Arg *ast_arg(Arena *arena, Name name, Expr *value) {
    Arg *arg = ARENA_NEW(arena, Arg);
    arg->name = name;
    arg->value = value;
    return arg;
}

Sub *ast_sub(Arena *arena, Span span, Expr *at) {
    Sub *sub = ARENA_NEW(arena, Sub);
    *sub = (Sub){.from = at, .span = span};
    return sub;
}

Sub *ast_slice(Arena *arena, Span span, Expr *from, Expr *to, Expr *step) {
    Sub *sub = ARENA_NEW(arena, Sub);
    *sub = (Sub){.is_slice = true, .from = from, .to = to, .step = step, .span = span};
    return sub;
}

NameNode *ast_name(Arena *arena, Name name) {
    NameNode *node = ARENA_NEW(arena, NameNode);
    node->name = name;
    return node;
}

Type *ast_type(Arena *arena, Span span, Name name, bool has_shape, ExprList shape) {
    Type *type = ARENA_NEW(arena, Type);
    *type = (Type){name, has_shape, shape, span};
    return type;
}

Limits *ast_limits(Arena *arena, Limits limits) {
    Limits *copy = ARENA_NEW(arena, Limits);
    *copy = limits;
    return copy;
}

Limits *ast_limits_of(Arena *arena, Expr *expr) {
    bool range = expr->kind == EXPR_BINARY && expr->operation.op == OPERATOR_RANGE;
    if (!range) return ast_limits(arena, (Limits){.choices = expr, .span = expr->span});
    return ast_limits(
        arena,
        (Limits){.low = expr->operation.left, .high = expr->operation.right, .span = expr->span});
}

Formal *ast_formal(Arena *arena, Name name, Type *type, Expr *value, Limits *limits) {
    Formal *formal = ARENA_NEW(arena, Formal);
    *formal = (Formal){NULL, name, type, value, limits};
    return formal;
}

static Stmt *stmt_new(Arena *arena, StmtKind kind, Span span) {
    Stmt *stmt = ARENA_NEW(arena, Stmt);
    stmt->kind = kind;
    stmt->span = span;
    return stmt;
}

Stmt *ast_assign(Arena *arena, Span span, NameList names, ExprList values) {
    Stmt *stmt = stmt_new(arena, STMT_ASSIGN, span);
    stmt->assign.names = names;
    stmt->assign.values = values;
    return stmt;
}

Stmt *ast_for(Arena *arena, Span span, Name name, Expr *over, StmtList body) {
    Stmt *stmt = stmt_new(arena, STMT_FOR, span);
    stmt->loop.name = name;
    stmt->loop.over = over;
    stmt->loop.body = body;
    return stmt;
}

Arm *ast_arm(Arena *arena, Expr *condition, StmtList body) {
    Arm *arm = ARENA_NEW(arena, Arm);
    *arm = (Arm){NULL, condition, body};
    return arm;
}

Stmt *ast_if(Arena *arena, Span span, ArmList arms, StmtList otherwise) {
    Stmt *stmt = stmt_new(arena, STMT_IF, span);
    stmt->branch.arms = arms;
    stmt->branch.otherwise = otherwise;
    return stmt;
}

Setting *ast_setting(Arena *arena, bool is_field, Name name, Expr *value, Span written) {
    Setting *setting = ARENA_NEW(arena, Setting);
    *setting = (Setting){NULL, is_field, name, value, written};
    return setting;
}

Item *ast_item(Arena *arena, ItemKind kind, Span span) {
    Item *item = ARENA_NEW(arena, Item);
    item->kind = kind;
    item->span = span;
    return item;
}

void ast_visit(const Expr *expr, ExprVisitor *visit, void *context) {
    if (!expr) return;
    visit(context, expr);
    switch (expr->kind) {
    case EXPR_LIST:
        for (const Expr *item = expr->elements.first; item; item = item->next)
            ast_visit(item, visit, context);
        break;
    case EXPR_UNARY:
    case EXPR_BINARY:
        ast_visit(expr->operation.left, visit, context);
        ast_visit(expr->operation.right, visit, context);
        break;
    case EXPR_CALL:
        ast_visit(expr->call.callee, visit, context);
        for (const Arg *arg = expr->call.args.first; arg; arg = arg->next)
            ast_visit(arg->value, visit, context);
        break;
    case EXPR_INDEX:
        ast_visit(expr->index.object, visit, context);
        for (const Sub *sub = expr->index.subs.first; sub; sub = sub->next) {
            ast_visit(sub->from, visit, context);
            ast_visit(sub->to, visit, context);
            ast_visit(sub->step, visit, context);
        }
        break;
    case EXPR_MEMBER: ast_visit(expr->member.object, visit, context); break;
    case EXPR_INT:
    case EXPR_FLOAT:
    case EXPR_STRING:
    case EXPR_BOOL:
    case EXPR_NAME: break;
    }
}
