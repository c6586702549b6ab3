/* The keys of data and train: a table of them, their types, limits and defaults. */
#include "frontend/model/loading.h"

#include <stddef.h>
#include <string.h>

typedef struct {
    Model *model;
    Evaluator *evaluator;
    const Setting *setting;
} KeyReading;

static bool wrong(const KeyReading *reading, const char *expected, Value value) {
    evaluator_error(reading->evaluator, reading->setting->value->span, "'%s' must be %s, not %s",
                    reading->setting->name.text, expected,
                    value_text(reading->evaluator->arena, reading->evaluator->graph, value));
    return false;
}

static bool read_count(const KeyReading *reading, Value value, int64_t most, uint32_t *count) {
    if (value.kind != VALUE_INT || value.integer < 1 || value.integer > most)
        return wrong(reading,
                     arena_format(reading->evaluator->arena, "a whole number from 1 to %lld",
                                  (long long)most),
                     value);
    *count = (uint32_t)value.integer;
    return true;
}

static bool read_seed(const KeyReading *reading, Value value, uint64_t *seed) {
    if (value.kind != VALUE_INT || value.integer < 0)
        return wrong(reading, "a whole number from 0", value);
    *seed = (uint64_t)value.integer;
    return true;
}

/* Reads 0.1 as a fraction and 5000 as a number of rows. */
static bool read_amount(Value value, HoldOut *hold) {
    bool fraction = value.kind == VALUE_FLOAT && value.real >= 0 && value.real < 1;
    bool count = value.kind == VALUE_INT && value.integer >= 0 && value.integer <= INT32_MAX;
    hold->is_count = count;
    hold->amount = fraction || count ? value_number(value) : 0;
    return fraction || count;
}

/* stratified(0.2): the rows are split by the label. */
static bool read_stratified(const KeyReading *reading, const Bound *bound, HoldOut *hold) {
    Value first = bound->args[0], amount = bound->args[1];
    bool by_label = amount.kind == VALUE_NONE && first.kind != VALUE_STRING;
    hold->kind = HOLD_STRATIFIED;
    hold->field = by_label                     ? loss_label(reading->model)
                  : first.kind == VALUE_STRING ? first.text
                                               : NULL;
    bool good = read_amount(by_label ? first : amount, hold) && hold->amount > 0;
    if (good && hold->field) return true;
    if (!good) {
        evaluator_error(
            reading->evaluator, bound->spans[amount.kind == VALUE_NONE ? 0 : 1],
            "'amount' of stratified must be a fraction between 0.0 and 1.0, or a whole number of rows from 1");
    } else if (by_label) {
        if (evaluator_error(
                reading->evaluator, reading->setting->value->span,
                "stratified splits by the label, but the loss does not have exactly one label"))
            diag_help(reading->evaluator->diag, "name the field: stratified(source.NAME, %g)",
                      hold->amount);
    } else {
        evaluator_error(reading->evaluator, bound->spans[0],
                        "'name' of stratified must be a field of the source, not %s",
                        value_text(reading->evaluator->arena, reading->evaluator->graph, first));
    }
    return false;
}

/* last(0.2), column(source.split), group(source.patient, 0.2), stratified(source.kind, 0.2) */
static bool read_split_call(const KeyReading *reading, const Bound *bound, HoldOut *hold) {
    static const char *const kinds[] = {[HOLD_LAST] = "last",
                                        [HOLD_COLUMN] = "column",
                                        [HOLD_GROUP] = "group",
                                        [HOLD_STRATIFIED] = "stratified"};
    for (HoldKind kind = HOLD_LAST; kind <= HOLD_STRATIFIED; kind++)
        if (!strcmp(bound->callee->name, kinds[kind])) hold->kind = kind;
    if (hold->kind == HOLD_STRATIFIED) return read_stratified(reading, bound, hold);
    uint32_t amount = hold->kind == HOLD_LAST ? 0 : 1;
    if (amount) hold->field = bound->args[0].text;
    if (hold->kind == HOLD_COLUMN) return true;
    if (read_amount(bound->args[amount], hold) && hold->amount > 0) return true;
    evaluator_error(
        reading->evaluator, bound->spans[amount],
        "'amount' of %s must be a fraction between 0.0 and 1.0, or a whole number of %s from 1",
        bound->callee->name, hold->kind == HOLD_GROUP ? "groups" : "rows");
    return false;
}

static bool read_split(const KeyReading *reading, Value value, HoldOut *hold) {
    *hold = (HoldOut){.span = evaluator_place(reading->evaluator, reading->setting->value->span)};
    if (value.kind == VALUE_BOUND && value.bound->callee->builtin->kind == KIND_SPLIT)
        return read_split_call(reading, value.bound, hold);
    if (read_amount(value, hold)) return true;
    wrong(
        reading,
        "a fraction from 0.0 to below 1.0, a whole number of rows, or one of last(), column(), group() and stratified()",
        value);
    if (value.kind == VALUE_STRING && reading->setting->value->kind == EXPR_STRING)
        diag_help(reading->evaluator->diag, "for a file of such rows write csv(..., %s = \"FILE\")",
                  reading->setting->name.text);
    else if (value.kind == VALUE_STRING)
        diag_help(reading->evaluator->diag,
                  "for a column that names the splits, write column(source.%.60s)", value.text);
    return false;
}

static bool read_limit(const KeyReading *reading, Value value, double *limit) {
    if (!value_is_number(value) || value_number(value) <= 0)
        return wrong(reading, "a number above 0", value);
    *limit = value_number(value);
    return true;
}

static bool read_text(const KeyReading *reading, Value value, const char *expected,
                      const char **text) {
    if (value.kind != VALUE_STRING || !*value.text) return wrong(reading, expected, value);
    *text = value.text;
    return true;
}

static bool read_bool(const KeyReading *reading, Value value, bool *result) {
    if (value.kind != VALUE_BOOL) return wrong(reading, "true or false", value);
    *result = value.boolean;
    return true;
}

/* -- the keys, in the order in which they are read -- */

enum { MAX_BATCH = 1 << 20, MAX_EPOCHS = 1000000, MAX_LOG_EVERY = 1000000000, MAX_FOLDS = 1000 };

typedef enum {
    KEY_ELSEWHERE, /* lower.c, source.c, augment.c, early_stopping.c, layer_names_read.c or
                   * optimizers.c reads it */
    KEY_COUNT,     /* from 1 to `max` */
    KEY_SEED,
    KEY_HOLD_OUT,
    KEY_POSITIVE,
    KEY_BOOL,
    KEY_TEXT
} KeyKind;

typedef struct {
    ItemKind block;
    const char *name;
    KeyKind kind;
    size_t place; /* of the value in the Model */
    int64_t max;
    const char *expected; /* of a text, for the message */
    bool required;
} Key;
#define PLACE(member) .place = offsetof(Model, member)
static const Key keys[] = {
    {ITEM_DATA, "source", .required = true},
    {ITEM_DATA, "augment", .kind = KEY_ELSEWHERE},
    {ITEM_DATA, "valid", KEY_HOLD_OUT, PLACE(info.split.valid)},
    {ITEM_DATA, "test", KEY_HOLD_OUT, PLACE(info.split.test)},
    {ITEM_DATA, "folds", KEY_COUNT, PLACE(info.split.folds), MAX_FOLDS},
    {ITEM_DATA, "fold", KEY_COUNT, PLACE(info.split.fold), MAX_FOLDS},
    {ITEM_DATA, "series", KEY_TEXT, PLACE(info.split.series), .expected = "a field of the source"},
    {ITEM_DATA, "seed", KEY_SEED, PLACE(info.split.seed)},
    {ITEM_TRAIN, "loss", .required = true},
    {ITEM_TRAIN, "optimizer", .required = true},
    {ITEM_TRAIN, "batch", KEY_COUNT, PLACE(info.batch), MAX_BATCH},
    {ITEM_TRAIN, "accumulate", KEY_COUNT, PLACE(info.accumulate), MAX_BATCH},
    {ITEM_TRAIN, "replicas", KEY_COUNT, PLACE(info.replicas), MAX_BATCH},
    {ITEM_TRAIN, "epochs", KEY_COUNT, PLACE(info.epochs), MAX_EPOCHS},
    {ITEM_TRAIN, "shuffle", KEY_BOOL, PLACE(info.shuffle)},
    {ITEM_TRAIN, "seed", KEY_SEED, PLACE(info.seed)},
    {ITEM_TRAIN, "log_every", KEY_COUNT, PLACE(info.log_every), MAX_LOG_EVERY},
    {ITEM_TRAIN, "metrics", .kind = KEY_ELSEWHERE},
    {ITEM_TRAIN, "keep_best", .kind = KEY_ELSEWHERE},
    {ITEM_TRAIN, "stop_when", .kind = KEY_ELSEWHERE},
    {ITEM_TRAIN, "weights", KEY_TEXT, PLACE(info.weights),
     .expected = "the folder of a run, or a .safetensors file"},
    {ITEM_TRAIN, "freeze", .kind = KEY_ELSEWHERE},
    {ITEM_TRAIN, "groups", .kind = KEY_ELSEWHERE},
    {ITEM_TRAIN, "clip_norm", KEY_POSITIVE, PLACE(clip_norm)},
    {ITEM_TRAIN, "clip_value", KEY_POSITIVE, PLACE(clip_value)},
};
enum { KEYS = sizeof keys / sizeof *keys };

static const char *block_text(ItemKind block) { return block == ITEM_DATA ? "data" : "train"; }

Setting *item_setting(const Item *item, const char *name) {
    for (Setting *setting = item->settings.first; setting; setting = setting->next)
        if (!strcmp(setting->name.text, name)) return setting;
    return NULL;
}

/* -- names -- */

bool settings_known_key(ItemKind block, const char *name) {
    for (int i = 0; i < KEYS; i++)
        if (keys[i].block == block && !strcmp(keys[i].name, name)) return true;
    return false;
}

const char *model_setting(const char *name, const char **block) {
    const char *found = NULL;
    for (int i = 0; i < KEYS; i++) { /* `seed` is in both blocks: that of train comes last */
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
    const char *names[KEYS], *block = block_text(item->kind);
    size_t count = 0;
    for (int i = 0; i < KEYS; i++)
        if (keys[i].block == item->kind) names[count++] = keys[i].name;
    diag_error(model->diag, STATUS_MODEL, setting->name.span, "unknown key '%s' in %s",
               setting->name.text, block);
    ItemKind other = item->kind == ITEM_DATA ? ITEM_TRAIN : ITEM_DATA;
    if (settings_known_key(other, setting->name.text)) {
        diag_help(model->diag, "it is a key of %s { ... }", block_text(other));
        return false;
    }
    if (alias_suggest_word(model->diag, setting->name.text, names, count)) return false;
    diag_help(model->diag, "%s has the keys %s", block, listed(model, names, count));
    if (item->kind == ITEM_DATA)
        diag_help(model->diag, "a field is written 'field %s = ...'", setting->name.text);
    return false;
}

static bool check_setting(const Model *model, const Item *item, const Setting *setting,
                          Names *seen) {
    const Setting *before = names_find(seen, setting->name.text);
    names_put(seen, setting->name.text, (void *)setting);
    if (before) {
        diag_error(model->diag, STATUS_MODEL, setting->name.span, "'%s' is given twice",
                   setting->name.text);
        diag_note(model->diag, before->name.span, "first given here");
        return false;
    }
    if (setting->is_field && item->kind == ITEM_TRAIN) {
        diag_error(model->diag, STATUS_MODEL, setting->name.span,
                   "fields must be in the data block");
        return false;
    }
    return setting->is_field || settings_known_key(item->kind, setting->name.text) ||
           unknown_key(model, item, setting);
}

static bool check_item(const Model *model, const Item *item) {
    Names *seen = names_new(model->arena);
    bool good = true;
    for (const Setting *setting = item->settings.first; setting; setting = setting->next)
        good &= check_setting(model, item, setting, seen);
    bool named = good; /* the missing key may be an unknown, misspelt one */
    for (int i = 0; i < KEYS && named; i++) {
        if (keys[i].block != item->kind || !keys[i].required || names_find(seen, keys[i].name))
            continue;
        diag_error(model->diag, STATUS_MODEL, item->span, "the %s block has no '%s'",
                   block_text(item->kind), keys[i].name);
        good = false;
    }
    return good;
}

bool settings_check_names(Model *model) {
    bool data = check_item(model, model->data);
    return check_item(model, model->train) && data;
}

/* -- values -- */

static bool read_value(const KeyReading *reading, const Key *key, Value value) {
    void *place = (char *)reading->model + key->place;
    switch (key->kind) {
    case KEY_ELSEWHERE: break;
    case KEY_COUNT: return read_count(reading, value, key->max, place);
    case KEY_SEED: return read_seed(reading, value, place);
    case KEY_HOLD_OUT: return read_split(reading, value, place);
    case KEY_POSITIVE: return read_limit(reading, value, place);
    case KEY_BOOL: return read_bool(reading, value, place);
    case KEY_TEXT: return read_text(reading, value, key->expected, place);
    }
    return true;
}

/* valid, test and series are read before the schema of the source is known. */
static bool read_key(Model *model, Evaluator *evaluator, const Key *key) {
    const Setting *setting =
        item_setting(key->block == ITEM_DATA ? model->data : model->train, key->name);
    if (key->kind == KEY_ELSEWHERE || !setting) return true;
    bool names_fields =
        key->kind == KEY_HOLD_OUT || (key->kind == KEY_TEXT && key->block == ITEM_DATA);
    evaluator->phase = names_fields ? PHASE_SPLIT : PHASE_SETTINGS;
    Value value = evaluate(evaluator, setting->value);
    evaluator->phase = PHASE_SETTINGS;
    return value.kind != VALUE_ERROR &&
           read_value(&(KeyReading){model, evaluator, setting}, key, value);
}

/* `folds` and `fold` fit each other, and rows that are not drawn cannot be assigned to folds. */
static bool check_folds(Model *model, Evaluator *evaluator) {
    SplitRequest *split = &model->info.split;
    const Setting *folds = item_setting(model->data, "folds"),
                  *fold = item_setting(model->data, "fold"),
                  *valid = item_setting(model->data, "valid");
    if (!folds && !fold) return true;
    if (!folds || split->folds < 2 || split->fold > split->folds) {
        evaluator_error(evaluator, (fold ? fold : folds)->value->span,
                        !folds             ? "'fold' needs 'folds', the number of all folds"
                        : split->folds < 2 ? "'folds' must be at least 2"
                                           : "'fold' must be a number from 1 to 'folds'");
        return false;
    }
    if (split->valid.kind == HOLD_LAST || split->valid.kind == HOLD_COLUMN) {
        evaluator_error(evaluator, valid->value->span,
                        "folds are drawn by chance: 'valid' cannot be last() or column()");
        return false;
    }
    split->folds_span = evaluator_place(evaluator, folds->value->span);
    if (!split->fold) split->fold = 1;
    return true;
}

/* The nearest batch sizes with equal shares; only one if the other is out of range. */
static void help_batch(const ModelInfo *info, Diagnostics *diag) {
    uint32_t below = info->batch / info->replicas * info->replicas, above = below + info->replicas;
    if (below && above <= MAX_BATCH)
        diag_help(diag, "batch = %u and batch = %u are the nearest that it divides", below, above);
    else
        diag_help(diag, "batch = %u is the nearest that it divides", below ? below : above);
}

/* A batch is cut into equal shares, and the shares of a step are counted. */
static bool check_replicas(const Model *model, Evaluator *evaluator) {
    const ModelInfo *info = &model->info;
    const Setting *setting = item_setting(model->train, "replicas");
    if (info->replicas == 1) return true;
    if (info->batch % info->replicas) {
        if (evaluator_error(evaluator, setting->value->span,
                            "'replicas' must divide the batch: %u rows do not make %u equal shares",
                            info->batch, info->replicas))
            help_batch(info, evaluator->diag);
        return false;
    }
    if ((uint64_t)info->replicas * info->accumulate <= MAX_BATCH) return true;
    evaluator_error(evaluator, setting->value->span,
                    "%u replicas times %u accumulated batches are more than %d shares of a step",
                    info->replicas, info->accumulate, MAX_BATCH);
    return false;
}

bool settings_read(Model *model, Evaluator *evaluator) {
    bool good = true;
    ModelInfo *info = &model->info;
    info->batch = 64;
    info->accumulate = 1;
    info->epochs = 10;
    info->shuffle = true;
    for (int i = 0; i < KEYS; i++) good &= read_key(model, evaluator, &keys[i]);
    if (!item_setting(model->data, "seed")) info->split.seed = info->seed;
    return good && check_folds(model, evaluator) && check_replicas(model, evaluator);
}
