/* Starts a training with the weights of another one. */
#include "cli/session/warm_start.h"
#include "runtime/train/warm_start.h"

#include <string.h>

enum { MAX_LISTED = 12 };

/* A folder stands for the last weights of the run in it. */
static const char *file_of(Arena *arena, const char *path) {
    Path last = path_join(path, RUN_LAST);
    return path_is_folder(path) ? arena_copy_string(arena, last.path, strlen(last.path)) : path;
}

/* A path on the command line is relative to the working directory; a path in the model is relative
 * to the model file. */
static const char *find_file(const Session *session) {
    const ModelInfo *info = session->build.info;
    const char *option = session->build.given->weights;
    if (option) return file_of(session->arena, option);
    if (!info->weights) return NULL;
    bool as_written = *info->weights == '/' || !strcmp(info->source.folder, ".");
    Path beside = path_join(info->source.folder, info->weights);
    return file_of(session->arena, as_written ? info->weights
                                              : arena_copy_string(session->arena, beside.path,
                                                                  strlen(beside.path)));
}

static bool read_maps(const Session *session, WeightMap maps[OPTION_LIST_MAX]) {
    const OptionList *given = &session->build.given->map;
    for (uint32_t i = 0; i < given->count; i++) {
        const char *equals = strchr(given->items[i], '=');
        if (!equals || equals == given->items[i] || !equals[1]) {
            diag_error(session->build.diag, STATUS_USAGE, (Span){0},
                       "--map takes OLD=NEW, not '%.100s'", given->items[i]);
            diag_help(
                session->build.diag,
                "OLD is the name in the file, NEW the name in the model: --map encoder=dense1");
            return false;
        }
        maps[i].there =
            arena_copy_string(session->arena, given->items[i], (size_t)(equals - given->items[i]));
        maps[i].here = equals + 1;
    }
    return true;
}

static void print_list(const TextList *list, const char *what) {
    for (uint32_t i = 0; i < list->count && i < MAX_LISTED; i++)
        fprintf(stderr, "  %s: %s\n", what, list->items[i]);
    if (list->count > MAX_LISTED) fprintf(stderr, "  and %u more\n", list->count - MAX_LISTED);
}

static bool check_map_use(const Session *session, const char *file) {
    if (file || !session->build.given->map.count) return true;
    diag_error(session->build.diag, STATUS_USAGE, (Span){0},
               "--map needs a file whose names it maps");
    diag_help(session->build.diag, "--weights RUN names one");
    return false;
}

bool warm_start(Session *session, const char **from) {
    WeightMap maps[OPTION_LIST_MAX];
    WeightsTaken taken;
    const Options *options = session->build.given;
    *from = find_file(session);
    if (!check_map_use(session, *from)) return false;
    if (!*from) return true;
    Graph *network = model_graph(session->build.model, GRAPH_PREDICT, 1, session->build.diag);
    bool good = network && read_maps(session, maps) &&
                weights_take(*from, session->states, network, maps, options->map.count,
                             session->arena, &taken, session->build.diag);
    if (good && !options->quiet) {
        const char *file = *from;
        fprintf(stderr, "weights: %u of %u tensors taken from %s\n", taken.count,
                taken.count + taken.anew.count, file);
        print_list(&taken.paired, "by order");
        print_list(&taken.anew, "keeps its initial values");
        print_list(&taken.unused, "not used");
    }
    graph_free(network);
    return good;
}
