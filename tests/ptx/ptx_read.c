/* Reads PTX: statements that end with ';', labels, and blocks in braces. */
#include "tests/ptx/ptx_code.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* -- the instructions that compute -- */

__extension__ typedef unsigned __int128 U128;
#define U32(bits) ((uint32_t)(bits))
#define U16(bits) ((uint32_t)(uint16_t)(bits))
static int32_t S32(uint64_t bits) { return (int32_t)bits; }
static int16_t S16(uint64_t bits) { return (int16_t)bits; }
static float F32(uint64_t bits) {
    uint32_t word = (uint32_t)bits;
    float value;
    memcpy(&value, &word, sizeof value);
    return value;
}
static double F64(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
/* The only NaN that GPUs make. */
static uint64_t OF_F32(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return isnan(value) ? 0x7fffffff : bits;
}
static uint64_t OF_F64(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}
static bool is_nan(uint64_t bits) { return isnan(F32(bits)); }
#define ORDERED(a, b) !is_nan(a) && !is_nan(b) &&
#define UNORDERED(a, b) is_nan(a) || is_nan(b) ||

/* -0 lies below +0. `nan`: a NaN wins; otherwise the other number does. */
static uint64_t float_max(uint64_t a, uint64_t b, bool nan) {
    if (is_nan(a) || is_nan(b))
        return nan || (is_nan(a) && is_nan(b)) ? 0x7fffffff : is_nan(a) ? b : a;
    if (F32(a) == F32(b)) return signbit(F32(a)) ? b : a;
    return F32(a) > F32(b) ? a : b;
}
static uint64_t float_min(uint64_t a, uint64_t b, bool nan) {
    if (is_nan(a) || is_nan(b))
        return nan || (is_nan(a) && is_nan(b)) ? 0x7fffffff : is_nan(a) ? b : a;
    if (F32(a) == F32(b)) return signbit(F32(a)) ? a : b;
    return F32(a) < F32(b) ? a : b;
}
/* Truncated towards 0; NaN becomes 0, and numbers out of the range its ends. */
static uint64_t clamped(float value, double low, double high) {
    double whole = isnan(value) ? 0 : trunc((double)value);
    return (uint64_t)(int64_t)(whole < low ? low : whole > high ? high : whole);
}
static uint64_t bit_field(uint64_t bits, uint64_t from, uint64_t count) {
    from &= 255, count &= 255;
    if (from > 63) return 0;
    return bits >> from & (count > 63 ? UINT64_MAX : ((uint64_t)1 << count) - 1);
}

#define PTX_OP(name, text, value)                                                                  \
    static uint64_t compute_##name(uint64_t a, uint64_t b, uint64_t c) {                           \
        (void)a, (void)b, (void)c;                                                                 \
        return (uint64_t)(value);                                                                  \
    }
#include "tests/ptx/ops.def"

static const struct {
    const char *text;
    PtxCompute *compute;
} operations[] = {
#define PTX_OP(name, text, value) {text, compute_##name},
#include "tests/ptx/ops.def"
};

/* -- the reader -- */

enum { MAX_NAME = 80, MAX_FILES = 8, MAX_STATEMENT = 400 };

/* Registers of one kind, such as %rd0 to %rd41. */
typedef struct {
    char prefix[8];
    int32_t base, count;
} RegisterFile;

typedef struct {
    char name[MAX_NAME];
    uint32_t at;
} PtxLabel;

typedef struct {
    PtxCode *code;
    const char *at;
    char *error;
    bool failed;
    /* of the function that is being read */
    PtxFunction *function;
    RegisterFile files[MAX_FILES];
    int file_count;
    PtxLabel *labels, *branches; /* branches: by the name of their target */
    uint32_t label_count, label_capacity, branch_count, branch_capacity;
} PtxReader;

static void fail(PtxReader *r, const char *format, ...) {
    if (r->failed) return;
    r->failed = true;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(r->error, PTX_ERROR, format, arguments);
    va_end(arguments);
}

static void skip_space(PtxReader *r) {
    for (;;) {
        while (isspace((unsigned char)*r->at)) r->at++;
        if (strncmp(r->at, "//", 2) != 0) return;
        r->at += strcspn(r->at, "\n");
    }
}

static bool is_name(char c) { return isalnum((unsigned char)c) || (c && strchr("_$.%", c)); }

/* The next name, which is left where it is if it does not fit. */
static void read_name(PtxReader *r, char name[MAX_NAME]) {
    size_t length = 0;
    skip_space(r);
    while (is_name(r->at[length])) length++;
    if (length == 0 || length >= MAX_NAME) {
        fail(r, "no name at '%.30s'", r->at);
        length = 0;
    }
    memcpy(name, r->at, length);
    name[length] = 0;
    r->at += length;
}

static bool take(PtxReader *r, const char *text) {
    skip_space(r);
    bool there = !strncmp(r->at, text, strlen(text));
    if (there) r->at += strlen(text);
    return there;
}

static void skip_to(PtxReader *r, const char *ends) {
    r->at += strcspn(r->at, ends);
    if (*r->at) r->at++;
}

/* -- operands -- */

static int32_t slot_of(PtxReader *r, const char *name) {
    size_t letters = strcspn(name, "0123456789");
    for (int i = 0; i < r->file_count; i++) {
        const RegisterFile *file = &r->files[i];
        if (strlen(file->prefix) != letters || strncmp(file->prefix, name, letters) != 0) continue;
        long number = name[letters] ? strtol(name + letters, NULL, 10) : 0;
        if (number < file->count) return file->base + (int32_t)number;
    }
    fail(r, "unknown register '%s'", name);
    return 0;
}

static uint64_t symbol_address(PtxReader *r, const char *name) {
    if (!strncmp(name, "__local_depot", strlen("__local_depot"))) return PTX_LOCAL;
    for (uint32_t i = 0; i < r->code->global_count; i++)
        if (!strcmp(r->code->globals[i].name, name)) {
            const PtxGlobal *global = &r->code->globals[i];
            return global->bytes ? (uintptr_t)global->bytes : PTX_SHARED + global->offset;
        }
    fail(r, "unknown name '%s'", name);
    return 0;
}

static uint64_t number_of(const char *text) {
    if (!strncmp(text, "0f", 2) || !strncmp(text, "0d", 2)) return strtoull(text + 2, NULL, 16);
    return *text == '-' ? (uint64_t)strtoll(text, NULL, 0) : strtoull(text, NULL, 0);
}

/* A register, a number, the name of a constant; or [address]. Parameters give their number. */
static PtxOperand read_operand(PtxReader *r) {
    char name[MAX_NAME];
    PtxOperand operand = {.slot = -1};
    bool address = take(r, "[");
    skip_space(r);
    if (*r->at == '-' || isdigit((unsigned char)*r->at)) {
        size_t length = 1;
        while (isalnum((unsigned char)r->at[length])) length++;
        snprintf(name, sizeof name, "%.*s", (int)length, r->at);
        r->at += length;
        operand.number = number_of(name);
        return operand;
    }
    read_name(r, name);
    const char *parameter = strstr(name, "param");
    if (*name == '%')
        operand.slot = slot_of(r, name);
    else if (address && parameter)
        operand.number = strtoull(name + strcspn(name, "0123456789"), NULL, 10);
    else
        operand.number = symbol_address(r, name);
    if (address && parameter && strchr(name, '_')) /* kernel_3_param_2 */
        operand.number = strtoull(strrchr(name, '_') + 1, NULL, 10);
    if (!address) return operand;
    if (take(r, "+")) {
        uint64_t offset = strtoull(r->at, (char **)&r->at, 10);
        if (!parameter) operand.number += offset;
    }
    if (!take(r, "]")) fail(r, "no ']' at '%.30s'", r->at);
    return operand;
}

/* -- instructions -- */

static bool has(const char *opcode, const char *word) { return strstr(opcode, word) != NULL; }
static bool begins(const char *text, const char *with) {
    return !strncmp(text, with, strlen(with));
}

static void set_element(PtxReader *r, PtxInstruction *i, const char *opcode) {
    const char *type = strrchr(opcode, '.');
    int bits = type ? atoi(type + 2) : 0;
    if (bits != 8 && bits != 16 && bits != 32 && bits != 64) fail(r, "unknown type '%s'", opcode);
    i->bytes = (uint8_t)(bits / 8);
    i->is_signed = type && type[1] == 's';
    i->names_global = has(opcode, ".global");
    i->names_local = has(opcode, ".local");
    i->names_shared = has(opcode, ".shared");
    i->alignment = i->whole = i->bytes;
    if (has(opcode, ".volatile")) fail(r, "unknown instruction '%s'", opcode);
}

/* As ptxas may: a product that says nothing about its rounding is fused with the sum that takes
 * it. */
static void fuse_product(PtxReader *r, PtxInstruction *sum) {
    const PtxFunction *f = r->function;
    if (f->count == 0 || sum->compute != compute_add_loose) return;
    for (uint32_t back = 1; back <= 8 && back <= f->count; back++) {
        const PtxInstruction *product = &f->code[f->count - back];
        if (product->kind != PTX_COMPUTE || product->compute != compute_mul_loose) continue;
        int taken = sum->in[0].slot == product->result ? 0 : 1;
        if (sum->in[taken].slot != product->result) continue;
        sum->in[2] = sum->in[1 - taken];
        sum->in[0] = product->in[0], sum->in[1] = product->in[1];
        sum->compute = compute_fma_f32;
        return;
    }
}

static void read_compute(PtxReader *r, PtxInstruction *i, const char *opcode) {
    for (size_t k = 0; k < sizeof operations / sizeof *operations; k++)
        if (!strcmp(operations[k].text, opcode)) i->compute = operations[k].compute;
    if (!i->compute) fail(r, "unknown instruction '%s'", opcode);
    i->kind = PTX_COMPUTE;
    i->result = read_operand(r).slot;
    for (int k = 0; k < 3 && take(r, ","); k++) i->in[k] = read_operand(r);
    fuse_product(r, i);
}

static void append_instruction(PtxReader *r, PtxInstruction i) {
    PtxFunction *f = r->function;
    ARENA_ROOM(r->code->arena, f->code, f->count, f->capacity);
    f->code[f->count++] = i;
}

/* mov.b64 {low, high}, bits: the low half is an instruction before that of the high half. */
static void read_halves(PtxReader *r, PtxInstruction *i) {
    char low[MAX_NAME], high[MAX_NAME];
    read_name(r, low);
    take(r, ",");
    read_name(r, high);
    take(r, "}");
    take(r, ",");
    *i = (PtxInstruction){.kind = PTX_COMPUTE, .guard = i->guard, .guard_not = i->guard_not};
    i->in[0] = read_operand(r);
    i->in[1] = (PtxOperand){.slot = -1, .number = 32};
    i->compute = compute_mov_u32, i->result = slot_of(r, low);
    append_instruction(r, *i);
    i->compute = compute_shr_b64, i->result = slot_of(r, high);
}

static const char *const special_names[] = {
    [PTX_TID] = "%tid.x",       [PTX_NTID] = "%ntid.x",   [PTX_CTAID] = "%ctaid.x",
    [PTX_NCTAID] = "%nctaid.x", [PTX_CLOCK] = "%clock64", [PTX_TIME] = "%globaltimer"};
enum { SPECIALS = sizeof special_names / sizeof *special_names };

/* The special register from which a move with these operands comes; SPECIALS: none. */
static size_t find_special(const char *operands) {
    const char *from = strchr(operands, ',') + 1;
    size_t k = 0;
    while (isspace((unsigned char)*from)) from++;
    while (k < SPECIALS && !begins(from, special_names[k])) k++;
    return k;
}

static void read_special(PtxReader *r, PtxInstruction *i) {
    i->kind = PTX_SPECIAL;
    i->which = (PtxRegister)find_special(r->at);
    i->result = read_operand(r).slot;
    take(r, ",");
    take(r, special_names[i->which]);
}

static void read_memory(PtxReader *r, PtxInstruction *i, const char *opcode) {
    bool parameter = has(opcode, ".param"), load = begins(opcode, "ld");
    bool scoped = has(opcode, ".gpu");
    PtxOperand first = read_operand(r);
    take(r, ",");
    PtxOperand second = read_operand(r);
    set_element(r, i, opcode);
    if (load)
        i->kind = parameter ? PTX_LOAD_PARAMETER : scoped ? PTX_ACQUIRE : PTX_LOAD;
    else
        i->kind = parameter ? PTX_STORE_PARAMETER : PTX_STORE;
    i->ordered = has(opcode, ".release") || has(opcode, ".acquire");
    i->result = load ? first.slot : -1;
    i->in[0] = load ? second : first;
    i->in[1] = second;
    if (parameter) i->target = (uint32_t)i->in[0].number;
    if (parameter && i->target >= PTX_PARAMETERS) fail(r, "too many parameters");
}

/* ld.v4.f32 {a, b, c, d}, [address] and st.v4.f32 [address], {a, b, c, d}: an instruction for each
 * element. The last one is left to the caller. */
static void read_vector(PtxReader *r, PtxInstruction *i, const char *opcode) {
    PtxOperand elements[4], address = {0};
    int count = has(opcode, ".v4") ? 4 : 2;
    bool load = begins(opcode, "ld");
    if (!load) address = read_operand(r), take(r, ",");
    if (!take(r, "{")) fail(r, "no vector at '%.30s'", r->at);
    for (int k = 0; k < count; k++)
        elements[k] = read_operand(r), take(r, k + 1 < count ? "," : "}");
    if (load) take(r, ","), address = read_operand(r);
    set_element(r, i, opcode);
    i->kind = load ? PTX_LOAD : PTX_STORE;
    for (int k = 0; k < count; k++) {
        PtxInstruction one = *i;
        one.alignment = (uint8_t)(k ? i->bytes : i->bytes * count);
        one.whole = k ? 0 : one.alignment;
        one.in[0] = address;
        one.in[0].number += (uint64_t)(k * i->bytes);
        one.in[1] = elements[k];
        one.result = load ? elements[k].slot : -1;
        if (load && k + 1 < count && one.result == address.slot)
            fail(r, "a vector load that overwrites its address");
        if (k + 1 < count) append_instruction(r, one);
        if (k + 1 == count) *i = one;
    }
}

static void read_branch(PtxReader *r, PtxInstruction *i) {
    ARENA_ROOM(r->code->arena, r->branches, r->branch_count, r->branch_capacity);
    PtxLabel *branch = &r->branches[r->branch_count++];
    i->kind = PTX_BRANCH;
    read_name(r, branch->name);
    branch->at = r->function->count;
}

static void read_call(PtxReader *r, PtxInstruction *i) {
    char name[MAX_NAME];
    i->kind = PTX_CALL;
    read_name(r, name);
    i->target = UINT32_MAX;
    for (uint32_t k = 0; k < r->code->function_count; k++)
        if (!strcmp(r->code->functions[k].name, name)) i->target = k;
    if (i->target == UINT32_MAX) fail(r, "unknown function '%s'", name);
    skip_to(r, ")");
}

static void read_shuffle(PtxReader *r, PtxInstruction *i, const char *opcode) {
    i->kind = PTX_SHUFFLE;
    i->down = has(opcode, ".down");
    i->result = read_operand(r).slot;
    for (int k = 0; k < 4 && take(r, ","); k++) i->in[k] = read_operand(r);
    bool known = i->in[3].slot < 0 && U32(i->in[3].number) == UINT32_MAX;
    if (!known) fail(r, "a shuffle of some threads only");
}

static void read_instruction(PtxReader *r) {
    PtxInstruction i = {.guard = -1, .result = -1};
    char opcode[MAX_NAME], name[MAX_NAME];
    if (take(r, "@")) {
        i.guard_not = take(r, "!");
        read_name(r, name);
        i.guard = slot_of(r, name);
    }
    read_name(r, opcode);
    if (has(opcode, ".v2.") || has(opcode, ".v4."))
        read_vector(r, &i, opcode);
    else if (begins(opcode, "ld.") || begins(opcode, "st."))
        read_memory(r, &i, opcode);
    else if (begins(opcode, "mov.u") && find_special(r->at) < SPECIALS)
        read_special(r, &i);
    else if (!strcmp(opcode, "mov.b64") && take(r, "{"))
        read_halves(r, &i);
    else if (begins(opcode, "bra"))
        read_branch(r, &i);
    else if (begins(opcode, "call"))
        read_call(r, &i);
    else if (!strcmp(opcode, "ret"))
        i.kind = PTX_RETURN;
    else if (!strcmp(opcode, "exit"))
        i.kind = PTX_EXIT;
    else if (!strcmp(opcode, "bar.sync"))
        i.kind = PTX_BARRIER, read_operand(r);
    else if (begins(opcode, "shfl.sync"))
        read_shuffle(r, &i, opcode);
    else if (begins(opcode, "red.")) {
        read_memory(r, &i, opcode);
        i.kind = PTX_ARRIVE;
    } else {
        read_compute(r, &i, opcode);
    }
    if (!take(r, ";")) fail(r, "'%s' ends with '%.30s'", opcode, r->at);
    append_instruction(r, i);
}

/* -- functions -- */

/* .reg .b32 %r<4>; or .reg .b64 %SP; */
static void read_registers(PtxReader *r) {
    char type[MAX_NAME], name[MAX_NAME];
    read_name(r, type);
    read_name(r, name);
    RegisterFile file = {.base = (int32_t)r->function->registers, .count = 1};
    snprintf(file.prefix, sizeof file.prefix, "%.7s", name);
    if (take(r, "<")) file.count = (int32_t)strtol(r->at, NULL, 10);
    r->function->registers += (uint32_t)file.count;
    if (r->file_count < MAX_FILES)
        r->files[r->file_count++] = file;
    else
        fail(r, "too many kinds of registers");
    skip_to(r, ";");
}

static bool read_label(PtxReader *r) {
    size_t length = 0;
    skip_space(r);
    while (is_name(r->at[length])) length++;
    if (length == 0 || r->at[length] != ':' || length >= MAX_NAME) return false;
    ARENA_ROOM(r->code->arena, r->labels, r->label_count, r->label_capacity);
    PtxLabel *label = &r->labels[r->label_count++];
    *label = (PtxLabel){.at = r->function->count};
    memcpy(label->name, r->at, length);
    r->at += length + 1;
    return true;
}

static void resolve_branches(PtxReader *r) {
    for (uint32_t i = 0; i < r->branch_count; i++) {
        PtxInstruction *branch = &r->function->code[r->branches[i].at];
        branch->target = UINT32_MAX;
        for (uint32_t k = 0; k < r->label_count; k++)
            if (!strcmp(r->labels[k].name, r->branches[i].name)) branch->target = r->labels[k].at;
        if (branch->target == UINT32_MAX) fail(r, "unknown label '%s'", r->branches[i].name);
    }
}

/* .shared .align 16 .b8 tiles[18432]; LLVM puts it into the only function that uses it. */
static void read_shared(PtxReader *r) {
    enum { ALIGNMENT = 16 };
    char name[MAX_NAME];
    PtxCode *code = r->code;
    skip_to(r, "8");
    read_name(r, name);
    ARENA_ROOM(code->arena, code->globals, code->global_count, code->global_capacity);
    PtxGlobal *global = &code->globals[code->global_count++];
    *global = (PtxGlobal){.name = arena_copy_string(code->arena, name, strlen(name)),
                          .offset = code->shared_bytes};
    if (!take(r, "[")) fail(r, "no array at '%.30s'", r->at);
    global->size = strtoull(r->at, NULL, 10);
    code->shared_bytes += (global->size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    skip_to(r, ";");
}

static void read_body(PtxReader *r) {
    for (int depth = 1; depth && !r->failed;) {
        skip_space(r);
        if (!*r->at) fail(r, "a function does not end");
        if (take(r, "{"))
            depth++;
        else if (take(r, "}"))
            depth--;
        else if (take(r, ".reg"))
            read_registers(r);
        else if (take(r, ".local")) {
            skip_to(r, "[");
            r->function->local_bytes = (uint32_t)strtoul(r->at, NULL, 10);
            skip_to(r, ";");
        } else if (take(r, ".shared"))
            read_shared(r);
        else if (take(r, ".param") || take(r, ".pragma")) /* "nounroll" */
            skip_to(r, ";");
        else if (!read_label(r))
            read_instruction(r);
    }
    resolve_branches(r);
}

static void read_function(PtxReader *r, bool entry) {
    char name[MAX_NAME];
    PtxCode *code = r->code;
    ARENA_ROOM(code->arena, code->functions, code->function_count, code->function_capacity);
    r->function = &code->functions[code->function_count++];
    r->file_count = 0;
    r->label_count = r->branch_count = 0;
    read_name(r, name);
    r->function->name = arena_copy_string(code->arena, name, strlen(name));
    if (entry) code->entry = code->function_count - 1;
    const char *parameters = r->at;
    skip_to(r, ")");
    for (const char *at = parameters; entry && at < r->at; at++)
        code->parameters += begins(at, ".param ");
    if (take(r, ".reqntid")) code->block = (uint32_t)strtoul(r->at, NULL, 10);
    skip_to(r, "{");
    read_body(r);
}

/* .global .align 8 .b8 table[16] = {1, 0, ...}; what is not listed is 0. */
static void read_global(PtxReader *r) {
    char name[MAX_NAME];
    PtxCode *code = r->code;
    skip_to(r, "8"), skip_to(r, "8");
    read_name(r, name);
    ARENA_ROOM(code->arena, code->globals, code->global_count, code->global_capacity);
    PtxGlobal *global = &code->globals[code->global_count++];
    global->name = arena_copy_string(code->arena, name, strlen(name));
    if (!take(r, "[")) fail(r, "no array at '%.30s'", r->at);
    global->size = strtoull(r->at, NULL, 10);
    global->bytes = arena_alloc(code->arena, global->size + 8);
    memset(global->bytes, 0, global->size);
    const char *end = strchr(r->at, ';');
    skip_to(r, "]");
    if (take(r, "=") && take(r, "{"))
        for (size_t i = 0; i < global->size && r->at < end && *r->at != '}'; i++) {
            global->bytes[i] = (unsigned char)strtoul(r->at, (char **)&r->at, 10);
            take(r, ",");
        }
    skip_to(r, ";");
}

PtxCode *ptx_read(const char *text, char error[PTX_ERROR]) {
    Arena *arena = arena_new();
    PtxCode *code = ARENA_NEW(arena, PtxCode);
    *code = (PtxCode){.arena = arena, .entry = UINT32_MAX};
    PtxReader reader = {.code = code, .at = text, .error = error}, *r = &reader;
    *error = 0;
    for (skip_space(r); *r->at && !r->failed; skip_space(r)) {
        if (take(r, ".version") || take(r, ".target") || take(r, ".address_size"))
            skip_to(r, "\n");
        else if (take(r, ".global"))
            read_global(r);
        else if (take(r, ".shared"))
            read_shared(r);
        else if (take(r, ".visible"))
            continue;
        else if (take(r, ".entry"))
            read_function(r, true);
        else if (take(r, ".func"))
            read_function(r, false);
        else
            fail(r, "unknown '%.30s'", r->at);
    }
    if (code->entry == UINT32_MAX || !code->block) fail(r, "no kernel");
    if (!reader.failed) return code;
    ptx_code_free(code);
    return NULL;
}

int ptx_parameters(const PtxCode *code) { return code->parameters; }

void ptx_code_free(PtxCode *code) {
    if (code) arena_free(code->arena);
}
