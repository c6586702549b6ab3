/* Weights: reading, changing and saving them. */
#include "ir/base/files.h"
#include "lib/network/network.h"
#include "runtime/data/schema_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int mlc_weight_count(const mlc_network *network) { return network ? network->weight_count : 0; }

const mlc_tensor *mlc_weight(const mlc_network *network, int index) {
    return index >= 0 && index < mlc_weight_count(network) ? &network->weights[index] : NULL;
}

/* -- one weight -- */

typedef struct {
    int index;
    void *to;         /* NULL: it is written */
    const void *from; /* NULL: it is read */
} Access;

static bool access_weight(mlc_network *network, void *arguments, Diagnostics *diag) {
    const Access *access = arguments;
    const mlc_tensor *weight = mlc_weight(network, access->index);
    if (!weight || (!access->to && !access->from)) {
        diag_error(diag, STATUS_USAGE, (Span){0},
                   weight ? "values is NULL (weight %d)" : "there is no weight %d", access->index);
        return false;
    }
    return access->to ? states_read(network->session.states, weight->name, access->to)
                      : states_write(network->session.states, weight->name, access->from);
}

mlc_status mlc_get_weight(mlc_network *network, int index, void *values) {
    return network_call(network, BOUNDARY_READS, access_weight, &(Access){index, values, NULL});
}

mlc_status mlc_set_weight(mlc_network *network, int index, const void *values) {
    return network_call(network, BOUNDARY_READS, access_weight, &(Access){index, NULL, values});
}

/* -- saving -- */

const CheckpointInfo *network_position(const mlc_network *network) {
    return network->trainer.options ? &network->trainer.info : &network->info;
}

/* The schema of the data that the network reads, for those who open the checkpoint. malloc'ed. */
static char *schema_text_of(const mlc_network *network) {
    const Session *session = &network->session;
    SourceSchema schema = session->build.info->schema;
    if (session->build.like) return schema_write(session->build.like);
    if (session->dataset)
        return memory_copy_string(dataset_schema_text(session->dataset), "a schema");
    schema.derived = NULL;
    return schema_write(&schema);
}

static bool write_checkpoint(const mlc_network *network, const char *path, Diagnostics *diag) {
    const Session *session = &network->session;
    CheckpointInfo info = *network_position(network);
    if (!build_hash_model(&session->build, info.model_hash)) return false;
    char *schema = schema_text_of(network);
    info.schema = schema;
    info.fitted = network->fitted;
    info.fitted_count = network->fitted_count;
    bool good = checkpoint_save(path, session->states, &info, diag);
    free(schema);
    return good;
}

/* Writes into a folder that is locked. */
static bool write_folder(const mlc_network *network, const char *folder, Diagnostics *diag) {
    const char *text = network->session.build.info->resolved;
    Path model = path_join(folder, RUN_MODEL), last = path_join(folder, RUN_LAST);
    bool is_new = !file_is_there(model.path);
    if (is_new && !file_write(model.path, text, strlen(text), diag)) return false;
    if (write_checkpoint(network, last.path, diag)) return true;
    if (is_new) unlink(model.path);
    return false;
}

/* A run of the same model is continued; another one is kept. */
static bool check_folder(const mlc_network *network, const char *folder, Diagnostics *diag) {
    Path model = path_join(folder, RUN_MODEL);
    if (!file_is_there(model.path)) return folder_is_free(folder) || run_can_create(folder, diag);
    size_t length;
    char *text = file_read(model.path, &length, STATUS_FILE, diag);
    bool same = text && !strcmp(text, network->session.build.info->resolved);
    free(text);
    if (text && !same) {
        diag_error(diag, STATUS_FILE, (Span){0}, "'%s' is the run of another model", folder);
        diag_help(diag, "name another folder");
    }
    return same;
}

static bool save_run(const mlc_network *network, const char *folder, Diagnostics *diag) {
    if (!check_folder(network, folder, diag)) return false;
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        diag_error(diag, STATUS_FILE, (Span){0}, "cannot make the folder '%s': %s", folder,
                   strerror(errno));
        return false;
    }
    int lock = run_lock(folder, diag);
    if (lock < 0) return false;
    bool good = write_folder(network, folder, diag);
    close(lock);
    return good;
}

static bool save(mlc_network *network, void *arguments, Diagnostics *diag) {
    const char *path = arguments;
    const Symbol *bad = path ? states_nonfinite(network->session.states) : NULL;
    if (!path || strlen(path) >= PATH_MAX) {
        diag_error(diag, STATUS_USAGE, (Span){0}, path ? "the path is too long" : "path is NULL");
        return false;
    }
    if (bad) {
        diag_error(diag, STATUS_NONFINITE, (Span){0}, "'%s' is not finite; nothing is written",
                   bad->name);
        return false;
    }
    return path_ends_in(path, ".safetensors") ? write_checkpoint(network, path, diag)
                                              : save_run(network, path, diag);
}

mlc_status mlc_save(mlc_network *network, const char *path) {
    return network_call(network, BOUNDARY_READS, save, (void *)path);
}
