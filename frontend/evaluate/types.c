/* Checks values against declared types: `width: int`, `image: f32[N, 1, 28, 28]`. */
#include "frontend/evaluate/evaluate.h"

#include <inttypes.h>
#include <string.h>

typedef struct {
    Evaluator *evaluator;
    const Type *type;
    Span span; /* the place of the value */
    ValueOwner owner;
} TypeCheck;

const char *value_owner_text(Arena *arena, ValueOwner owner) {
    return owner.callee ? arena_format(arena, "'%s' of '%s'", owner.name, owner.callee)
                        : arena_format(arena, "param '%s'", owner.name);
}

static const char *value_words(const TypeCheck *check, Value value) {
    return value_text(check->evaluator->arena, check->evaluator->graph, value);
}

static bool wrong_type(const TypeCheck *check, const char *expected, Value value) {
    evaluator_error(check->evaluator, check->span, "%s must be %s, not %s",
                    value_owner_text(check->evaluator->arena, check->owner), expected,
                    value_words(check, value));
    return false;
}

/* -- values known while compiling -- */

static const struct {
    const char *name, *words;
    ValueKind kind;
} plain_types[] = {
    {"int", "a whole number", VALUE_INT},
    {"float", "a number", VALUE_FLOAT},
    {"bool", "true or false", VALUE_BOOL},
    {"string", "a string", VALUE_STRING},
    {"list", "a list", VALUE_LIST},
    {"tensor", "a tensor", VALUE_TENSOR},
    {"function", "a function", VALUE_FUNCTION},
};
enum { PLAIN_TYPES = sizeof plain_types / sizeof *plain_types };

/* -- tensors -- */

/* An unknown name in a shape, such as C in f32[M, C], becomes a variable with the size found. */
static bool binds_size(const TypeCheck *check, const Expr *expr, int64_t size) {
    Evaluator *evaluator = check->evaluator;
    if (expr->kind != EXPR_NAME || !strcmp(expr->text, "N") ||
        names_find(evaluator->scope->values, expr->text))
        return false;
    if (!evaluator->scope->in_library && names_find(evaluator->globals->params, expr->text))
        return false;
    scope_put(evaluator, expr->text, value_int(size));
    return true;
}

static bool size_fits(const TypeCheck *check, const Expr *expr, int64_t size, bool *error) {
    if (binds_size(check, expr, size)) return true;
    Value expected = evaluate(check->evaluator, expr);
    if (expected.kind == VALUE_INT) return expected.integer == size;
    *error = true;
    if (expected.kind != VALUE_ERROR)
        evaluator_error(check->evaluator, expr->span, "a size must be a whole number, not %s",
                        value_words(check, expected));
    return true;
}

/* The declared type, for messages: f32[N, 10]. A size that is an expression is computed. */
static const char *written_type(const TypeCheck *check) {
    Arena *arena = check->evaluator->arena;
    const char *text = arena_format(arena, "%s[", check->type->name.text), *word;
    for (const Expr *size = check->type->shape.first; size; size = size->next) {
        if (size->kind == EXPR_NAME) {
            word = size->text;
        } else {
            Value value = evaluate(check->evaluator, size);
            word = value.kind == VALUE_ERROR ? "?" : value_words(check, value);
        }
        text = arena_format(arena, "%s%s%s", text, word, size->next ? "," : "");
    }
    return arena_format(arena, "%s]", text);
}

/* A column of whole numbers, [M, 1], is accepted as a list, [M]: many archives store labels so. */
static void take_column(const TypeCheck *check, Value *value) {
    const Node *node = value->kind == VALUE_TENSOR ? tensor_node(check->evaluator, *value) : NULL;
    bool list = !strcmp(check->type->name.text, "int") && check->type->shape.count == 1;
    if (!node || !list || node->dtype == DTYPE_F32 || node->shape.rank != 2 ||
        node->shape.dim[1] != 1)
        return;
    *value = value_tensor(
        build_reshape(check->evaluator->graph, value->node, shape_of(1, node->shape.dim)));
}

/* A column that was computed from whole numbers only is accepted where whole numbers are
 * declared. */
static Value as_whole(const TypeCheck *check, Value value) {
    bool wanted = !strcmp(check->type->name.text, "int") && value.kind == VALUE_TENSOR &&
                  tensor_node(check->evaluator, value)->dtype == DTYPE_F32;
    Value whole = wanted ? derive_whole(check->evaluator, value, check->span) : value_none();
    return whole.kind == VALUE_TENSOR ? whole : value;
}

static bool tensor_check(const TypeCheck *check, Value value) {
    if (value.kind != VALUE_TENSOR) return wrong_type(check, written_type(check), value);
    const Node *node = tensor_node(check->evaluator, value);
    const char *name = check->type->name.text;
    int rank = (int)check->type->shape.count, axis = 0;
    /* int[...] accepts all whole numbers, and bool, whose values are the classes 1 and 0 */
    bool whole = !strcmp(name, "int"), error = false;
    bool fits = whole ? node->dtype != DTYPE_F32 : !strcmp(name, dtype_name(node->dtype));
    fits = fits && node->shape.rank == rank;
    for (const Expr *size = check->type->shape.first; size && fits; size = size->next)
        fits = size_fits(check, size, node->shape.dim[axis++], &error);
    if (fits || error) return fits && !error;
    size_t errors = diag_errors(check->evaluator->diag);
    wrong_type(check, written_type(check), value);
    if (whole && node->dtype == DTYPE_F32 && node->shape.rank == rank &&
        diag_errors(check->evaluator->diag) > errors)
        diag_help(check->evaluator->diag, "int(...) gives whole numbers");
    return false;
}

bool type_check(Evaluator *evaluator, const Type *type, Value *value, Span span, ValueOwner owner) {
    TypeCheck check = {evaluator, type, span, owner};
    DType dtype;
    if (!type || value->kind == VALUE_ERROR) return value->kind != VALUE_ERROR;
    bool is_dtype = dtype_from_name(type->name.text, strlen(type->name.text), &dtype);
    if (type->has_shape) *value = as_whole(&check, *value);
    if (type->has_shape) take_column(&check, value);
    if (type->has_shape && (is_dtype || !strcmp(type->name.text, "int")))
        return tensor_check(&check, *value);
    for (int i = 0; i < PLAIN_TYPES && !type->has_shape; i++)
        if (!strcmp(plain_types[i].name, type->name.text)) {
            if (plain_types[i].kind == VALUE_FLOAT && value->kind == VALUE_INT)
                *value = value_float((double)value->integer);
            if (value->kind == plain_types[i].kind) return true;
            return wrong_type(&check, plain_types[i].words, *value);
        }
    if (is_dtype) {
        if (value->kind == VALUE_TENSOR && tensor_node(evaluator, *value)->dtype == dtype)
            return true;
        const char *wanted = arena_format(evaluator->arena, "a tensor of %s", dtype_name(dtype));
        return wrong_type(&check, wanted, *value);
    }
    if (evaluator_error(evaluator, type->span, "unknown type '%s'", type->name.text))
        diag_help(evaluator->diag,
                  "there are int, float, bool, string, list, function, tensor, f32, i32 and u8");
    return false;
}
