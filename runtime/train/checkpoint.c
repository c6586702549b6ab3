/* Checkpoints: the states and the position of a training, as a safetensors file. Its tensors are
 * the states and the fitted transforms; its metadata are the fields of CheckpointInfo. */
#include "ir/base/memory.h"
#include "ir/data/step_parts.h"
#include "runtime/formats/safetensors.h"
#include "runtime/data/schema_text.h"
#include "runtime/train/checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_TEXT = 32 };
#define FORMAT "1" /* of the metadata under the key "mlc" */
/* the part of a fitted number that f64 cannot hold, of numbers beyond 2^53; written only if it is
 * not 0 */
#define MEAN_REST "mean_rest"
#define VALUE_REST "value_rest"

/* -- writing -- */

/* The tensors of a file, and their elements one after the other. */
typedef struct {
    SafeTensor *tensors;
    uint32_t count;
    char *data;
    size_t bytes;
} Tensors;

/* Adds the tensor "NAME.PART". Its elements are numbers[0], numbers[step], ... */
static void add_numbers(Tensors *to, const FittedColumn *fitted, const char *part,
                        const double *numbers, int64_t step) {
    size_t length = strlen(fitted->name) + strlen(part) + 2;
    char *whole = memory_array(length, 1, "a checkpoint");
    snprintf(whole, length, "%s.%s", fitted->name, part);
    to->tensors[to->count++] = (SafeTensor){whole, SAFETENSORS_F64, fitted->row, NULL};
    for (int64_t i = 0; i < shape_elements(fitted->row); i++, to->bytes += sizeof *numbers)
        memcpy(to->data + to->bytes, &numbers[i * step], sizeof *numbers);
}

static void add_fitted(Tensors *to, const FittedColumn *fitted) {
    const double *values = &fitted->values->number, *rests = &fitted->values->rest;
    bool means = fitted->deviation != NULL;
    add_numbers(to, fitted, means ? "mean" : "value", values, 2);
    bool has_rests = false;
    for (int64_t i = 0; i < shape_elements(fitted->row); i++)
        has_rests |= fitted->values[i].rest != 0;
    if (has_rests) add_numbers(to, fitted, means ? MEAN_REST : VALUE_REST, rests, 2);
    if (means) add_numbers(to, fitted, "deviation", fitted->deviation, 1);
}

/* Sums that no share waits for are zeros in the file: what was left in memory has no meaning, and
 * depends on the number of processes. data: of all states. */
static void clear_idle_sums(const States *states, char *data) {
    float shares = 0;
    if (!states_read(states, ACCUMULATE_BATCHES, &shares)) return;
    for (uint32_t i = 0; i < states_count(states); i++) {
        const Symbol *symbol = states_symbol(states, i);
        size_t bytes = (size_t)shape_elements(symbol->shape) * dtype_bytes(symbol->dtype);
        unsigned level;
        int length = 0;
        sscanf(symbol->name, ACCUMULATE_PREFIX "%u.%n", &level, &length);
        if (length && !((uint32_t)shares >> level & 1)) memset(data, 0, bytes);
        data += bytes;
    }
}

/* Tensors of f64 come first, so that every tensor is aligned to its elements. */
static Tensors gather_tensors(const States *states, const CheckpointInfo *info) {
    uint32_t count = states_count(states);
    size_t bytes = states_bytes(states);
    for (uint32_t i = 0; i < info->fitted_count; i++)
        bytes += 3 * (size_t)shape_elements(info->fitted[i].row) * sizeof(double);
    Tensors to = {.tensors = memory_new((count + 3 * info->fitted_count) * sizeof *to.tensors,
                                        "a checkpoint"),
                  .data = memory_new(bytes, "a checkpoint")};
    for (uint32_t i = 0; i < info->fitted_count; i++) add_fitted(&to, &info->fitted[i]);
    states_save(states, to.data + to.bytes);
    clear_idle_sums(states, to.data + to.bytes);
    to.bytes += states_bytes(states);
    for (uint32_t i = 0; i < count; i++) {
        const Symbol *symbol = states_symbol(states, i);
        to.tensors[to.count++] =
            (SafeTensor){symbol->name, safetensors_dtype(symbol->dtype), symbol->shape, NULL};
    }
    return to;
}

static bool write_tensors(const char *path, const States *states, const CheckpointInfo *info,
                          const SafePair *pairs, uint32_t pair_count, Diagnostics *diag) {
    Tensors all = gather_tensors(states, info);
    bool good = safetensors_write(path, all.tensors, all.count, all.data, all.bytes, pairs,
                                  pair_count, diag);
    for (uint32_t i = 0; i + states_count(states) < all.count; i++)
        free((char *)all.tensors[i].name);
    free(all.tensors);
    free(all.data);
    return good;
}

static const char *whole_text(char text[NUMBER_TEXT], uint64_t number) {
    snprintf(text, NUMBER_TEXT, "%" PRIu64, number);
    return text;
}

/* A number in hexadecimal, which keeps every bit. */
static const char *real_text(char text[NUMBER_TEXT], double number) {
    snprintf(text, NUMBER_TEXT, "%a", isnan(number) ? NAN : number);
    return text;
}

bool checkpoint_noise(const CheckpointInfo *info) {
    return info->noise_trace != 0 || info->noise_square != 0;
}

bool checkpoint_save(const char *path, const States *states, const CheckpointInfo *info,
                     Diagnostics *diag) {
    char step[NUMBER_TEXT], epoch[NUMBER_TEXT], epochs[NUMBER_TEXT], seed[NUMBER_TEXT],
        loss_sum[NUMBER_TEXT], best[NUMBER_TEXT], best_epoch[NUMBER_TEXT], gained[NUMBER_TEXT],
        waited[NUMBER_TEXT], numerics[NUMBER_TEXT], log_sum[NUMBER_TEXT], log_rows[NUMBER_TEXT],
        trace[NUMBER_TEXT], square[NUMBER_TEXT];
    bool logs = info->log_rows != 0, measured = checkpoint_noise(info);
    const SafePair all[] = {
        {"mlc", FORMAT},
        {"step", whole_text(step, info->step)},
        {"epoch", whole_text(epoch, info->epoch)},
        {"epochs", whole_text(epochs, info->epochs)},
        {"seed", whole_text(seed, info->seed)},
        {"loss_sum", real_text(loss_sum, info->loss_sum)},
        {"best", real_text(best, info->best)},
        {"best_epoch", whole_text(best_epoch, info->best_epoch)},
        {"gained", real_text(gained, info->gained)},
        {"waited", whole_text(waited, info->waited)},
        {"numerics", whole_text(numerics, NUMERICS_VERSION)},
        {"model_hash", info->model_hash},
        {"data_digest", info->data_digest},
        {"log_sum", logs ? real_text(log_sum, info->log_sum) : NULL},
        {"log_rows", logs ? whole_text(log_rows, info->log_rows) : NULL},
        {"noise_trace", measured ? real_text(trace, info->noise_trace) : NULL},
        {"noise_square", measured ? real_text(square, info->noise_square) : NULL},
        {"schema", info->schema}};
    SafePair pairs[sizeof all / sizeof *all];
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].value) pairs[count++] = all[i];
    return write_tensors(path, states, info, pairs, count, diag);
}

/* -- reading -- */

static bool take_whole(const SafeFile *file, const char *key, uint64_t *number) {
    const char *text = safetensors_text(file, key);
    char *end;
    if (!text || *text < '0' || *text > '9') return false;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return !*end && !errno;
}

static bool take_real(const SafeFile *file, const char *key, double *number) {
    const char *text = safetensors_text(file, key);
    char *end;
    if (!text || !*text) return false;
    *number = strtod(text, &end);
    return !*end;
}

static bool take_hash(const SafeFile *file, const char *key, char hash[65]) {
    const char *text = safetensors_text(file, key);
    if (!text || strlen(text) > 64 || strspn(text, "0123456789abcdef") != strlen(text))
        return false;
    strcpy(hash, text);
    return true;
}

static bool take_optional(const SafeFile *file, const char *key, uint64_t *whole, double *real) {
    if (!safetensors_text(file, key)) return true;
    return whole ? take_whole(file, key, whole) : take_real(file, key, real);
}

static bool is_checkpoint(const SafeFile *file) {
    const char *format = safetensors_text(file, "mlc");
    return format && !strcmp(format, FORMAT);
}

/* Why no training can have this position; NULL: it is possible. */
static const char *contradiction(const CheckpointInfo *info) {
    if (info->step < info->epoch) return "it has more epochs than steps";
    if (info->epochs && info->epoch > info->epochs)
        return "it has done more epochs than its run has";
    if (info->best_epoch > info->epoch) return "its best epoch is one that has not been trained";
    if (isnan(info->best) != (info->best_epoch == 0))
        return "its best epoch and its best score do not fit together";
    if (info->waited > info->epoch) return "it has waited for more epochs than it has done";
    if (!isfinite(info->loss_sum) || !isfinite(info->log_sum))
        return "the sum of its losses is not finite";
    if (!isfinite(info->noise_trace) || !isfinite(info->noise_square))
        return "its gradient noise is not finite";
    return NULL;
}

/* Reads the metadata of a checkpoint. false: *key is missing or has no valid value. */
static bool take_info(const SafeFile *file, CheckpointInfo *info, const char **key) {
    const struct {
        const char *key;
        uint64_t *whole;
        double *real;
        char *hash;
    } entries[] = {{.key = "step", .whole = &info->step},
                   {.key = "epoch", .whole = &info->epoch},
                   {.key = "seed", .whole = &info->seed},
                   {.key = "loss_sum", .real = &info->loss_sum},
                   {.key = "best", .real = &info->best},
                   {.key = "best_epoch", .whole = &info->best_epoch},
                   {.key = "gained", .real = &info->gained},
                   {.key = "waited", .whole = &info->waited},
                   {.key = "model_hash", .hash = info->model_hash},
                   {.key = "data_digest", .hash = info->data_digest}};
    *info = (CheckpointInfo){0};
    /* files of version 1 of the numerics do not name it */
    if (!take_whole(file, "numerics", &info->numerics)) info->numerics = 1;
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        *key = entries[i].key;
        bool taken = entries[i].whole  ? take_whole(file, *key, entries[i].whole)
                     : entries[i].real ? take_real(file, *key, entries[i].real)
                                       : take_hash(file, *key, entries[i].hash);
        if (!taken) return false;
    }
    /* the last keys are not in every file */
    return take_optional(file, *key = "epochs", &info->epochs, NULL) &&
           take_optional(file, *key = "log_rows", &info->log_rows, NULL) &&
           take_optional(file, *key = "log_sum", NULL, &info->log_sum) &&
           take_optional(file, *key = "noise_trace", NULL, &info->noise_trace) &&
           take_optional(file, *key = "noise_square", NULL, &info->noise_square);
}

static bool damaged(const char *path, const char *what, Diagnostics *diag) {
    diag_error(diag, STATUS_FILE, (Span){0}, "the metadata of '%s' are damaged: %s", path, what);
    diag_help(diag, "mlc did not write them so: use another checkpoint, or train again");
    return false;
}

/* The info of a checkpoint; zeros for other files. false after reporting impossible metadata. */
static bool read_info(const char *path, const SafeFile *file, CheckpointInfo *info,
                      Diagnostics *diag) {
    const char *key, *text;
    char what[160];
    *info = (CheckpointInfo){0};
    if (!is_checkpoint(file)) return true;
    if (!take_info(file, info, &key)) {
        text = safetensors_text(file, key);
        snprintf(what, sizeof what, text ? "%s is '%.60s'" : "%s is missing", key, text);
        return damaged(path, what, diag);
    }
    return !contradiction(info) || damaged(path, contradiction(info), diag);
}

static bool report_foreign(const char *path, Diagnostics *diag) {
    diag_error(
        diag, STATUS_FILE, (Span){0},
        "'%s' was not written by this version of mlc: step, epoch and seed are not in its metadata",
        path);
    diag_help(diag, "a training can be resumed only from the last.safetensors of its run folder");
    return false;
}

static bool check_symbol(const char *path, const SafeFile *file, const Symbol *symbol,
                         Diagnostics *diag) {
    const SafeTensor *tensor = safetensors_find(file, symbol->name);
    char wanted[SAFETENSOR_TEXT], found[SAFETENSOR_TEXT];
    SafeTensor ours = {.dtype = safetensors_dtype(symbol->dtype), .shape = symbol->shape};
    if (tensor && safetensors_fits(tensor, symbol)) return true;
    safetensors_tensor_text(&ours, wanted);
    if (tensor)
        diag_error(diag, STATUS_FILE, (Span){0}, "'%s' has '%s' as %s, but in the model it is %s",
                   path, symbol->name, safetensors_tensor_text(tensor, found), wanted);
    else
        diag_error(diag, STATUS_FILE, (Span){0}, "'%s' does not have '%s' %s of the model", path,
                   symbol->name, wanted);
    return false;
}

static bool check_tensors(const char *path, const SafeFile *file, const States *states,
                          bool partial, Diagnostics *diag) {
    bool good = true;
    for (uint32_t i = 0; i < states_count(states); i++)
        good &= check_symbol(path, file, states_symbol(states, i), diag);
    for (uint32_t i = 0; i < safetensors_count(file) && !partial; i++) {
        const SafeTensor *tensor = safetensors_tensor(file, i);
        char found[SAFETENSOR_TEXT];
        /* a fitted transform: checkpoint_fitted reads it */
        bool fitted = !strcmp(tensor->dtype, SAFETENSORS_F64);
        if (fitted || states_find(states, tensor->name)) continue;
        diag_error(diag, STATUS_FILE, (Span){0},
                   "'%s' has '%.100s' %s, which the model does not have", path, tensor->name,
                   safetensors_tensor_text(tensor, found));
        good = false;
    }
    if (!good)
        diag_help(diag, "the checkpoint belongs to another model: resolved.mdl in its run folder");
    return good;
}

bool checkpoint_load(const char *path, States *states, bool partial, CheckpointInfo *info,
                     Diagnostics *diag) {
    SafeFile *file = safetensors_read(path, diag);
    if (!file) return false;
    bool good = read_info(path, file, info, diag) &&
                (is_checkpoint(file) || partial || report_foreign(path, diag)) &&
                check_tensors(path, file, states, partial, diag);
    for (uint32_t i = 0; i < safetensors_count(file) && good; i++) {
        const SafeTensor *tensor = safetensors_tensor(file, i);
        if (strcmp(tensor->dtype, SAFETENSORS_F64))
            states_write(states, tensor->name, tensor->data);
    }
    safetensors_free(file);
    return good;
}

/* -- fitted transforms -- */

static const SafeTensor *fitted_tensor(const SafeFile *file, const Fit *fit, const char *part) {
    char name[512];
    snprintf(name, sizeof name, "%s.%s", fit->name, part);
    return safetensors_find(file, name);
}

/* Reads a fitted transform; earlier versions wrote it as f32. */
static bool take_numbers(const char *path, const SafeFile *file, const Fit *fit, const char *part,
                         double *numbers, Diagnostics *diag) {
    char found[SAFETENSOR_TEXT], wanted[SAFETENSOR_TEXT];
    const SafeTensor *tensor = fitted_tensor(file, fit, part);
    bool wide = tensor && !strcmp(tensor->dtype, SAFETENSORS_F64),
         single = tensor && !strcmp(tensor->dtype, safetensors_dtype(DTYPE_F32));
    int64_t count = shape_elements(fit->row);
    if ((wide || single) && shape_elements(tensor->shape) == count) {
        if (wide) memcpy(numbers, tensor->data, (size_t)count * sizeof *numbers);
        for (int64_t i = 0; i < count && single; i++)
            numbers[i] = dtype_element(DTYPE_F32, tensor->data, i);
        return true;
    }
    safetensors_tensor_text(&(SafeTensor){.dtype = SAFETENSORS_F64, .shape = fit->row}, wanted);
    if (tensor)
        diag_error(diag, STATUS_FILE, (Span){0},
                   "'%s' has '%s.%s' as %s, but in the model it is %s", path, fit->name, part,
                   safetensors_tensor_text(tensor, found), wanted);
    else
        diag_error(diag, STATUS_FILE, (Span){0}, "'%s' does not have '%s.%s' %s of the model", path,
                   fit->name, part, wanted);
    return false;
}

/* Reads fitted numbers with their rests, if the file has any. */
static bool take_exact(const char *path, const SafeFile *file, const Fit *fit, const char *part,
                       const char *rest_part, ExactNumber *to, Diagnostics *diag) {
    int64_t count = shape_elements(fit->row);
    double *numbers = memory_new((size_t)count * sizeof *numbers, "a checkpoint"),
           *rests = memory_new((size_t)count * sizeof *rests, "a checkpoint");
    bool good = take_numbers(path, file, fit, part, numbers, diag) &&
                (!fitted_tensor(file, fit, rest_part) ||
                 take_numbers(path, file, fit, rest_part, rests, diag));
    for (int64_t i = 0; i < count; i++) to[i] = (ExactNumber){numbers[i], rests[i]};
    free(numbers);
    free(rests);
    return good;
}

static bool read_column(const char *path, const SafeFile *file, const Fit *fit, Arena *arena,
                        FittedColumn *fitted, Diagnostics *diag) {
    int64_t count = shape_elements(fit->row);
    *fitted = (FittedColumn){.name = fit->name, .row = fit->row};
    fitted->values = ARENA_ARRAY(arena, ExactNumber, count);
    if (fit->kind != FIT_STANDARDIZE)
        return take_exact(path, file, fit, "value", VALUE_REST, fitted->values, diag);
    fitted->deviation = ARENA_ARRAY(arena, double, count);
    return take_exact(path, file, fit, "mean", MEAN_REST, fitted->values, diag) &&
           take_numbers(path, file, fit, "deviation", fitted->deviation, diag);
}

const FittedColumn *checkpoint_fitted(const char *path, const Fit *fits, uint32_t count,
                                      Arena *arena, uint32_t *found, Diagnostics *diag) {
    FittedColumn *columns = ARENA_ARRAY(arena, FittedColumn, count);
    bool any = false, good = true;
    *found = 0;
    for (uint32_t i = 0; i < count; i++) any |= fits[i].column != NULL;
    SafeFile *file = any ? safetensors_read(path, diag) : NULL;
    for (uint32_t i = 0; i < count && good && any; i++)
        good = file && (!fits[i].column ||
                        read_column(path, file, &fits[i], arena, &columns[(*found)++], diag));
    safetensors_free(file);
    return good ? columns : NULL;
}

bool checkpoint_info(const char *path, CheckpointInfo *info, Diagnostics *diag) {
    SafeFile *file = safetensors_read(path, diag);
    bool good = file && (is_checkpoint(file) || report_foreign(path, diag)) &&
                read_info(path, file, info, diag);
    safetensors_free(file);
    return good;
}

bool checkpoint_schema(const char *path, Arena *arena, SourceSchema *schema) {
    /* a wrong file is reported when the weights are loaded */
    Diagnostics *unheard = diag_new();
    SafeFile *file = safetensors_read(path, unheard);
    const char *text = file ? safetensors_text(file, "schema") : NULL;
    bool good = text && schema_read(text, arena, schema);
    safetensors_free(file);
    diag_free(unheard);
    return good;
}
