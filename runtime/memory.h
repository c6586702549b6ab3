/* Memory that programs run on, for states, values and data. Private to runtime/. */
#ifndef MLC_RUNTIME_MEMORY_H
#define MLC_RUNTIME_MEMORY_H

#include <stddef.h>

/* Zeroed, aligned to 64 bytes, freed with free(); never NULL: without memory the process ends with a message. */
void *memory_new(size_t bytes);
/* Likewise, but not zeroed, and NULL without memory. */
void *memory_try(size_t bytes);

#endif
