/* Draws the settings of a sweep. */
#include "cli/show/settings.h"
#include "cli/show/picture.h"

#include <math.h>
#include <string.h>

enum { TICKS_WANTED = 4, PER_ROW = 4, LABELS_SHOWN = 12 };
#define COLOUR_DROPPED 0xb9cbdcu
#define SIDE 230.0
#define LEFT 84.0
#define BETWEEN 84.0
#define RIGHT 40.0
#define TOP 100.0
#define BELOW 74.0
#define PARALLEL 260.0

typedef struct {
    Picture *picture;
    const SettingsPicture *drawn;
} SettingsDrawing;

/* The place and the range of an axis. */
typedef struct {
    const SettingsAxis *axis;
    double low, high;
    double from, to; /* where the ends are, in points */
} Scale;

/* -- scales -- */

static double measure(const SettingsAxis *axis, double value) {
    return axis->logarithmic ? log10(value) : value;
}

static Scale scale_of(const SettingsAxis *axis, uint32_t count, double from, double to) {
    Scale scale = {axis, INFINITY, -INFINITY, from, to};
    for (uint32_t i = 0; i < count; i++) {
        scale.low = fmin(scale.low, measure(axis, axis->values[i]));
        scale.high = fmax(scale.high, measure(axis, axis->values[i]));
    }
    double room =
        scale.high > scale.low ? (scale.high - scale.low) / 20 : fmax(fabs(scale.high), 1) / 10;
    if (axis->labels) {
        scale.low = 0;
        scale.high = axis->label_count - 1;
        room = 0.5;
    }
    scale.low -= room;
    scale.high += room;
    return scale;
}

static double place_of(const Scale *scale, double value) {
    double part = (measure(scale->axis, value) - scale->low) / (scale->high - scale->low);
    return scale->from + part * (scale->to - scale->from);
}

/* Tick number i of an axis, from 0: its value; NaN: there are no more. Logarithmic axes have ticks
 * at 1, 2 and 5 times the powers of ten, or at the powers alone if they are many. */
static double tick(const Scale *scale, uint32_t i) {
    const SettingsAxis *axis = scale->axis;
    double value;
    if (axis->labels) {
        uint32_t step = (axis->label_count + LABELS_SHOWN - 1) / LABELS_SHOWN;
        return i * step < axis->label_count ? (double)(i * step) : NAN;
    }
    if (axis->logarithmic) {
        static const double factors[] = {1, 2, 5};
        bool few = scale->high - scale->low < 3;
        double power = floor(scale->low);
        for (uint32_t n = 0;; n++) {
            value = few ? pow(10, power + n / 3) * factors[n % 3] : pow(10, power + n);
            if (log10(value) > scale->high) return NAN;
            if (log10(value) >= scale->low && i-- == 0) return value;
        }
    }
    double step = picture_tick_step(scale->high - scale->low, TICKS_WANTED);
    value = (ceil(scale->low / step) + i) * step;
    return value <= scale->high ? value : NAN;
}

static void tick_text(const SettingsAxis *axis, double value, char text[32]) {
    if (axis->labels)
        snprintf(text, 32, "%.20s", axis->labels[(int)value]);
    else
        snprintf(text, 32, "%.4g", value + 0.0); /* no -0 */
}

static Colour colour_of(const SettingsPicture *drawn, uint32_t setting) {
    return setting == 0 ? COLOUR_ORANGE : setting < drawn->finished ? COLOUR_BLUE : COLOUR_DROPPED;
}

/* -- scores over a parameter -- */

static void draw_panel(const SettingsDrawing *drawing, const SettingsAxis *param, double left,
                       double top) {
    const SettingsPicture *drawn = drawing->drawn;
    Picture *picture = drawing->picture;
    Scale x = scale_of(param, drawn->count, left, left + SIDE),
          y = scale_of(&drawn->score, drawn->count, top + SIDE, top);
    double value;
    char text[32];
    for (uint32_t i = 0; !isnan(value = tick(&x, i)); i++) {
        double at = place_of(&x, value);
        tick_text(param, value, text);
        picture_line(picture, at, top, at, top + SIDE, 1, COLOUR_GRID);
        double size = picture_fitting_size(picture, FONT_NORMAL, 11, 64, text);
        picture_text(picture, at, top + SIDE + 18, ALIGN_CENTRE, FONT_NORMAL, size, COLOUR_FAINT,
                     text);
    }
    for (uint32_t i = 0; !isnan(value = tick(&y, i)); i++) {
        double at = place_of(&y, value);
        tick_text(&drawn->score, value, text);
        picture_line(picture, left, at, left + SIDE, at, 1, COLOUR_GRID);
        picture_text(picture, left - 8, at + 4, ALIGN_RIGHT, FONT_NORMAL, 11, COLOUR_FAINT, text);
    }
    picture_text(picture, left + SIDE / 2, top + SIDE + 38, ALIGN_CENTRE, FONT_BOLD,
                 picture_fitting_size(picture, FONT_BOLD, 12, SIDE, param->name), COLOUR_INK,
                 param->name);
    for (uint32_t i = drawn->count; i-- > 0;)
        picture_dot(picture, place_of(&x, param->values[i]), place_of(&y, drawn->score.values[i]),
                    i ? 3 : 4.5, colour_of(drawn, i));
}

/* -- a line a setting -- */

static double axis_x(const SettingsPicture *drawn, uint32_t axis, double width) {
    return LEFT + (width - LEFT - RIGHT - 60) * axis / drawn->param_count;
}

static Scale parallel_scale(const SettingsPicture *drawn, uint32_t axis, double top) {
    const SettingsAxis *one = axis < drawn->param_count ? &drawn->params[axis] : &drawn->score;
    return scale_of(one, drawn->count, top + PARALLEL, top);
}

static void draw_axis(const SettingsDrawing *drawing, uint32_t axis, double top, double width) {
    Picture *picture = drawing->picture;
    Scale scale = parallel_scale(drawing->drawn, axis, top);
    double x = axis_x(drawing->drawn, axis, width), value;
    char text[32];
    picture_line(picture, x, top, x, top + PARALLEL, 1.2, COLOUR_INK);
    picture_text(picture, x, top + PARALLEL + 22, ALIGN_CENTRE, FONT_BOLD,
                 picture_fitting_size(picture, FONT_BOLD, 12, 130, scale.axis->name), COLOUR_INK,
                 scale.axis->name);
    for (uint32_t i = 0; !isnan(value = tick(&scale, i)); i++) {
        double at = place_of(&scale, value);
        tick_text(scale.axis, value, text);
        picture_line(picture, x - 4, at, x, at, 1, COLOUR_INK);
        picture_text(picture, x - 8, at + 4, ALIGN_RIGHT, FONT_NORMAL, 11, COLOUR_FAINT, text);
    }
}

static void draw_lines(const SettingsDrawing *drawing, double top, double width) {
    const SettingsPicture *drawn = drawing->drawn;
    for (uint32_t i = drawn->count; i-- > 0;) {
        double x0 = 0, y0 = 0;
        for (uint32_t axis = 0; axis <= drawn->param_count; axis++) {
            Scale scale = parallel_scale(drawn, axis, top);
            double x = axis_x(drawn, axis, width), y = place_of(&scale, scale.axis->values[i]);
            if (axis)
                picture_line(drawing->picture, x0, y0, x, y, i ? 1 : 2.5, colour_of(drawn, i));
            x0 = x;
            y0 = y;
        }
    }
    for (uint32_t axis = 0; axis <= drawn->param_count; axis++)
        draw_axis(drawing, axis, top, width);
}

bool settings_draw(const char *path, const SettingsPicture *drawn, Diagnostics *diag) {
    uint32_t across = drawn->param_count < PER_ROW ? drawn->param_count : PER_ROW,
             rows = (drawn->param_count + PER_ROW - 1) / PER_ROW;
    bool parallel = drawn->param_count > 1;
    double width = LEFT + across * SIDE + (across - 1) * BETWEEN + RIGHT,
           height = TOP + rows * (SIDE + BELOW) + (parallel ? PARALLEL + 60 : 0);
    if (width < 460) width = 460;
    Picture picture = picture_new(width, height);
    const SettingsDrawing drawing = {&picture, drawn};
    picture_text(&picture, RIGHT, 36, ALIGN_LEFT, FONT_BOLD,
                 picture_fitting_size(&picture, FONT_BOLD, 17, width - 2 * RIGHT, drawn->title),
                 COLOUR_INK, drawn->title);
    picture_text(
        &picture, RIGHT, 58, ALIGN_LEFT, FONT_NORMAL,
        picture_fitting_size(&picture, FONT_NORMAL, 12, width - 2 * RIGHT, drawn->subtitle),
        COLOUR_FAINT, drawn->subtitle);
    picture_text(&picture, LEFT, TOP - 14, ALIGN_LEFT, FONT_BOLD, 13, COLOUR_INK,
                 drawn->score.name);
    for (uint32_t p = 0; p < drawn->param_count; p++)
        draw_panel(&drawing, &drawn->params[p], LEFT + (p % PER_ROW) * (SIDE + BETWEEN),
                   TOP + (p / PER_ROW) * (SIDE + BELOW));
    if (parallel) draw_lines(&drawing, TOP + rows * (SIDE + BELOW) + 10, width);
    return picture_save(&picture, path, diag);
}
