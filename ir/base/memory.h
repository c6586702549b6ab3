/* Memory: all allocations of mlc come from here, or from an arena, which takes its blocks from
 * here. If the system has no more, the process ends, unless a boundary (boundary.h) stands around
 * the call: one line on stderr names the purpose of the memory, temporary files are removed, and
 * the exit status is STATUS_FILE. Files stay as they were, and a training can be resumed from its
 * last checkpoint. `what` completes the sentence "no memory for ...". Only memory_try and
 * memory_try_grow return NULL: for data, whose size comes from a file and has a place to be
 * named. */
#ifndef MLC_IR_BASE_MEMORY_H
#define MLC_IR_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Zeroed; freed with free(). Never NULL, even for zero elements. */
void *memory_array(size_t count, size_t size, const char *what);
#define MEMORY_NEW(type, what) ((type *)memory_array(1, sizeof(type), what))
/* Makes `array` hold `count` elements; what is added is not zeroed. */
void *memory_grow(void *array, size_t count, size_t size, const char *what);
char *memory_copy_string(const char *text, const char *what);

/* Memory for states, values and data: zeroed, aligned to 64 bytes, freed with free(). */
void *memory_new(size_t bytes, const char *what);
/* Likewise, but not zeroed, and NULL without memory. */
void *memory_try(size_t bytes);
/* As realloc: memory that may grow, aligned as by malloc. NULL without memory; then `memory` is
 * still valid. */
void *memory_try_grow(void *memory, size_t bytes);

/* How many bytes the process can have at most: by the machine, its container, or `ulimit -v`. */
size_t memory_limit(void);

/* A stream that writes into memory. memory_stream_end closes it and returns the text, with a
 * closing NUL, to be freed. */
typedef struct {
    FILE *out;
    char *text;
    size_t length;
} MemoryStream;
void memory_stream_begin(MemoryStream *stream);
char *memory_stream_end(MemoryStream *stream);

/* Ends the process, or the call, as above. For libraries that report a lack of memory themselves;
 * bytes 0: the number is not known. */
_Noreturn void memory_exhausted(size_t bytes, const char *what);
/* Called when a library's malloc has returned NULL: ends as above. Returns NULL if memory_try or
 * memory_try_grow asked. */
void *memory_library_refused(size_t bytes);
/* malloc and free for libraries that take functions, and the same in the form that zlib wants. */
void *memory_library_malloc(size_t bytes);
void memory_library_free(void *memory);
void *memory_library_array(void *nothing, unsigned count, unsigned size);
void memory_library_release(void *nothing, void *memory);

#endif
