/* Files of tensors by name that networks take weights from: safetensors, and the NPZ archives of
 * NumPy. Private to runtime/. */
#ifndef MLC_RUNTIME_FORMATS_WEIGHTS_FILE_H
#define MLC_RUNTIME_FORMATS_WEIGHTS_FILE_H

#include "runtime/formats/safetensors.h"

/* The kind is known by the first bytes, not by the name. */
typedef struct WeightsFile WeightsFile;
/* NULL after reporting a STATUS_FILE error. */
WeightsFile *weights_file_read(const char *path, Diagnostics *diag);
void weights_file_free(WeightsFile *file); /* NULL is allowed */
uint32_t weights_file_count(const WeightsFile *file);
/* Tensor `index` in the order of the file. Arrays of an archive have the dtype F32, I32 or U8. */
const SafeTensor *weights_file_tensor(const WeightsFile *file, uint32_t index);
/* Whether the program that wrote the file has chosen this order. false: a safetensors file, which
 * is sorted by name. */
bool weights_file_keeps_order(const WeightsFile *file);
const SafeTensor *weights_file_find(const WeightsFile *file,
                                    const char *name); /* NULL: none of that name */
/* Whether the tensor's numbers can become those of the symbol: the same shape, and a dtype that is
 * the same or a real one of another width (F64, F16, BF16). */
bool weights_file_fits(const SafeTensor *tensor, const Symbol *symbol);
/* Writes the numbers of a tensor that fits, each rounded once. */
void weights_file_convert(const SafeTensor *tensor, const Symbol *symbol, void *to);

#endif
