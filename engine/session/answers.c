/* The classes that the numbers of an output stand for. */
#include "engine/session/answers.h"

#include <math.h>
#include <stdio.h>

/* Softmax: exp(x - max) / sum. */
static void softmax(const float *values, int64_t width, float *probabilities) {
    double largest = -INFINITY, sum = 0;
    for (int64_t i = 0; i < width; i++) largest = fmax(largest, values[i]);
    for (int64_t i = 0; i < width; i++) sum += exp(values[i] - largest);
    for (int64_t i = 0; i < width; i++) probabilities[i] = (float)(exp(values[i] - largest) / sum);
}

static int32_t largest_of(const float *values, int64_t width) {
    int32_t best = 0;
    for (int32_t i = 1; i < width && !isnan(values[best]); i++)
        if (values[i] > values[best] || isnan(values[i])) best = i;
    return best;
}

/* Numbers of unknown meaning are logits if those of a row are no probabilities with sum 1. */
static bool are_logits(const ModelOutput *output, const float *numbers, int64_t rows,
                       int64_t width) {
    if (output->numbers != NUMBERS_UNKNOWN) return output->numbers == NUMBERS_LOGITS;
    for (int64_t row = 0; row < rows; row++) {
        double sum = 0;
        for (int64_t i = row * width; i < (row + 1) * width; i++) {
            if (!(numbers[i] >= 0)) return true;
            sum += numbers[i];
        }
        if (!(fabs(sum - 1) < 1e-3)) return true;
    }
    return false;
}

/* Two probabilities of one number: sigmoid(-x) and sigmoid(x), or 1 - p and p. */
static bool find_two(const ModelOutput *output, const float *numbers, int64_t rows,
                     int32_t *classes, float *probabilities) {
    bool logits = output->numbers == NUMBERS_LOGITS;
    for (int64_t row = 0; row < rows; row++) {
        double x = numbers[row];
        classes[row] = x > (logits ? 0 : 0.5);
        probabilities[2 * row] = (float)(logits ? 1 / (1 + exp(x)) : 1 - x);
        probabilities[2 * row + 1] = (float)(logits ? 1 / (1 + exp(-x)) : x);
    }
    return logits;
}

bool answers_find(const ModelOutput *output, const float *numbers, int64_t rows, int64_t width,
                  int32_t *classes, float *probabilities) {
    if (output->is_binary) return find_two(output, numbers, rows, classes, probabilities);
    bool logits = are_logits(output, numbers, rows, width);
    for (int64_t row = 0; row < rows; row++) {
        const float *from = numbers + row * width;
        float *to = probabilities + row * width;
        classes[row] = largest_of(from, width);
        if (logits) softmax(from, width, to);
        for (int64_t i = 0; i < width && !logits; i++) to[i] = from[i];
    }
    return logits;
}

const char *class_name(const SourceSchema *schema, const char *label, int32_t class,
                       char number[NUMBER_TEXT]) {
    SourceRows rows;
    const SourceField *field = label ? source_any(schema, source_rows_of(label, &rows)) : NULL;
    if (field && class >= 0 && (uint32_t) class < field->category_count)
        return field->categories[class];
    snprintf(number, NUMBER_TEXT, "%d", class);
    return number;
}
