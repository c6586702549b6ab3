/* Memory that programs run on. Weights and moments are read and written in every step, rows of the data anywhere and in any order: on
 * pages of two megabytes, where the system has them to give, their addresses need no looking up. */
#include "runtime/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    ALIGNMENT = 64, /* of a cache line and of the widest vector */
    LARGE_PAGE = 2 << 20,
    LEAST_LARGE = 1 << 20 /* bytes that are worth a large page */
};

static void ask_for_large_pages(void *memory, size_t bytes) {
#ifdef MADV_HUGEPAGE
    madvise(memory, bytes, MADV_HUGEPAGE); /* if there are none, small ones do */
#else
    (void)memory, (void)bytes;
#endif
}

void *memory_try(size_t bytes) {
    size_t alignment = bytes >= LEAST_LARGE ? LARGE_PAGE : ALIGNMENT;
    if (bytes > SIZE_MAX - LARGE_PAGE) return NULL;
    size_t rounded = (bytes / alignment + 1) * alignment;
    void *memory = aligned_alloc(alignment, rounded);
    if (memory && alignment == LARGE_PAGE) ask_for_large_pages(memory, rounded);
    return memory;
}

void *memory_new(size_t bytes) {
    void *memory = memory_try(bytes);
    if (!memory) {
        fprintf(stderr, "mlc: out of memory (%zu bytes)\n", bytes);
        abort();
    }
    return memset(memory, 0, bytes);
}
