/* Plots made of characters. */
#include "cli/text/plot.h"
#include "ir/base/display.h"
#include "ir/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { AXIS = 10, DOTS_X = 2, DOTS_Y = 4, BLANK = 0x2800 };
#define LOGARITHMIC_FROM 100.0 /* the largest value over the smallest */

typedef struct {
    const Plot *plot;
    bool braille, logarithmic;
    int columns, rows;     /* the size of the field inside the axes, in characters */
    int dots_x, dots_y;    /* the same in dots */
    double left, right;    /* the range of the horizontal axis */
    double low, high;      /* the range of the vertical axis; log10 if it is logarithmic */
    unsigned *cells;       /* [rows][columns]: dots of braille, or the number of a curve from 1 */
    unsigned char *owners; /* [rows][columns]: the look of the last curve, from 1; 0: none */
} Canvas;

static const Style styles[PLOT_CURVES] = {STYLE_BLUE, STYLE_GOOD, STYLE_YELLOW};
static const char marks[PLOT_CURVES] = {'*', '+', 'o'};

/* -- the ranges of the axes -- */

static void find_ranges(Canvas *canvas) {
    canvas->left = canvas->low = INFINITY;
    canvas->right = canvas->high = -INFINITY;
    for (uint32_t c = 0; c < canvas->plot->curve_count; c++) {
        const PlotCurve *curve = &canvas->plot->curves[c];
        for (uint32_t i = 0; i < curve->count; i++) {
            if (!isfinite(curve->y[i])) continue;
            canvas->left = fmin(canvas->left, curve->x[i]);
            canvas->right = fmax(canvas->right, curve->x[i]);
            canvas->low = fmin(canvas->low, curve->y[i]);
            canvas->high = fmax(canvas->high, curve->y[i]);
        }
    }
    if (!(canvas->low <= canvas->high))
        canvas->left = canvas->low = 0, canvas->right = canvas->high = 1;
    canvas->logarithmic =
        !canvas->plot->percent && canvas->low > 0 && canvas->high >= LOGARITHMIC_FROM * canvas->low;
    if (canvas->logarithmic) canvas->low = log10(canvas->low), canvas->high = log10(canvas->high);
    if (canvas->high <= canvas->low) {
        double pad = fmax(fabs(canvas->low) * 1e-3, 1e-6);
        canvas->low -= pad;
        canvas->high += canvas->plot->percent ? 0 : pad; /* no fraction is above 100 % */
    }
    if (canvas->right <= canvas->left) canvas->right = canvas->left + 1;
}

/* -- dots -- */

static void put_dot(Canvas *canvas, int x, int y, uint32_t curve) {
    static const unsigned bits[DOTS_Y][DOTS_X] = {{1, 8}, {2, 16}, {4, 32}, {64, 128}};
    int at = canvas->braille ? y / DOTS_Y * canvas->columns + x / DOTS_X : y * canvas->columns + x;
    canvas->cells[at] |= canvas->braille ? bits[y % DOTS_Y][x % DOTS_X] : 1;
    canvas->owners[at] = (unsigned char)(canvas->plot->curves[curve].look + 1);
}

/* The row of dots for a value, counted from above. If values span more than the range of f64,
 * `part` is NaN, and the row is 0. */
static int dot_row(const Canvas *canvas, double value) {
    if (canvas->logarithmic) value = log10(value);
    double part = (canvas->high - value) / (canvas->high - canvas->low);
    return (int)lround((part > 0 ? fmin(part, 1) : 0) * (canvas->dots_y - 1));
}

/* Computes the mean of the points in each column of dots; NaN for a column without points. */
static void gather_columns(const Canvas *canvas, const PlotCurve *curve, double *means) {
    double scale = (canvas->dots_x - 1) / (canvas->right - canvas->left);
    int *counts = memory_array((size_t)canvas->dots_x, sizeof *counts, "a plot");
    memset(means, 0, (size_t)canvas->dots_x * sizeof *means);
    for (uint32_t i = 0; i < curve->count; i++) {
        if (!isfinite(curve->y[i])) continue;
        int column = (int)lround((curve->x[i] - canvas->left) * scale);
        means[column] += curve->y[i];
        counts[column]++;
    }
    for (int x = 0; x < canvas->dots_x; x++) means[x] = counts[x] ? means[x] / counts[x] : NAN;
    free(counts);
}

/* Braille dots are joined by lines. Marks stand alone, because lines of them would hide other
 * curves. */
static void draw_curve(Canvas *canvas, uint32_t number) {
    double *means = memory_array((size_t)canvas->dots_x, sizeof *means, "a plot");
    gather_columns(canvas, &canvas->plot->curves[number], means);
    for (int x = 0, before = -1, before_row = 0; x < canvas->dots_x; x++) {
        if (isnan(means[x])) continue;
        int row = dot_row(canvas, means[x]);
        put_dot(canvas, x, row, number);
        for (int at = before + 1; canvas->braille && before >= 0 && at <= x; at++) {
            double from =
                       before_row + (double)(row - before_row) * (at - before - 1) / (x - before),
                   to = before_row + (double)(row - before_row) * (at - before) / (x - before);
            for (int y = (int)lround(fmin(from, to)); y <= (int)lround(fmax(from, to)); y++)
                put_dot(canvas, at, y, number);
        }
        before = x, before_row = row;
    }
    free(means);
}

static Canvas canvas_new(const Plot *plot, int height) {
    Canvas canvas = {.plot = plot,
                     .braille = plot->utf8 && (plot->colours || plot->curve_count == 1),
                     .columns = plot->width - AXIS - 1,
                     .rows = height - 3};
    canvas.dots_x = canvas.columns * (canvas.braille ? DOTS_X : 1);
    canvas.dots_y = canvas.rows * (canvas.braille ? DOTS_Y : 1);
    size_t cells = (size_t)canvas.columns * (size_t)canvas.rows;
    canvas.cells = memory_array(cells, sizeof *canvas.cells, "a plot");
    canvas.owners = memory_array(cells, 1, "a plot");
    find_ranges(&canvas);
    for (uint32_t c = plot->curve_count; c-- > 0;) draw_curve(&canvas, c);
    return canvas;
}

/* -- lines of text -- */

static void put_style(const Plot *plot, Style style, FILE *out) {
    if (plot->colours) fputs(terminal_sequence(style), out);
}

static void put_code(unsigned code, FILE *out) {
    fprintf(out, "%c%c%c", 0xe0 | code >> 12, 0x80 | (code >> 6 & 63), 0x80 | (code & 63));
}

/* "loss  * train  o test"; returns its columns. */
static int put_head(const Plot *plot, FILE *out) {
    int used = (int)display_columns(plot->title, display_fitting(plot->title, (size_t)plot->width));
    put_style(plot, STYLE_BOLD, out);
    terminal_cell(out, plot->title, 0, plot->width);
    put_style(plot, STYLE_PLAIN, out);
    for (uint32_t c = 0; c < plot->curve_count; c++) {
        const char *name = plot->curves[c].name;
        int look = plot->curves[c].look;
        if (used + 4 + (int)strlen(name) > plot->width) break;
        put_style(plot, styles[look], out);
        fprintf(out, "  %s %s", plot->utf8 && plot->colours ? "●" : (char[]){marks[look], 0}, name);
        put_style(plot, STYLE_PLAIN, out);
        used += 4 + (int)strlen(name);
    }
    return used;
}

/* The highest, the middle and the lowest row have their value at the axis. */
static void put_axis(const Canvas *canvas, int row, FILE *out) {
    char text[NUMBER_TEXT] = "";
    bool named = row == 0 || row == canvas->rows - 1 || row == canvas->rows / 2;
    double part = canvas->rows > 1 ? (double)row / (canvas->rows - 1) : 0;
    if (named) {
        double value = canvas->high - part * (canvas->high - canvas->low);
        if (canvas->plot->percent)
            snprintf(text, NUMBER_TEXT, "%.1f %%", 100 * value);
        else
            snprintf(text, NUMBER_TEXT, "%.3g", canvas->logarithmic ? pow(10, value) : value);
    }
    fprintf(out, "%*s %s", AXIS - 1, text,
            canvas->plot->utf8 ? (named ? "┤" : "│") : (named ? "+" : "|"));
}

static int put_row(const Canvas *canvas, int row, FILE *out) {
    int first = row * canvas->columns, end = canvas->columns, before = 0;
    put_axis(canvas, row, out);
    while (end && !canvas->owners[first + end - 1]) end--;
    for (int x = 0; x < end; x++) {
        int owner = canvas->owners[first + x];
        if (owner && owner != before) put_style(canvas->plot, styles[owner - 1], out);
        if (owner) before = owner;
        if (!owner)
            putc(' ', out);
        else if (canvas->braille)
            put_code(BLANK + canvas->cells[first + x], out);
        else
            putc(marks[owner - 1], out);
    }
    if (before) put_style(canvas->plot, STYLE_PLAIN, out);
    return AXIS + 1 + end;
}

static int put_line(const Canvas *canvas, int line, FILE *out) {
    const Plot *plot = canvas->plot;
    char first[NUMBER_TEXT], last[NUMBER_TEXT];
    if (line == 0) return put_head(plot, out);
    if (line <= canvas->rows) return put_row(canvas, line - 1, out);
    if (line == canvas->rows + 1) { /* the axis; below it the numbers at its ends */
        fprintf(out, "%*s%s", AXIS, "", plot->utf8 ? "└" : "+");
        for (int x = 0; x < canvas->columns; x++) fputs(plot->utf8 ? "─" : "-", out);
        return plot->width;
    }
    snprintf(first, sizeof first, "%.4g", canvas->left);
    snprintf(last, sizeof last, "%s %.4g", plot->axis, canvas->right);
    fprintf(out, "%*s%s%*s", AXIS + 1, "", first, canvas->columns - (int)strlen(first), last);
    return plot->width;
}

void plots_print(const Plot *plots, uint32_t count, FILE *out) {
    enum { GAP = 2 };
    Canvas *canvases = memory_array(count, sizeof *canvases, "plots");
    for (uint32_t i = 0; i < count; i++) canvases[i] = canvas_new(&plots[i], plots[0].height);
    for (int line = 0; line < plots[0].height; line++) {
        int blanks = 0;
        for (uint32_t i = 0; i < count; i++) {
            fprintf(out, "%*s", blanks, "");
            blanks = plots[i].width + GAP - put_line(&canvases[i], line, out);
        }
        putc('\n', out);
    }
    for (uint32_t i = 0; i < count; i++) {
        free(canvases[i].cells);
        free(canvases[i].owners);
    }
    free(canvases);
}
