/* Bits of the interface against those of the program mlc.
 *
 *   interface_bits pictures RUN IMAGES LINES   predicts all pictures of an IDX file; LINES is what
 *                                              `mlc predict --all --json` has printed for them
 *   interface_bits table RUN FILE.csv LINES    the same for the rows of a table
 *   interface_bits train MODEL IMAGES LABELS EPOCHS OUT
 *                                              trains on the rows in their order, and saves into OUT
 *                                              (the first half of the steps in one network, the rest
 *                                              in another one that goes on from what it has saved) */
#include "checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_INPUTS = 64, MAX_OUTPUTS = 8 };

/* -- lines of JSON -- */

/* Compares the numbers of the array after "KEY": with `count` floats; returns what follows it. */
static const char *compare(const char *line, const char *key, const float *values, int64_t count) {
    char wanted[80];
    snprintf(wanted, sizeof wanted, "\"%s\":[", key);
    const char *at = strstr(line, wanted);
    if (!at) {
        printf("no %s in %.200s\n", wanted, line);
        exit(1);
    }
    at += strlen(wanted);
    for (int64_t i = 0; i < count; i++) {
        char *end;
        float value = strtof(at, &end);
        if (memcmp(&value, &values[i], sizeof value)) {
            printf("%s[%lld]: %.9g here, %.9g by mlc predict\n", key, (long long)i,
                   (double)values[i], (double)value);
            exit(1);
        }
        at = *end == ',' ? end + 1 : end;
    }
    return at;
}

/* The key of an output's numbers is its name. In the object of an output that has a target, it is
 * "output". */
static void compare_row(const char *line, const mlc_network *network, int64_t row,
                        float *const *outputs, float *const *probabilities) {
    for (int i = 0; i < mlc_output_count(network); i++) {
        const mlc_tensor *output = mlc_output(network, i);
        char array[80];
        snprintf(array, sizeof array, "\"%s\":[", output->name);
        const char *part = mlc_output_count(network) > 1 ? strstr(line, output->name) : line;
        if (output->class_count)
            compare(part, "probabilities", probabilities[i] + row * output->class_count,
                    output->class_count);
        else
            compare(line, strstr(line, array) ? output->name : "output",
                    outputs[i] + row * output->elements, output->elements);
    }
}

static void compare_all(mlc_network *network, int64_t rows, const void *const *inputs,
                        const char *lines) {
    float *outputs[MAX_OUTPUTS], *probabilities[MAX_OUTPUTS];
    int32_t *classes = malloc((size_t)rows * sizeof *classes);
    for (int i = 0; i < mlc_output_count(network); i++)
        outputs[i] = malloc((size_t)(rows * mlc_output(network, i)->elements) * sizeof(float));
    CHECK(mlc_predict(network, rows, inputs, outputs) == MLC_OK, network);
    for (int i = 0; i < mlc_output_count(network); i++) {
        const mlc_tensor *output = mlc_output(network, i);
        probabilities[i] = malloc((size_t)(rows * (output->class_count + 1)) * sizeof(float));
        if (output->class_count)
            CHECK(mlc_classify(network, i, rows, outputs[i], classes, probabilities[i]) == MLC_OK,
                  network);
    }
    size_t length;
    char *text = (char *)read_bytes(lines, &length), *at = text;
    for (int64_t row = 0; row < rows; row++) {
        char *end = strchr(at, '\n');
        CHECK(end != NULL, network);
        *end = 0;
        compare_row(at, network, row, outputs, probabilities);
        at = end + 1;
    }
    CHECK(!*at, network);
    free(text);
    for (int i = 0; i < mlc_output_count(network); i++) free(outputs[i]), free(probabilities[i]);
    free(classes);
    printf("%lld rows have the bits of mlc predict\n", (long long)rows);
}

static mlc_network *open_network(const char *path, const mlc_options *options) {
    mlc_network *network;
    mlc_status status = mlc_open(path, options, &network);
    CHECK(status == MLC_OK, network);
    return network;
}

static void check_pictures(const char *run, const char *images, const char *lines, int batch) {
    int64_t rows, width;
    unsigned char *pixels = read_idx_rows(images, &rows, &width);
    mlc_network *network =
        open_network(run, &(mlc_options){.size = sizeof(mlc_options), .rows = batch, .threads = 2});
    CHECK(mlc_input(network, 0)->type == MLC_U8 && mlc_input(network, 0)->elements == width,
          network);
    compare_all(network, rows, (const void *[]){pixels}, lines);
    mlc_close(network);
    free(pixels);
}

/* -- tables -- */

/* Reads a cell in the type of the input. */
static void take_cell(const mlc_tensor *input, const char *cell, void *column, int64_t row) {
    double number = *cell ? strtod(cell, NULL) : (double)__builtin_nanf("");
    if (input->type == MLC_F64) ((double *)column)[row] = number;
    if (input->type == MLC_F32) ((float *)column)[row] = (float)number;
    if (input->type != MLC_I32) return;
    int32_t *to = (int32_t *)column + row;
    *to = input->classes ? -1 : (int32_t)number;
    for (int i = 0; input->classes && i < input->class_count; i++)
        if (!strcmp(input->classes[i], cell)) *to = i;
}

static void check_table(const char *run, const char *path, const char *lines, int batch) {
    enum { MAX_ROWS = 4096 };
    size_t length;
    char *text = (char *)read_bytes(path, &length), *line = strtok(text, "\r\n");
    mlc_network *network =
        open_network(run, &(mlc_options){.size = sizeof(mlc_options), .rows = batch});
    int columns[MAX_INPUTS], count = 0;
    void *arrays[MAX_INPUTS];
    for (char *name; (name = strsep(&line, ","));) {
        columns[count] = -1;
        for (int i = 0; i < mlc_input_count(network); i++)
            if (!strcmp(mlc_input(network, i)->name, name)) columns[count] = i;
        count++;
    }
    for (int i = 0; i < mlc_input_count(network); i++) arrays[i] = calloc(MAX_ROWS, sizeof(double));
    int64_t rows = 0;
    for (; rows < MAX_ROWS && (line = strtok(NULL, "\r\n")); rows++) {
        char *rest = line;
        for (int i = 0; i < count; i++) {
            const char *cell = strsep(&rest, ",");
            if (columns[i] >= 0)
                take_cell(mlc_input(network, columns[i]), cell, arrays[columns[i]], rows);
        }
    }
    compare_all(network, rows, (const void *const *)arrays, lines);
    for (int i = 0; i < mlc_input_count(network); i++) free(arrays[i]);
    mlc_close(network);
    free(text);
}

/* -- training -- */

static void steps(mlc_network *network, const unsigned char *images, int64_t width,
                  const unsigned char *labels, int64_t rows, int64_t count) {
    int image = input_named(network, "image"), label = input_named(network, "label");
    int64_t first = mlc_steps(network);
    for (int64_t i = 0; i < count; i++) {
        const void *inputs[2];
        int64_t batch = mlc_batch(network), in_epoch = first + i, full = 0;
        /* all batches but the last of an epoch are full; their size is that of the first batch */
        static int64_t size;
        if (!size) size = batch;
        full = (rows + size - 1) / size;
        int64_t row = in_epoch % full * size;
        float loss;
        inputs[image] = images + row * width;
        inputs[label] = labels + row;
        CHECK(mlc_step(network, batch, inputs, &loss) == MLC_OK, network);
    }
    CHECK(mlc_steps(network) == first + count, network);
}

static void check_training(char **arguments) {
    const char *model = arguments[0], *out = arguments[4];
    int64_t rows, width, label_rows, one, epochs = atoll(arguments[3]);
    unsigned char *images = read_idx_rows(arguments[1], &rows, &width);
    unsigned char *labels = read_idx_rows(arguments[2], &label_rows, &one);
    mlc_options options = {.size = sizeof options, .training = 1, .threads = 2, .epoch_rows = rows};
    mlc_network *network = open_network(model, &options);
    int64_t batch = mlc_batch(network), all = epochs * ((rows + batch - 1) / batch);
    steps(network, images, width, labels, rows, all / 2);
    CHECK(mlc_save(network, out) == MLC_OK, network);
    mlc_close(network);
    options.threads = 1;
    network = open_network(out, &options);
    CHECK(mlc_steps(network) == all / 2, network);
    steps(network, images, width, labels, rows, all - all / 2);
    CHECK(mlc_epochs(network) == epochs, network);
    CHECK(mlc_save(network, out) == MLC_OK, network);
    mlc_close(network);
    free(images);
    free(labels);
}

int main(int argc, char **argv) {
    if (argc == 5 && !strcmp(argv[1], "pictures")) {
        check_pictures(argv[2], argv[3], argv[4], 1);
        check_pictures(argv[2], argv[3], argv[4], 16);
    } else if (argc == 5 && !strcmp(argv[1], "table")) {
        check_table(argv[2], argv[3], argv[4], 1);
        check_table(argv[2], argv[3], argv[4], 7);
    } else if (argc == 7 && !strcmp(argv[1], "train")) {
        check_training(argv + 2);
    } else {
        return 2;
    }
    return 0;
}
