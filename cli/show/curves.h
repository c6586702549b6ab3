/* Curves over epochs: panels side by side, each with its own vertical axis. */
#ifndef MLC_CLI_SHOW_CURVES_H
#define MLC_CLI_SHOW_CURVES_H

#include "cli/show/picture.h"

typedef struct {
    const char *name;
    Colour colour;
    const double *values; /* [count]; NaN: there is none */
    const double *epochs; /* [count], ascending; 1.5: in the middle of the second epoch */
    uint32_t count;
} Curve;

typedef struct {
    const char *title;
    bool percent;     /* the values are fractions, written in per cent */
    double untrained; /* written beside the title if epoch 0 is not drawn; NaN: nothing is */
    const Curve *curves;
    uint32_t curve_count; /* up to CURVES_MAX */
} CurvePanel;

enum { CURVES_MAX = 8 };

/* The untrained network (epoch 0) is usually far outside of the later range, so it is left out if
 * two or more epochs follow. Without a curve that has a value nothing is drawn. */
bool curve_panels_draw(const char *path, const char *title, const CurvePanel *panels,
                       uint32_t count, Diagnostics *diag);

#endif
