/* Numbers that f32 and i32 have no room for. Private to runtime/. */
#ifndef MLC_RUNTIME_DATA_EXACT_H
#define MLC_RUNTIME_DATA_EXACT_H

#include <stdint.h>

/* The numbers of a field as they stand in the file, where its own elements are nearest to them
 * only, and the cells of text. */
typedef enum { EXACT_WHOLE, EXACT_REAL, EXACT_TEXT } ExactKind;
#define WHOLE_MISSING INT64_MIN
typedef struct {
    ExactKind kind;
    void *
        /* WHOLE: int64_t, WHOLE_MISSING where missing; REAL: double. NULL: the field's own elements
         * are exact. TEXT: int32_t, the number of the cell in `texts`, -1 where missing: other than
         * categories, these are in all rows */
        elements;
    const char *const *texts;
} Exact;

#endif
