/* --set NAME=VALUE: replaces the expression of a param, or of a key of data or train. */
#include "frontend/model/loading.h"
#include "frontend/syntax/syntax.h"

#include <string.h>

Override *override_find(const Model *model, const char *name) {
    return names_find(model->overrides, name);
}

/* -- reading -- */

static bool override_read(Model *model, const char *text) {
    uint32_t file = diag_add_text(model->diag, "--set", text, strlen(text));
    const char *equals = strchr(text, '=');
    if (!equals || equals == text) {
        diag_error(model->diag, STATUS_MODEL, (Span){file, 0, (uint32_t)strlen(text)},
                   "--set needs NAME=VALUE");
        if (!equals && *text)
            diag_help(model->diag, "write --set %.60s=VALUE", text);
        else
            diag_help(model->diag, "for example --set lr=0.1");
        return false;
    }
    size_t at = (size_t)(equals - text) + 1, name_end = at - 1;
    while (name_end > 1 && text[name_end - 1] == ' ') name_end--;
    Override *override = ARENA_NEW(model->arena, Override);
    override->name =
        (Name){arena_copy_string(model->arena, text, name_end), {file, 0, (uint32_t)name_end}};
    override->value_text = arena_copy_string(model->arena, text + at, strlen(text + at));
    override->value_span = (Span){file, (uint32_t)at, (uint32_t)strlen(text)};
    override->value = syntax_read_expression(&(SyntaxInput){
        model->arena, model->diag, file, (uint32_t)at, text + at, strlen(text + at), NULL});
    if (!override->value && strchr(text + at, ',') && !strchr(text + at, '['))
        diag_help(model->diag,
                  "--set takes one value: train once for each, or write a list as [1, 2]");
    names_put(model->overrides, override->name.text, override);
    return override->value != NULL;
}

/* For "train.epochs" the item of `train`; *key is "epochs". */
static Item *block_of(const Model *model, const char *name, const char **key) {
    const char *point = strchr(name, '.');
    if (!point) return NULL;
    *key = point + 1;
    size_t length = (size_t)(point - name);
    if (length == 5 && !memcmp(name, "train", 5)) return model->train;
    if (length == 4 && !memcmp(name, "data", 4)) return model->data;
    return NULL;
}

/* Sets the value in the block. A new key is added before the closing brace. */
static void override_setting(Model *model, Override *override, Item *item, const char *key) {
    Setting *setting = item_setting(item, key);
    override->used = true;
    if (setting) {
        override->written = setting->written;
        setting->value = override->value;
        return;
    }
    override->adds = true;
    override->written = (Span){item->span.file, item->span.end - 1, item->span.end - 1};
    setting = ast_setting(model->arena, false, (Name){key, override->name.span}, override->value,
                          override->written);
    AST_APPEND(item->settings, setting);
}

/* -- unknown names -- */

enum { PARAMS_LISTED = 20 };

static void help_param(const Model *model, const Override *override, const char *const *names,
                       size_t count) {
    const char *name = override->name.text, *point = strrchr(name, '.');
    if (count)
        diag_help(model->diag, "its params are %s",
                  names_quoted(model->arena, names, count, PARAMS_LISTED));
    else
        diag_help(
            model->diag,
            "the model has no params; write 'param %s = ...' in the file, and use that name in its text",
            point ? point + 1 : name);
    diag_help(model->diag, "--set can change params, and also train.KEY and data.KEY");
}

static bool unknown_override(const Model *model, const Override *override) {
    const char **names = ARENA_ARRAY(model->arena, const char *, model->items.count);
    size_t count = 0;
    for (const Item *item = model->items.first; item; item = item->next)
        if (item->kind == ITEM_PARAM) names[count++] = item->param.name.text;
    diag_error(model->diag, STATUS_MODEL, override->name.span, "the model has no param '%s'",
               override->name.text);
    if (diag_suggest(model->diag, override->name.text, names, count)) return false;
    if (settings_known_key(ITEM_TRAIN, override->name.text))
        diag_help(model->diag, "did you mean 'train.%s'?", override->name.text);
    else if (settings_known_key(ITEM_DATA, override->name.text))
        diag_help(model->diag, "did you mean 'data.%s'?", override->name.text);
    else
        help_param(model, override, names, count);
    return false;
}

static bool override_apply(Model *model, Override *override) {
    const char *key = NULL, *name = override->name.text;
    Item *item = block_of(model, name, &key);
    bool known = item != NULL;
    for (const Item *at = model->items.first; at && !known; at = at->next)
        known = at->kind == ITEM_PARAM && !strcmp(at->param.name.text, name);
    if (!known) return unknown_override(model, override);
    if (item && override->value) override_setting(model, override, item, key);
    return override->value != NULL;
}

bool overrides_read(Model *model) {
    bool good = true;
    model->overrides = names_new(model->arena);
    for (uint32_t i = 0; i < model->options->set_count; i++)
        good &= override_read(model, model->options->sets[i]);
    for (uint32_t i = 0; i < names_count(model->overrides); i++)
        good &= override_apply(model, override_find(model, names_all(model->overrides)[i]));
    return good;
}
