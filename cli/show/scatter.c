/* Draws predicted over true numbers, and errors over true numbers, side by side. */
#include "cli/show/picture.h"

#include <math.h>

enum { TICKS_WANTED = 5 };
#define SIDE 320.0
#define LEFT 84.0
#define BETWEEN 96.0
#define RIGHT 30.0
#define TOP 96.0
#define BOTTOM 58.0

typedef struct {
    double low, high;
} Axis;

typedef struct {
    Picture *picture;
    double left; /* the left edge of the plot; all plots begin at TOP */
    Axis x, y;
} ScatterPlot;

static double x_of(const ScatterPlot *plot, double value) {
    return plot->left + SIDE * (value - plot->x.low) / (plot->x.high - plot->x.low);
}
static double y_of(const ScatterPlot *plot, double value) {
    return TOP + SIDE * (plot->y.high - value) / (plot->y.high - plot->y.low);
}

static void widen(Axis *axis, double value) {
    axis->low = fmin(axis->low, value);
    axis->high = fmax(axis->high, value);
}

/* Adds a margin at both ends; an axis with a single value gets a length. */
static void finish(Axis *axis) {
    double room =
        axis->high > axis->low ? (axis->high - axis->low) / 25 : fmax(fabs(axis->high), 1) / 10;
    axis->low -= room;
    axis->high += room;
}

static void draw_ticks(const ScatterPlot *plot, const Axis *axis, bool across) {
    double step = picture_tick_step(axis->high - axis->low, TICKS_WANTED);
    for (double i = ceil(axis->low / step); i * step <= axis->high; i++) {
        char text[32];
        double at = across ? x_of(plot, i * step) : y_of(plot, i * step);
        snprintf(text, sizeof text, "%.6g", i * step + 0.0); /* no -0 */
        if (across) {
            picture_line(plot->picture, at, TOP, at, TOP + SIDE, 1, COLOUR_GRID);
            picture_text(plot->picture, at, TOP + SIDE + 18, ALIGN_CENTRE, FONT_NORMAL, 11,
                         COLOUR_FAINT, text);
        } else {
            picture_line(plot->picture, plot->left, at, plot->left + SIDE, at, 1, COLOUR_GRID);
            picture_text(plot->picture, plot->left - 8, at + 4, ALIGN_RIGHT, FONT_NORMAL, 11,
                         COLOUR_FAINT, text);
        }
    }
}

static bool is_known(const Scatter *scatter, int64_t i) {
    return isfinite(scatter->truths[i * scatter->stride]) &&
           isfinite(scatter->predictions[i * scatter->stride]);
}

/* Draws predictions over truths with the line p = t, or with `errors` p - t over t with the line
 * 0. */
static void draw_plot(ScatterPlot *plot, const Scatter *scatter, bool errors, const char *title) {
    double radius = scatter->count > 2000 ? 1.2 : scatter->count > 200 ? 1.8 : 2.6;
    draw_ticks(plot, &plot->x, true);
    draw_ticks(plot, &plot->y, false);
    picture_text(plot->picture, plot->left, TOP - 14, ALIGN_LEFT, FONT_BOLD, 13, COLOUR_INK, title);
    picture_text(plot->picture, plot->left + SIDE / 2, TOP + SIDE + 40, ALIGN_CENTRE, FONT_NORMAL,
                 12, COLOUR_FAINT, "true");
    picture_line(plot->picture, plot->left, y_of(plot, errors ? 0 : plot->x.low), plot->left + SIDE,
                 y_of(plot, errors ? 0 : plot->x.high), 1.5, COLOUR_ORANGE);
    for (int64_t i = 0; i < scatter->count; i++) {
        double truth = scatter->truths[i * scatter->stride],
               value = scatter->predictions[i * scatter->stride];
        if (is_known(scatter, i))
            picture_dot(plot->picture, x_of(plot, truth),
                        y_of(plot, errors ? value - truth : value), radius, COLOUR_BLUE);
    }
}

static void draw_heading(Picture *picture, double width, const Scatter *scatter, int64_t known) {
    char text[512];
    double size = picture_fitting_size(picture, FONT_BOLD, 17, width - 2 * RIGHT, scatter->title);
    picture_text(picture, RIGHT, 36, ALIGN_LEFT, FONT_BOLD, size, COLOUR_INK, scatter->title);
    snprintf(text, sizeof text, "%.200s of %lld row%s; predictions on the line are correct",
             scatter->name, (long long)known, known == 1 ? "" : "s");
    size = picture_fitting_size(picture, FONT_NORMAL, 12, width - 2 * RIGHT, text);
    picture_text(picture, RIGHT, 58, ALIGN_LEFT, FONT_NORMAL, size, COLOUR_FAINT, text);
}

bool scatter_draw(const char *path, const Scatter *scatter, Diagnostics *diag) {
    Axis values = {INFINITY, -INFINITY}, errors = {0, 0};
    int64_t known = 0;
    for (int64_t i = 0; i < scatter->count; i++) {
        double truth = scatter->truths[i * scatter->stride],
               value = scatter->predictions[i * scatter->stride];
        if (!is_known(scatter, i)) continue;
        widen(&values, truth);
        widen(&values, value);
        widen(&errors, value - truth);
        known++;
    }
    if (!known) values = (Axis){0, 1};
    finish(&values);
    finish(&errors);
    double width = LEFT + 2 * SIDE + BETWEEN + RIGHT;
    Picture picture = picture_new(width, TOP + SIDE + BOTTOM);
    draw_heading(&picture, width, scatter, known);
    draw_plot(&(ScatterPlot){&picture, LEFT, values, values}, scatter, false, "predicted");
    draw_plot(&(ScatterPlot){&picture, LEFT + SIDE + BETWEEN, values, errors}, scatter, true,
              "error: predicted - true");
    return picture_save(&picture, path, diag);
}
