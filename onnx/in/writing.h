/* The state of writing an imported model as text. Private to onnx/in: all others see
 * write_model. */
#ifndef MLC_ONNX_IN_WRITING_H
#define MLC_ONNX_IN_WRITING_H

#include "onnx/in/translate.h"

#include <stdio.h>

typedef struct {
    Import *import;
    Imported *imported;
    FILE *out;
    Names *taken;   /* names that variables already have */
    Names *numbers; /* for each name, the last number appended to it */
    Names *counts;  /* for each kind of layer, how many there are */
    uint32_t values;
} Writing;

/* Reserves the words of a text: a variable with the name of a function would hide it. */
void write_take_words(Writing *writing, const char *text);
/* A name of the file as an unused identifier: "layer1.0.weight" is layer1_0_weight,
 * "/fc/Gemm_output_0" and "onnx::MatMul_12" are `standard`. */
const char *write_identifier(const Writing *writing, const char *name, const char *standard);
/* Decides which tensors get a name of their own. */
void write_choose_named(Import *import);
/* Prints the statements of the model, and collects its weights. */
void write_statements(Writing *writing);

#endif
