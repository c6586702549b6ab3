/* A picture of the settings of a sweep: their scores over each parameter. If several parameters
 * vary, a plot of parallel coordinates follows below: a line for each setting through the axes of
 * all parameters. */
#ifndef MLC_CLI_SHOW_SETTINGS_H
#define MLC_CLI_SHOW_SETTINGS_H

#include "ir/base/diag.h"

#include <stdint.h>

/* An axis, with the number of each setting on it. */
typedef struct {
    const char *name;
    const double *values; /* [count] */
    /* [label_count]: texts that the values 0, 1, ... stand for; NULL: the values are numbers */
    const char *const *labels;
    uint32_t label_count;
    bool logarithmic; /* all values are above 0, and are spread by their logarithms */
} SettingsAxis;

typedef struct {
    const char *title, *subtitle;
    SettingsAxis score;
    const SettingsAxis *params;
    uint32_t param_count;
    uint32_t count;    /* settings, the best one first; each with a finite score */
    uint32_t finished; /* how many were trained to the end: the first ones */
} SettingsPicture;

bool settings_draw(const char *path, const SettingsPicture *drawn, Diagnostics *diag);

#endif
