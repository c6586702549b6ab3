/* The classes that the numbers of an output stand for. */
#ifndef MLC_ENGINE_SESSION_ANSWERS_H
#define MLC_ENGINE_SESSION_ANSWERS_H

#include "frontend/model/model.h"
#include "ir/base/number_text.h"

/* Finds the class of each row of an output that has classes, and the probabilities of all classes.
 * numbers: [rows][width], as the network has computed them. The class is the one with the largest
 * number, of equal ones the first, as accuracy counts; a NaN is larger than all numbers. It is
 * found before the numbers become probabilities, which may round to equal ones. probabilities:
 * [rows][2] for an output that is_binary, else [rows][width], which may be `numbers`. Returns
 * whether the numbers are logits. */
bool answers_find(const ModelOutput *output, const float *numbers, int64_t rows, int64_t width,
                  int32_t *classes, float *probabilities);

/* The name of a class as the data have it: "7" or "Ankle boot". `number` is a buffer. */
const char *class_name(const SourceSchema *schema, const char *label, int32_t class,
                       char number[NUMBER_TEXT]);

#endif
