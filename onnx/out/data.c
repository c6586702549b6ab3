/* Computes columns of the data from the inputs of the file, as mlc does: in f64, rounded once. */
#include "onnx/out/out.h"
#include "ir/ops/shapes.h"

#include <string.h>

/* ONNX's operations. "": written in another way; NULL: not written at all. */
static const char *const operations[DERIVED_KINDS] = {
    [DERIVED_COLUMNS] = "",       [DERIVED_WHOLE] = "",     [DERIVED_REAL] = "",
    [DERIVED_FITTED] = "",        [DERIVED_IMPUTE] = "",    [DERIVED_STANDARDIZE] = "",
    [DERIVED_INT] = "",           [DERIVED_MOD] = "",       [DERIVED_NE] = "",
    [DERIVED_ADD] = "Add",        [DERIVED_SUB] = "Sub",    [DERIVED_MUL] = "Mul",
    [DERIVED_DIV] = "Div",        [DERIVED_MIN] = "Min",    [DERIVED_MAX] = "Max",
    [DERIVED_NEG] = "Neg",        [DERIVED_ABS] = "Abs",    [DERIVED_FLOOR] = "Floor",
    [DERIVED_ROUND] = "Round",    [DERIVED_EQ] = "Equal",   [DERIVED_LT] = "Less",
    [DERIVED_LE] = "LessOrEqual", [DERIVED_GT] = "Greater", [DERIVED_GE] = "GreaterOrEqual",
};

bool onnx_can_derive(const Derived *derived) {
    if (!operations[derived->kind]) return false;
    for (int i = 0; i < derived_arity(derived->kind); i++)
        if (!onnx_can_derive(derived->args[i])) return false;
    return true;
}

const char *onnx_input_key(Arena *arena, const SourceSchema *schema, const char *symbol,
                           const Derived *leaf) {
    SourceRows rows;
    const char *inner = source_rows_of(symbol, &rows);
    const char *name =
        leaf->is_list ? derived_name(arena, schema, leaf) : schema->fields[leaf->fields[0]].name;
    return inner == symbol ? name : source_rows_name(arena, rows.from, rows.to, rows.stride, name);
}

/* -- operands -- */

static const char *leaf_write(Out *out, const char *symbol, const Derived *leaf) {
    const OnnxExport *wanted = out->wanted;
    const char *key = onnx_input_key(out->arena, wanted->schema, symbol, leaf);
    for (uint32_t i = 0; i < wanted->input_count; i++)
        if (!strcmp(wanted->inputs[i].key, key))
            return wanted->inputs[i].type == ONNX_DOUBLE
                       ? wanted->inputs[i].name
                       : put_cast(out, NULL, wanted->inputs[i].name, ONNX_DOUBLE);
    diag_bug("the ONNX file has no input '%s'", key);
}

/* The numbers that a transform has been fitted to. */
static const char *fitted_write(Out *out, const char *fit, bool deviation) {
    for (uint32_t i = 0; i < out->wanted->fitted_count; i++) {
        const ExportFitted *fitted = &out->wanted->fitted[i];
        if (strcmp(fitted->name, fit)) continue;
        const char *part = deviation ? "deviation" : fitted->deviation ? "mean" : "value";
        return constant_f64(out, arena_format(out->arena, "fitted %s.%s", fit, part),
                            deviation ? fitted->deviation : fitted->values, fitted->row);
    }
    diag_bug("nothing is known of '%s'", fit);
}

/* -- operations -- */

static const char *derived_write(Out *out, const char *symbol, const Derived *derived);

/* The remainder has the sign of b. */
static const char *remainder_write(Out *out, const char *a, const char *b) {
    OutNode node = put_begin(out, "Mod");
    put_input(&node, a);
    put_input(&node, b);
    put_int(&node, "fmod", 1);
    const char *rest = put_end(&node, NULL), *sign = put_step(out, "Sign", rest, NULL);
    const char *product = put_step(out, "Mul", sign, b);
    const char *differ = put_step(out, "Less", product, constant_double(out, 0));
    return put_call(out, NULL, "Where", 3, differ, put_step(out, "Add", rest, b), rest);
}

static const char *operation_write(Out *out, const char *symbol, const Derived *derived) {
    const char *a = derived_write(out, symbol, derived->args[0]);
    if (derived->kind == DERIVED_INT)
        return put_cast(out, NULL, put_cast(out, NULL, a, ONNX_INT64), ONNX_DOUBLE);
    if (derived->kind == DERIVED_STANDARDIZE) {
        const char *fit = derived->args[1]->fit;
        const char *centered = put_step(out, "Sub", a, fitted_write(out, fit, false));
        return put_step(out, "Div", centered, fitted_write(out, fit, true));
    }
    const char *b =
        derived_arity(derived->kind) > 1 ? derived_write(out, symbol, derived->args[1]) : NULL;
    if (derived->kind == DERIVED_MOD) return remainder_write(out, a, b);
    if (derived->kind == DERIVED_IMPUTE) {
        /* A missing number is NaN, which is not equal to itself. */
        const char *there = put_step(out, "Equal", a, a);
        return put_call(out, NULL, "Where", 3, there, a, b);
    }
    if (derived->kind == DERIVED_NE)
        return put_cast(out, NULL, put_step(out, "Not", put_step(out, "Equal", a, b), NULL),
                        ONNX_DOUBLE);
    const char *result = put_step(out, operations[derived->kind], a, b);
    return derived_dtype(derived) == DTYPE_BOOL ? put_cast(out, NULL, result, ONNX_DOUBLE) : result;
}

static const char *derived_write(Out *out, const char *symbol, const Derived *derived) {
    switch (derived->kind) {
    case DERIVED_COLUMNS: return leaf_write(out, symbol, derived);
    case DERIVED_WHOLE: return constant_double(out, (double)derived->whole);
    case DERIVED_REAL: return constant_double(out, derived->real);
    case DERIVED_FITTED: return fitted_write(out, derived->fit, false);
    default: return operation_write(out, symbol, derived);
    }
}

const char *input_write(Out *out, const ExportInput *input, NodeId id) {
    OnnxType type = onnx_type(graph_node(out->graph, id)->dtype);
    return input->type == type ? input->name : put_cast(out, NULL, input->name, type);
}

const char *column_write(Out *out, const ExportColumn *column, NodeId id) {
    const char *wide = derived_write(out, column->symbol, column->derived);
    return put_cast(out, NULL, wide, onnx_type(graph_node(out->graph, id)->dtype));
}
