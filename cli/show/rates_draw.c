/* The loss over the learning rate, with a logarithmic axis of rates. */
#include "cli/show/picture.h"

#include <math.h>

#define WIDTH 560.0
#define HEIGHT 300.0
#define LEFT 76.0
#define TOP 72.0
#define RIGHT 40.0
#define BOTTOM 62.0
enum { TICKS_WANTED = 6 };

typedef struct {
    Picture *picture;
    const RateTest *test;
    double low, high;         /* the range of the losses */
    double smallest, largest; /* the range of the rates, as log10 */
} Axes;

static double x_of(const Axes *axes, double rate) {
    return LEFT + WIDTH * (log10(rate) - axes->smallest) / (axes->largest - axes->smallest);
}

static double y_of(const Axes *axes, double loss) {
    return TOP + HEIGHT * (axes->high - loss) / (axes->high - axes->low);
}

/* The axis of losses reaches from the lowest smoothed loss to a little above the first losses.
 * Losses of a divergence lie above the picture. */
static void find_range(Axes *axes) {
    const RateTest *test = axes->test;
    axes->low = axes->high = test->smoothed[0];
    for (uint32_t i = 0; i < test->count; i++) axes->low = fmin(axes->low, test->smoothed[i]);
    for (uint32_t i = 0; i < test->count && test->rates[i] <= test->rates[0] * 10; i++)
        axes->high = fmax(axes->high, test->losses[i]);
    double pad = fmax(0.1 * (axes->high - axes->low), 1e-6 + 1e-3 * fabs(axes->high));
    axes->low -= pad;
    axes->high += pad;
    axes->smallest = log10(test->rates[0]);
    axes->largest = fmax(log10(test->rates[test->count - 1]), axes->smallest + 1e-3);
}

static void draw_axes(const Axes *axes) {
    char text[32];
    double step = picture_tick_step(axes->high - axes->low, TICKS_WANTED), bottom = TOP + HEIGHT;
    int decimals = step < 1 ? (int)ceil(-log10(step) - 1e-9) : 0;
    for (double i = ceil(axes->low / step); i * step <= axes->high; i++) {
        double y = y_of(axes, i * step);
        snprintf(text, sizeof text, "%.*f", decimals, i == 0 ? 0 : i * step);
        picture_line(axes->picture, LEFT, y, LEFT + WIDTH, y, 0.75, COLOUR_GRID);
        picture_text(axes->picture, LEFT - 8, y + 4, ALIGN_RIGHT, FONT_NORMAL, 11, COLOUR_FAINT,
                     text);
    }
    for (double power = ceil(axes->smallest - 1e-9); power <= axes->largest + 1e-9; power++) {
        double x = x_of(axes, pow(10, power));
        snprintf(text, sizeof text, "%.0e", pow(10, power));
        picture_line(axes->picture, x, TOP, x, bottom, 0.75, COLOUR_GRID);
        picture_text(axes->picture, x, bottom + 18, ALIGN_CENTRE, FONT_NORMAL, 11, COLOUR_FAINT,
                     text);
    }
    picture_line(axes->picture, LEFT, bottom, LEFT + WIDTH, bottom, 1, COLOUR_FAINT);
    picture_text(axes->picture, LEFT + WIDTH / 2, bottom + 40, ALIGN_CENTRE, FONT_NORMAL, 12,
                 COLOUR_INK, "learning rate");
}

static void draw_line(const Axes *axes, const double *losses, double width, Colour colour) {
    cairo_t *cairo = axes->picture->cairo;
    picture_colour(axes->picture, colour);
    cairo_set_line_width(cairo, width);
    for (uint32_t i = 0; i < axes->test->count; i++)
        (i ? cairo_line_to : cairo_move_to)(cairo, x_of(axes, axes->test->rates[i]),
                                            y_of(axes, losses[i]));
    cairo_stroke(cairo);
}

static void draw_suggestion(const Axes *axes) {
    char text[64];
    if (isnan(axes->test->suggested)) return;
    double x = x_of(axes, axes->test->suggested);
    snprintf(text, sizeof text, "suggested: %.2g", axes->test->suggested);
    picture_line(axes->picture, x, TOP, x, TOP + HEIGHT, 1.5, COLOUR_ORANGE);
    picture_text(axes->picture, x, TOP - 6, ALIGN_CENTRE, FONT_BOLD, 12, COLOUR_ORANGE, text);
}

bool rates_draw(const char *path, const char *title, const RateTest *test, Diagnostics *diag) {
    Picture picture = picture_new(LEFT + WIDTH + RIGHT, TOP + HEIGHT + BOTTOM);
    Axes axes = {.picture = &picture, .test = test};
    find_range(&axes);
    picture_text(&picture, LEFT, 34, ALIGN_LEFT, FONT_BOLD, 17, COLOUR_INK, title);
    draw_axes(&axes);
    cairo_save(picture.cairo);
    cairo_rectangle(picture.cairo, LEFT, TOP, WIDTH, HEIGHT);
    cairo_clip(picture.cairo);
    draw_line(&axes, test->losses, 0.75, COLOUR_FAINT);
    draw_line(&axes, test->smoothed, 2.5, COLOUR_BLUE);
    cairo_restore(picture.cairo);
    draw_suggestion(&axes);
    return picture_save(&picture, path, diag);
}
