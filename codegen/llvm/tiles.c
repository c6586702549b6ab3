/* Reads and writes the measured tiles of products. */
#include "codegen/llvm/tiles.h"
#include "codegen/llvm/cache.h"
#include "ir/base/files.h"
#include "ir/base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER "mlc product tiles 1\n"
enum { CPU_NAME = 64, FILE_NAME = CPU_NAME + 16 };

static void file_name(const Target *target, char name[FILE_NAME]) {
    snprintf(name, FILE_NAME, "tiles-%.*s.txt", CPU_NAME, target->cpu);
}

/* -- reading -- */

/* "PRODUCT ROWSxVECTORS/STEPS"; cuts the line behind the product. */
static bool read_line(char *line, MeasuredTile *measured) {
    ProductTile *tile = &measured->tile;
    char *blank = strchr(line, ' ');
    int end = 0;
    if (!blank || blank == line ||
        sscanf(blank, " %3dx%3d/%3d%n", &tile->rows, &tile->vectors, &tile->steps, &end) != 3 ||
        blank[end])
        return false;
    *blank = 0;
    measured->product = line;
    return true;
}

/* NULL: none of the tiles is for the product. */
static const MeasuredTile *find_tile(const MeasuredTile *tiles, uint32_t count,
                                     const char *product) {
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(tiles[i].product, product) == 0) return &tiles[i];
    return NULL;
}

static ProductTile choose(void *context, uint32_t kernel, const char *product,
                          const ProductTile *tiles, uint32_t count) {
    (void)kernel, (void)count;
    const StoredTiles *stored = context;
    const MeasuredTile *found = find_tile(stored->tiles, stored->count, product);
    return found ? found->tile : tiles[0];
}

static void load(StoredTiles *stored, const Target *target, const CodegenOptions *options) {
    char name[FILE_NAME];
    uint32_t lines = 0;
    file_name(target, name);
    Cache cache = cache_open(options->cache_folder, false);
    stored->text = cache_text(&cache, name);
    cache_close(&cache);
    if (!stored->text || strncmp(stored->text, HEADER, strlen(HEADER)) != 0) return;
    for (const char *at = stored->text; (at = strchr(at, '\n')); at++) lines++;
    stored->tiles = memory_array(lines + 1, sizeof *stored->tiles, "measured tiles");
    char *rest = stored->text + strlen(HEADER);
    for (char *line; (line = strsep(&rest, "\n"));)
        stored->count += read_line(line, &stored->tiles[stored->count]);
}

void tiles_open(StoredTiles *stored, Target *target, const CodegenOptions *options) {
    *stored = (StoredTiles){.chooser = {stored, choose}};
    target->tiles = options->tiles;
    if (options->tiles || !options->cache_folder) return;
    load(stored, target, options);
    if (stored->count) target->tiles = &stored->chooser;
}

void tiles_close(StoredTiles *stored) {
    free(stored->tiles);
    free(stored->text);
}

/* -- writing -- */

static void print_tiles(FILE *out, const MeasuredTile *tiles, uint32_t count,
                        const MeasuredTile *instead, uint32_t instead_count) {
    for (uint32_t i = 0; i < count; i++)
        if (!find_tile(instead, instead_count, tiles[i].product))
            fprintf(out, "%s %dx%d/%d\n", tiles[i].product, tiles[i].tile.rows,
                    tiles[i].tile.vectors, tiles[i].tile.steps);
}

/* The text of the file with the stored tiles and, besides or instead of them, new ones. The caller
 * frees it; NULL: there is no memory. */
static char *make_text(const StoredTiles *stored, const MeasuredTile *tiles, uint32_t count) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (!out) return NULL;
    fputs(HEADER, out);
    print_tiles(out, stored->tiles, stored->count, tiles, count);
    print_tiles(out, tiles, count, NULL, 0);
    if (fclose(out) == 0) return text;
    free(text);
    return NULL;
}

/* Opens the folder and names the file for the target of the options. false after reporting
 * errors. */
static bool open_file(const CodegenOptions *options, Target *target, Cache *cache,
                      char name[FILE_NAME], Diagnostics *diag) {
    *cache = (Cache){.folder = -1};
    if (!target_runs_here(options, diag) || !target_open(target, options, diag)) return false;
    file_name(target, name);
    *cache = cache_open(options->cache_folder, true);
    if (cache->folder >= 0) return true;
    diag_error(diag, STATUS_FILE, (Span){0}, "the folder of the code cache cannot be used: '%s'",
               options->cache_folder ? options->cache_folder : "");
    diag_help(diag, "XDG_CACHE_HOME names another folder for caches");
    return false;
}

bool tiles_keep(const CodegenOptions *options, const MeasuredTile *tiles, uint32_t count,
                Diagnostics *diag) {
    Target target = {0};
    Cache cache;
    char name[FILE_NAME];
    StoredTiles stored = {0};
    bool kept = open_file(options, &target, &cache, name, diag);
    if (kept) {
        load(&stored, &target, options);
        char *text = make_text(&stored, tiles, count);
        kept = text && cache_store_text(&cache, name, text);
        if (!kept)
            diag_error(diag, STATUS_FILE, (Span){0}, "%s/%s cannot be written: %s", cache.path,
                       name, file_reason(errno));
        free(text);
    }
    tiles_close(&stored);
    cache_close(&cache);
    target_close(&target);
    return kept;
}

bool tiles_forget(const CodegenOptions *options, Diagnostics *diag) {
    Target target = {0};
    Cache cache;
    char name[FILE_NAME];
    bool gone = open_file(options, &target, &cache, name, diag);
    if (gone && unlinkat(cache.folder, name, 0) && errno != ENOENT) {
        diag_error(diag, STATUS_FILE, (Span){0}, "%s/%s cannot be removed: %s", cache.path, name,
                   file_reason(errno));
        gone = false;
    }
    cache_close(&cache);
    target_close(&target);
    return gone;
}
