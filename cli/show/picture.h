/* Drawing on a white background: a thin layer over cairo, and the pictures that mlc draws. Units
 * are points; a PNG has two pixels per point. */
#ifndef MLC_CLI_SHOW_PICTURE_H
#define MLC_CLI_SHOW_PICTURE_H

#include "cli/results/confusion.h"
#include "cli/results/journal.h"
#include "cli/results/rate_test.h"

#include <cairo.h>

typedef struct {
    cairo_surface_t *surface;
    cairo_t *cairo;
} Picture;

typedef uint32_t Colour; /* 0xRRGGBB */
#define COLOUR_PAPER 0xffffffu
#define COLOUR_INK 0x222222u
#define COLOUR_FAINT 0x777777u
#define COLOUR_GRID 0xe6e6e6u
#define COLOUR_BLUE 0x1f6fb4u
#define COLOUR_ORANGE 0xd9720fu
#define COLOUR_GREEN 0x2c8f4fu
#define COLOUR_RED 0xc8202eu

typedef enum { ALIGN_LEFT, ALIGN_CENTRE, ALIGN_RIGHT } Align;
typedef enum { FONT_NORMAL, FONT_BOLD } Font;

Picture picture_new(double width, double height);
/* Writes the picture to a PNG file and frees it. */
bool picture_save(Picture *picture, const char *path, Diagnostics *diag);

void picture_colour(Picture *picture, Colour colour);
/* Draws text with its base line at y. */
void picture_text(Picture *picture, double x, double y, Align align, Font font, double size,
                  Colour colour, const char *text);
/* `size`, reduced if necessary so that the text is at most `width` wide. */
double picture_fitting_size(Picture *picture, Font font, double size, double width,
                            const char *text);
void picture_line(Picture *picture, double x0, double y0, double x1, double y1, double width,
                  Colour colour);
void picture_frame(Picture *picture, double x, double y, double width, double height, double line,
                   Colour colour);
void picture_dot(Picture *picture, double x, double y, double radius, Colour colour);
void picture_box(Picture *picture, double x, double y, double width, double height, Colour colour);
/* Draws pixels[channels][rows][columns], grey (0 is black) or red, green, blue, scaled to width x
 * height without smoothing. */
void picture_image(Picture *picture, double x, double y, double width, double height,
                   const uint8_t *pixels, int rows, int columns, int channels);

/* The distance between ticks of an axis: 1, 2 or 5 times a power of ten, about range / wanted. */
double picture_tick_step(double range, int wanted);

/* Draws loss and metrics over epochs (cli/show/run_curves.c). */
bool curves_draw(const char *path, const char *title, const Journal *journal, Diagnostics *diag);

/* Draws the losses of a test of learning rates, which has steps (cli/show/rates_draw.c). */
bool rates_draw(const char *path, const char *title, const RateTest *test, Diagnostics *diag);

/* A grid of images with predictions below them (cli/show/grid.c). */
typedef struct {
    int rows, columns, channels; /* rows is 0 without images */
} GridImages;
typedef struct {
    const uint8_t *pixels; /* the input image, of the size grid.read; NULL without input images */
    const uint8_t *made;   /* the image that the network generated, of the size grid.made */
    char caption[96];      /* "7  99 %" */
    char truth[96];        /* "true: 7", or "" if it is unknown */
    bool mistake;
} GridCell;
typedef struct {
    const char *title, *subtitle;
    GridImages read, made;
    const GridCell *cells;
    uint32_t count;
} Grid;
bool grid_draw(const char *path, const Grid *grid, Diagnostics *diag);

/* Scatter plots of predicted over true numbers, and of errors over true numbers
 * (cli/show/scatter.c). NaN: unknown. */
typedef struct {
    const char *title, *name;
    const double *truths, *predictions; /* [count], `stride` apart */
    int64_t count, stride;
} Scatter;
bool scatter_draw(const char *path, const Scatter *scatter, Diagnostics *diag);

/* Confusion matrices, one below the other (cli/show/confusion_draw.c). */
typedef struct {
    const char *title;
    const SourceSchema *schema; /* has the names of the classes */
    Confusion confusion;
} ConfusionPicture;
bool confusions_draw(const char *path, const ConfusionPicture *drawn, uint32_t count,
                     Diagnostics *diag);

#endif
