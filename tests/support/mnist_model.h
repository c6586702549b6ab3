/* Models on a source with MNIST's fields, but without data. */
#ifndef MLC_TESTS_SUPPORT_MNIST_MODEL_H
#define MLC_TESTS_SUPPORT_MNIST_MODEL_H

#include "frontend/model/model.h"

SchemaFunction mnist_schema;
/* NULL after errors. `sets` are the arguments of --set. */
Model *mnist_load_with(const char *text, const char *const *sets, uint32_t set_count,
                       Diagnostics *diag);
/* Loads a model that must have no errors. */
Model *mnist_load(const char *text, Diagnostics *diag);
/* Checks that the graph has a symbol of this type, such as "f32[10]". */
void expect_symbol(const Graph *graph, const char *name, const char *type);
const char *
errors_of(const Diagnostics *diag); /* the messages as printed; valid until the next call */

#define DATA                                                                                       \
    "data {\n source = mnist()\n field image = source.image / 255\n field label = source.label\n}\n"
#define TRAIN                                                                                      \
    "train {\n loss = cross_entropy(logits, label)\n optimizer = sgd(lr = 0.1)\n metrics = [accuracy(logits, label)]\n}\n"
#define NET "model net(image) -> logits {\n logits = image |> flatten |> dense(10)\n}\n"

#endif
