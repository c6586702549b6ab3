/* The models that ship with mlc, without their data. */
#ifndef MLC_TESTS_SUPPORT_MODELS_H
#define MLC_TESTS_SUPPORT_MODELS_H

#include "frontend/model/model.h"

/* The model in a file; NULL if its data are a table that does not ship. Other errors end the
 * test. */
Model *model_in_file(const char *path, Diagnostics *diag);
/* Calls `use` with every model whose path matches a pattern of the shell. */
typedef void UseModel(const char *path, const Model *model, Diagnostics *diag);
void each_model(const char *pattern, UseModel *use);

#endif
