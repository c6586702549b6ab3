/* Numbers that f32 and i32 cannot hold. Private to runtime/. */
#ifndef MLC_RUNTIME_DATA_EXACT_H
#define MLC_RUNTIME_DATA_EXACT_H

#include <stdint.h>

/* The exact numbers of a field whose elements are rounded, or the cells of a text field. */
typedef enum { EXACT_WHOLE, EXACT_REAL, EXACT_TEXT } ExactKind;
#define WHOLE_MISSING INT64_MIN
typedef struct {
    ExactKind kind;
    /* WHOLE: int64_t, WHOLE_MISSING where missing. REAL: double. TEXT: int32_t, the index of the
     * cell in `texts`, -1 where missing. NULL: the elements of the field are exact. */
    void *elements;
    const char *const *texts;
} Exact;

#endif
