/* Predictions as a NumPy archive. Its arrays are called by the output and the key in JSON:
 * "logits.probabilities", "logits.predicted" and "logits.true", or "price" and "price.predicted".
 * The first axis of every array is the row. */
#include "cli/show/predict_show.h"
#include "runtime/formats/npz_write.h"

enum { ARRAYS_OF_OUTPUT = 4 };

typedef struct {
    const Predicting *predicting;
    NamedArray *items;
    uint32_t count;
} ArrayList;

static Arena *arena_of(const ArrayList *list) { return list->predicting->session.arena; }

/* Appends an array [rows, width], or [rows] if width is 0. */
static NamedArray *add(ArrayList *list, const char *name, DType dtype, int64_t width,
                       const void *data) {
    NamedArray *array = &list->items[list->count++];
    Shape shape = {.rank = width ? 2 : 1, .dim = {list->predicting->count, width}};
    *array = (NamedArray){name, dtype, shape, data, false};
    return array;
}

static const char *name_of(const ArrayList *list, const Predictions *output, const char *key) {
    return arena_format(arena_of(list), "%s.%s", output->output->name, key);
}

static void add_class_arrays(ArrayList *list, const Predictions *output) {
    int64_t count = list->predicting->count;
    int32_t *truths = ARENA_ARRAY(arena_of(list), int32_t, count);
    for (int64_t i = 0; i < count; i++) truths[i] = predicted_truth(list->predicting, output, i);
    add(list, name_of(list, output, "probabilities"), DTYPE_F32, output->width, output->values);
    add(list, name_of(list, output, "predicted"), DTYPE_I32, 0, output->predicted);
    if (predicted_known(list->predicting, output))
        add(list, name_of(list, output, "true"), DTYPE_I32, 0, truths);
}

/* In the units of the data, which need 64 bits. */
static void add_units(ArrayList *list, const Predictions *output) {
    const struct {
        const char *key;
        const double *values;
    } parts[] = {
        {"predicted", output->units}, {"deviation", output->deviations}, {"true", output->truths}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].values)
            add(list, name_of(list, output, parts[i].key), DTYPE_F32, output->output->target.width,
                parts[i].values)
                ->f64 = true;
}

static void add_numbers(ArrayList *list, const Predictions *output) {
    /* the numbers of runs may have other scales, so that their mean says nothing */
    if (!output->averaged || !output->units)
        add(list, output->output->name, DTYPE_F32, 0, output->values)->shape = output->shape;
    if (output->units) add_units(list, output);
}

bool predicted_write_npz(const Predicting *predicting, const char *path) {
    uint32_t capacity = ARRAYS_OF_OUTPUT * predicting->output_count;
    ArrayList list = {predicting, ARENA_ARRAY(predicting->session.arena, NamedArray, capacity), 0};
    for (uint32_t i = 0; i < predicting->output_count; i++) {
        const Predictions *output = &predicting->outputs[i];
        if (output->output->classes)
            add_class_arrays(&list, output);
        else
            add_numbers(&list, output);
    }
    return npz_write(path, list.items, list.count, "--index predicts a part of the rows",
                     predicting->diag);
}
