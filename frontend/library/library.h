/* The library: the functions of the language that are written in C (library.def) or in the language
 * itself (stdlib.mdl). */
#ifndef MLC_FRONTEND_LIBRARY_LIBRARY_H
#define MLC_FRONTEND_LIBRARY_LIBRARY_H

#include "frontend/evaluate/evaluate.h"

/* The signatures and stdlib.mdl, which are read once. An error in them is a bug. */
const Library *library_get(void);
/* The text of stdlib.mdl. */
const char *stdlib_text(void);

/* -- weights (weights.c) -- */
/* "dense1", "dense2"... in the order of calls */
const char *layer_name(Evaluator *evaluator, const char *kind);
const char *weight_name(Evaluator *evaluator, const char *wanted);
/* Reports a layer outside of the model block, where it cannot have weights. */
Value layer_misplaced(const Call *call);
/* A weight of a layer: "dense1.bias" for the role "bias". */
NodeId weight_of_layer(const Call *call, const char *layer, const char *role, Shape shape,
                       Value init, Fan fan);

/* -- classes and transforms of the data -- */
/* The input that reads these class numbers from one field of the source, or NULL (classes.c). */
const char *classes_known_by(const Evaluator *evaluator, Value label);
/* Records that the label of a call, elements of the source, chooses from so many columns. If an
 * element is used several times, the fewest columns count (class_uses.c). */
void class_use_keep(const Call *call, int64_t columns);
/* The fitted transforms in order of evaluation. */
const Fit *fits_list(const FitList *fits, Arena *arena, uint32_t *count);

#endif
