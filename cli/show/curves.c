/* Draws curves over epochs. The name and the last value of a curve are written at its end. Values
 * that span two decades or more get a logarithmic axis. */
#include "cli/show/curves.h"
#include "ir/base/integers.h"

#include <math.h>

enum { PANELS_IN_ROW = 3, TICKS_WANTED = 6, MAX_DOTS = 40 };
#define LOGARITHMIC_FROM 100.0 /* the largest value over the smallest */
#define PANEL_WIDTH 380.0
#define PANEL_HEIGHT 260.0
#define MARGIN_LEFT 70.0
#define MARGIN_RIGHT 122.0
#define MARGIN_TOP 86.0
#define MARGIN_BOTTOM 54.0
#define MARGIN_BETWEEN 30.0 /* rows of panels: for the titles */
#define LABEL_DISTANCE 16.0

typedef struct {
    Picture *picture;
    const CurvePanel *of;
    double left, top;     /* of the plot */
    bool logarithmic;     /* the vertical axis */
    double low, high;     /* of the vertical axis; log10 if it is logarithmic */
    uint32_t first, last; /* epochs */
} Panel;

static double panel_x(const Panel *panel, double epoch) {
    double span = panel->last > panel->first ? (double)(panel->last - panel->first) : 1;
    return panel->left + PANEL_WIDTH * (epoch - panel->first) / span;
}

static double panel_y(const Panel *panel, double value) {
    if (panel->logarithmic) value = log10(value);
    return panel->top + PANEL_HEIGHT * (panel->high - value) / (panel->high - panel->low);
}

static void value_text(const Panel *panel, double value, int decimals, char text[32]) {
    if (panel->of->percent)
        snprintf(text, 32, "%.*f %%", decimals > 2 ? decimals - 2 : 0, value * 100);
    else if (value != 0 && (panel->logarithmic || fabs(value) < 1e-3 || fabs(value) >= 1e7))
        snprintf(text, 32, "%.*g", decimals > 1 ? decimals : 1, value);
    else
        snprintf(text, 32, "%.*f", decimals, value);
}

/* -- the range of the axis -- */

/* Chooses a logarithmic axis for positive values with a large ratio; fractions have a linear
 * one. */
static void choose_axis(Panel *panel) {
    panel->logarithmic =
        !panel->of->percent && panel->low > 0 && panel->high >= LOGARITHMIC_FROM * panel->low;
    if (!panel->logarithmic) return;
    double pad = (log10(panel->high) - log10(panel->low)) * 0.05;
    panel->low = log10(panel->low) - pad;
    panel->high = log10(panel->high) + pad;
}

static void find_range(Panel *panel) {
    panel->low = INFINITY;
    panel->high = -INFINITY;
    for (uint32_t c = 0; c < panel->of->curve_count; c++) {
        const Curve *curve = &panel->of->curves[c];
        for (uint32_t i = 0; i < curve->count; i++) {
            if (curve->epochs[i] < panel->first || !isfinite(curve->values[i])) continue;
            panel->low = fmin(panel->low, curve->values[i]);
            panel->high = fmax(panel->high, curve->values[i]);
        }
    }
    if (!(panel->low <= panel->high)) panel->low = 0, panel->high = 1;
    choose_axis(panel);
    if (panel->logarithmic) return;
    double pad = fmax((panel->high - panel->low) * 0.08, 1e-4 * fmax(1, fabs(panel->high)));
    bool touches_zero = panel->low >= 0 && panel->low < pad;
    panel->low = touches_zero ? 0 : panel->low - pad;
    panel->high = panel->of->percent ? fmin(panel->high + pad, 1) : panel->high + pad;
}

/* -- axes -- */

static void draw_tick(const Panel *panel, double value, int decimals) {
    char text[32];
    double y = panel_y(panel, value);
    value_text(panel, value, decimals, text);
    picture_line(panel->picture, panel->left, y, panel->left + PANEL_WIDTH, y, 0.75, COLOUR_GRID);
    picture_text(panel->picture, panel->left - 8, y + 4, ALIGN_RIGHT, FONT_NORMAL, 11, COLOUR_FAINT,
                 text);
}

/* Ticks at 1, 2 and 5 times the powers of ten; over more than three decades only at every first,
 * second, ... power. */
static void draw_logarithmic_axis(const Panel *panel) {
    static const double times[] = {1, 2, 5};
    double decades = panel->high - panel->low, step = fmax(1, ceil(decades / (2 * TICKS_WANTED)));
    for (double power = floor(panel->low); power <= panel->high; power += step)
        for (int i = 0; i < (decades > 3 ? 1 : 3); i++) {
            double place = power + log10(times[i]);
            if (place >= panel->low && place <= panel->high)
                draw_tick(panel, pow(10, power) * times[i], 1);
        }
}

static void draw_epoch_axis(Panel *panel) {
    double bottom = panel->top + PANEL_HEIGHT;
    double step = fmax(1, picture_tick_step(fmax(1, panel->last - panel->first), 8));
    for (double epoch = ceil(panel->first / step) * step; epoch <= panel->last; epoch += step) {
        char text[32];
        double x = panel_x(panel, epoch);
        snprintf(text, sizeof text, "%.0f", epoch);
        picture_line(panel->picture, x, bottom, x, bottom + 4, 0.75, COLOUR_FAINT);
        picture_text(panel->picture, x, bottom + 18, ALIGN_CENTRE, FONT_NORMAL, 11, COLOUR_FAINT,
                     text);
    }
    picture_line(panel->picture, panel->left, bottom, panel->left + PANEL_WIDTH, bottom, 1,
                 COLOUR_FAINT);
    picture_text(panel->picture, panel->left + PANEL_WIDTH / 2, bottom + 38, ALIGN_CENTRE,
                 FONT_NORMAL, 12, COLOUR_INK, "epoch");
}

/* -- lines -- */

static bool is_drawn(const Panel *panel, const Curve *curve, uint32_t i) {
    return curve->epochs[i] >= panel->first && isfinite(curve->values[i]);
}

static void draw_line(const Panel *panel, const Curve *curve) {
    cairo_t *cairo = panel->picture->cairo;
    bool drawn = false;
    picture_colour(panel->picture, curve->colour);
    cairo_set_line_width(cairo, 2);
    for (uint32_t i = 0; i < curve->count; i++) {
        if (!is_drawn(panel, curve, i)) continue;
        double x = panel_x(panel, curve->epochs[i]), y = panel_y(panel, curve->values[i]);
        if (drawn)
            cairo_line_to(cairo, x, y);
        else
            cairo_move_to(cairo, x, y);
        drawn = true;
    }
    cairo_stroke(cairo);
}

static void draw_dots(const Panel *panel, const Curve *curve) {
    cairo_t *cairo = panel->picture->cairo;
    picture_colour(panel->picture, curve->colour);
    for (uint32_t i = 0; i < curve->count && curve->count <= MAX_DOTS; i++) {
        if (!is_drawn(panel, curve, i)) continue;
        cairo_new_sub_path(cairo);
        cairo_arc(cairo, panel_x(panel, curve->epochs[i]), panel_y(panel, curve->values[i]), 3, 0,
                  6.2831853);
    }
    cairo_fill(cairo);
}

static void draw_lines(const Panel *panel) {
    cairo_save(panel->picture->cairo);
    cairo_rectangle(panel->picture->cairo, panel->left - 4, panel->top - 4, PANEL_WIDTH + 8,
                    PANEL_HEIGHT + 8);
    cairo_clip(panel->picture->cairo);
    for (uint32_t c = 0; c < panel->of->curve_count; c++) {
        draw_line(panel, &panel->of->curves[c]);
        draw_dots(panel, &panel->of->curves[c]);
    }
    cairo_restore(panel->picture->cairo);
}

/* -- names at the ends of the lines, without overlaps -- */

typedef struct {
    const Curve *curve;
    double y, value;
} EndLabel;

/* Collects the curves that have a last value, from the highest to the lowest. */
static uint32_t collect_labels(const Panel *panel, EndLabel labels[CURVES_MAX]) {
    uint32_t count = 0;
    for (uint32_t c = 0; c < panel->of->curve_count; c++) {
        const Curve *curve = &panel->of->curves[c];
        double value = curve->count ? curve->values[curve->count - 1] : NAN;
        if (!isfinite(value)) continue;
        uint32_t at = count++;
        for (; at > 0 && labels[at - 1].y > panel_y(panel, value); at--)
            labels[at] = labels[at - 1];
        labels[at] = (EndLabel){curve, panel_y(panel, value), value};
    }
    return count;
}

static void draw_labels(const Panel *panel) {
    EndLabel labels[CURVES_MAX];
    uint32_t count = collect_labels(panel, labels);
    /* First each label is moved down to keep its distance from the one above. Then labels below the
     * plot are moved up again. */
    double limit = panel->top + PANEL_HEIGHT;
    for (uint32_t i = 1; i < count; i++)
        labels[i].y = fmax(labels[i].y, labels[i - 1].y + LABEL_DISTANCE);
    for (uint32_t i = count; i-- > 0; limit = labels[i].y - LABEL_DISTANCE)
        labels[i].y = fmin(labels[i].y, limit);
    for (uint32_t i = 0; i < count; i++) {
        char value[32], text[128];
        value_text(panel, labels[i].value, 4, value);
        snprintf(text, sizeof text, "%s %s", labels[i].curve->name, value);
        picture_text(panel->picture, panel->left + PANEL_WIDTH + 10, labels[i].y + 4, ALIGN_LEFT,
                     FONT_BOLD, 12, labels[i].curve->colour, text);
    }
}

/* "accuracy", and what the axis leaves out: the value before training. */
static void draw_title(const Panel *panel) {
    picture_text(panel->picture, panel->left, panel->top - 14, ALIGN_LEFT, FONT_BOLD, 13,
                 COLOUR_INK, panel->of->title);
    if (!panel->first || !isfinite(panel->of->untrained)) return;
    char value[32], text[64];
    value_text(panel, panel->of->untrained, 4, value);
    snprintf(text, sizeof text, "untrained: %s", value);
    picture_text(panel->picture, panel->left + PANEL_WIDTH, panel->top - 14, ALIGN_RIGHT,
                 FONT_NORMAL, 11, COLOUR_FAINT, text);
}

static void draw_panel(Panel *panel) {
    find_range(panel);
    draw_title(panel);
    if (panel->logarithmic)
        draw_logarithmic_axis(panel);
    else {
        double step = picture_tick_step(panel->high - panel->low, TICKS_WANTED);
        int decimals = step < 1 ? (int)ceil(-log10(step) - 1e-9) : 0;
        for (double i = ceil(panel->low / step - 1e-9); i * step <= panel->high + step * 1e-9;
             i++) {
            draw_tick(panel, i == 0 ? 0 : i * step /* not -0 */, decimals);
        }
    }
    draw_epoch_axis(panel);
    draw_lines(panel);
    draw_labels(panel);
}

/* Finds, over all curves, the last epoch and the first one to draw: the untrained network only if a
 * single epoch follows it. */
static void find_epochs(const CurvePanel *panels, uint32_t count, uint32_t *first, uint32_t *last) {
    *first = UINT32_MAX, *last = 0;
    for (uint32_t p = 0; p < count; p++)
        for (uint32_t c = 0; c < panels[p].curve_count; c++) {
            const Curve *curve = &panels[p].curves[c];
            if (!curve->count) continue;
            *first = (uint32_t)min_i64(*first, (int64_t)curve->epochs[0]);
            *last = (uint32_t)max_i64(*last, (int64_t)ceil(curve->epochs[curve->count - 1]));
        }
    if (*last >= 2) *first = 1;
}

bool curve_panels_draw(const char *path, const char *title, const CurvePanel *panels,
                       uint32_t count, Diagnostics *diag) {
    double step = MARGIN_LEFT + PANEL_WIDTH + MARGIN_RIGHT,
           row_step = PANEL_HEIGHT + MARGIN_BOTTOM + MARGIN_BETWEEN;
    uint32_t first, last, rows = (count + PANELS_IN_ROW - 1) / PANELS_IN_ROW,
                          columns = count < PANELS_IN_ROW ? count : PANELS_IN_ROW;
    find_epochs(panels, count, &first, &last);
    if (first > last) return true;
    Picture picture = picture_new(columns * step, MARGIN_TOP + rows * row_step - MARGIN_BETWEEN);
    picture_text(&picture, MARGIN_LEFT, 36, ALIGN_LEFT, FONT_BOLD, 17, COLOUR_INK, title);
    for (uint32_t i = 0; i < count; i++) {
        Panel panel = {
            .picture = &picture,
            .of = &panels[i],
            .left = MARGIN_LEFT + i % PANELS_IN_ROW * step,
            .top = MARGIN_TOP + i / PANELS_IN_ROW * row_step,
            .first = first,
            .last = last,
        };
        draw_panel(&panel);
    }
    return picture_save(&picture, path, diag);
}
