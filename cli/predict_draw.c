/* What a network makes of rows, as a picture: their images, and below each what it is taken for. */
#include "cli/picture.h"
#include "cli/predict.h"
#include "ir/shown.h"

#include <limits.h>

enum { GRID_MAX = 1000, CAPTION_WIDTH = 20, NAME_BYTES = 256 };

static bool need_images(const Predicting *predicting) {
    if (predicting->height > 0) return true;
    diag_error(predicting->diag, STATUS_USAGE, (Span){0},
               "the data of this model are no grey images: there is nothing to draw or to read");
    return false;
}

static void fill_cell(const Predicting *predicting, int64_t i, GridCell *cell) {
    char number[NUMBER_TEXT], share[NUMBER_TEXT];
    const Predictions *predictions = predicting->main;
    int32_t class = prediction_class(predictions, i), truth = predicted_truth(predicting, predictions, i);
    *cell = (GridCell){.pixels = predicted_pixels(predicting, i), .mistake = predicted_wrongly(predicting, predictions, i)};
    if (!predictions->output->classes) {
        snprintf(cell->caption, sizeof cell->caption, "%.4g", (double)prediction_value(predictions, i, 0));
        return;
    }
    const char *name = class_text(&predicting->session, predictions->output, class, number);
    snprintf(cell->caption, sizeof cell->caption, "%.*s  %s", (int)shown_fitting(name, CAPTION_WIDTH), name,
             text_percent(share, prediction_share(predictions, i, class), 0));
    if (truth < 0) return;
    name = class_text(&predicting->session, predictions->output, truth, number);
    snprintf(cell->truth, sizeof cell->truth, "true: %.*s", (int)shown_fitting(name, CAPTION_WIDTH), name);
}

static void write_title(const Predicting *predicting, char *title, size_t size) {
    const ModelInfo *info = predicting->session.build.info;
    int64_t known = predicted_known(predicting, predicting->main);
    const char *data = predicting->files ? predicting->options->operands[1] : info->source.reader;
    if (predicting->files || !known)
        snprintf(title, size, "%s on %s", info->name, data);
    else
        snprintf(title, size, "%s on %s: %lld of %lld right", info->name, data,
                 (long long)(known - predicted_mistakes(predicting, predicting->main)), (long long)known);
}

static void write_subtitle(const Predicting *predicting, char *subtitle, size_t size) {
    const ModelOutput *output = predicting->main->output;
    char rows[64] = "", several[NAME_BYTES] = "";
    if (!predicting->files)
        snprintf(rows, sizeof rows, "%s images %lld to %lld; ", split_name(predicting->split), (long long)predicting->first,
                 (long long)(predicting->first + predicting->shown - 1));
    if (predicting->output_count > 1) snprintf(several, sizeof several, " by '%s'", output->name);
    if (output->classes)
        snprintf(subtitle, size, "%sbelow each what it is taken for%s, with the probability%s", rows, several,
                 predicted_known(predicting, predicting->main) ? ", and its true class" : "");
    else
        snprintf(subtitle, size, "%sbelow each the first number of '%s'", rows, output->name);
}

static bool draw(const Predicting *predicting, const GridCell *cells) {
    char title[PATH_MAX + NAME_BYTES], subtitle[2 * NAME_BYTES];
    write_title(predicting, title, sizeof title);
    write_subtitle(predicting, subtitle, sizeof subtitle);
    Grid grid = {
        .title = title,
        .subtitle = subtitle,
        .rows = predicting->height,
        .columns = predicting->width,
        .cells = cells,
        .count = (uint32_t)predicting->shown,
    };
    return grid_draw(predicting->options->png, &grid, predicting->diag);
}

bool predicted_draw(const Predicting *predicting) {
    if (!need_images(predicting)) return false;
    if (predicting->shown > GRID_MAX) {
        diag_error(predicting->diag, STATUS_USAGE, (Span){0}, "--png draws at most %d images, not %lld", GRID_MAX,
                   (long long)predicting->shown);
        return false;
    }
    GridCell *cells = ARENA_ARRAY(predicting->session.arena, GridCell, predicting->shown);
    for (int64_t i = 0; i < predicting->shown; i++) fill_cell(predicting, i, &cells[i]);
    return draw(predicting, cells);
}
