/* Memory that programs run on. */
#include "runtime/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 }; /* of a cache line and of the widest vector */

void *memory_new(size_t bytes) {
    size_t rounded = (bytes / ALIGNMENT + 1) * ALIGNMENT;
    void *memory = aligned_alloc(ALIGNMENT, rounded);
    if (!memory) {
        fprintf(stderr, "mlc: out of memory (%zu bytes)\n", bytes);
        abort();
    }
    return memset(memory, 0, rounded);
}
