/* Progress of a training run on stderr. */
#include "cli/show/progress.h"
#include "ir/base/clock.h"
#include "ir/base/display.h"
#include "runtime/data/dataset.h"

#include <math.h>
#include <string.h>
#include <time.h>

enum {
    BAR_MIN = 4,
    BAR_MAX = 24,
    PART_MAX = 128,
    LINE_WIDTH = 80, /* columns without a terminal */
    LINE_MIN = 40,
    EPOCH_WIDTH = 9,  /* "untrained" */
    NUMBER_WIDTH = 8, /* "97.72 %", "0.1234"; "1.234e-05" extends into the gap */
    HEAD_MAX = 20,
    GAP = 2,
    ALWAYS_PRINTED = 5 /* the first epochs that all get a line */
};
static const double LINE_SECONDS = 1; /* the least time between two lines on a terminal */

Progress progress_new(const Journal *journal, uint32_t epochs, uint32_t batch, bool quiet) {
    return (Progress){.journal = journal,
                      .epochs = epochs,
                      .batch = batch,
                      .quiet = quiet,
                      .redraws = terminal_live(stderr)};
}

static void progress_clear(Progress *progress) {
    if (progress->drawn) fputs("\r\033[K", stderr);
    progress->drawn = false;
}

const char *metric_text(char buffer[NUMBER_TEXT], bool is_fraction, double value) {
    return is_fraction ? text_percent(buffer, value, 2) : text_number(buffer, value);
}

/* -- the redrawn line -- */

/* "  1,234 rows/s  0:12 left", or nothing yet. */
static void speed_text(const Progress *progress, uint32_t epoch, uint64_t step, uint64_t steps,
                       char text[PART_MAX]) {
    char rate[NUMBER_TEXT], left[NUMBER_TEXT];
    double elapsed = seconds_now() - progress->start, done = (double)(step - progress->first_step);
    *text = 0;
    if (done < 1 || elapsed <= 0) return;
    double per_second = done / elapsed,
           remaining = (double)(steps - step) + (double)(progress->epochs - epoch) * (double)steps;
    snprintf(text, PART_MAX, "  %s rows/s  %s left",
             text_count(rate, (int64_t)(per_second * progress->batch)),
             text_duration(left, remaining / per_second));
}

/* "epoch 3/10 #### 120/600 loss 0.31 900 rows/s 0:12 left". The line must fit the terminal: "\r"
 * cannot return from a second line to the first. */
static void redraw_line(uint32_t epoch, uint32_t epochs, uint64_t step, uint64_t steps, double loss,
                        const char *speed) {
    char before[PART_MAX], after[PART_MAX], number[NUMBER_TEXT];
    int width = terminal_width(stderr) - 1,
        used = snprintf(before, sizeof before, "epoch %u/%u ", epoch, epochs);
    used += snprintf(after, sizeof after, " %llu/%llu  loss %s", (unsigned long long)step,
                     (unsigned long long)steps, text_number(number, loss));
    if (used + (int)strlen(speed) > width) speed = "";
    int bar = width - used - (int)strlen(speed);
    fprintf(stderr, "\r%.*s", width, before);
    if (bar >= BAR_MIN)
        terminal_bar(stderr, (double)step / (double)steps, bar < BAR_MAX ? bar : BAR_MAX);
    if (used <= width) fprintf(stderr, "%s%s", after, speed);
    fputs("\033[K", stderr);
    fflush(stderr);
}

void progress_step(Progress *progress, uint32_t epoch, uint64_t step, uint64_t steps, double loss) {
    char speed[PART_MAX];
    if (progress->quiet || !progress->redraws) return;
    if (progress->epoch != epoch) {
        progress->epoch = epoch;
        progress->start = seconds_now();
        progress->first_step = step;
    }
    speed_text(progress, epoch, step, steps, speed);
    redraw_line(epoch, progress->epochs, step, steps, loss, speed);
    progress->drawn = true;
}

/* -- the columns of the table -- */

static const Measured *measured_on(const EpochRecord *record, Split split) {
    return split == SPLIT_VALID ? &record->valid : &record->test;
}

static void add_column(Progress *progress, ProgressKind kind, Split split, uint32_t metric,
                       const char *head, int min_width) {
    int width = (int)display_columns(head, display_fitting(head, HEAD_MAX));
    if (width < min_width) width = min_width;
    progress->columns[progress->column_count++] =
        (ProgressColumn){kind, split, metric, head, width};
}

static void add_measured(Progress *progress, const EpochRecord *record, Split split) {
    const ModelInfo *info = progress->journal->info;
    if (!measured_on(record, split)->present) return;
    add_column(progress, COLUMN_LOSS, split, 0, "loss", NUMBER_WIDTH);
    for (uint32_t i = 0; i < info->metric_count; i++)
        if (!info->counts[i].classes)
            add_column(progress, COLUMN_METRIC, split, i, info->metrics[i], NUMBER_WIDTH);
}

static int line_width(const Progress *progress) {
    int width = 0;
    for (uint32_t i = 0; i < progress->column_count; i++)
        width += progress->columns[i].width + (i ? GAP : 0);
    return width;
}

static void drop_columns(Progress *progress, ProgressKind kind, uint32_t metric) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < progress->column_count; i++)
        if (progress->columns[i].kind != kind || progress->columns[i].metric != metric)
            progress->columns[kept++] = progress->columns[i];
    progress->column_count = kept;
}

/* Drops columns until a line fits, the least important first: speed, seconds, the last metrics. */
static void fit_columns(Progress *progress, int room) {
    const ModelInfo *info = progress->journal->info;
    const char *before = "only in metrics.jsonl: ";
    if (line_width(progress) > room) drop_columns(progress, COLUMN_RATE, 0);
    if (line_width(progress) > room) drop_columns(progress, COLUMN_TIME, 0);
    for (uint32_t i = info->metric_count; i-- > 0 && line_width(progress) > room;) {
        if (info->counts[i].classes) continue;
        drop_columns(progress, COLUMN_METRIC, i);
        fprintf(stderr, "%s%s", before, info->metrics[i]);
        before = ", ";
    }
    if (*before == ',') fputc('\n', stderr);
}

static void choose_columns(Progress *progress, const EpochRecord *record) {
    int room = progress->redraws ? terminal_width(stderr) : LINE_WIDTH;
    char epochs[NUMBER_TEXT];
    int digits = snprintf(epochs, sizeof epochs, "%u/%u", progress->epochs, progress->epochs);
    add_column(progress, COLUMN_EPOCH, SPLIT_TRAIN, 0, "epoch",
               digits > EPOCH_WIDTH ? digits : EPOCH_WIDTH);
    add_column(progress, COLUMN_TRAIN_LOSS, SPLIT_TRAIN, 0, "loss", NUMBER_WIDTH);
    add_measured(progress, record, SPLIT_VALID);
    add_measured(progress, record, SPLIT_TEST);
    add_column(progress, COLUMN_TIME, SPLIT_TRAIN, 0, "seconds", 0);
    add_column(progress, COLUMN_RATE, SPLIT_TRAIN, 0, "rows/s", NUMBER_WIDTH);
    fit_columns(progress, room < LINE_MIN ? LINE_MIN : room);
}

/* -- the lines of the table -- */

static void print_cell(const ProgressColumn *column, bool first, const char *text, Style style) {
    int blanks = column->width + (first ? 0 : GAP) -
                 (int)display_columns(text, display_fitting(text, HEAD_MAX));
    if (blanks < 1 && !first) blanks = 1;
    fprintf(stderr, "%*s%s", blanks, "", terminal_style(stderr, style));
    terminal_cell(stderr, text, 0, HEAD_MAX);
    fputs(terminal_style(stderr, STYLE_PLAIN), stderr);
}

static void print_heads(const Progress *progress) {
    int blanks = 0;
    for (uint32_t i = 0; i < progress->column_count; i++) {
        const ProgressColumn *column = &progress->columns[i];
        const char *group = ""; /* for metrics, whose names follow the loss of their split */
        if (column->kind == COLUMN_TRAIN_LOSS) group = split_name(SPLIT_TRAIN);
        if (column->kind == COLUMN_LOSS) group = split_name(column->split);
        blanks += column->width + (i ? GAP : 0) - (int)strlen(group);
        if (*group) fprintf(stderr, "%*s%s", blanks, "", group);
        if (*group) blanks = 0;
    }
    fputc('\n', stderr);
    for (uint32_t i = 0; i < progress->column_count; i++)
        print_cell(&progress->columns[i], i == 0, progress->columns[i].head, STYLE_PLAIN);
    fputc('\n', stderr);
}

static const char *epoch_text(const Progress *progress, const EpochRecord *record,
                              char text[NUMBER_TEXT]) {
    if (!record->epoch) return "untrained";
    snprintf(text, NUMBER_TEXT, "%u/%u", record->epoch, progress->epochs);
    return text;
}

static const char *cell_text(const Progress *progress, const ProgressColumn *column,
                             const EpochRecord *record, char text[NUMBER_TEXT]) {
    const Measured *measured = measured_on(record, column->split);
    bool is_fraction =
        column->kind == COLUMN_METRIC && progress->journal->info->answers[column->metric] > 0;
    switch (column->kind) {
    case COLUMN_EPOCH: return epoch_text(progress, record, text);
    case COLUMN_TRAIN_LOSS: return record->epoch ? text_number(text, record->train_loss) : "";
    case COLUMN_LOSS: return text_number(text, measured->loss);
    case COLUMN_METRIC: return metric_text(text, is_fraction, measured->metrics[column->metric]);
    case COLUMN_TIME:
        snprintf(text, NUMBER_TEXT, "%.*f", record->seconds < 1 ? 3 : 2, record->seconds);
        break;
    case COLUMN_RATE: text_count(text, record->epoch ? (int64_t)record->rows_per_second : 0); break;
    }
    return record->epoch ? text : "";
}

static void print_epoch(Progress *progress, const EpochRecord *record) {
    char text[NUMBER_TEXT];
    if (!progress->column_count) {
        choose_columns(progress, record);
        print_heads(progress);
    }
    uint32_t count = progress->column_count;
    while (count && !*cell_text(progress, &progress->columns[count - 1], record, text)) count--;
    for (uint32_t i = 0; i < count; i++)
        print_cell(&progress->columns[i], i == 0,
                   cell_text(progress, &progress->columns[i], record, text),
                   progress->columns[i].kind == COLUMN_METRIC ? STYLE_BOLD : STYLE_PLAIN);
    fputc('\n', stderr);
    fflush(stderr);
    progress->printed = seconds_now();
    progress->waiting = false;
}

void progress_epoch(Progress *progress, const EpochRecord *record) {
    if (progress->quiet) return;
    bool soon = progress->redraws && record->epoch > ALWAYS_PRINTED &&
                seconds_now() - progress->printed < LINE_SECONDS;
    progress->last = *record;
    progress->waiting = true;
    if (soon && !progress->thinned) {
        progress_clear(progress);
        fputs("the epochs are short: only some are listed here; metrics.jsonl has all of them\n",
              stderr);
        progress->thinned = true;
    }
    if (soon) return;
    progress_clear(progress);
    print_epoch(progress, record);
}

void progress_end(Progress *progress) {
    progress_clear(progress);
    if (progress->waiting) print_epoch(progress, &progress->last);
}
