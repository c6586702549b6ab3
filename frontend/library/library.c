/* Builds the table of library functions. The parser of the language reads the signatures of
 * library.def too, so a function written in C is checked and called like one written in the
 * language. All models of the process share one library, which is built on first use. */
#include "frontend/library/library.h"
#include "frontend/syntax/syntax.h"
#include "ir/base/boundary.h"

#include <assert.h>
#include <pthread.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>

#define FUNCTION(name, signature, doc) Value call_##name(const Call *call);
#define LAYER(name, signature, doc) Value call_##name(const Call *call);
#define INITIALIZER(name, signature, doc) Init initial_##name(const Bound *bound, Fan fan);
#define OPTIMIZER(name, signature, doc) NodeId optimize_##name(const Optimization *optimization);
#include "frontend/library/library.def"
Value call_elementwise(const Call *call);

/* An elementwise op is a function of the language if it maps one real number to one. */
#define ELEMENTWISE_1_real(op_, text)                                                              \
    {.name = #op_, .signature = "x", .doc = text, .op = OP_##op_, .call = call_elementwise},
#define ELEMENTWISE_1_slope(op_, text)
#define ELEMENTWISE_2_real(op_, text)
#define ELEMENTWISE_3_real(op_, text)
#define ELEMENTWISE_1_arithmetic(op_, text)
#define ELEMENTWISE_2_arithmetic(op_, text)
#define ELEMENTWISE_2_compare(op_, text)
#define ELEMENTWISE_1_bits(op_, text)
#define ELEMENTWISE_2_bits(op_, text)
#define ELEMENTWISE_2_shift(op_, text)
#define ELEMENTWISE_3_scale(op_, text)
#define ELEMENTWISE_3_select(op_, text)
#define ELEMENTWISE_1_convert(op_, text)
#define ELEMENTWISE_1_bitcast(op_, text)

static const Builtin builtins[] = {
#define FUNCTION(name_, signature_, doc_)                                                          \
    {.name = #name_,                                                                               \
     .signature = signature_,                                                                      \
     .doc = doc_,                                                                                  \
     .line = __LINE__,                                                                             \
     .kind = KIND_FUNCTION,                                                                        \
     .call = call_##name_},
#define LAYER(name_, signature_, doc_)                                                             \
    {.name = #name_,                                                                               \
     .signature = signature_,                                                                      \
     .doc = doc_,                                                                                  \
     .line = __LINE__,                                                                             \
     .kind = KIND_LAYER,                                                                           \
     .call = call_##name_},
#define INITIALIZER(name_, signature_, doc_)                                                       \
    {.name = #name_,                                                                               \
     .signature = signature_,                                                                      \
     .doc = doc_,                                                                                  \
     .line = __LINE__,                                                                             \
     .kind = KIND_INITIALIZER,                                                                     \
     .initial = initial_##name_},
#define OPTIMIZER(name_, signature_, doc_)                                                         \
    {.name = #name_,                                                                               \
     .signature = signature_,                                                                      \
     .doc = doc_,                                                                                  \
     .line = __LINE__,                                                                             \
     .kind = KIND_OPTIMIZER,                                                                       \
     .optimize = optimize_##name_},
#define SOURCE(name_, signature_, doc_, ...)                                                       \
    {.name = #name_,                                                                               \
     .signature = signature_,                                                                      \
     .doc = doc_,                                                                                  \
     .line = INT_MAX,                                                                              \
     .kind = KIND_SOURCE}, /* sources.def is the last section of the manual */
#define RULE(name_, signature_, doc_)                                                              \
    {.name = #name_, .signature = signature_, .doc = doc_, .line = __LINE__, .kind = KIND_RULE},
#define SPLIT(name_, signature_, doc_)                                                             \
    {.name = #name_, .signature = signature_, .doc = doc_, .line = __LINE__, .kind = KIND_SPLIT},
#include "frontend/library/library.def"
#define OP_ELEMENTWISE(name, arity, rule, gradient, expand, steps, zero, doc)                      \
    ELEMENTWISE_##arity##_##rule(name, doc)
#include "ir/ops/ops.def"
};
enum { BUILTIN_COUNT = sizeof builtins / sizeof *builtins };

/* "def dense(x: tensor, width: int) = builtin" for every row. */
static char *signatures_text(Arena *arena) {
    size_t bytes = 64;
    for (int i = 0; i < BUILTIN_COUNT; i++)
        bytes += strlen(builtins[i].name) + strlen(builtins[i].signature) + 32;
    char *text = arena_alloc(arena, bytes);
    size_t at = (size_t)snprintf(text, bytes, "mdl 1\n");
    for (int i = 0; i < BUILTIN_COUNT; i++)
        at += (size_t)snprintf(text + at, bytes - at, "def %s(%s) = builtin\n", builtins[i].name,
                               builtins[i].signature);
    return text;
}

static const ItemList *read_text(Arena *arena, DiagShared which, const char *name, const char *text,
                                 uint32_t *file) {
    size_t length = strlen(text);
    Diagnostics *diag = diag_new();
    *file = diag_share_text(which, name, text, length);
    const ItemList *items =
        syntax_read_model(&(SyntaxInput){arena, diag, *file, 0, text, length, NULL});
    assert(items && "the library has no syntax errors");
    diag_free(diag);
    return items;
}

static Library library;
static atomic_bool is_read;

static void add_definition(Arena *arena, const Function *function, const Builtin *builtin) {
    Callable *callable = ARENA_NEW(arena, Callable);
    *callable = (Callable){.name = function->name.text,
                           .formals = &function->formals,
                           .builtin = builtin,
                           .definition = builtin ? NULL : function,
                           .in_library = true,
                           .span = function->name.span};
    assert(!names_find(library.functions, callable->name) &&
           "a function of the library is defined once");
    names_put(library.functions, callable->name, callable);
}

static void read_library(void) {
    Arena *arena = arena_new();
    const Builtin *builtin = builtins;
    library.functions = names_new(arena);
    const ItemList *items = read_text(arena, DIAG_SHARED_SIGNATURES, "builtin functions",
                                      signatures_text(arena), &library.signature_file);
    for (const Item *item = items->first; item; item = item->next)
        add_definition(arena, &item->function, builtin++);
    library.stdlib = stdlib_text();
    items =
        read_text(arena, DIAG_SHARED_STDLIB, "stdlib.mdl", library.stdlib, &library.stdlib_file);
    for (const Item *item = items->first; item; item = item->next)
        add_definition(arena, &item->function, NULL);
}

static void unlock(void *lock, size_t size) {
    (void)size;
    pthread_mutex_unlock(lock);
}

/* Without pthread_once, which could not be left: inside of a boundary, the reading may end for lack
 * of memory, and begins anew in another call. The library then belongs to the process. */
const Library *library_get(void) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    if (atomic_load(&is_read)) return &library;
    pthread_mutex_lock(&lock);
    boundary_hold(&lock, 0, unlock);
    uint64_t mark = boundary_mark();
    if (!atomic_load(&is_read)) read_library();
    boundary_forget(mark);
    atomic_store(&is_read, true);
    boundary_drop(&lock, unlock);
    pthread_mutex_unlock(&lock);
    return &library;
}
