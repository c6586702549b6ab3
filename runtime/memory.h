/* Memory that programs run on. Private to runtime/. */
#ifndef MLC_RUNTIME_MEMORY_H
#define MLC_RUNTIME_MEMORY_H

#include <stddef.h>

/* Zeroed, aligned to 64 bytes, freed with free(); never NULL: without memory the process ends with a message. */
void *memory_new(size_t bytes);

#endif
