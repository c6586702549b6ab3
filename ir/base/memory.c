/* Allocates memory, and ends the process, or the call inside of a boundary, if there is none. Large
 * blocks use pages of two megabytes where the system has them. Weights, moments and rows of the
 * data are read at random places, and small pages would cost an address translation at each. */
#include "ir/base/memory.h"
#include "ir/base/boundary.h"
#include "ir/base/diag.h"
#include "ir/base/files.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

enum {
    ALIGNMENT = 64, /* that of a cache line and of the widest vector */
    LARGE_PAGE = 2 << 20,
    MIN_LARGE = 1 << 20 /* the least bytes that are worth a large page */
};

/* -- the end -- */

/* Not by stdio, which may need memory itself. If several threads come here, one prints the line and
 * ends the process. */
static _Noreturn void end_process(const char *text) {
    static atomic_flag told = ATOMIC_FLAG_INIT;
    char line[256];
    int length = snprintf(line, sizeof line, "mlc: error: %s\n", text);
    while (atomic_flag_test_and_set(&told)) pause();
    files_abandon();
    /* stderr is closed */
    if (length > 0 && write(STDERR_FILENO, line, (size_t)length) < 0) _exit(STATUS_FILE);
    _exit(STATUS_FILE);
}

void memory_exhausted(size_t bytes, const char *what) {
    char text[200];
    if (bytes)
        snprintf(text, sizeof text, "no memory for %.120s (%zu bytes)", what, bytes);
    else
        snprintf(text, sizeof text, "no memory for %.120s", what);
    if (boundary_active()) boundary_leave(FAILURE_MEMORY, text);
    end_process(text);
}

static void *must(void *memory, size_t bytes, const char *what) {
    if (!memory) memory_exhausted(bytes, what);
    return memory;
}

/* Set while this file itself calls the C library's allocator, and checks the result. It is
 * volatile: compilers assume that the allocator calls no function of this file. */
static _Thread_local volatile bool asked;

void *memory_library_refused(size_t bytes) {
    if (!asked) memory_exhausted(bytes, "a library");
    return NULL;
}

/* The answer to a call of the C library's allocator, which must not end the process. */
#define ASK(call) (asked = true, answer = (call), asked = false, answer)

/* -- objects and arrays -- */

static size_t array_bytes(size_t count, size_t size, const char *what) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) memory_exhausted(SIZE_MAX, what);
    return bytes ? bytes : 1;
}

void *memory_array(size_t count, size_t size, const char *what) {
    size_t bytes = array_bytes(count, size, what);
    void *answer;
    return must(ASK(calloc(1, bytes)), bytes, what);
}

void *memory_grow(void *array, size_t count, size_t size, const char *what) {
    size_t bytes = array_bytes(count, size, what);
    void *answer;
    return must(ASK(realloc(array, bytes)), bytes, what);
}

char *memory_copy_string(const char *text, const char *what) {
    size_t bytes = strlen(text) + 1;
    return memcpy(memory_grow(NULL, bytes, 1, what), text, bytes);
}

void *memory_library_malloc(size_t bytes) { return memory_grow(NULL, bytes, 1, "a library"); }
void memory_library_free(void *memory) { free(memory); }

void *memory_library_array(void *nothing, unsigned count, unsigned size) {
    (void)nothing;
    return memory_array(count, size, "a library");
}

void memory_library_release(void *nothing, void *memory) {
    (void)nothing;
    free(memory);
}

/* -- memory that programs run on -- */

void *memory_try(size_t bytes) {
    size_t alignment = bytes >= MIN_LARGE ? LARGE_PAGE : ALIGNMENT;
    if (bytes > SIZE_MAX - LARGE_PAGE) return NULL;
    size_t rounded = (bytes / alignment + 1) * alignment;
    void *answer, *memory = ASK(aligned_alloc(alignment, rounded));
    if (memory && alignment == LARGE_PAGE) {
#ifdef MADV_HUGEPAGE
        madvise(memory, rounded, MADV_HUGEPAGE); /* only advice: small pages serve too */
#else
        (void)memory, (void)rounded;
#endif
    }
    return memory;
}

void *memory_try_grow(void *memory, size_t bytes) {
    void *answer;
    return ASK(realloc(memory, bytes ? bytes : 1));
}

void *memory_new(size_t bytes, const char *what) {
    return memset(must(memory_try(bytes), bytes, what), 0, bytes);
}

/* -- the limit -- */

/* The limit in a control group's file; SIZE_MAX if it has none. */
static size_t group_limit(const char *path) {
    char text[32] = "";
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = file >= 0 ? read(file, text, sizeof text - 1) : 0;
    if (file >= 0) close(file);
    return got > 0 && *text >= '0' && *text <= '9' ? strtoull(text, NULL, 10) : SIZE_MAX;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }
static size_t sum(size_t a, size_t b) { return a > SIZE_MAX - b ? SIZE_MAX : a + b; }

size_t memory_limit(void) {
    struct sysinfo machine;
    struct rlimit space;
    size_t most = SIZE_MAX;
    if (sysinfo(&machine) == 0) {
        size_t swap = (size_t)machine.totalswap * machine.mem_unit;
        most = sum((size_t)machine.totalram * machine.mem_unit, swap);
        most = least(most, sum(group_limit("/sys/fs/cgroup/memory.max"),
                               least(swap, group_limit("/sys/fs/cgroup/memory.swap.max"))));
    }
    if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY)
        most = least(most, space.rlim_cur);
    return most;
}

/* -- text -- */

static void release_stream(void *object, size_t size) {
    MemoryStream *stream = object;
    (void)size;
    fclose(stream->out);
    free(stream->text);
}

void memory_stream_begin(MemoryStream *stream) {
    *stream = (MemoryStream){0};
    stream->out = must(open_memstream(&stream->text, &stream->length), 0, "a text");
    boundary_hold(stream, 0, release_stream);
}

/* A stream that could not grow has cut its text, which must not be taken for the whole. If only the
 * last growth fails, in fclose, the text is NULL although fclose returns 0. */
char *memory_stream_end(MemoryStream *stream) {
    bool cut = ferror(stream->out) != 0;
    boundary_drop(stream, release_stream);
    cut |= fclose(stream->out) != 0;
    if (stream->text) boundary_hold_memory(stream->text);
    if (cut || !stream->text) memory_exhausted(stream->length, "a text");
    return stream->text;
}
