/* Runs wasm-ld, of which there is no library. The object goes to it in a file without a name, the
 * module comes back through a pipe: no file is left behind whatever happens. */
#include "codegen/ship/wasm_link.h"

#include "ir/base/files.h"
#include "ir/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* The version beside mlc's LLVM. Debian's plain wasm-ld is older. */
#define LINKER "wasm-ld-19"

extern char **environ;

/* -- what goes in and comes out -- */

/* Reads to the end, and adds a NUL. */
static char *read_all(int file, size_t *length) {
    size_t room = 1 << 16;
    char *bytes = memory_grow(NULL, room + 1, 1, "a module");
    for (*length = 0;;) {
        ssize_t done = read(file, bytes + *length, room - *length);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) break;
        *length += (size_t)done;
        if (*length == room) bytes = memory_grow(bytes, (room *= 2) + 1, 1, "a module");
    }
    bytes[*length] = '\0';
    return bytes;
}

/* -- the linker -- */

typedef struct {
    int object, messages; /* files without a name; -1: not open */
    int pipe[2];          /* the module: its end for reading, its end for writing */
} Link;

static void close_one(int *file) {
    if (*file >= 0) close(*file);
    *file = -1;
}

static void close_all(Link *link) {
    close_one(&link->object);
    close_one(&link->messages);
    close_one(&link->pipe[0]);
    close_one(&link->pipe[1]);
}

static bool open_all(Link *link, const void *object, size_t length) {
    *link = (Link){memfd_create("object", 0), memfd_create("messages", MFD_CLOEXEC), {-1, -1}};
    return link->object >= 0 && link->messages >= 0 && pipe2(link->pipe, O_CLOEXEC) == 0 &&
           file_write_part(link->object, (FilePart){object, length});
}

/* Starts the linker; an errno if that fails. */
static int start(const Link *link, const char *const *exports, uint32_t count, size_t stack,
                 Arena *arena, pid_t *child) {
    enum { OPTIONS = 10 };
    const char **arguments = (const char **)ARENA_ARRAY(arena, char *, count + OPTIONS);
    uint32_t n = 0;
    const char *const options[] = {LINKER,
                                   "--no-entry",
                                   "--strip-all",
                                   "--stack-first",
                                   "--no-growable-memory",
                                   "-z",
                                   arena_format(arena, "stack-size=%zu", stack),
                                   arena_format(arena, "/dev/fd/%d", link->object)};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) arguments[n++] = options[i];
    for (uint32_t i = 0; i < count; i++)
        arguments[n++] = arena_format(arena, "--export=%s", exports[i]);
    arguments[n++] = "-o/dev/stdout";
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, link->pipe[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, link->messages, STDERR_FILENO);
    int error = posix_spawnp(child, LINKER, &actions, NULL, (char *const *)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static void report_start(int error, Diagnostics *diag) {
    diag_error(diag, STATUS_FILE, (Span){0}, "cannot run the linker " LINKER ": %s",
               strerror(error));
    diag_help(diag, "modules for WebAssembly need it: apt-get install lld-19");
}

/* The linker ends with 0, or it says why not. */
static bool linked(pid_t child, int messages, Diagnostics *diag) {
    int status = 0;
    size_t length;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    lseek(messages, 0, SEEK_SET);
    char *text = read_all(messages, &length);
    text[strcspn(text, "\n")] = '\0';
    diag_error(diag, STATUS_BUG, (Span){0}, LINKER " makes no module: %s", text);
    free(text);
    return false;
}

/* -- the module -- */

/* A number of WebAssembly: seven bits a byte, the lowest first. */
static size_t read_number(const unsigned char **at) {
    size_t number = 0;
    int shift = 0;
    do number |= (size_t)(**at & 127) << shift, shift += 7;
    while (*(*at)++ & 128);
    return number;
}

/* The bytes of the memory: section 5 has the number of memories, flags, the pages of the first. The
 * linker has just made the module. */
static size_t memory_bytes(const WasmModule *module) {
    enum { MEMORY = 5, BEGINNING = 8, PAGE = 65536 };
    const unsigned char *at = (const unsigned char *)module->bytes + BEGINNING,
                        *end = (const unsigned char *)module->bytes + module->length;
    while (at < end) {
        unsigned char section = *at++;
        size_t length = read_number(&at);
        const unsigned char *inside = at + 2;
        if (section == MEMORY) return read_number(&inside) * PAGE;
        at += length;
    }
    return 0;
}

WasmModule wasm_link(const void *object, size_t length, const char *const *exports, uint32_t count,
                     size_t stack, Diagnostics *diag) {
    WasmModule module = {0};
    Link link;
    pid_t child;
    Arena *arena = arena_new();
    int error = open_all(&link, object, length) ? 0 : errno;
    if (!error) error = start(&link, exports, count, stack, arena, &child);
    if (error)
        report_start(error, diag);
    else {
        close_one(&link.pipe[1]);
        module.bytes = read_all(link.pipe[0], &module.length);
        if (!linked(child, link.messages, diag)) {
            free(module.bytes);
            module.bytes = NULL;
        } else
            module.memory = memory_bytes(&module);
    }
    close_all(&link);
    arena_free(arena);
    return module;
}
