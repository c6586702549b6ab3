/* Prints the syntax tree: one node a line, children indented by two blanks under their parent. */
#include "frontend/syntax/ast.h"
#include "frontend/syntax/ast_print.h"
#include "frontend/syntax/syntax.h"

#include <inttypes.h>
#include <string.h>

static void print_expr(const Expr *expr, int level, FILE *out);
static void print_stmts(const StmtList *list, int level, FILE *out);

static void indent(int level, FILE *out) { fprintf(out, "%*s", 2 * level, ""); }

static void print_head(int level, FILE *out, const char *word, const char *text) {
    indent(level, out);
    fprintf(out, text ? "%s %s\n" : "%s\n", word, text);
}

static void print_exprs(const ExprList *list, int level, FILE *out) {
    for (const Expr *expr = list->first; expr; expr = expr->next) print_expr(expr, level, out);
}

/* A quoted string, escaped as it would be written. */
static void print_string(const char *text, int level, FILE *out) {
    indent(level, out);
    fputs("string \"", out);
    for (; *text; text++) {
        const char *special = strchr("\n\t\"\\", *text);
        if (special)
            fprintf(out, "\\%c", *text == '\n' ? 'n' : *text == '\t' ? 't' : *text);
        else
            fputc(*text, out);
    }
    fputs("\"\n", out);
}

static void print_args(const ArgList *list, int level, FILE *out) {
    for (const Arg *arg = list->first; arg; arg = arg->next) {
        if (arg->name.text) print_head(level, out, "argument", arg->name.text);
        print_expr(arg->value, level + (arg->name.text != NULL), out);
    }
}

static void print_bound(const char *word, const Expr *bound, int level, FILE *out) {
    if (!bound) return;
    print_head(level, out, word, NULL);
    print_expr(bound, level + 1, out);
}

static void print_limits(const Limits *limits, int level, FILE *out) {
    if (!limits) return;
    print_bound("in", limits->choices, level, out);
    if (limits->choices) return;
    print_head(level, out, "in", limits->above ? "<.." : limits->below ? "..<" : "..");
    print_expr(limits->low, level + 1, out);
    if (limits->high) print_expr(limits->high, level + 1, out);
}

static void print_subs(const SubList *list, int level, FILE *out) {
    for (const Sub *sub = list->first; sub; sub = sub->next) {
        if (sub->is_slice) print_head(level, out, "slice", NULL);
        print_bound(sub->is_slice ? "from" : "at", sub->from, level + sub->is_slice, out);
        print_bound("to", sub->to, level + 1, out);
        print_bound("step", sub->step, level + 1, out);
    }
}

static void print_expr(const Expr *expr, int level, FILE *out) {
    char text[NUMBER_TEXT];
    switch (expr->kind) {
    case EXPR_INT:
        indent(level, out);
        fprintf(out, "int %" PRId64 "\n", expr->integer);
        break;
    case EXPR_FLOAT:
        indent(level, out);
        fprintf(out, "float %s\n", number_text(expr->real, text));
        break;
    case EXPR_BOOL: print_head(level, out, "bool", expr->boolean ? "true" : "false"); break;
    case EXPR_STRING: print_string(expr->text, level, out); break;
    case EXPR_NAME: print_head(level, out, "name", expr->text); break;
    case EXPR_LIST:
        print_head(level, out, "list", NULL);
        print_exprs(&expr->elements, level + 1, out);
        break;
    case EXPR_UNARY:
    case EXPR_BINARY:
        print_head(level, out, expr->kind == EXPR_UNARY ? "unary" : "binary",
                   operator_symbol(expr->operation.op));
        if (expr->operation.left) print_expr(expr->operation.left, level + 1, out);
        print_expr(expr->operation.right, level + 1, out);
        break;
    case EXPR_CALL:
        print_head(level, out, expr->call.piped ? "pipe" : "call", NULL);
        print_expr(expr->call.callee, level + 1, out);
        print_args(&expr->call.args, level + 1, out);
        break;
    case EXPR_INDEX:
        print_head(level, out, "index", NULL);
        print_expr(expr->index.object, level + 1, out);
        print_subs(&expr->index.subs, level + 1, out);
        break;
    case EXPR_MEMBER:
        print_head(level, out, "member", expr->member.name.text);
        print_expr(expr->member.object, level + 1, out);
        break;
    }
}

static void print_type(const Type *type, int level, FILE *out) {
    if (!type) return;
    print_head(level, out, type->has_shape ? "type with shape" : "type", type->name.text);
    print_exprs(&type->shape, level + 1, out);
}

static void print_names(const char *word, const NameList *list, int level, FILE *out) {
    for (const NameNode *node = list->first; node; node = node->next)
        print_head(level, out, word, node->name.text);
}

static void print_if(const Stmt *stmt, int level, FILE *out) {
    for (const Arm *arm = stmt->branch.arms.first; arm; arm = arm->next) {
        print_head(level, out, arm == stmt->branch.arms.first ? "if" : "else if", NULL);
        print_expr(arm->condition, level + 1, out);
        print_head(level, out, "then", NULL);
        print_stmts(&arm->body, level + 1, out);
    }
    if (!stmt->branch.otherwise.first) return;
    print_head(level, out, "else", NULL);
    print_stmts(&stmt->branch.otherwise, level + 1, out);
}

static void print_stmts(const StmtList *list, int level, FILE *out) {
    for (const Stmt *stmt = list->first; stmt; stmt = stmt->next) {
        switch (stmt->kind) {
        case STMT_ASSIGN:
            print_head(level, out, "assign", NULL);
            print_names("name", &stmt->assign.names, level + 1, out);
            print_head(level, out, "to", NULL);
            print_exprs(&stmt->assign.values, level + 1, out);
            break;
        case STMT_FOR:
            print_head(level, out, "for", stmt->loop.name.text);
            print_expr(stmt->loop.over, level + 1, out);
            print_head(level, out, "do", NULL);
            print_stmts(&stmt->loop.body, level + 1, out);
            break;
        case STMT_IF: print_if(stmt, level, out); break;
        }
    }
}

static void print_function(const char *word, const Function *function, FILE *out) {
    print_head(0, out, word, function->name.text);
    for (const Formal *formal = function->formals.first; formal; formal = formal->next) {
        print_head(1, out, "input", formal->name.text);
        print_type(formal->type, 2, out);
        print_bound("default", formal->value, 2, out);
        print_limits(formal->limits, 2, out);
    }
    print_names("output", &function->outs, 1, out);
    print_bound("value", function->value, 1, out);
    print_stmts(&function->body, 1, out);
}

static void print_settings(const char *word, const SettingList *list, FILE *out) {
    print_head(0, out, word, NULL);
    for (const Setting *setting = list->first; setting; setting = setting->next) {
        print_head(1, out, setting->is_field ? "field" : "setting", setting->name.text);
        print_expr(setting->value, 2, out);
    }
}

static void print_param(const Param *param, FILE *out) {
    print_head(0, out, "param", param->name.text);
    print_type(param->type, 1, out);
    print_expr(param->value, 1, out);
    print_limits(param->limits, 1, out);
}

bool ast_print(const char *name, const char *text, size_t length, FILE *out, Diagnostics *diag) {
    Arena *arena = arena_new();
    SyntaxInput input = {arena,  diag, diag_add_text(diag, name, text, length), 0, text,
                         length, NULL};
    const ItemList *items = syntax_read_model(&input);
    for (const Item *item = items ? items->first : NULL; item; item = item->next) {
        switch (item->kind) {
        case ITEM_USE: print_head(0, out, "use", item->import.name.text); break;
        case ITEM_PARAM: print_param(&item->param, out); break;
        case ITEM_DEF: print_function("def", &item->function, out); break;
        case ITEM_MODEL: print_function("model", &item->function, out); break;
        case ITEM_DATA: print_settings("data", &item->settings, out); break;
        case ITEM_TRAIN: print_settings("train", &item->settings, out); break;
        }
    }
    arena_free(arena);
    return items != NULL;
}
