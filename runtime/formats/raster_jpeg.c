/* JPEG, by libjpeg-turbo: baseline and progressive, Huffman and arithmetic coding, grey, RGB,
 * YCbCr, CMYK and YCCK. */
#include "runtime/formats/raster.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h> /* needs jpeglib.h before it */

/* a progressive picture has about ten scans; thousands of empty ones would take hours */
enum { SCANS_MAX = 100 };

typedef struct {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf failed;
    /* without an end marker, pixels are missing, even if there is no other warning */
    bool needs_end;
    Raster *raster;
    Problem *problem;
} JpegReading;

_Noreturn static void fail(j_common_ptr jpeg) {
    JpegReading *reading = jpeg->client_data;
    char message[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, message);
    problem_set(reading->problem, "it cannot be read as a JPEG image: %s", message);
    longjmp(reading->failed, 1);
}

/* Warnings (level -1) about missing or wrong pixels are errors here: the library would invent the
 * pixels. */
static void take_message(j_common_ptr jpeg, int level) {
    const JpegReading *reading = jpeg->client_data;
    if (level >= 0) return;
    switch (jpeg->err->msg_code) {
    case JWRN_JPEG_EOF:
        if (!reading->needs_end) break;
        fail(jpeg);
    case JWRN_ARITH_BAD_CODE:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_MUST_RESYNC: fail(jpeg);
    }
}

static void count_scans(j_common_ptr jpeg) {
    JpegReading *reading = jpeg->client_data;
    if (reading->jpeg.input_scan_number <= SCANS_MAX) return;
    problem_set(reading->problem, "it has more than %d scans, but about ten are usual", SCANS_MAX);
    longjmp(reading->failed, 1);
}

static void read_orientation(const JpegReading *reading) {
    for (jpeg_saved_marker_ptr marker = reading->jpeg.marker_list; marker; marker = marker->next) {
        if (marker->data_length < 6 || memcmp(marker->data, "Exif\0\0", 6) != 0) continue;
        reading->raster->orientation = exif_orientation(marker->data, marker->data_length);
        return;
    }
}

/* CMYK files store inverted values, as Adobe's programs write them: red = cyan * black / 255, and
 * so on. */
static void put_row(const uint8_t *cmyk, size_t width, uint8_t *to) {
    for (size_t x = 0; x < width; x++)
        for (size_t c = 0; c < 3; c++)
            *to++ = (uint8_t)((cmyk[4 * x + c] * cmyk[4 * x + 3] + 127) / 255);
}

static void read_pixels(JpegReading *reading) {
    struct jpeg_decompress_struct *jpeg = &reading->jpeg;
    size_t width = (size_t)reading->raster->width,
           bytes = width * (reading->raster->coloured ? 3 : 1);
    bool four = jpeg->out_color_space == JCS_CMYK;
    reading->needs_end = jpeg_has_multiple_scans(jpeg) || jpeg->arith_code;
    jpeg_start_decompress(jpeg);
    JSAMPARRAY inks =
        four ? jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, (JDIMENSION)(4 * width), 1)
             : NULL;
    for (uint8_t *to = reading->raster->pixels; jpeg->output_scanline < jpeg->output_height;
         to += bytes) {
        jpeg_read_scanlines(jpeg, four ? inks : &to, 1);
        if (four) put_row(inks[0], width, to);
    }
}

static bool read(JpegReading *reading, const uint8_t *bytes, size_t length, bool whole) {
    struct jpeg_decompress_struct *jpeg = &reading->jpeg;
    if (setjmp(reading->failed)) return false;
    jpeg_create_decompress(jpeg);
    jpeg->progress = &reading->progress;
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xffff);
    jpeg_mem_src(jpeg, bytes, length);
    jpeg_read_header(jpeg, TRUE);
    /* The library cannot convert CMYK to RGB. */
    bool four = jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
    reading->raster->coloured = jpeg->jpeg_color_space != JCS_GRAYSCALE;
    jpeg->out_color_space = four ? JCS_CMYK : reading->raster->coloured ? JCS_RGB : JCS_GRAYSCALE;
    read_orientation(reading);
    if (!raster_begin(reading->raster, jpeg->image_height, jpeg->image_width, whole,
                      reading->problem))
        return false;
    if (whole) read_pixels(reading);
    return true;
}

bool raster_read_jpeg(const uint8_t *bytes, size_t length, bool whole, Raster *raster,
                      Problem *problem) {
    JpegReading reading = {.raster = raster, .problem = problem};
    reading.jpeg.err = jpeg_std_error(&reading.errors);
    reading.jpeg.client_data = &reading;
    reading.errors.error_exit = fail;
    reading.errors.emit_message = take_message;
    reading.progress.progress_monitor = count_scans;
    bool good = read(&reading, bytes, length, whole);
    jpeg_destroy_decompress(&reading.jpeg);
    return good;
}
