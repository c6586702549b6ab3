/* The keys of data and train: which there are, their types and limits, and their defaults. */
#include "frontend/model/loading.h"

#include <string.h>

typedef struct {
    Model *model;
    Evaluator *evaluator;
    const Setting *setting;
} Reading;

typedef bool SettingReader(const Reading *reading, Value value);

static bool wrong(const Reading *reading, const char *expected, Value value) {
    evaluator_error(reading->evaluator, reading->setting->value->span, "'%s' must be %s, not %s", reading->setting->name.text,
                    expected, value_text(reading->evaluator->arena, reading->evaluator->graph, value));
    return false;
}

static bool read_count(const Reading *reading, Value value, int64_t most, uint32_t *count) {
    if (value.kind != VALUE_INT || value.integer < 1 || value.integer > most)
        return wrong(reading, arena_format(reading->evaluator->arena, "a whole number from 1 to %lld", (long long)most), value);
    *count = (uint32_t)value.integer;
    return true;
}

static bool read_seed(const Reading *reading, Value value, uint64_t *seed) {
    if (value.kind != VALUE_INT || value.integer < 0) return wrong(reading, "a whole number from 0", value);
    *seed = (uint64_t)value.integer;
    return true;
}

/* 0.1: a share; 5000: a count */
static bool read_amount(Value value, HoldOut *hold) {
    bool share = value.kind == VALUE_FLOAT && value.real >= 0 && value.real < 1;
    bool count = value.kind == VALUE_INT && value.integer >= 0 && value.integer <= INT32_MAX;
    hold->is_count = count;
    hold->amount = share || count ? value_number(value) : 0;
    return share || count;
}

/* stratified(0.2): by the label. */
static bool read_stratified(const Reading *reading, const Bound *bound, HoldOut *hold) {
    Value first = bound->args[0], amount = bound->args[1];
    bool by_label = amount.kind == VALUE_NONE && first.kind != VALUE_STRING;
    hold->kind = HOLD_STRATIFIED;
    hold->field = by_label ? loss_label(reading->model) : first.kind == VALUE_STRING ? first.text : NULL;
    bool good = read_amount(by_label ? first : amount, hold) && hold->amount > 0;
    if (good && hold->field) return true;
    if (!good) {
        evaluator_error(reading->evaluator, bound->spans[amount.kind == VALUE_NONE ? 0 : 1],
                        "'amount' of stratified must be a share between 0.0 and 1.0, or a whole number of rows from 1");
    } else if (by_label) {
        if (evaluator_error(reading->evaluator, reading->setting->value->span,
                            "which field is the label is not known: the loss does not compare with a single one"))
            diag_help(reading->evaluator->diag, "name it: stratified(source.NAME, %g)", hold->amount);
    } else {
        evaluator_error(reading->evaluator, bound->spans[0], "'name' of stratified must be a field of the source, not %s",
                        value_text(reading->evaluator->arena, reading->evaluator->graph, first));
    }
    return false;
}

/* last(0.2), column(source.split), group(source.patient, 0.2), stratified(source.kind, 0.2) */
static bool read_split_call(const Reading *reading, const Bound *bound, HoldOut *hold) {
    static const char *const kinds[] = {
        [HOLD_LAST] = "last", [HOLD_COLUMN] = "column", [HOLD_GROUP] = "group", [HOLD_STRATIFIED] = "stratified"};
    for (HoldKind kind = HOLD_LAST; kind <= HOLD_STRATIFIED; kind++)
        if (!strcmp(bound->callee->name, kinds[kind])) hold->kind = kind;
    if (hold->kind == HOLD_STRATIFIED) return read_stratified(reading, bound, hold);
    uint32_t amount = hold->kind == HOLD_LAST ? 0 : 1;
    if (amount) hold->field = bound->args[0].text;
    if (hold->kind == HOLD_COLUMN) return true;
    if (read_amount(bound->args[amount], hold) && hold->amount > 0) return true;
    evaluator_error(reading->evaluator, bound->spans[amount],
                    "'amount' of %s must be a share between 0.0 and 1.0, or a whole number of %s from 1", bound->callee->name,
                    hold->kind == HOLD_GROUP ? "groups" : "rows");
    return false;
}

static bool read_split(const Reading *reading, Value value, HoldOut *hold) {
    *hold = (HoldOut){.span = evaluator_place(reading->evaluator, reading->setting->value->span)};
    if (value.kind == VALUE_BOUND && value.bound->callee->builtin->kind == KIND_SPLIT)
        return read_split_call(reading, value.bound, hold);
    if (read_amount(value, hold)) return true;
    wrong(reading,
          "a share from 0.0 to below 1.0, a whole number of rows, or one of last(), column(), group() and stratified()", value);
    if (value.kind == VALUE_STRING)
        diag_help(reading->evaluator->diag,
                  "a file of such rows belongs into the source: csv(..., %s = \"FILE\"); a column that names splits is written "
                  "column(source.%.60s)",
                  reading->setting->name.text, value.text);
    return false;
}

static bool read_limit(const Reading *reading, Value value, double *limit) {
    if (!value_is_number(value) || value_number(value) <= 0) return wrong(reading, "a number above 0", value);
    *limit = value_number(value);
    return true;
}

enum { MAX_BATCH = 1 << 20, MAX_EPOCHS = 1000000 };

static bool read_batch(const Reading *r, Value value) { return read_count(r, value, MAX_BATCH, &r->model->info.batch); }
static bool read_epochs(const Reading *r, Value value) { return read_count(r, value, MAX_EPOCHS, &r->model->info.epochs); }
static bool read_accumulate(const Reading *r, Value value) {
    return read_count(r, value, MAX_BATCH, &r->model->info.accumulate);
}
static bool read_train_seed(const Reading *r, Value value) { return read_seed(r, value, &r->model->info.seed); }
static bool read_data_seed(const Reading *r, Value value) { return read_seed(r, value, &r->model->info.split.seed); }
static bool read_valid(const Reading *r, Value value) { return read_split(r, value, &r->model->info.split.valid); }
static bool read_test(const Reading *r, Value value) { return read_split(r, value, &r->model->info.split.test); }
static bool read_series(const Reading *reading, Value value) {
    if (value.kind != VALUE_STRING) return wrong(reading, "a field of the source", value);
    reading->model->info.split.series = value.text;
    return true;
}
static bool read_clip_norm(const Reading *r, Value value) { return read_limit(r, value, &r->model->clip_norm); }
static bool read_clip_value(const Reading *r, Value value) { return read_limit(r, value, &r->model->clip_value); }

static bool read_weights(const Reading *reading, Value value) {
    if (value.kind != VALUE_STRING || !*value.text) return wrong(reading, "the folder of a run, or a .safetensors file", value);
    reading->model->info.weights = value.text;
    return true;
}

static bool read_shuffle(const Reading *reading, Value value) {
    if (value.kind != VALUE_BOOL) return wrong(reading, "true or false", value);
    reading->model->info.shuffle = value.boolean;
    return true;
}

/* The keys, in the order in which they are read. Those without a reader belong to the graphs (lower.c) or the source. */
typedef struct {
    ItemKind block;
    const char *name;
    SettingReader *read;
    bool required;
} Key;
static const Key keys[] = {
    {ITEM_DATA, "source", NULL, true},
    {ITEM_DATA, "augment", NULL, false},
    {ITEM_DATA, "valid", read_valid, false},
    {ITEM_DATA, "test", read_test, false},
    {ITEM_DATA, "series", read_series, false},
    {ITEM_DATA, "seed", read_data_seed, false},
    {ITEM_TRAIN, "loss", NULL, true},
    {ITEM_TRAIN, "optimizer", NULL, true},
    {ITEM_TRAIN, "batch", read_batch, false},
    {ITEM_TRAIN, "accumulate", read_accumulate, false},
    {ITEM_TRAIN, "epochs", read_epochs, false},
    {ITEM_TRAIN, "shuffle", read_shuffle, false},
    {ITEM_TRAIN, "seed", read_train_seed, false},
    {ITEM_TRAIN, "metrics", NULL, false},
    {ITEM_TRAIN, "keep_best", NULL, false},
    {ITEM_TRAIN, "stop_when", NULL, false},
    {ITEM_TRAIN, "weights", read_weights, false},
    {ITEM_TRAIN, "freeze", NULL, false},
    {ITEM_TRAIN, "clip_norm", read_clip_norm, false},
    {ITEM_TRAIN, "clip_value", read_clip_value, false},
};
enum { KEY_COUNT = sizeof keys / sizeof *keys };

static const char *block_text(ItemKind block) { return block == ITEM_DATA ? "data" : "train"; }

Setting *item_setting(const Item *item, const char *name) {
    for (Setting *setting = item->settings.first; setting; setting = setting->next)
        if (!strcmp(setting->name.text, name)) return setting;
    return NULL;
}

/* -- names -- */

bool settings_known_key(ItemKind block, const char *name) {
    for (int i = 0; i < KEY_COUNT; i++)
        if (keys[i].block == block && !strcmp(keys[i].name, name)) return true;
    return false;
}

const char *model_setting(const char *name, const char **block) {
    const char *found = NULL;
    for (int i = 0; i < KEY_COUNT; i++) { /* of both blocks, as seed is, that of train */
        if (strcmp(keys[i].name, name)) continue;
        *block = block_text(keys[i].block);
        found = keys[i].name;
    }
    return found;
}

static const char *listed(const Model *model, const char *const *names, size_t count) {
    const char *text = names[0];
    for (size_t i = 1; i < count; i++)
        text = arena_format(model->arena, "%s%s%s", text, i + 1 < count ? ", " : " and ", names[i]);
    return text;
}

static bool unknown_key(const Model *model, const Item *item, const Setting *setting) {
    const char *names[KEY_COUNT], *block = block_text(item->kind);
    size_t count = 0;
    for (int i = 0; i < KEY_COUNT; i++)
        if (keys[i].block == item->kind) names[count++] = keys[i].name;
    diag_error(model->diag, STATUS_MODEL, setting->name.span, "unknown key '%s' in %s", setting->name.text, block);
    const char *near = diag_nearest(setting->name.text, names, count), *foreign = foreign_help(setting->name.text);
    ItemKind other = item->kind == ITEM_DATA ? ITEM_TRAIN : ITEM_DATA;
    bool elsewhere = settings_known_key(other, setting->name.text);
    if (elsewhere)
        diag_help(model->diag, "it is a key of %s { ... }", block_text(other));
    else if (foreign)
        diag_help(model->diag, "%s", foreign);
    else if (near)
        diag_help(model->diag, "did you mean '%s'?", near);
    else
        diag_help(model->diag, "%s has the keys %s", block, listed(model, names, count));
    if (!near && !foreign && !elsewhere && item->kind == ITEM_DATA)
        diag_help(model->diag, "a field is written 'field %s = ...'", setting->name.text);
    return false;
}

static bool check_setting(const Model *model, const Item *item, const Setting *setting, Names *seen) {
    const Setting *before = names_find(seen, setting->name.text);
    names_put(seen, setting->name.text, (void *)setting);
    if (before) {
        diag_error(model->diag, STATUS_MODEL, setting->name.span, "'%s' is given twice", setting->name.text);
        diag_note(model->diag, before->name.span, "the first time here");
        return false;
    }
    if (setting->is_field && item->kind == ITEM_TRAIN) {
        diag_error(model->diag, STATUS_MODEL, setting->name.span, "fields belong into the data block");
        return false;
    }
    return setting->is_field || settings_known_key(item->kind, setting->name.text) || unknown_key(model, item, setting);
}

static bool check_item(const Model *model, const Item *item) {
    Names *seen = names_new(model->arena);
    bool good = true;
    for (const Setting *setting = item->settings.first; setting; setting = setting->next)
        good &= check_setting(model, item, setting, seen);
    bool named = good; /* otherwise what is missing may be what was misspelt */
    for (int i = 0; i < KEY_COUNT && named; i++) {
        if (keys[i].block != item->kind || !keys[i].required || names_find(seen, keys[i].name)) continue;
        diag_error(model->diag, STATUS_MODEL, item->span, "the %s block has no '%s'", block_text(item->kind), keys[i].name);
        good = false;
    }
    return good;
}

bool settings_check_names(Model *model) {
    bool data = check_item(model, model->data);
    return check_item(model, model->train) && data;
}

/* -- values -- */

static bool read_key(Model *model, Evaluator *evaluator, const Key *key) {
    const Setting *setting = item_setting(key->block == ITEM_DATA ? model->data : model->train, key->name);
    if (!key->read || !setting) return true;
    evaluator->phase =
        key->read == read_valid || key->read == read_test || key->read == read_series ? PHASE_SPLIT : PHASE_SETTINGS;
    Value value = evaluate(evaluator, setting->value);
    evaluator->phase = PHASE_SETTINGS;
    return value.kind != VALUE_ERROR && key->read(&(Reading){model, evaluator, setting}, value);
}

bool settings_read(Model *model, Evaluator *evaluator) {
    bool good = true;
    ModelInfo *info = &model->info;
    info->batch = 64;
    info->accumulate = 1;
    info->epochs = 10;
    info->shuffle = true;
    for (int i = 0; i < KEY_COUNT; i++) good &= read_key(model, evaluator, &keys[i]);
    if (!item_setting(model->data, "seed")) info->split.seed = info->seed;
    return good;
}
