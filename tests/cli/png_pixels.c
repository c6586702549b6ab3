/* Reads colours of a PNG file. png_pixels FILE X Y prints the colour of a pixel, as "rrggbb".
 * png_pixels FILE RRGGBB prints how many pixels have the colour. */
#include <png.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    png_image image = {.version = PNG_IMAGE_VERSION};
    if (argc < 3 || !png_image_begin_read_from_file(&image, argv[1])) return 1;
    image.format = PNG_FORMAT_RGB;
    uint8_t *pixels = malloc(PNG_IMAGE_SIZE(image));
    if (!pixels || !png_image_finish_read(&image, NULL, pixels, 0, NULL)) return 1;
    size_t count = 0, all = (size_t)image.width * image.height;
    if (argc == 4) {
        size_t x = strtoul(argv[2], NULL, 10), y = strtoul(argv[3], NULL, 10),
               at = 3 * (y * image.width + x);
        if (x >= image.width || y >= image.height) return 1;
        printf("%02x%02x%02x\n", pixels[at], pixels[at + 1], pixels[at + 2]);
    } else {
        unsigned long wanted = strtoul(argv[2], NULL, 16);
        for (size_t i = 0; i < all; i++)
            count += wanted == ((unsigned long)pixels[3 * i] << 16 |
                                (unsigned long)pixels[3 * i + 1] << 8 | pixels[3 * i + 2]);
        printf("%zu\n", count);
    }
    free(pixels);
    return 0;
}
