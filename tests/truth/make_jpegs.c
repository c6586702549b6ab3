/* Writes JPEG files of every kind that libjpeg can write into a folder: make_pictures.py compiles
 * and runs this.
 *   make_jpegs FOLDER */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

typedef struct {
    const char *name;
    int width, height;
    J_COLOR_SPACE from, to;
    int across, down; /* samples of luminance for each sample of colour */
    int quality;      /* 0: 75 */
    unsigned restart; /* blocks between restart markers */
    int flags;
} JpegKind;
enum {
    PROGRESSIVE = 1,
    ARITHMETIC = 2,
    OPTIMIZED = 4,
    SEPARATE = 8,
    SMOOTHED = 16,
    NO_JFIF = 32,
    NO_ADOBE = 64,
    FLOATS = 128
};

static const JpegKind kinds[] = {
    {"grey", 19, 13, JCS_GRAYSCALE, JCS_GRAYSCALE, 1, 1, 0, 0, 0},
    {"grey_progressive", 19, 13, JCS_GRAYSCALE, JCS_GRAYSCALE, 1, 1, 0, 0, PROGRESSIVE},
    {"grey_from_rgb", 19, 13, JCS_RGB, JCS_GRAYSCALE, 1, 1, 90, 0, OPTIMIZED},
    {"one_pixel", 1, 1, JCS_RGB, JCS_YCbCr, 2, 2, 0, 0, 0},
    {"one_pixel_grey", 1, 1, JCS_GRAYSCALE, JCS_GRAYSCALE, 1, 1, 0, 0, 0},
    {"one_row", 21, 1, JCS_RGB, JCS_YCbCr, 2, 2, 0, 0, 0},
    {"one_column", 1, 21, JCS_RGB, JCS_YCbCr, 2, 1, 0, 0, PROGRESSIVE},
    {"444", 17, 11, JCS_RGB, JCS_YCbCr, 1, 1, 0, 0, 0},
    {"422", 17, 11, JCS_RGB, JCS_YCbCr, 2, 1, 0, 0, 0},
    {"420", 17, 11, JCS_RGB, JCS_YCbCr, 2, 2, 0, 0, 0},
    {"440", 17, 11, JCS_RGB, JCS_YCbCr, 1, 2, 0, 0, 0},
    {"411", 35, 9, JCS_RGB, JCS_YCbCr, 4, 1, 0, 0, 0},
    {"410", 35, 17, JCS_RGB, JCS_YCbCr, 4, 2, 0, 0, 0},
    {"441", 9, 35, JCS_RGB, JCS_YCbCr, 1, 4, 0, 0, 0},
    {"420_progressive", 17, 11, JCS_RGB, JCS_YCbCr, 2, 2, 0, 0, PROGRESSIVE},
    {"420_16x16", 16, 16, JCS_RGB, JCS_YCbCr, 2, 2, 0, 0, OPTIMIZED},
    {"420_restart", 33, 17, JCS_RGB, JCS_YCbCr, 2, 2, 0, 2, 0},
    {"444_restart_progressive", 33, 17, JCS_RGB, JCS_YCbCr, 1, 1, 0, 3, PROGRESSIVE},
    {"420_separate", 17, 11, JCS_RGB, JCS_YCbCr, 2, 2, 0, 0, SEPARATE},
    {"420_smoothed", 17, 11, JCS_RGB, JCS_YCbCr, 2, 2, 0, 0, SMOOTHED},
    {"420_arithmetic", 17, 11, JCS_RGB, JCS_YCbCr, 2, 2, 0, 0, ARITHMETIC},
    {"422_arithmetic_progressive", 17, 11, JCS_RGB, JCS_YCbCr, 2, 1, 0, 0,
     ARITHMETIC | PROGRESSIVE},
    {"quality_1", 17, 11, JCS_RGB, JCS_YCbCr, 2, 2, 1, 0, 0},
    {"quality_30_floats", 17, 11, JCS_RGB, JCS_YCbCr, 2, 2, 30, 0, FLOATS},
    {"quality_100", 17, 11, JCS_RGB, JCS_YCbCr, 1, 1, 100, 0, 0},
    {"no_jfif", 17, 11, JCS_RGB, JCS_YCbCr, 2, 2, 0, 0, NO_JFIF},
    {"rgb", 17, 11, JCS_RGB, JCS_RGB, 1, 1, 0, 0, 0},
    {"rgb_progressive", 17, 11, JCS_RGB, JCS_RGB, 1, 1, 0, 0, PROGRESSIVE},
    {"cmyk", 17, 11, JCS_CMYK, JCS_CMYK, 1, 1, 0, 0, 0},
    {"cmyk_no_adobe", 17, 11, JCS_CMYK, JCS_CMYK, 1, 1, 0, 0, NO_ADOBE},
    {"ycck", 17, 11, JCS_CMYK, JCS_YCCK, 1, 1, 0, 0, 0},
    {"ycck_420_progressive", 17, 11, JCS_CMYK, JCS_YCCK, 2, 2, 0, 0, PROGRESSIVE},
};

/* Waves with some noise. */
static int sample(int y, int x, int c) {
    static unsigned noise = 14;
    noise = noise * 1103515245u + 12345u;
    double value =
        127 + 90 * sin(0.31 * x + c) * cos(0.23 * y - 0.5 * c) + (double)(noise >> 16 & 31) - 16;
    return value < 0 ? 0 : value > 255 ? 255 : (int)value;
}

static void separate_scans(struct jpeg_compress_struct *jpeg) {
    static jpeg_scan_info scans[3];
    for (int c = 0; c < 3; c++) scans[c] = (jpeg_scan_info){1, {c}, 0, 63, 0, 0};
    jpeg->scan_info = scans;
    jpeg->num_scans = 3;
}

static void set(struct jpeg_compress_struct *jpeg, const JpegKind *kind) {
    jpeg_set_defaults(jpeg);
    jpeg_set_colorspace(jpeg, kind->to);
    jpeg_set_quality(jpeg, kind->quality ? kind->quality : 75, TRUE);
    jpeg->comp_info[0].h_samp_factor = kind->across;
    jpeg->comp_info[0].v_samp_factor = kind->down;
    if (kind->to == JCS_YCCK) { /* the black channel has as many samples as the luminance */
        jpeg->comp_info[3].h_samp_factor = kind->across;
        jpeg->comp_info[3].v_samp_factor = kind->down;
    }
    jpeg->restart_interval = kind->restart;
    if (kind->flags & PROGRESSIVE) jpeg_simple_progression(jpeg);
    if (kind->flags & SEPARATE) separate_scans(jpeg);
    jpeg->arith_code = (kind->flags & ARITHMETIC) != 0;
    jpeg->optimize_coding = (kind->flags & OPTIMIZED) != 0;
    if (kind->flags & SMOOTHED) jpeg->smoothing_factor = 50;
    if (kind->flags & NO_JFIF) jpeg->write_JFIF_header = FALSE;
    if (kind->flags & NO_ADOBE) jpeg->write_Adobe_marker = FALSE;
    if (kind->flags & FLOATS) jpeg->dct_method = JDCT_FLOAT;
}

static void write(const char *folder, const JpegKind *kind) {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    char path[4096];
    JSAMPLE row[4 * 64], *rows[] = {row};
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    snprintf(path, sizeof path, "%s/%s", folder, kind->name);
    FILE *file = fopen(path, "wb");
    if (!file) exit(1);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = (JDIMENSION)kind->width;
    jpeg.image_height = (JDIMENSION)kind->height;
    jpeg.in_color_space = kind->from;
    jpeg.input_components = kind->from == JCS_GRAYSCALE ? 1 : kind->from == JCS_RGB ? 3 : 4;
    set(&jpeg, kind);
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < kind->height; y++) {
        for (int i = 0; i < kind->width * jpeg.input_components; i++)
            row[i] = (JSAMPLE)sample(y, i / jpeg.input_components, i % jpeg.input_components);
        jpeg_write_scanlines(&jpeg, rows, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    fclose(file);
}

int main(int count, char **arguments) {
    if (count != 2) return 1;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) write(arguments[1], &kinds[i]);
    return 0;
}
