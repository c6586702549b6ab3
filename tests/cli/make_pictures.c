/* Draws small pictures of three shapes into FOLDER/disc, FOLDER/square and FOLDER/stripes, in every
 * format that mlc reads and with endings as cameras and programs write them.
 *   make_pictures FOLDER */
#include <png.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <webp/encode.h>

#include <jpeglib.h>

enum { SIDE_MAX = 64, ROUNDS = 4 };

typedef struct {
    int side;
    uint8_t rgb[SIDE_MAX][SIDE_MAX][3]; /* [side][side] of it are used */
} ShapeDrawing;

static uint32_t noise(void) {
    static uint32_t state = 14;
    state = state * 1664525 + 1013904223;
    return state >> 16;
}

static int is_ink(int shape, int side, int y, int x) {
    int dy = 2 * y - side, dx = 2 * x - side, reach = side * 5 / 8;
    if (shape == 0) return dy * dy + dx * dx < reach * reach;
    if (shape == 1) return abs(dy) < reach && abs(dx) < reach;
    return x * 8 / side % 2;
}

static void draw(ShapeDrawing *drawing, int shape) {
    drawing->side = 24 + (int)(noise() % 40);
    for (int y = 0; y < drawing->side; y++)
        for (int x = 0; x < drawing->side; x++)
            for (int c = 0; c < 3; c++)
                drawing->rgb[y][x][c] =
                    (uint8_t)((is_ink(shape, drawing->side, y, x) ? 190 - 60 * c : 20 + 10 * c) +
                              (int)(noise() % 32));
}

/* Copies the rows into one array without gaps. */
static size_t pack(const ShapeDrawing *drawing, uint8_t *to) {
    size_t row = 3 * (size_t)drawing->side;
    for (int y = 0; y < drawing->side; y++) memcpy(to + (size_t)y * row, drawing->rgb[y], row);
    return row * (size_t)drawing->side;
}

static FILE *create(const char *path) {
    FILE *file = fopen(path, "wb");
    if (!file) exit(1);
    return file;
}

static void write_jpeg(const ShapeDrawing *drawing, const char *path, J_COLOR_SPACE space,
                       int progressive) {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    FILE *file = create(path);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = jpeg.image_height = (JDIMENSION)drawing->side;
    jpeg.in_color_space = JCS_RGB;
    jpeg.input_components = 3;
    jpeg_set_defaults(&jpeg);
    jpeg_set_colorspace(&jpeg, space);
    if (progressive) jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < drawing->side; y++) {
        JSAMPROW row = (JSAMPROW)drawing->rgb[y];
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    fclose(file);
}

static void write_png(const ShapeDrawing *drawing, const char *path) {
    png_image png = {.version = PNG_IMAGE_VERSION, .format = PNG_FORMAT_RGB};
    png.width = png.height = (png_uint_32)drawing->side;
    if (!png_image_write_to_file(&png, path, 0, drawing->rgb, sizeof drawing->rgb[0], NULL))
        exit(1);
}

static void write_webp(const ShapeDrawing *drawing, const char *path) {
    uint8_t packed[sizeof drawing->rgb], *bytes = NULL;
    pack(drawing, packed);
    size_t length =
        WebPEncodeRGB(packed, drawing->side, drawing->side, 3 * drawing->side, 80, &bytes);
    FILE *file = create(path);
    if (!length || fwrite(bytes, 1, length, file) != length || fclose(file)) exit(1);
    WebPFree(bytes);
}

static void put(uint8_t *to, uint32_t value) {
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)(value >> (8 * i));
}

/* A BMP file of 24 bits a pixel, blue first, with its rows from the bottom up. */
static void write_bmp(const ShapeDrawing *drawing, const char *path) {
    uint8_t head[54] = "BM", row[3 * SIDE_MAX + 3] = {0};
    size_t row_bytes = (3 * (size_t)drawing->side + 3) / 4 * 4;
    FILE *file = create(path);
    put(head + 10, sizeof head);
    put(head + 14, 40);
    put(head + 18, (uint32_t)drawing->side);
    put(head + 22, (uint32_t)drawing->side);
    put(head + 26, 1 | 24 << 16);
    fwrite(head, 1, sizeof head, file);
    for (int y = drawing->side; y-- > 0; fwrite(row, 1, row_bytes, file))
        for (int x = 0; x < 3 * drawing->side; x++) row[x] = drawing->rgb[y][x / 3][2 - x % 3];
    if (fclose(file)) exit(1);
}

int main(int count, char **arguments) {
    static const char *const shapes[] = {"disc", "square", "stripes"};
    char path[4096];
    ShapeDrawing drawing;
    if (count != 2 || mkdir(arguments[1], 0777)) return 1;
    for (int shape = 0; shape < 3; shape++) {
        snprintf(path, sizeof path, "%s/%s", arguments[1], shapes[shape]);
        if (mkdir(path, 0777)) return 1;
        for (int i = 0; i < ROUNDS; i++) {
            static const char *const endings[] = {"jpg", "JPG", "jpeg", "png", "webp", "bmp"};
            for (int k = 0; k < 6; k++) {
                draw(&drawing, shape);
                snprintf(path, sizeof path, "%s/%s/%d.%s", arguments[1], shapes[shape], 10 * i + k,
                         endings[k]);
                if (k < 3) write_jpeg(&drawing, path, k == 2 ? JCS_RGB : JCS_YCbCr, k == 1);
                if (k == 3) write_png(&drawing, path);
                if (k == 4) write_webp(&drawing, path);
                if (k == 5) write_bmp(&drawing, path);
            }
        }
    }
    return 0;
}
