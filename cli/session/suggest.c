/* Suggestions for wrong arguments. */
#include "cli/session/suggest.h"
#include "engine/session/runs.h"
#include "frontend/evaluate/evaluate.h"
#include "frontend/model/model.h"
#include "ir/base/files.h"
#include "ir/base/names.h"

#include <dirent.h>
#include <string.h>

/* -- options -- */

/* Options of other programs (aliases.def). */
static const struct {
    const char *name;
    OptionSet needs;  /* applies only if the command has this option */
    const char *help; /* NULL: that of the name in a model */
} aliases[] = {
#define COMMAND_MEANS(name, here)
#define OPTION_MEANS(name, option) {name, OPTION_BIT(option), "did you mean '--" #option "'?"},
#define OPTION_ALIAS(name, option, help) {name, OPTION_BIT(option), help},
#define MODEL_ALIAS(name) {name, 0, NULL},
#include "cli/session/aliases.def"
};

/* "batch_size" -> "batch", "num_epochs" -> "epochs" */
static const char *setting_named(const char *name, const char **block) {
    char part[32];
    const char *key = model_setting(name, block), *line = strchr(name, '_');
    if (key || !line) return key;
    snprintf(part, sizeof part, "%.*s", (int)(line - name), name);
    key = model_setting(part, block);
    return key ? key : model_setting(line + 1, block);
}

bool suggest_option(const char *name, OptionSet allowed, Diagnostics *diag) {
    char spelled[64];
    const char *block, *plain = name + strspn(name, "-");
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (strcmp(aliases[i].name, plain) || (aliases[i].needs & allowed) != aliases[i].needs)
            continue;
        diag_help(diag, "%s", aliases[i].help ? aliases[i].help : alias_help(plain));
        return true;
    }
    snprintf(spelled, sizeof spelled, "%s", plain);
    for (char *c = spelled; *c; c++)
        if (*c == '-') *c = '_';
    const char *key = allowed & OPTION_BIT(set) ? setting_named(spelled, &block) : NULL;
    if (key) diag_help(diag, "did you mean --set %s.%s=VALUE?", block, key);
    return key != NULL;
}

/* -- operands -- */

bool suggest_operand(const char *operand, const Options *options, OptionSet allowed,
                     Diagnostics *diag) {
    for (uint32_t i = 0; i < options->set.count; i++) {
        if (strchr(options->set.items[i], '=')) continue;
        diag_help(diag, "did you mean --set %.100s=%.100s?", options->set.items[i], operand);
        return true;
    }
    if (strchr(operand, '=') && allowed & OPTION_BIT(set))
        diag_help(diag, "did you mean --set %.200s?", operand);
    else if (allowed & OPTION_BIT(out) && !path_ends_in(operand, ".mdl") &&
             (strchr(operand, '/') || path_is_folder(operand)))
        diag_help(diag, "the folder of the run is given by --out %.200s", operand);
    else
        return false;
    return true;
}

/* -- model files -- */

enum { MODELS_MAX = 200, MODELS_LISTED = 5 };

/* The names of the models in a folder, sorted. */
static uint32_t models_in(const char *folder, Arena *arena, const char **names) {
    uint32_t count = 0;
    DIR *open = opendir(folder);
    for (const struct dirent *entry; open && count < MODELS_MAX && (entry = readdir(open));) {
        if (!path_ends_in(entry->d_name, ".mdl") || *entry->d_name == '.') continue;
        uint32_t at = count++;
        for (; at > 0 && strcmp(names[at - 1], entry->d_name) > 0; at--) names[at] = names[at - 1];
        names[at] = arena_copy_string(arena, entry->d_name, strlen(entry->d_name));
    }
    if (open) closedir(open);
    return count;
}

/* The model whose name is similar: "net" and "nte.mdl" both find net.mdl. */
static const char *near_model(const char *path, Arena *arena, const char *const *names,
                              uint32_t count) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *full = path_ends_in(name, ".mdl") ? name : arena_format(arena, "%s.mdl", name);
    return diag_nearest(full, names, count);
}

void suggest_model(const char *path, Diagnostics *diag) {
    Arena *arena = arena_new();
    bool is_folder = path_is_folder(path);
    Path newest, folder = is_folder ? path_join(path, "") : path_folder(path),
                 run_model = path_join(path, RUN_MODEL);
    const char *names[MODELS_MAX], *before = strchr(path, '/') || is_folder ? folder.path : "";
    uint32_t count = models_in(folder.path, arena, names);
    const char *near = is_folder ? NULL : near_model(path, arena, names, count);
    if (is_folder && file_is_there(run_model.path)) {
        diag_help(diag, "'mlc train --resume %s' continues that run; %s is its model", path,
                  run_model.path);
    } else if (is_folder && run_newest(path, &newest)) {
        diag_help(diag, "it holds runs; the model of the newest one is %s",
                  path_join(newest.path, RUN_MODEL).path);
    } else if (near) {
        diag_help(diag, "did you mean '%s'?", *before ? path_join(before, near).path : near);
    } else if (count) {
        diag_help(diag, "the models there are %s",
                  names_quoted(arena, names, count, MODELS_LISTED));
    }
    arena_free(arena);
}
