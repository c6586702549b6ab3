/* Fuzzes ONNX files. An accepted file becomes a model text, and weights whose sizes agree with
 * their shapes. */
#include "onnx/in/model.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

const char *const fuzz_words[] = {"Conv",
                                  "MatMul",
                                  "Reshape",
                                  "\x08\x01",
                                  ("\x1a\x04"
                                   "Relu"),
                                  ("\x22\x03"
                                   "Add"),
                                  "axis",
                                  "perm",
                                  "\x12\x00",
                                  "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
                                  "location",
                                  "../x",
                                  "Concat",
                                  "Gather",
                                  "Shape",
                                  "Einsum",
                                  "ij,jk->ik",
                                  "Attention",
                                  NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *copy = (uint8_t *)fuzz_copy(data, size);
    Arena *arena = arena_new();
    Diagnostics *diag = diag_new();
    Imported imported = {0};
    OnnxModel *model = onnx_read_bytes(copy, size, "/nowhere/net.onnx", arena, diag);
    if (!model) fuzz_rejected(diag, STATUS_FILE);
    free(copy); /* nothing may refer to the bytes any more */
    bool good = model && onnx_translate(model, NULL, 0, arena, &imported, diag);
    if (model && !good) fuzz_rejected(diag, STATUS_MODEL);
    float sum = 0;
    for (uint32_t i = 0; good && i < imported.weight_count; i++)
        for (int64_t k = 0; k < shape_elements(imported.weights[i].shape); k++)
            sum += imported.weights[i].data[k];
    volatile float used = sum; /* so that the compiler keeps the loop that reads every number */
    (void)used;
    if (good) REQUIRE(strstr(imported.text, "model net("));
    diag_free(diag);
    arena_free(arena);
    return 0;
}
