/* Numbers that f32 and i32 have no room for. Private to runtime/. */
#ifndef MLC_RUNTIME_EXACT_H
#define MLC_RUNTIME_EXACT_H

#include <stdint.h>

/* The numbers of a field as they stand in the file, where its own elements are nearest to them only. */
typedef enum { EXACT_WHOLE, EXACT_REAL } ExactKind;
#define WHOLE_MISSING INT64_MIN
typedef struct {
    ExactKind kind;
    void *elements; /* WHOLE: int64_t, WHOLE_MISSING where missing; REAL: double. NULL: the field's own elements are exact */
} Exact;

#endif
