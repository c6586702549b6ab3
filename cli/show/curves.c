/* Draws the curves of a run over its epochs: one panel for the loss and one for each metric. The
 * name and the last value of a line are written at its end. Values that span two decades or more
 * get a logarithmic axis. The untrained network (epoch 0) is usually far outside of the later
 * range, so its value is only written in the title if two or more epochs follow. */
#include "cli/show/picture.h"
#include "runtime/train/evaluate.h"

#include <math.h>

enum { PANELS_MAX = 1 + RUNTIME_MAX_METRICS, PANELS_IN_ROW = 3, LINES_MAX = 3, TICKS_WANTED = 6 };
#define LOGARITHMIC_FROM 100.0 /* the largest value over the smallest */
#define PANEL_WIDTH 380.0
#define PANEL_HEIGHT 260.0
#define MARGIN_LEFT 70.0
#define MARGIN_RIGHT 122.0
#define MARGIN_TOP 86.0
#define MARGIN_BOTTOM 54.0
#define MARGIN_BETWEEN 30.0 /* rows of panels: for the titles */
#define LABEL_DISTANCE 16.0

/* The value of one line at one epoch; NaN if there is none. metric -1 is the loss. */
typedef double ValueFunction(const EpochRecord *record, int metric);

typedef struct {
    const char *name;
    Colour colour;
    ValueFunction *value;
} LineKind;

static double train_value(const EpochRecord *record, int metric) {
    return metric < 0 ? record->train_loss : NAN;
}

static double measured_value(const Measured *measured, int metric) {
    if (!measured->present) return NAN;
    return metric < 0 ? measured->loss : measured->metrics[metric];
}
static double valid_value(const EpochRecord *record, int metric) {
    return measured_value(&record->valid, metric);
}
static double test_value(const EpochRecord *record, int metric) {
    return measured_value(&record->test, metric);
}

static const LineKind lines[LINES_MAX] = {
    {"train", COLOUR_BLUE, train_value},
    {"valid", COLOUR_GREEN, valid_value},
    {"test", COLOUR_ORANGE, test_value},
};

typedef struct {
    Picture *picture;
    const Journal *journal;
    int metric;
    bool percent;         /* a fraction, written in per cent */
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
    if (panel->percent)
        snprintf(text, 32, "%.*f %%", decimals > 2 ? decimals - 2 : 0, value * 100);
    else if (value != 0 && (panel->logarithmic || fabs(value) < 1e-3 || fabs(value) >= 1e7))
        snprintf(text, 32, "%.*g", decimals > 1 ? decimals : 1, value);
    else
        snprintf(text, 32, "%.*f", decimals, value);
}

/* -- the range of the axis -- */

static void range_include(Panel *panel, double value) {
    if (!isfinite(value)) return;
    panel->low = fmin(panel->low, value);
    panel->high = fmax(panel->high, value);
}

/* Chooses a logarithmic axis for positive values with a large ratio; fractions have a linear
 * one. */
static void choose_axis(Panel *panel) {
    panel->logarithmic =
        !panel->percent && panel->low > 0 && panel->high >= LOGARITHMIC_FROM * panel->low;
    if (!panel->logarithmic) return;
    double pad = (log10(panel->high) - log10(panel->low)) * 0.05;
    panel->low = log10(panel->low) - pad;
    panel->high = log10(panel->high) + pad;
}

static void find_range(Panel *panel) {
    const Journal *journal = panel->journal;
    panel->low = INFINITY;
    panel->high = -INFINITY;
    for (uint32_t i = 0; i < journal->record_count; i++)
        for (int line = 0; line < LINES_MAX; line++)
            if (journal->records[i].epoch >= panel->first)
                range_include(panel, lines[line].value(&journal->records[i], panel->metric));
    if (!(panel->low <= panel->high)) panel->low = 0, panel->high = 1;
    choose_axis(panel);
    if (panel->logarithmic) return;
    double pad = fmax((panel->high - panel->low) * 0.08, 1e-4 * fmax(1, fabs(panel->high)));
    bool touches_zero = panel->low >= 0 && panel->low < pad;
    panel->low = touches_zero ? 0 : panel->low - pad;
    panel->high = panel->percent ? fmin(panel->high + pad, 1) : panel->high + pad;
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

static void draw_line(Panel *panel, const LineKind *line) {
    cairo_t *cairo = panel->picture->cairo;
    bool drawn = false;
    picture_colour(panel->picture, line->colour);
    cairo_set_line_width(cairo, 2);
    for (uint32_t i = 0; i < panel->journal->record_count; i++) {
        const EpochRecord *record = &panel->journal->records[i];
        double value = line->value(record, panel->metric);
        if (record->epoch < panel->first || !isfinite(value)) continue;
        double x = panel_x(panel, record->epoch), y = panel_y(panel, value);
        if (drawn)
            cairo_line_to(cairo, x, y);
        else
            cairo_move_to(cairo, x, y);
        drawn = true;
    }
    cairo_stroke(cairo);
}

static void draw_dots(Panel *panel, const LineKind *line) {
    cairo_t *cairo = panel->picture->cairo;
    picture_colour(panel->picture, line->colour);
    for (uint32_t i = 0; i < panel->journal->record_count && panel->journal->record_count <= 40;
         i++) {
        const EpochRecord *record = &panel->journal->records[i];
        double value = line->value(record, panel->metric);
        if (record->epoch < panel->first || !isfinite(value)) continue;
        cairo_new_sub_path(cairo);
        cairo_arc(cairo, panel_x(panel, record->epoch), panel_y(panel, value), 3, 0, 6.2831853);
    }
    cairo_fill(cairo);
}

static void draw_lines(Panel *panel) {
    cairo_save(panel->picture->cairo);
    cairo_rectangle(panel->picture->cairo, panel->left - 4, panel->top - 4, PANEL_WIDTH + 8,
                    PANEL_HEIGHT + 8);
    cairo_clip(panel->picture->cairo);
    for (int i = 0; i < LINES_MAX; i++) {
        draw_line(panel, &lines[i]);
        draw_dots(panel, &lines[i]);
    }
    cairo_restore(panel->picture->cairo);
}

/* -- names at the ends of the lines, without overlaps -- */

typedef struct {
    const LineKind *line;
    double y, value;
} EndLabel;

static uint32_t collect_labels(const Panel *panel, EndLabel labels[LINES_MAX]) {
    uint32_t count = 0;
    const EpochRecord *last = journal_last(panel->journal);
    for (int i = 0; i < LINES_MAX; i++) {
        double value = lines[i].value(last, panel->metric);
        if (!isfinite(value)) continue;
        uint32_t at = count++;
        for (; at > 0 && labels[at - 1].y > panel_y(panel, value); at--)
            labels[at] = labels[at - 1];
        labels[at] = (EndLabel){&lines[i], panel_y(panel, value), value};
    }
    return count;
}

static void draw_labels(Panel *panel) {
    EndLabel labels[LINES_MAX];
    uint32_t count = collect_labels(panel, labels);
    /* First each label is moved down to keep its distance from the one above. Then labels below the
     * plot are moved up again. */
    double limit = panel->top + PANEL_HEIGHT;
    for (uint32_t i = 1; i < count; i++)
        labels[i].y = fmax(labels[i].y, labels[i - 1].y + LABEL_DISTANCE);
    for (uint32_t i = count; i-- > 0; limit = labels[i].y - LABEL_DISTANCE)
        labels[i].y = fmin(labels[i].y, limit);
    for (uint32_t i = 0; i < count; i++) {
        char value[32], text[64];
        value_text(panel, labels[i].value, 4, value);
        snprintf(text, sizeof text, "%s %s", labels[i].line->name, value);
        picture_text(panel->picture, panel->left + PANEL_WIDTH + 10, labels[i].y + 4, ALIGN_LEFT,
                     FONT_BOLD, 12, labels[i].line->colour, text);
    }
}

/* "accuracy", and what the axis leaves out: the value before training. */
static void draw_title(Panel *panel) {
    const char *title = panel->metric < 0 ? "loss" : panel->journal->info->metrics[panel->metric];
    const EpochRecord *record = &panel->journal->records[0];
    double untrained = record->test.present ? test_value(record, panel->metric)
                                            : valid_value(record, panel->metric);
    picture_text(panel->picture, panel->left, panel->top - 14, ALIGN_LEFT, FONT_BOLD, 13,
                 COLOUR_INK, title);
    if (record->epoch >= panel->first || !isfinite(untrained)) return;
    char value[32], text[64];
    value_text(panel, untrained, 4, value);
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

/* Panels for the loss (-1) and the metrics that are numbers; returns their count. */
static int choose_panels(const ModelInfo *info, int metrics[PANELS_MAX]) {
    int count = 0;
    metrics[count++] = -1;
    for (uint32_t i = 0; i < info->metric_count && count < PANELS_MAX; i++)
        if (!info->counts[i].classes) metrics[count++] = (int)i;
    return count;
}

bool curves_draw(const char *path, const char *title, const Journal *journal, Diagnostics *diag) {
    int metrics[PANELS_MAX], panels = choose_panels(journal->info, metrics);
    double step = MARGIN_LEFT + PANEL_WIDTH + MARGIN_RIGHT,
           row_step = PANEL_HEIGHT + MARGIN_BOTTOM + MARGIN_BETWEEN;
    int rows = (panels + PANELS_IN_ROW - 1) / PANELS_IN_ROW,
        columns = panels < PANELS_IN_ROW ? panels : PANELS_IN_ROW;
    if (journal->record_count == 0) return true;
    uint32_t last = journal_last(journal)->epoch;
    Picture picture = picture_new(columns * step, MARGIN_TOP + rows * row_step - MARGIN_BETWEEN);
    picture_text(&picture, MARGIN_LEFT, 36, ALIGN_LEFT, FONT_BOLD, 17, COLOUR_INK, title);
    for (int i = 0; i < panels; i++) {
        Panel panel = {
            .picture = &picture,
            .journal = journal,
            .metric = metrics[i],
            .percent = metrics[i] >= 0 && journal->info->answers[metrics[i]] > 0,
            .left = MARGIN_LEFT + i % PANELS_IN_ROW * step,
            .top = MARGIN_TOP + i / PANELS_IN_ROW * row_step,
            .first = last >= 2 ? 1 : journal->records[0].epoch,
            .last = last,
        };
        draw_panel(&panel);
    }
    return picture_save(&picture, path, diag);
}
