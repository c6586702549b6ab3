/* A plot made of characters: curves in a frame with two axes. With colours it is drawn in braille,
 * eight dots a character; without UTF-8, or when colours cannot tell several curves apart, each
 * curve has a mark of its own. */
#ifndef MLC_CLI_TEXT_PLOT_H
#define MLC_CLI_TEXT_PLOT_H

#include "cli/text/terminal.h"

typedef struct {
    const char *name;
    int look;            /* its colour and mark: below PLOT_CURVES */
    const double *x, *y; /* [count]; x ascending; NaN: no point */
    uint32_t count;
} PlotCurve;

typedef struct {
    const char *title, *axis; /* axis: the name of x */
    const PlotCurve *curves;
    uint32_t curve_count; /* up to PLOT_CURVES */
    bool percent;         /* the values are fractions, written in per cent */
    bool colours, utf8;
    int width, height; /* characters, with the axes: at least PLOT_WIDTH and PLOT_HEIGHT */
} Plot;
enum { PLOT_CURVES = 3, PLOT_WIDTH = 24, PLOT_HEIGHT = 6 };

/* Prints plots side by side, all of the height of the first. Positive values that span two decades
 * or more get a logarithmic axis. Points in one column of dots are averaged. */
void plots_print(const Plot *plots, uint32_t count, FILE *out);

#endif
