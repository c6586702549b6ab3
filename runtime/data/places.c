/* The places of rows for messages: the file, and the line or row in it. */
#include "runtime/data/dataset.h"
#include "runtime/data/reader.h"

#include <inttypes.h>

/* The origin of a row: the last one that begins at or before it. NULL: unknown. */
static const RowOrigin *origin_of(const SourceData *source, int32_t row) {
    uint32_t low = 0, high = source->origin_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (source->origins[middle].begin <= row)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &source->origins[low - 1] : NULL;
}

RowPlace source_row_place(const SourceData *source, int32_t row) {
    const RowOrigin *origin = origin_of(source, row);
    if (!origin) return (RowPlace){.row = row};
    int32_t at = row - origin->begin;
    return (RowPlace){origin->file, origin->is_row ? -1 : at,
                      origin->lines ? origin->lines[at] : 0};
}

const char *source_place_text(const SourceData *source, const char *name, int32_t row,
                              char text[PLACE_TEXT]) {
    const RowOrigin *origin = origin_of(source, row);
    const SourceField *field = name ? source_field(&source->schema, name) : NULL;
    RowPlace place = source_row_place(source, row);
    if (!origin)
        snprintf(text, PLACE_TEXT, "row %" PRId64 " of the data", place.row);
    else if (origin->is_row)
        snprintf(text, PLACE_TEXT, "'%.250s'", origin->file);
    else if (origin->parts)
        snprintf(text, PLACE_TEXT, "row %" PRId64 " of %.250s", place.row,
                 origin->parts[field ? field - source->schema.fields : 0]);
    else
        snprintf(text, PLACE_TEXT, "%s %" PRId64 " of '%.250s'", place.line ? "line" : "row",
                 place.line ? place.line : place.row, origin->file);
    return text;
}
