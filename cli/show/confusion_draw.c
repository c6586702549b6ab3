/* Draws confusion matrices: one square per pair of classes, darker for a larger fraction of the
 * true class. Correct predictions are blue, mistakes red. */
#include "cli/show/picture.h"

#include <math.h>

enum { NUMBERED_MAX = 30, NAME_BYTES = 64 };
#define SIDE_MAX 44.0
#define SIDES_WIDTH 720.0 /* at most this for the squares of a row */
#define NAMES_LEFT 150.0
#define NAMES_TOP 40.0
#define MARGIN 28.0
#define HEAD 84.0

typedef struct {
    Picture *picture;
    const ConfusionPicture *drawn;
    double left, top, side;
} Squares;

/* White for fraction 0, the colour itself for 1. */
static Colour mixed(Colour colour, double fraction) {
    Colour result = 0;
    for (int shift = 16; shift >= 0; shift -= 8) {
        double whole = (double)(colour >> shift & 255);
        result |= (Colour)lrint(255 + (whole - 255) * fraction) << shift;
    }
    return result;
}

static void draw_square(const Squares *squares, int64_t truth, int64_t guess, int64_t total) {
    const Confusion *confusion = &squares->drawn->confusion;
    int64_t count = confusion->counts[truth * confusion->classes + guess];
    double x = squares->left + (double)guess * squares->side,
           y = squares->top + (double)truth * squares->side;
    double fraction = total ? (double)count / (double)total : 0,
           shade = count ? 0.12 + 0.88 * fraction : 0;
    char text[NUMBER_TEXT];
    picture_box(squares->picture, x, y, squares->side, squares->side,
                mixed(truth == guess ? COLOUR_BLUE : COLOUR_RED, shade));
    if (squares->side > 8)
        picture_frame(squares->picture, x, y, squares->side, squares->side, 0.5, COLOUR_GRID);
    if (!count || confusion->classes > NUMBERED_MAX) return;
    snprintf(text, sizeof text, "%lld", (long long)count);
    double size = picture_fitting_size(squares->picture, FONT_NORMAL,
                                       fmin(12, squares->side * 0.45), squares->side - 4, text);
    picture_text(squares->picture, x + squares->side / 2, y + squares->side / 2 + size * 0.36,
                 ALIGN_CENTRE, FONT_NORMAL, size, shade > 0.5 ? COLOUR_PAPER : COLOUR_INK, text);
}

static void draw_row(const Squares *squares, int64_t truth) {
    const Confusion *confusion = &squares->drawn->confusion;
    int64_t total = 0;
    char number[NUMBER_TEXT], text[NAME_BYTES];
    for (int64_t guess = 0; guess < confusion->classes; guess++)
        total += confusion->counts[truth * confusion->classes + guess];
    for (int64_t guess = 0; guess < confusion->classes; guess++)
        draw_square(squares, truth, guess, total);
    if (confusion->classes > NUMBERED_MAX) return;
    const char *name = class_name(squares->drawn->schema, confusion->label, (int32_t)truth, number);
    snprintf(text, sizeof text, "%.*s", (int)sizeof text - 1, name);
    double max_size = fmin(12, squares->side * 0.6);
    picture_text(
        squares->picture, squares->left - 8,
        squares->top + ((double)truth + 0.5) * squares->side + 4, ALIGN_RIGHT, FONT_NORMAL,
        picture_fitting_size(squares->picture, FONT_NORMAL, max_size, NAMES_LEFT - 40, text),
        COLOUR_INK, text);
    picture_text(
        squares->picture, squares->left + ((double)truth + 0.5) * squares->side, squares->top - 6,
        ALIGN_CENTRE, FONT_NORMAL,
        picture_fitting_size(squares->picture, FONT_NORMAL, max_size, squares->side - 3, text),
        COLOUR_INK, text);
}

static void draw_matrix(Picture *picture, const ConfusionPicture *drawn, double top, double side) {
    Squares squares = {picture, drawn, MARGIN + NAMES_LEFT, top + HEAD + NAMES_TOP, side};
    picture_text(picture, MARGIN, top + 36, ALIGN_LEFT, FONT_BOLD, 17, COLOUR_INK, drawn->title);
    picture_text(picture, MARGIN, top + 58, ALIGN_LEFT, FONT_NORMAL, 12, COLOUR_FAINT,
                 "rows: true classes; columns: predicted classes");
    for (int64_t truth = 0; truth < drawn->confusion.classes; truth++) draw_row(&squares, truth);
    picture_frame(picture, squares.left, squares.top, side * (double)drawn->confusion.classes,
                  side * (double)drawn->confusion.classes, 1, COLOUR_FAINT);
}

static double side_of(const Confusion *confusion) {
    return fmin(SIDE_MAX, SIDES_WIDTH / (double)confusion->classes);
}

static double height_of(const Confusion *confusion) {
    return HEAD + NAMES_TOP + side_of(confusion) * (double)confusion->classes + MARGIN;
}

bool confusions_draw(const char *path, const ConfusionPicture *drawn, uint32_t count,
                     Diagnostics *diag) {
    double width = 480, height = 0, top = 0;
    for (uint32_t i = 0; i < count; i++) {
        const Confusion *confusion = &drawn[i].confusion;
        width =
            fmax(width, 2 * MARGIN + NAMES_LEFT + side_of(confusion) * (double)confusion->classes);
        height += height_of(confusion);
    }
    Picture picture = picture_new(width, height);
    for (uint32_t i = 0; i < count; top += height_of(&drawn[i++].confusion))
        draw_matrix(&picture, &drawn[i], top, side_of(&drawn[i].confusion));
    return picture_save(&picture, path, diag);
}
