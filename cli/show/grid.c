/* Draws a grid of images. Each has its predicted and true class below it, or the image that the
 * network generated from it. Mistakes are framed in red. */
#include "cli/show/picture.h"

#include <math.h>

enum { ACROSS = 10 };
#define CELL 84.0
#define GAP 14.0
#define BETWEEN 4.0   /* between an input image and the generated one */
#define CAPTIONS 46.0 /* room for two lines below an image */
#define MARGIN 28.0
#define HEAD 84.0

static void draw_caption(Picture *picture, double x, double y, Font font, double size,
                         Colour colour, const char *text) {
    size = picture_fitting_size(picture, font, size, CELL + GAP / 2, text);
    picture_text(picture, x + CELL / 2, y, ALIGN_CENTRE, font, size, colour, text);
}

/* Draws an image in the middle of its cell, keeping its proportions. */
static void draw_image(Picture *picture, const GridImages *images, const uint8_t *pixels, double x,
                       double y) {
    double size = CELL / fmax(images->rows, images->columns), width = size * images->columns,
           height = size * images->rows;
    picture_image(picture, x + (CELL - width) / 2, y + (CELL - height) / 2, width, height, pixels,
                  images->rows, images->columns, images->channels);
}

static void draw_cell(Picture *picture, const Grid *grid, const GridCell *cell, double x,
                      double y) {
    bool mistake = cell->mistake;
    if (grid->read.rows) draw_image(picture, &grid->read, cell->pixels, x, y);
    if (mistake) picture_frame(picture, x - 2.5, y - 2.5, CELL + 5, CELL + 5, 3, COLOUR_RED);
    if (grid->made.rows && grid->read.rows) y += CELL + BETWEEN;
    if (grid->made.rows) draw_image(picture, &grid->made, cell->made, x, y);
    draw_caption(picture, x, y + CELL + 16, mistake ? FONT_BOLD : FONT_NORMAL, 12,
                 mistake ? COLOUR_RED : COLOUR_INK, cell->caption);
    draw_caption(picture, x, y + CELL + 31, FONT_NORMAL, 11, mistake ? COLOUR_RED : COLOUR_FAINT,
                 cell->truth);
}

static void draw_heading(Picture *picture, double width, double y, Font font, double size,
                         Colour colour, const char *text) {
    size = picture_fitting_size(picture, font, size, width - 2 * MARGIN, text);
    picture_text(picture, MARGIN, y, ALIGN_LEFT, font, size, colour, text);
}

bool grid_draw(const char *path, const Grid *grid, Diagnostics *diag) {
    uint32_t across = grid->count < ACROSS ? grid->count : ACROSS,
             down = (grid->count + ACROSS - 1) / ACROSS;
    double step = CELL + GAP,
           row = CELL + CAPTIONS + (grid->read.rows && grid->made.rows ? CELL + BETWEEN : 0);
    double width = fmax(2 * MARGIN + across * step - GAP, 480);
    Picture picture = picture_new(width, HEAD + down * row + MARGIN / 2);
    draw_heading(&picture, width, 36, FONT_BOLD, 17, COLOUR_INK, grid->title);
    draw_heading(&picture, width, 58, FONT_NORMAL, 12, COLOUR_FAINT, grid->subtitle);
    for (uint32_t i = 0; i < grid->count; i++)
        draw_cell(&picture, grid, &grid->cells[i], MARGIN + (i % ACROSS) * step,
                  HEAD + i / ACROSS * row);
    return picture_save(&picture, path, diag);
}
