/* Types, constants and operands of a module in C. */
#include "codegen/ship/c_values.h"
#include "ir/base/diag.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* -- types -- */

const char *c_scalar_type(LLVMTypeRef type) {
    switch (LLVMGetTypeKind(type)) {
    case LLVMFloatTypeKind: return "f32";
    case LLVMDoubleTypeKind: return "f64";
    case LLVMPointerTypeKind: return "ptr";
    case LLVMVoidTypeKind: return "void";
    default: break;
    }
    switch (LLVMGetIntTypeWidth(type)) {
    case 1: return "i1";
    case 8: return "i8";
    case 16: return "i16";
    case 32: return "i32";
    default: return "i64";
    }
}

bool c_is_vector(LLVMTypeRef type) { return LLVMGetTypeKind(type) == LLVMVectorTypeKind; }
LLVMTypeRef c_element_of(LLVMTypeRef type) {
    return c_is_vector(type) ? LLVMGetElementType(type) : type;
}
unsigned c_lanes(LLVMTypeRef type) { return c_is_vector(type) ? LLVMGetVectorSize(type) : 1; }
const char *c_element_type(LLVMValueRef value) {
    return c_scalar_type(c_element_of(LLVMTypeOf(value)));
}

const char *c_type(CPrinter *p, LLVMTypeRef type) {
    if (!c_is_vector(type)) return c_scalar_type(type);
    const char *element = c_scalar_type(c_element_of(type));
    const char *name = arena_format(p->arena, "%sx%u", element, c_lanes(type));
    for (uint32_t i = 0; i < p->vector_count; i++)
        if (!strcmp(p->vectors[i], name)) return name;
    ARENA_ROOM(p->arena, p->vectors, p->vector_count, p->vector_capacity);
    p->vectors[p->vector_count++] = name;
    fprintf(p->types, "typedef struct { %s l[%u]; } %s;\n", element, c_lanes(type), name);
    return name;
}

/* -- constants -- */

static const char *real_text(const CPrinter *p, LLVMValueRef value, bool is_float) {
    LLVMBool loses;
    double real = LLVMConstRealGetDouble(value, &loses);
    if (!isfinite(real))
        return arena_format(p->arena, "(%s)%s", is_float ? "f32" : "f64",
                            isnan(real) ? "NAN"
                            : real > 0  ? "INFINITY"
                                        : "-INFINITY");
    return arena_format(p->arena, is_float ? "%aF" : "%a", real);
}

static const char *zero_text(LLVMTypeRef type) {
    switch (LLVMGetTypeKind(type)) {
    case LLVMFloatTypeKind: return "0.0F";
    case LLVMDoubleTypeKind: return "0.0";
    case LLVMPointerTypeKind: return "NULL";
    default: return "0";
    }
}

static const char *scalar_constant(const CPrinter *p, LLVMValueRef value) {
    LLVMTypeRef type = LLVMTypeOf(value);
    if (LLVMIsUndef(value) || LLVMIsNull(value)) return zero_text(type);
    if (LLVMGetTypeKind(type) == LLVMFloatTypeKind) return real_text(p, value, true);
    if (LLVMGetTypeKind(type) == LLVMDoubleTypeKind) return real_text(p, value, false);
    uint64_t whole = LLVMConstIntGetZExtValue(value);
    return arena_format(p->arena, "(%s)%" PRIu64 "u", c_scalar_type(type), whole);
}

static LLVMValueRef lane_constant(LLVMValueRef vector, unsigned lane) {
    LLVMValueRef element = LLVMGetAggregateElement(vector, lane);
    return element ? element : LLVMGetUndef(c_element_of(LLVMTypeOf(vector)));
}

/* The element that all lanes have; NULL: they differ. Undefined lanes are 0. */
static const char *splat_text(const CPrinter *p, LLVMValueRef vector) {
    unsigned lanes = c_lanes(LLVMTypeOf(vector));
    const char *first = NULL;
    if (LLVMIsNull(vector) || LLVMIsUndef(vector))
        return zero_text(c_element_of(LLVMTypeOf(vector)));
    for (unsigned i = 0; i < lanes; i++) {
        const char *text = scalar_constant(p, lane_constant(vector, i));
        if (first && strcmp(first, text) != 0) return NULL;
        first = text;
    }
    return first;
}

/* The variable that holds a vector constant. */
static const char *table_name(CPrinter *p, LLVMValueRef vector) {
    uint32_t i = 0;
    LLVMTypeRef type = LLVMTypeOf(vector);
    while (i < p->table_count && p->tables[i] != vector) i++;
    const char *name = arena_format(p->arena, "c%u", i);
    if (i < p->table_count) return name;
    ARENA_ROOM(p->arena, p->tables, p->table_count, p->table_capacity);
    p->tables[p->table_count++] = vector;
    fprintf(p->constants, "static const %s %s = {{", c_type(p, type), name);
    bool zero = LLVMIsNull(vector) || LLVMIsUndef(vector);
    for (unsigned lane = 0; lane < c_lanes(type); lane++)
        fprintf(p->constants, "%s%s", lane ? ", " : "",
                zero ? zero_text(c_element_of(type))
                     : scalar_constant(p, lane_constant(vector, lane)));
    fputs("}};\n", p->constants);
    return name;
}

/* A part of a global: its address plus a constant number of bytes. */
static const char *address_constant(CPrinter *p, LLVMValueRef value) {
    if (LLVMIsAGlobalValue(value)) {
        size_t length;
        return arena_format(p->arena, "((ptr)(uintptr_t)&%s)", LLVMGetValueName2(value, &length));
    }
    if (LLVMGetConstOpcode(value) != LLVMGetElementPtr) diag_bug("C: a constant expression");
    int64_t index = LLVMConstIntGetSExtValue(LLVMGetOperand(value, 1));
    uint64_t each = LLVMABISizeOfType(p->layout, LLVMGetGEPSourceElementType(value));
    return arena_format(p->arena, "(%s + %" PRId64 ")", c_operand(p, LLVMGetOperand(value, 0)),
                        index * (int64_t)each);
}

const char *c_value_name(LLVMValueRef value) {
    size_t length;
    return LLVMGetValueName2(value, &length);
}

const char *c_operand(CPrinter *p, LLVMValueRef value) {
    if (!LLVMIsConstant(value)) return c_value_name(value);
    if (c_is_vector(LLVMTypeOf(value))) return table_name(p, value);
    if (LLVMIsAGlobalValue(value) || LLVMIsAConstantExpr(value)) return address_constant(p, value);
    return scalar_constant(p, value);
}

const char *c_lane(CPrinter *p, LLVMValueRef value) {
    if (!c_is_vector(LLVMTypeOf(value))) return c_operand(p, value);
    const char *splat = LLVMIsConstant(value) ? splat_text(p, value) : NULL;
    return splat ? splat : arena_format(p->arena, "%s.l[i]", c_operand(p, value));
}

/* -- globals -- */

size_t c_word_count(size_t length) { return length < 4 ? 1 : length / 4; }

void c_print_words(const char *bytes, size_t length, FILE *out) {
    fputs(length < 4 ? "{0" : "{", out);
    for (size_t i = 0; i + 4 <= length; i += 4) {
        uint32_t word;
        memcpy(&word, bytes + i, sizeof word);
        fprintf(out, "%s0x%" PRIx32, i == 0 ? "" : i % 48 ? "," : ",\n", word);
    }
    fputs("};\n", out);
}

/* Bytes are printed as words, since all states have elements of four bytes. */
static void print_bytes(const CPrinter *p, const char *name, LLVMValueRef value) {
    size_t length;
    const char *bytes = LLVMGetAsString(value, &length);
    fprintf(p->constants, "static const i32 %s[%zu] = ", name, c_word_count(length));
    c_print_words(bytes, length, p->constants);
}

void c_declare_weights(const char *symbol, size_t length, FILE *out) {
    fprintf(out,
            "#ifdef __cplusplus\nextern \"C\" {\n#endif\n"
            "extern const uint32_t %s[%zu];\n"
            "#ifdef __cplusplus\n}\n#endif\n",
            symbol, c_word_count(length));
}

void c_print_global(CPrinter *p, LLVMValueRef global) {
    LLVMValueRef value = LLVMGetInitializer(global);
    LLVMTypeRef type = LLVMGlobalGetValueType(global);
    const char *name = c_value_name(global);
    if (!value) {
        c_declare_weights(name, LLVMGetArrayLength2(type), p->constants);
        return;
    }
    if (LLVMGetTypeKind(type) != LLVMArrayTypeKind) {
        fprintf(p->constants, "static const %s %s = %s;\n", c_scalar_type(type), name,
                scalar_constant(p, value));
        return;
    }
    if (LLVMIsConstantString(value)) {
        print_bytes(p, name, value);
        return;
    }
    uint64_t count = LLVMGetArrayLength2(type);
    fprintf(p->constants, "static const %s %s[%" PRIu64 "] = {",
            c_scalar_type(LLVMGetElementType(type)), name, count ? count : 1);
    for (uint64_t i = 0; i < count; i++)
        fprintf(p->constants, "%s%s", i ? ", " : "",
                scalar_constant(p, LLVMGetAggregateElement(value, (unsigned)i)));
    fputs(count ? "};\n" : "0};\n", p->constants);
}
