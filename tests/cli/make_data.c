/* Writes a small data set that can be learnt: make_data FOLDER ROWS TEST_ROWS. Four IDX files of 12 x 12 images in ten
 * classes; class c is a bright square at a place of its own, moved a little, in noise. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 12, CLASSES = 10, SQUARE = 3 };

static uint32_t random_state = 1;

static uint32_t draw(uint32_t below) {
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 16) % below;
}

static void draw_image(uint32_t class, uint8_t image[SIDE * SIDE]) {
    uint32_t top = class / 4 * 4 + draw(2), left = class % 4 * 3 + draw(2);
    for (int i = 0; i < SIDE * SIDE; i++) image[i] = (uint8_t)draw(60);
    for (uint32_t y = top; y < top + SQUARE && y < SIDE; y++)
        for (uint32_t x = left; x < left + SQUARE && x < SIDE; x++) image[y * SIDE + x] = (uint8_t)(180 + draw(76));
}

static FILE *open_idx(const char *folder, const char *name, int rank, uint32_t rows) {
    char path[4096];
    const uint32_t dims[] = {rows, SIDE, SIDE};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file) exit(1);
    fwrite((const uint8_t[4]){0, 0, 8, (uint8_t)rank}, 1, 4, file);
    for (int i = 0; i < rank; i++)
        for (int shift = 24; shift >= 0; shift -= 8) fputc((int)(dims[i] >> shift & 255), file);
    return file;
}

static void write_split(const char *folder, const char *images_name, const char *labels_name, uint32_t rows) {
    FILE *images = open_idx(folder, images_name, 3, rows), *labels = open_idx(folder, labels_name, 1, rows);
    for (uint32_t i = 0; i < rows; i++) {
        uint8_t image[SIDE * SIDE];
        uint32_t class = draw(CLASSES);
        draw_image(class, image);
        fwrite(image, 1, sizeof image, images);
        fputc((int)class, labels);
    }
    if (fclose(images) || fclose(labels)) exit(1);
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    write_split(argv[1], "images", "labels", (uint32_t)atoi(argv[2]));
    write_split(argv[1], "test_images", "test_labels", (uint32_t)atoi(argv[3]));
    return 0;
}
