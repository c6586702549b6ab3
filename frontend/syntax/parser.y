/* The grammar of .mdl files. Actions only make nodes; newlines and brackets are settled in tokens.c. */
%require "3.8"
%expect 0
%define api.pure full
%define api.value.type {Semantic}
%define api.location.type {Span}
%define parse.error custom
%define parse.lac full
%locations
%param {Syntax *syntax}

%code requires {
#include "frontend/syntax/syntax.h"
}

%code {
#include <string.h>

#define YYLLOC_DEFAULT(current, rhs, n)                                                                    \
    do {                                                                                                   \
        (current) = (n) ? span_join(YYRHSLOC(rhs, 1), YYRHSLOC(rhs, n)) : YYRHSLOC(rhs, 0);                \
        if (!(n)) (current).begin = (current).end;                                                         \
    } while (0)
#define ARENA syntax->input.arena
#define NO_NAMES ((NameList){0})
#define NO_BODY ((StmtList){0})
#define yylex syntax_token

static void yyerror(const Span *span, Syntax *syntax, const char *message);
static Expr *checked(Syntax *syntax, Expr *expr);
static bool header_read(Syntax *syntax, Span span, int64_t version);
static Expr *integer(Syntax *syntax, Span span, int64_t value);
static Expr *real(Syntax *syntax, Span span, double value);
static Expr *boolean(Syntax *syntax, Span span, bool value);
static Expr *text(Syntax *syntax, ExprKind kind, Span span, const char *value);
static Expr *binary(Syntax *syntax, Operator op, Span place, Expr *left, Expr *right);
static Item *param(Syntax *syntax, Span span, Param param);
static Item *function(Syntax *syntax, ItemKind kind, Span span, Function function);
static Item *settings(Syntax *syntax, ItemKind kind, Span span, SettingList settings);
static Item *use(Syntax *syntax, Span span, Name file);
}

%token READ_MODEL READ_EXPRESSION MDL
%token NL
%token USE PARAM DEF MODEL DATA TRAIN FIELD FOR IN IF ELSE TRUE FALSE AND OR NOT
%token PIPE ARROW RANGE BELOW ABOVE POW EQ NE LE GE
%token <integer> INT
%token <real> FLOAT
%token <text> STRING ID

%type <expr> expr postfix primary value callee bound
%type <exprs> exprs list
%type <name> name
%type <names> names outs
%type <type> type
%type <arg> arg
%type <args> args some_args
%type <sub> sub
%type <subs> subs
%type <limits> limits
%type <formal> formal
%type <formals> formals some_formals
%type <stmt> stmt
%type <stmts> stmts body
%type <arms> arms
%type <setting> setting
%type <settings> settings
%type <item> item

%precedence PIPE
%left OR
%left AND
%precedence NOT
%nonassoc '<' '>' LE GE EQ NE
%nonassoc RANGE
%left '+' '-'
%left '*' '/' '%' '@'
%precedence NEGATIVE
%right POW

%%
start: READ_MODEL MDL INT NL { if (!header_read(syntax, @3, $3)) YYABORT; } items
     | READ_EXPRESSION expr NL { syntax->expression = $2; }
     ;

items: %empty
     | items item { if ($2) AST_APPEND(syntax->items, $2); }
     ;

item: USE STRING NL                              { $$ = use(syntax, span_join(@1, @2), (Name){$2, @2}); }
    | PARAM name type value limits NL           { $$ = param(syntax, span_join(@1, @5), (Param){$2, $3, $4, @4, $5}); }
    | DEF name '(' formals ')' '=' expr NL       { $$ = function(syntax, ITEM_DEF, span_join(@1, @7), (Function){$2, $4, NO_NAMES, $7, NO_BODY}); }
    | DEF name '(' formals ')' outs body NL      { $$ = function(syntax, ITEM_DEF, span_join(@1, @7), (Function){$2, $4, $6, NULL, $7}); }
    | MODEL name '(' formals ')' outs body NL    { $$ = function(syntax, ITEM_MODEL, span_join(@1, @7), (Function){$2, $4, $6, NULL, $7}); }
    | DATA '{' settings '}' NL                   { $$ = settings(syntax, ITEM_DATA, span_join(@1, @4), $3); }
    | TRAIN '{' settings '}' NL                  { $$ = settings(syntax, ITEM_TRAIN, span_join(@1, @4), $3); }
    | error NL                                   { $$ = NULL; yyerrok; }
    | error body NL                              { $$ = NULL; yyerrok; }
    ;

value: '=' expr { $$ = $2; } ;
limits: %empty             { $$ = NULL; }
      | IN expr            { $$ = ast_limits_of(ARENA, $2); }
      | IN expr BELOW expr { $$ = ast_limits(ARENA, (Limits){.low = $2, .high = $4, .below = true, .span = span_join(@2, @4)}); }
      | IN expr RANGE      { $$ = ast_limits(ARENA, (Limits){.low = $2, .span = span_join(@2, @3)}); }
      | IN expr ABOVE      { $$ = ast_limits(ARENA, (Limits){.low = $2, .above = true, .span = span_join(@2, @3)}); }
      ;

settings: %empty           { $$ = (SettingList){0}; }
        | settings setting { $$ = $1; if ($2) AST_APPEND($$, $2); }
        ;
setting: name value NL       { $$ = ast_setting(ARENA, false, $1, $2, @2); }
       | FIELD name value NL { $$ = ast_setting(ARENA, true, $2, $3, @3); }
       | error NL            { $$ = NULL; yyerrok; }
       ;

name: ID { $$ = (Name){$1, @1}; } ;

formals: %empty { $$ = (FormalList){0}; } | some_formals | some_formals ',' ;
some_formals: formal                  { $$ = (FormalList){0}; AST_APPEND($$, $1); }
            | some_formals ',' formal { $$ = $1; AST_APPEND($$, $3); }
            ;
formal: name type limits       { $$ = ast_formal(ARENA, $1, $2, NULL, $3); }
      | name type value limits { $$ = ast_formal(ARENA, $1, $2, $3, $4); }
      ;

type: %empty                { $$ = NULL; }
    | ':' name              { $$ = ast_type(ARENA, @2, $2, false, (ExprList){0}); }
    | ':' name '[' list ']' { $$ = ast_type(ARENA, span_join(@2, @5), $2, true, $4); }
    ;

outs: ARROW name          { $$ = (NameList){0}; NameNode *node = ast_name(ARENA, $2); AST_APPEND($$, node); }
    | ARROW '(' names ')' { $$ = $3; }
    ;
names: name           { $$ = (NameList){0}; NameNode *node = ast_name(ARENA, $1); AST_APPEND($$, node); }
     | names ',' name { $$ = $1; NameNode *node = ast_name(ARENA, $3); AST_APPEND($$, node); }
     ;

body: '{' stmts '}' { $$ = $2; } ;
stmts: %empty     { $$ = (StmtList){0}; }
     | stmts stmt { $$ = $1; if ($2) AST_APPEND($$, $2); }
     ;
stmt: names '=' exprs NL        { $$ = ast_assign(ARENA, span_join(@1, @3), $1, $3); }
    | FOR name IN expr body NL  { $$ = ast_for(ARENA, span_join(@1, @4), $2, $4, $5); }
    | arms NL                   { $$ = ast_if(ARENA, @1, $1, (StmtList){0}); }
    | arms ELSE body NL         { $$ = ast_if(ARENA, @1, $1, $3); }
    | error NL                  { $$ = NULL; yyerrok; }
    | error body NL             { $$ = NULL; yyerrok; }
    ;
arms: IF expr body              { $$ = (ArmList){0}; Arm *arm = ast_arm(ARENA, $2, $3); AST_APPEND($$, arm); }
    | arms ELSE IF expr body    { $$ = $1; Arm *arm = ast_arm(ARENA, $4, $5); AST_APPEND($$, arm); }
    ;

exprs: expr           { $$ = (ExprList){0}; AST_APPEND($$, $1); }
     | exprs ',' expr { $$ = $1; AST_APPEND($$, $3); }
     ;
list: %empty { $$ = (ExprList){0}; } | exprs | exprs ',' ;

expr: postfix
    | expr OR expr            { $$ = binary(syntax, OPERATOR_OR, @2, $1, $3); }
    | expr AND expr           { $$ = binary(syntax, OPERATOR_AND, @2, $1, $3); }
    | NOT expr                { $$ = checked(syntax, ast_unary(ARENA, OPERATOR_NOT, @1, $2)); }
    | expr '<' expr           { $$ = binary(syntax, OPERATOR_LT, @2, $1, $3); }
    | expr '>' expr           { $$ = binary(syntax, OPERATOR_GT, @2, $1, $3); }
    | expr LE expr            { $$ = binary(syntax, OPERATOR_LE, @2, $1, $3); }
    | expr GE expr            { $$ = binary(syntax, OPERATOR_GE, @2, $1, $3); }
    | expr EQ expr            { $$ = binary(syntax, OPERATOR_EQ, @2, $1, $3); }
    | expr NE expr            { $$ = binary(syntax, OPERATOR_NE, @2, $1, $3); }
    | expr RANGE expr         { $$ = binary(syntax, OPERATOR_RANGE, @2, $1, $3); }
    | expr '+' expr           { $$ = binary(syntax, OPERATOR_ADD, @2, $1, $3); }
    | expr '-' expr           { $$ = binary(syntax, OPERATOR_SUB, @2, $1, $3); }
    | expr '*' expr           { $$ = binary(syntax, OPERATOR_MUL, @2, $1, $3); }
    | expr '/' expr           { $$ = binary(syntax, OPERATOR_DIV, @2, $1, $3); }
    | expr '%' expr           { $$ = binary(syntax, OPERATOR_MOD, @2, $1, $3); }
    | expr '@' expr           { $$ = binary(syntax, OPERATOR_MATMUL, @2, $1, $3); }
    | expr POW expr           { $$ = binary(syntax, OPERATOR_POW, @2, $1, $3); }
    | '-' expr %prec NEGATIVE { $$ = checked(syntax, ast_unary(ARENA, OPERATOR_NEG, @1, $2)); }
    | expr PIPE callee              { $$ = checked(syntax, ast_pipe(ARENA, @3, $1, $3, (ArgList){0})); }
    | expr PIPE callee '(' args ')' { $$ = checked(syntax, ast_pipe(ARENA, span_join(@3, @6), $1, $3, $5)); }
    ;

callee: ID              { $$ = text(syntax, EXPR_NAME, @1, $1); }
      | callee '.' name { $$ = checked(syntax, ast_member(ARENA, @$, $1, $3)); }
      ;

postfix: primary
       | postfix '(' args ')' { $$ = checked(syntax, ast_call(ARENA, @$, $1, $3)); }
       | postfix '[' subs ']' { $$ = checked(syntax, ast_index(ARENA, @$, $1, $3)); }
       | postfix '.' name     { $$ = checked(syntax, ast_member(ARENA, @$, $1, $3)); }
       ;

primary: INT          { $$ = integer(syntax, @1, $1); }
       | FLOAT        { $$ = real(syntax, @1, $1); }
       | STRING       { $$ = text(syntax, EXPR_STRING, @1, $1); }
       | TRUE         { $$ = boolean(syntax, @1, true); }
       | FALSE        { $$ = boolean(syntax, @1, false); }
       | ID           { $$ = text(syntax, EXPR_NAME, @1, $1); }
       | '(' expr ')' { $$ = $2; $$->span = @$; }
       | '[' list ']' { $$ = checked(syntax, ast_list(ARENA, @$, $2)); }
       ;

args: %empty { $$ = (ArgList){0}; } | some_args | some_args ',' ;
some_args: arg               { $$ = (ArgList){0}; AST_APPEND($$, $1); }
         | some_args ',' arg { $$ = $1; AST_APPEND($$, $3); }
         ;
arg: expr       { $$ = ast_arg(ARENA, (Name){0}, $1); }
   | name value { $$ = ast_arg(ARENA, $1, $2); }
   ;

subs: sub          { $$ = (SubList){0}; AST_APPEND($$, $1); }
    | subs ',' sub { $$ = $1; AST_APPEND($$, $3); }
    ;
sub: expr                        { $$ = ast_sub(ARENA, @$, $1); }
   | bound ':' bound           { $$ = ast_slice(ARENA, @$, $1, $3, NULL); }
   | bound ':' bound ':' bound { $$ = ast_slice(ARENA, @$, $1, $3, $5); }
   ;
bound: %empty { $$ = NULL; }
     | expr
     ;
%%

/* Limits the depth of the tree, so that walking it cannot use up the stack. */
static Expr *checked(Syntax *syntax, Expr *expr) {
    if (expr->depth > AST_MAX_DEPTH && !syntax->too_deep) {
        syntax->too_deep = true;
        if (syntax_error(syntax, expr->span, "this expression is more than %d operations deep", AST_MAX_DEPTH))
            diag_help(syntax->input.diag, "assign parts of it to variables");
    }
    return expr;
}

static bool header_read(Syntax *syntax, Span span, int64_t version) {
    if (syntax->input.header_end) *syntax->input.header_end = span.end - syntax->input.base;
    if (version == 1) return true;
    if (syntax_error(syntax, span, "this is version %lld of the language; mlc " MLC_VERSION " reads version 1", (long long)version))
        diag_help(syntax->input.diag, "the first line of a model is 'mdl 1'");
    return false;
}

static Expr *integer(Syntax *syntax, Span span, int64_t value) {
    Expr *expr = ast_expr(ARENA, EXPR_INT, span);
    expr->integer = value;
    return expr;
}

static Expr *real(Syntax *syntax, Span span, double value) {
    Expr *expr = ast_expr(ARENA, EXPR_FLOAT, span);
    expr->real = value;
    return expr;
}

static Expr *boolean(Syntax *syntax, Span span, bool value) {
    Expr *expr = ast_expr(ARENA, EXPR_BOOL, span);
    expr->boolean = value;
    return expr;
}

static Expr *text(Syntax *syntax, ExprKind kind, Span span, const char *value) {
    Expr *expr = ast_expr(ARENA, kind, span);
    expr->text = value;
    return expr;
}

static Expr *binary(Syntax *syntax, Operator op, Span place, Expr *left, Expr *right) {
    return checked(syntax, ast_binary(ARENA, op, place, left, right));
}

static Item *param(Syntax *syntax, Span span, Param param) {
    Item *item = ast_item(ARENA, ITEM_PARAM, span);
    item->param = param;
    return item;
}

static Item *function(Syntax *syntax, ItemKind kind, Span span, Function function) {
    Item *item = ast_item(ARENA, kind, span);
    item->function = function;
    return item;
}

static Item *settings(Syntax *syntax, ItemKind kind, Span span, SettingList settings) {
    Item *item = ast_item(ARENA, kind, span);
    item->settings = settings;
    return item;
}

static Item *use(Syntax *syntax, Span span, Name file) {
    Item *item = ast_item(ARENA, ITEM_USE, span);
    item->import = (ImportItem){file, NULL};
    return item;
}

/* Bison calls this only when its stack is full; syntax errors go to yyreport_syntax_error. */
static void yyerror(const Span *span, Syntax *syntax, const char *message) {
    (void)message;
    syntax_error(syntax, *span, "this is nested too deep");
}

static const int *token_kinds(const yysymbol_kind_t *symbols, int count, int *kinds) {
    for (int i = 0; i < count; i++)
        for (int token = 0; token <= ID; token++)
            if (YYTRANSLATE(token) == symbols[i]) kinds[i] = token;
    return kinds;
}

static int yyreport_syntax_error(const yypcontext_t *context, Syntax *syntax) {
    yysymbol_kind_t symbols[YYNTOKENS], found = yypcontext_token(context);
    int kinds[YYNTOKENS + 1] = {0}, count = yypcontext_expected_tokens(context, symbols, YYNTOKENS);
    if (count < 0) return count;
    token_kinds(symbols, count, kinds);
    token_kinds(&found, 1, kinds + count);
    syntax_unexpected(syntax, &(UnexpectedToken){kinds[count], *yypcontext_location(context), kinds, count});
    return 0;
}

static bool read_text(Syntax *syntax) {
    const SyntaxInput *input = &syntax->input;
    if (input->length > SYNTAX_MAX_BYTES) {
        syntax_error(syntax, (Span){input->file, 0, 0}, "this text has %zu bytes; at most %d are allowed", input->length,
                     SYNTAX_MAX_BYTES);
        return false;
    }
    const char *zero = memchr(input->text, 0, input->length);
    if (zero) {
        uint32_t at = input->base + (uint32_t)(zero - input->text);
        bool wide = input->length > 1 && (!memcmp(input->text, "\xff\xfe", 2) || !memcmp(input->text, "\xfe\xff", 2));
        syntax_error(syntax, (Span){input->file, at, at + 1}, wide ? "this text is UTF-16" : "the file contains a zero byte, so it is not a text");
        diag_help(input->diag, wide ? "save it as UTF-8" : "a model is a text that begins with the line 'mdl 1'");
        return false;
    }
    size_t errors = diag_errors(input->diag);
    if (!syntax_scanner_open(syntax)) return false;
    int failed = yyparse(syntax);
    syntax_scanner_close(syntax);
    return !failed && diag_errors(input->diag) == errors;
}

ItemList *syntax_read_model(const SyntaxInput *input) {
    Syntax *syntax = ARENA_NEW(input->arena, Syntax);
    syntax->input = *input;
    syntax->goal = READ_MODEL;
    return read_text(syntax) ? &syntax->items : NULL;
}

Expr *syntax_read_expression(const SyntaxInput *input) {
    Syntax *syntax = ARENA_NEW(input->arena, Syntax);
    syntax->input = *input;
    syntax->goal = READ_EXPRESSION;
    return read_text(syntax) ? syntax->expression : NULL;
}
