/* Makes an object file, a module for WebAssembly or C source from a request, and measures the
 * memory that it needs. */
#include "codegen/ship.h"
#include "codegen/llvm/object.h"
#include "codegen/ship/c_prelude.h"
#include "codegen/ship/c_print.h"
#include "codegen/ship/ship_elf.h"
#include "codegen/ship/ship_math.h"
#include "codegen/ship/ship_module.h"
#include "codegen/ship/wasm_link.h"
#include "codegen/target/platform.h"
#include "codegen/target/target.h"
#include "ir/base/integers.h"
#include "ir/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* -- the stack: LLVM reports every function whose stack frame has more than 0 bytes -- */

typedef struct {
    char name[64];
    size_t bytes;
} StackFrame;

typedef struct {
    Arena *arena;
    StackFrame *items;
    uint32_t count, capacity;
} StackFrames;

/* "<unknown>:0:0: stack frame size (136) exceeds limit (0) in function 'kernel_3'" */
static void take_frame(LLVMDiagnosticInfoRef info, void *context) {
    StackFrames *frames = context;
    StackFrame frame;
    char *text = LLVMGetDiagInfoDescription(info);
    const char *size = strstr(text, "stack frame size (");
    if (size && sscanf(size, "stack frame size (%zu) exceeds limit (0) in function '%63[^']'",
                       &frame.bytes, frame.name) == 2) {
        ARENA_ROOM(frames->arena, frames->items, frames->count, frames->capacity);
        frames->items[frames->count++] = frame;
    }
    LLVMDisposeMessage(text);
}

static size_t frame_bytes(const StackFrames *frames, LLVMValueRef function) {
    size_t length;
    const char *name = LLVMGetValueName2(function, &length);
    for (uint32_t i = 0; i < frames->count; i++)
        if (strlen(frames->items[i].name) == length && !memcmp(frames->items[i].name, name, length))
            return frames->items[i].bytes;
    return 0;
}

/* The most bytes of stack that a function and its callees use:
 *     call + frame of the function + max over its callees
 * where `call` is what a call itself takes. A kernel may call functions of ship_math.h, which the
 * module does not show: `math` is the most that one of them uses. */
static size_t stack_bytes(const StackFrames *frames, LLVMValueRef function, size_t call,
                          size_t math) {
    size_t deepest = math;
    for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function); block;
         block = LLVMGetNextBasicBlock(block))
        for (LLVMValueRef at = LLVMGetFirstInstruction(block); at;
             at = LLVMGetNextInstruction(at)) {
            LLVMValueRef callee = LLVMIsACallInst(at) ? LLVMGetCalledValue(at) : NULL;
            if (!callee || !LLVMIsAFunction(callee) || LLVMIsDeclaration(callee)) continue;
            size_t bytes = stack_bytes(frames, callee, call, math);
            if (bytes > deepest) deepest = bytes;
        }
    return call + frame_bytes(frames, function) + deepest;
}

/* -- the object -- */

static void *copy_buffer(LLVMMemoryBufferRef buffer, size_t *bytes) {
    *bytes = LLVMGetBufferSize(buffer);
    void *copy = memory_new(*bytes, "a shipped object");
    return memcpy(copy, LLVMGetBufferStart(buffer), *bytes);
}

/* Copies the object. Returns an undefined symbol of it, or NULL. */
static const char *copy_object(const ShipRequest *request, LLVMMemoryBufferRef buffer,
                               Shipped *shipped) {
    free(shipped->object);
    shipped->object = copy_buffer(buffer, &shipped->object_bytes);
    shipped->code_bytes = elf_code_bytes(shipped->object);
    return elf_undefined_symbol(shipped->object, request->weights_symbol);
}

/* Makes the object of the weights. */
static bool make_weights(const ShipRequest *request, const Target *target, Shipped *shipped,
                         Diagnostics *diag) {
    LLVMContextRef context = LLVMContextCreate();
    LLVMModuleRef module = ship_weights_module(context, request);
    LLVMMemoryBufferRef object = object_compile(module, target, 1, diag);
    if (object) shipped->weights_object = copy_buffer(object, &shipped->weights_object_bytes);
    if (object) LLVMDisposeMemoryBuffer(object);
    LLVMDisposeModule(module);
    LLVMContextDispose(context);
    return object != NULL;
}

/* -- the module -- */

static const char **exports_of(const ShipRequest *request, Arena *arena, uint32_t *count) {
    const ShipTraining *training = request->training;
    uint32_t most = request->function_count + request->buffer_count + 6, n = 0;
    const char **names = (const char **)ARENA_ARRAY(arena, char *, most);
    for (uint32_t i = 0; i < request->function_count; i++)
        names[n++] = request->functions[i].symbol;
    for (uint32_t i = 0; i < request->buffer_count; i++) names[n++] = request->buffers[i].name;
    names[n++] = arena_format(arena, "%s_weights", request->name);
    names[n++] = arena_format(arena, "%s_scratch", request->name);
    if (training) names[n++] = training->make;
    if (training) names[n++] = training->read;
    if (training) names[n++] = training->check;
    if (training && training->write) names[n++] = training->write;
    *count = n;
    return names;
}

/* Links the module. Its stack is that of the function that needs most, rounded up to a multiple of
 * 16 for the linker. */
static bool link_module(const ShipRequest *request, LLVMMemoryBufferRef buffer, Shipped *shipped,
                        Diagnostics *diag) {
    enum { UNIT = 16 };
    uint32_t count;
    size_t stack = UNIT;
    Arena *arena = arena_new();
    for (uint32_t i = 0; i < request->function_count; i++)
        if (shipped->sizes[i].stack > stack) stack = shipped->sizes[i].stack;
    const char **exports = exports_of(request, arena, &count);
    WasmModule module = wasm_link(LLVMGetBufferStart(buffer), LLVMGetBufferSize(buffer), exports,
                                  count, (size_t)round_up((int64_t)stack, UNIT), diag);
    shipped->object = module.bytes;
    shipped->object_bytes = shipped->code_bytes = module.length;
    shipped->memory = module.memory;
    arena_free(arena);
    return module.bytes != NULL;
}

/* Reports a bug if a variable on the stack needs a larger alignment than every caller guarantees,
 * as functions do not align their stack (ship_module.c). */
static void check_slots(LLVMModuleRef module) {
    enum { STACK_ALIGNMENT = 16 };
    for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f)) {
        LLVMBasicBlockRef entry = LLVMIsDeclaration(f) ? NULL : LLVMGetEntryBasicBlock(f);
        for (LLVMValueRef at = entry ? LLVMGetFirstInstruction(entry) : NULL; at;
             at = LLVMGetNextInstruction(at))
            if (LLVMIsAAllocaInst(at) && LLVMGetAlignment(at) > STACK_ALIGNMENT)
                diag_bug("a shipped function would need an aligned stack");
    }
}

/* Finds the bytes of stack of every function. `deepest`: the most that a function of ship_math.h
 * uses. */
static void measure_stack(const ShipRequest *request, LLVMModuleRef module, size_t call,
                          const StackFrames *frames, ShipMath math, Shipped *shipped) {
    size_t deepest = 0;
    LLVMValueRef at = NULL;
    while (math && (at = math_next(module, at))) {
        size_t bytes = stack_bytes(frames, at, call, 0);
        if (bytes > deepest) deepest = bytes;
    }
    for (uint32_t i = 0; i < request->function_count; i++) {
        const ShipFunction *function = &request->functions[i];
        shipped->sizes[i].stack =
            stack_bytes(frames, LLVMGetNamedFunction(module, function->symbol), call, deepest);
        if (function->part_symbol)
            shipped->sizes[i].part_stack = stack_bytes(
                frames, LLVMGetNamedFunction(module, function->part_symbol), call, deepest);
    }
}

/* Whether the memory fits WebAssembly: addresses have 32 bits, and browsers give somewhat less than
 * 4 GB. */
static bool fits_memory(const ShipRequest *request, const Shipped *shipped, Diagnostics *diag) {
    const size_t most = (size_t)4000 << 20;
    size_t bytes = request->weights_bytes, scratch = 0;
    for (uint32_t i = 0; i < request->buffer_count; i++) bytes += request->buffers[i].bytes;
    for (uint32_t i = 0; i < request->function_count; i++)
        if (shipped->sizes[i].scratch > scratch) scratch = shipped->sizes[i].scratch;
    bytes += scratch;
    if (bytes <= most) return true;
    diag_error(diag, STATUS_MODEL, (Span){0},
               "the network needs %zu MB of memory, and WebAssembly has %zu", bytes >> 20,
               most >> 20);
    diag_help(diag, "take fewer rows by --rows, or train with a smaller batch");
    return false;
}

static LLVMMemoryBufferRef compile(const ShipRequest *request, const Target *target, int level,
                                   ShipMath math, Shipped *shipped, Diagnostics *diag) {
    StackFrames frames = {.arena = arena_new()};
    LLVMContextRef context = LLVMContextCreate();
    LLVMContextSetDiagnosticHandler(context, take_frame, &frames);
    LLVMModuleRef module = ship_module(context, request, target, math, shipped->sizes);
    /* at least level 1, which turns vectors on the stack into registers */
    bool fits = !target->wasm || fits_memory(request, shipped, diag);
    LLVMMemoryBufferRef object =
        fits ? object_compile(module, target, level ? level : 1, diag) : NULL;
    if (object) check_slots(module);
    if (object) measure_stack(request, module, target->return_bytes, &frames, math, shipped);
    LLVMDisposeModule(module);
    LLVMContextDispose(context);
    arena_free(frames.arena);
    return object;
}

/* Only LLVM knows which functions of the C library its code calls. If the object calls some, they
 * are added to the module, and it is compiled again. */
static bool make_object(const ShipRequest *request, const Target *target, int level,
                        Shipped *shipped, Diagnostics *diag) {
    const char *undefined = NULL;
    for (ShipMath math = MATH_NONE; math <= MATH_DOUBLE; math++) {
        LLVMMemoryBufferRef object = compile(request, target, level, math, shipped, diag);
        if (!object) return false;
        undefined = copy_object(request, object, shipped);
        LLVMDisposeMemoryBuffer(object);
        if (!undefined || !math_has(undefined)) break;
    }
    if (!undefined) return true;
    diag_error(diag, STATUS_MODEL, (Span){0}, "code for %s would need the function '%s'",
               target->cpu, undefined);
    diag_help(diag,
              "columns such as standardize(x) need double precision; --target cortex-m7 has it");
    return false;
}

static bool make_module(const ShipRequest *request, const Target *target, int level,
                        Shipped *shipped, Diagnostics *diag) {
    LLVMMemoryBufferRef object = compile(request, target, level, MATH_NONE, shipped, diag);
    if (!object) return false;
    bool good = link_module(request, object, shipped, diag);
    LLVMDisposeMemoryBuffer(object);
    return good;
}

bool codegen_ship(const ShipRequest *request, const CodegenOptions *options, Shipped *shipped,
                  Diagnostics *diag) {
    Target target = {0}, wide;
    *shipped = (Shipped){0};
    bool good = target_open(&target, options, diag);
    if (good && options->also_wide && target.x86) {
        wide = target_widened(&target);
        target.wide = &wide;
    }
    if (good) {
        shipped->has_wide = target.wide != NULL;
        shipped->sizes =
            memory_array(request->function_count, sizeof *shipped->sizes, "a shipped object");
        shipped->target = memory_copy_string(target.triple, "a shipped object");
        shipped->cpu = memory_copy_string(target.cpu, "a shipped object");
        good = (options->wasm ? make_module : make_object)(request, &target, options->level,
                                                           shipped, diag);
        if (request->weights_symbol) good = good && make_weights(request, &target, shipped, diag);
    }
    target_close(&target);
    return good;
}

/* Removes prefetches, which C does not have. The pass adce later removes the addresses that only
 * they needed, so that compilers do not warn. */
static void remove_prefetches(LLVMModuleRef module) {
    LLVMValueRef prefetch = LLVMGetNamedFunction(module, "llvm.prefetch.p0"), user;
    while (prefetch && LLVMGetFirstUse(prefetch)) {
        user = LLVMGetUser(LLVMGetFirstUse(prefetch));
        LLVMInstructionEraseFromParent(user);
    }
}

/* The module is made for the oldest x86-64 CPU, so that no instruction is specific to a CPU. */
bool codegen_ship_source(const ShipRequest *request, FILE *out, ShipSizes *sizes,
                         Diagnostics *diag) {
    Target target = {0};
    const CodegenOptions options = {.level = 1, .platform = "x86_64-linux", .cpu = "x86-64"};
    bool good = target_open(&target, &options, diag);
    target.fma = FMA_INSTRUCTION; /* the source has a function for it */
    target.pairs = (PairProduct){0};
    target.x86 = false;
    if (good) {
        LLVMContextRef context = LLVMContextCreate();
        LLVMModuleRef module = ship_module(context, request, &target, MATH_NONE, sizes);
        remove_prefetches(module);
        good = module_valid(module, diag) &&
               target_optimize(&target, module, options.level, diag) &&
               target_run_passes(&target, module, "function(adce)", diag);
        if (good) fprintf(out, "%s%s", c_prelude, c_arithmetic);
        if (good) c_print_module(module, out);
        LLVMDisposeModule(module);
        LLVMContextDispose(context);
    }
    target_close(&target);
    return good;
}

const char *codegen_platform(void) { return platform_here()->name; }

bool codegen_without_vectors(const char *name) {
    const Platform *platform = platform_find(name);
    return platform && platform->no_vectors;
}

bool codegen_without_doubles(const char *name) {
    const Platform *platform = platform_find(name);
    return platform && platform->no_doubles;
}

void shipped_free(Shipped *shipped) {
    free(shipped->object);
    free(shipped->weights_object);
    free(shipped->sizes);
    free(shipped->target);
    free(shipped->cpu);
    *shipped = (Shipped){0};
}
