/* The allocator of LLVM and of the C++ library, which libmlc.so contains: memory comes through
 * wrapped.c, and the reserve of a boundary serves both. No other code of the process sees these
 * functions, as libmlc.so does not export them. */
#include <stddef.h>
#include <stdlib.h>

enum { MIN_ALIGNMENT = 16 };

static void *aligned(size_t bytes, size_t alignment) {
    if (bytes > (size_t)-1 - alignment) bytes = (size_t)-1 - 2 * alignment;
    return aligned_alloc(alignment, (bytes + alignment - 1) & ~(alignment - 1));
}

/* new, new[], both with an alignment, and all of them with std::nothrow, by their mangled names */
#define NEW(name)                                                                                  \
    void *name(size_t bytes);                                                                      \
    void *name(size_t bytes) { return malloc(bytes ? bytes : 1); }
#define NEW_ALIGNED(name)                                                                          \
    void *name(size_t bytes, size_t alignment);                                                    \
    void *name(size_t bytes, size_t alignment) {                                                   \
        return aligned(bytes ? bytes : 1, alignment < MIN_ALIGNMENT ? MIN_ALIGNMENT : alignment);  \
    }
NEW(_Znwm)
NEW(_Znam)
NEW(_ZnwmRKSt9nothrow_t)
NEW(_ZnamRKSt9nothrow_t)
NEW_ALIGNED(_ZnwmSt11align_val_t)
NEW_ALIGNED(_ZnamSt11align_val_t)
NEW_ALIGNED(_ZnwmSt11align_val_tRKSt9nothrow_t)
NEW_ALIGNED(_ZnamSt11align_val_tRKSt9nothrow_t)
