/* The curves of a training: one panel for the loss and one for each metric that is a number. */
#include "cli/show/curves.h"
#include "runtime/train/evaluate.h"

#include <math.h>

enum { PANELS_MAX = 1 + RUNTIME_MAX_METRICS, SPLITS = 3, STEPS_DRAWN = 500 };

/* metric -1 is the loss, which alone is known of the training rows. */
static double value_of(const EpochRecord *record, int split, int metric) {
    if (split == 0) return metric < 0 ? record->train_loss : NAN;
    const Measured *measured = split == 1 ? &record->valid : &record->test;
    if (!measured->present) return NAN;
    return metric < 0 ? measured->loss : measured->metrics[metric];
}

/* The training loss of the logged steps: at most STEPS_DRAWN points, each the mean over as many
 * steps. */
static Curve curve_of_steps(const Journal *journal, const Curve *like, Arena *arena) {
    uint32_t each = (journal->step_count + STEPS_DRAWN - 1) / STEPS_DRAWN, count = 0;
    double *values = ARENA_ARRAY(arena, double, STEPS_DRAWN),
           *epochs = ARENA_ARRAY(arena, double, STEPS_DRAWN);
    for (uint32_t first = 0; first < journal->step_count; first += each, count++) {
        uint32_t end = first + each < journal->step_count ? first + each : journal->step_count;
        for (uint32_t i = first; i < end; i++)
            values[count] += journal->steps[i].loss / (end - first);
        epochs[count] = journal->steps[end - 1].epoch;
    }
    return (Curve){like->name, like->colour, values, epochs, count};
}

static CurvePanel panel_of(const Journal *journal, int metric, const double *epochs, Arena *arena) {
    static const char *const names[SPLITS] = {"train", "valid", "test"};
    static const Colour colours[SPLITS] = {COLOUR_BLUE, COLOUR_GREEN, COLOUR_ORANGE};
    const EpochRecord *records = journal->records;
    Curve *curves = ARENA_ARRAY(arena, Curve, SPLITS);
    for (int split = 0; split < SPLITS; split++) {
        double *values = ARENA_ARRAY(arena, double, journal->record_count);
        for (uint32_t i = 0; i < journal->record_count; i++)
            values[i] = value_of(&records[i], split, metric);
        curves[split] =
            (Curve){names[split], colours[split], values, epochs, journal->record_count};
    }
    if (metric < 0 && journal->step_count) curves[0] = curve_of_steps(journal, &curves[0], arena);
    return (CurvePanel){.title = metric < 0 ? "loss" : journal->info->metrics[metric],
                        .percent = metric >= 0 && journal->info->answers[metric] > 0,
                        .untrained = records[0].epoch
                                         ? NAN
                                         : value_of(records, records->test.present ? 2 : 1, metric),
                        .curves = curves,
                        .curve_count = SPLITS};
}

bool curves_draw(const char *path, const char *title, const Journal *journal, Diagnostics *diag) {
    if (journal->record_count == 0) return true;
    Arena *arena = arena_new();
    CurvePanel panels[PANELS_MAX];
    uint32_t count = 0;
    double *epochs = ARENA_ARRAY(arena, double, journal->record_count);
    for (uint32_t i = 0; i < journal->record_count; i++) epochs[i] = journal->records[i].epoch;
    panels[count++] = panel_of(journal, -1, epochs, arena);
    for (uint32_t i = 0; i < journal->info->metric_count && count < PANELS_MAX; i++)
        if (!journal->info->counts[i].classes)
            panels[count++] = panel_of(journal, (int)i, epochs, arena);
    bool drawn = curve_panels_draw(path, title, panels, count, diag);
    arena_free(arena);
    return drawn;
}
