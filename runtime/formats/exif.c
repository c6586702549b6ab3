/* Reads the orientation from EXIF data: a TIFF header and a list of entries (tag, type, count,
 * value). */
#include "runtime/formats/raster.h"

#include <string.h>

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, HEADER = 8, ENTRY = 12 };

static uint32_t number(const uint8_t *at, int bytes, bool big_endian) {
    uint32_t value = 0;
    for (int i = 0; i < bytes; i++) value = value << 8 | at[big_endian ? i : bytes - 1 - i];
    return value;
}

int exif_orientation(const uint8_t *exif, size_t length) {
    if (length >= 6 && !memcmp(exif, "Exif\0\0", 6)) exif += 6, length -= 6;
    if (length < HEADER || (memcmp(exif, "II*\0", 4) != 0 && memcmp(exif, "MM\0*", 4) != 0))
        return 1;
    bool big_endian = *exif == 'M';
    size_t list = number(exif + 4, 4, big_endian);
    if (list > length || length - list < 2) return 1;
    size_t count = number(exif + list, 2, big_endian);
    for (size_t i = 0; i < count && list + 2 + (i + 1) * ENTRY <= length; i++) {
        const uint8_t *entry = exif + list + 2 + i * ENTRY;
        if (number(entry, 2, big_endian) != TAG_ORIENTATION ||
            number(entry + 2, 2, big_endian) != TYPE_SHORT)
            continue;
        uint32_t orientation = number(entry + 8, 2, big_endian);
        return orientation >= 1 && orientation <= 8 ? (int)orientation : 1;
    }
    return 1;
}
