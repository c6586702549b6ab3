/* mlc build: a trained network as a C library, with its header, a test and a few notes. */
#include "cli/session/commands.h"
#include "cli/ship/archive.h"
#include "cli/ship/ship_texts.h"
#include "ir/base/files.h"
#include "ir/base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- --expect SIZE<=BYTES -- */

/* The largest of all functions decides the size of scratch and stack. */
static bool find_size(const Shipment *shipment, const char *name, size_t length, size_t *size) {
    size_t scratch = 0, stack = 0;
    for (uint32_t i = 0; i < shipment->variant_count; i++) {
        ShipSizes sizes = shipment_sizes(shipment, i);
        scratch = sizes.scratch > scratch ? sizes.scratch : scratch;
        stack = sizes.stack > stack ? sizes.stack : stack;
    }
    const struct {
        const char *name;
        size_t size;
    } known[] = {{"weights", shipment->weights_bytes},
                 {"code", shipment->shipped.code_bytes},
                 {"scratch", scratch},
                 {"stack", stack}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].name) == length && !memcmp(known[i].name, name, length))
            return *size = known[i].size, true;
    return false;
}

static bool check_limits(const Shipment *shipment) {
    Diagnostics *diag = shipment->diag;
    bool good = true;
    for (uint32_t i = 0; i < shipment->options->limits.count; i++) {
        const char *text = shipment->options->limits.items[i], *sign = strstr(text, "<=");
        int64_t limit;
        size_t size;
        if (!sign || !parse_number(sign + 2, 0, INT64_MAX, &limit) ||
            !find_size(shipment, text, (size_t)(sign - text), &size)) {
            diag_error(diag, STATUS_USAGE, (Span){0}, "--expect takes SIZE<=BYTES, not '%s'", text);
            diag_help(diag,
                      "the sizes are weights, code, scratch and stack: --expect 'code<=6000'");
            return false;
        }
        bool compiled = shipment_is_source(shipment) && *text != 'w' && strncmp(text, "sc", 2);
        if (compiled) {
            diag_error(diag, STATUS_USAGE, (Span){0},
                       "--expect '%s': of a source, only weights and scratch are known", text);
            return false;
        }
        if (size <= (size_t)limit) continue;
        diag_error(diag, STATUS_EXPECT, (Span){0}, "%.*s: %zu bytes, expected at most %lld",
                   (int)(sign - text), text, size, (long long)limit);
        good = false;
    }
    return good;
}

/* -- files -- */

static void write_library(const Shipment *shipment, FILE *out) {
    const ShipRequest *request = &shipment->request;
    const char **symbols =
        (const char **)ARENA_ARRAY(shipment->arena, char *, 2 * request->function_count + 3);
    size_t count = 0;
    for (uint32_t i = 0; i < request->function_count; i++) {
        symbols[count++] = request->functions[i].symbol;
        if (shipment_has_parts(shipment)) symbols[count++] = request->functions[i].part_symbol;
    }
    if (!shipment_takes_weights(shipment) && !shipment_parts_weights(shipment))
        symbols[count++] = arena_format(shipment->arena, "%s_weights", shipment->name);
    if (shipment->training) symbols[count++] = shipment->training->make;
    if (shipment->training) symbols[count++] = shipment->training->read;
    archive_write(out, arena_format(shipment->arena, "%s.o", shipment->name),
                  shipment->shipped.object, shipment->shipped.object_bytes, symbols, count);
}

static void write_json(const Shipment *shipment, FILE *out) {
    json_t *json = ship_json(shipment);
    json_dumpf(json, out, JSON_INDENT(2));
    fputc('\n', out);
    json_decref(json);
}

/* The file by which mlc recognizes a folder that this command has made. */
#define NOTES "%s.json"

static void write_exact(const Shipment *shipment, FILE *out) {
    fwrite(shipment->shipped.object, 1, shipment->shipped.object_bytes, out);
}

static void write_relaxed(const Shipment *shipment, FILE *out) {
    fwrite(shipment->relaxed.object, 1, shipment->relaxed.object_bytes, out);
}

static void write_weights(const Shipment *shipment, FILE *out) {
    fwrite(shipment->weights, 1, shipment->weights_bytes, out);
}

static void write_weights_object(const Shipment *shipment, FILE *out) {
    fwrite(shipment->shipped.weights_object, 1, shipment->shipped.weights_object_bytes, out);
}

typedef enum {
    OF_OBJECT = 1,
    OF_SOURCE = 2,
    OF_WASM = 4,
    OF_PAGE = 8,
    OF_GIVEN = 16, /* of C, if the program gives the weights */
    OF_APART_OBJECT = 32,
    OF_APART_SOURCE = 64,
    OF_C = OF_OBJECT | OF_SOURCE
} FormOf;
static const struct {
    const char *name; /* its name, with %s for that of the network */
    void (*write)(const Shipment *shipment, FILE *out);
    unsigned forms; /* the forms of a library that have this file */
} files[] = {{"%s.h", ship_header, OF_C},
             {"lib%s.a", write_library, OF_OBJECT},
             {"%s.c", ship_source, OF_SOURCE},
             {"%s_weights.o", write_weights_object, OF_APART_OBJECT},
             {"%s_weights.c", ship_weights_source, OF_APART_SOURCE},
             {"%s_test.c", ship_test, OF_C},
             {"CMakeLists.txt", ship_cmake, OF_C},
             {"%s.js", ship_script, OF_WASM},
             {"%s.relaxed.wasm", write_relaxed, OF_WASM},
             {"%s.exact.wasm", write_exact, OF_WASM},
             {"%s.weights", write_weights, OF_WASM | OF_GIVEN},
             {"package.json", ship_script_package, OF_WASM},
             {"%s_test.mjs", ship_script_test, OF_WASM},
             {"%s_test.json", ship_script_examples, OF_WASM},
             {"README.md", ship_readme, OF_C},
             {"README.md", ship_script_readme, OF_WASM},
             {"%s.html", ship_page, OF_PAGE},
             {NOTES, write_json, OF_C | OF_WASM | OF_PAGE}};

static Path file_path(const Shipment *shipment, const char *folder, const char *name) {
    const char *mark = strstr(name, "%s");
    if (!mark) return path_join(folder, name);
    return path_join(folder, arena_format(shipment->arena, "%.*s%s%s", (int)(mark - name), name,
                                          shipment->name, mark + 2));
}

static bool is_wanted(const Shipment *shipment, size_t file) {
    static const FormOf forms[] = {[CHOICE_form_object] = OF_OBJECT,
                                   [CHOICE_form_c] = OF_SOURCE,
                                   [CHOICE_form_wasm] = OF_WASM,
                                   [CHOICE_form_html] = OF_PAGE};
    unsigned wanted = forms[shipment->options->form];
    if (shipment_takes_weights(shipment)) wanted |= OF_GIVEN;
    if (shipment_parts_weights(shipment))
        wanted |= shipment_is_source(shipment) ? OF_APART_SOURCE : OF_APART_OBJECT;
    return files[file].forms & wanted;
}

static bool make_folder(const Shipment *shipment, const char *folder, bool *made) {
    *made = false;
    if (file_is_there(file_path(shipment, folder, NOTES).path)) return true; /* built again */
    if (!folder_is_free(folder)) {
        diag_error(shipment->diag, STATUS_FILE, (Span){0},
                   "'%s' exists and is not a folder of 'mlc build'", folder);
        diag_help(shipment->diag, "-o DIR names another one, new or empty");
        return false;
    }
    *made = mkdir(folder, 0777) == 0;
    if (*made || errno == EEXIST) return true;
    diag_error(shipment->diag, STATUS_FILE, (Span){0}, "cannot make the folder '%s': %s", folder,
               strerror(errno));
    return false;
}

/* The text of each file, NULL if it is not wanted. All are made before the first one is written, so
 * that a lack of memory leaves nothing behind. */
typedef struct {
    char *text;
    size_t length;
} FileText;
enum { FILES = sizeof files / sizeof *files };

/* Writes all files; if one cannot be written, a folder that is new is removed. */
static bool write_texts(const Shipment *shipment, const FileText texts[FILES]) {
    bool made, good = true;
    size_t done = 0;
    const char *folder =
        shipment->options->ship_folder ? shipment->options->ship_folder : shipment->name;
    if (!make_folder(shipment, folder, &made)) return false;
    for (; done < FILES && good; done++)
        good =
            !texts[done].text || file_write(file_path(shipment, folder, files[done].name).path,
                                            texts[done].text, texts[done].length, shipment->diag);
    if (good || !made) return good;
    while (done-- > 0)
        if (texts[done].text) unlink(file_path(shipment, folder, files[done].name).path);
    rmdir(folder);
    return false;
}

static bool write_files(const Shipment *shipment) {
    FileText texts[FILES] = {{0}};
    for (size_t i = 0; i < FILES; i++) {
        MemoryStream stream;
        if (!is_wanted(shipment, i)) continue;
        memory_stream_begin(&stream);
        files[i].write(shipment, stream.out);
        texts[i].text = memory_stream_end(&stream);
        texts[i].length = stream.length;
    }
    bool good = write_texts(shipment, texts);
    for (size_t i = 0; i < FILES; i++) free(texts[i].text);
    return good;
}

Status command_build(const Options *given, Diagnostics *diag) {
    Shipment shipment;
    Options options = *given;
    options.threads = 1; /* mlc needs no others here */
    bool good = shipment_open(&shipment, &options, diag) && check_limits(&shipment) &&
                (given->dry_run || write_files(&shipment));
    if (good && given->json)
        write_json(&shipment, stdout);
    else if (good)
        ship_summary(&shipment, stdout);
    shipment_close(&shipment);
    return diag_outcome(diag, good);
}
