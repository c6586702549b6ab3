/* Writes a small data set that can be learnt: make_data FOLDER ROWS TEST_ROWS. Four IDX files of 12
 * x 12 images in ten classes; class c is a bright square at a place of its own, moved a little, in
 * noise. make_data npz ARCHIVE FILE... packs files into a ZIP archive, as they are. */
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
        for (uint32_t x = left; x < left + SQUARE && x < SIDE; x++)
            image[y * SIDE + x] = (uint8_t)(180 + draw(76));
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

static void write_split(const char *folder, const char *images_name, const char *labels_name,
                        uint32_t rows) {
    FILE *images = open_idx(folder, images_name, 3, rows),
         *labels = open_idx(folder, labels_name, 1, rows);
    for (uint32_t i = 0; i < rows; i++) {
        uint8_t image[SIDE * SIDE];
        uint32_t class = draw(CLASSES);
        draw_image(class, image);
        fwrite(image, 1, sizeof image, images);
        fputc((int)class, labels);
    }
    if (fclose(images) || fclose(labels)) exit(1);
}

/* -- archives -- */

static uint32_t checksum(const uint8_t *bytes, size_t length) {
    uint32_t sum = UINT32_MAX;
    for (size_t i = 0; i < length; i++) {
        sum ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) sum = sum >> 1 ^ (sum & 1 ? UINT32_C(0xedb88320) : 0);
    }
    return ~sum;
}

/* Writes little-endian numbers. `sizes` has a digit for each number, its bytes: "242" writes three
 * numbers. */
static void put(FILE *file, const char *sizes, const uint32_t *numbers) {
    for (int i = 0; sizes[i]; i++)
        for (int byte = 0; byte < sizes[i] - '0'; byte++)
            fputc((int)(numbers[i] >> (8 * byte) & 255), file);
}

enum { FILES_MAX = 64 };
typedef struct {
    const char *name;
    uint32_t sum, bytes, offset;
} Packed;

static Packed pack_file(FILE *archive, const char *path) {
    static uint8_t bytes[1 << 22];
    FILE *file = fopen(path, "rb");
    if (!file) exit(1);
    uint32_t length = (uint32_t)fread(bytes, 1, sizeof bytes, file), name = (uint32_t)strlen(path);
    Packed packed = {path, checksum(bytes, length), length, (uint32_t)ftell(archive)};
    fclose(file);
    put(archive, "42222244422",
        (const uint32_t[]){0x04034b50, 20, 0, 0, 0, 33, packed.sum, length, length, name, 0});
    fwrite(path, 1, name, archive);
    fwrite(bytes, 1, length, archive);
    return packed;
}

static int pack(const char *path, char *const *files, int count) {
    Packed packed[FILES_MAX];
    FILE *archive = fopen(path, "wb");
    if (!archive || count > FILES_MAX) return 1;
    for (int i = 0; i < count; i++) packed[i] = pack_file(archive, files[i]);
    uint32_t begin = (uint32_t)ftell(archive);
    for (int i = 0; i < count; i++) {
        uint32_t name = (uint32_t)strlen(files[i]);
        put(archive, "42222224442222244",
            (const uint32_t[]){0x02014b50, 20, 20, 0, 0, 0, 33, packed[i].sum, packed[i].bytes,
                               packed[i].bytes, name, 0, 0, 0, 0, 0, packed[i].offset});
        fwrite(files[i], 1, name, archive);
    }
    uint32_t end = (uint32_t)ftell(archive), all = (uint32_t)count;
    put(archive, "42222442", (const uint32_t[]){0x06054b50, 0, 0, all, all, end - begin, begin, 0});
    return fclose(archive) != 0;
}

int main(int argc, char **argv) {
    if (argc > 3 && !strcmp(argv[1], "npz")) return pack(argv[2], argv + 3, argc - 3);
    if (argc != 4) return 2;
    write_split(argv[1], "images", "labels", (uint32_t)atoi(argv[2]));
    write_split(argv[1], "test_images", "test_labels", (uint32_t)atoi(argv[3]));
    return 0;
}
