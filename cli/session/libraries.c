/* The allocator of statically linked libraries (LLVM, cairo, fontconfig, freetype, pixman, libjpeg,
 * libwebp) and of code that Flex and Bison generate. Some of them do not check the result of
 * malloc. Instead of returning NULL, the process ends as described in ir/base/memory.h. The linker
 * redirects their calls here (--wrap, in CMakeLists.txt). */
#include "ir/base/memory.h"

#include <string.h>

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
char *__real_strdup(const char *text);

void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
char *__wrap_strdup(const char *text);

void *__wrap_malloc(size_t bytes) {
    void *memory = __real_malloc(bytes);
    return memory ? memory : memory_library_refused(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes) {
    void *memory = __real_calloc(count, bytes);
    return memory ? memory : memory_library_refused(count * bytes);
}

/* realloc to 0 bytes frees the memory and may return NULL; this is not a failure. */
void *__wrap_realloc(void *memory, size_t bytes) {
    void *moved = __real_realloc(memory, bytes);
    return moved || !bytes ? moved : memory_library_refused(bytes);
}

char *__wrap_strdup(const char *text) {
    char *copy = __real_strdup(text);
    return copy ? copy : memory_library_refused(strlen(text) + 1);
}
