/* Progress of a training run on stderr. */
#include "cli/show/progress.h"
#include "ir/base/clock.h"
#include "ir/base/display.h"
#include "runtime/data/dataset.h"

#include <math.h>
#include <string.h>
#include <time.h>

enum {
    BAR_LEAST = 4,
    BAR_MAX = 24,
    MOVING_PART = 128,
    LINE_WIDTH = 80, /* columns, where there is no terminal */
    LINE_LEAST = 40,
    EPOCH_WIDTH = 9,  /* "untrained" */
    NUMBER_WIDTH = 8, /* "97.72 %", "0.1234"; "1.234e-05" takes a blank of the gap */
    HEAD_MAX = 20,
    GAP = 2,
    SHOWN_ALWAYS = 5 /* epochs, before lines are thinned */
};
static const double LINE_SECONDS = 1; /* from one line that stays to the next, on a terminal */

Progress progress_new(const Journal *journal, uint32_t epochs, uint32_t batch, bool quiet) {
    return (Progress){.journal = journal,
                      .epochs = epochs,
                      .batch = batch,
                      .quiet = quiet,
                      .moves = terminal_live(stderr)};
}

static void progress_clear(Progress *progress) {
    if (progress->drawn) fputs("\r\033[K", stderr);
    progress->drawn = false;
}

const char *metric_text(char buffer[NUMBER_TEXT], bool share, double value) {
    return share ? text_percent(buffer, value, 2) : text_number(buffer, value);
}

/* -- the moving line -- */

/* "  1,234 rows/s  0:12 left", or nothing yet. */
static void speed_text(const Progress *progress, uint32_t epoch, uint64_t step, uint64_t steps,
                       char text[MOVING_PART]) {
    char rate[NUMBER_TEXT], left[NUMBER_TEXT];
    double elapsed = seconds_now() - progress->start, done = (double)(step - progress->first_step);
    *text = 0;
    if (done < 1 || elapsed <= 0) return;
    double per_second = done / elapsed,
           remaining = (double)(steps - step) + (double)(progress->epochs - epoch) * (double)steps;
    snprintf(text, MOVING_PART, "  %s rows/s  %s left",
             text_count(rate, (int64_t)(per_second * progress->batch)),
             text_duration(left, remaining / per_second));
}

/* The line must not be longer than the terminal is wide: of a second line nobody could go back to
 * the first. */
static void draw_moving(uint32_t epoch, uint32_t epochs, uint64_t step, uint64_t steps, double loss,
                        const char *speed) {
    char before[MOVING_PART], after[MOVING_PART], number[NUMBER_TEXT];
    int width = terminal_width(stderr) - 1,
        used = snprintf(before, sizeof before, "epoch %u/%u ", epoch, epochs);
    used += snprintf(after, sizeof after, " %llu/%llu  loss %s", (unsigned long long)step,
                     (unsigned long long)steps, text_number(number, loss));
    if (used + (int)strlen(speed) > width) speed = "";
    int bar = width - used - (int)strlen(speed);
    fprintf(stderr, "\r%.*s", width, before);
    if (bar >= BAR_LEAST)
        terminal_bar(stderr, (double)step / (double)steps, bar < BAR_MAX ? bar : BAR_MAX);
    if (used <= width) fprintf(stderr, "%s%s", after, speed);
    fputs("\033[K", stderr);
    fflush(stderr);
}

void progress_step(Progress *progress, uint32_t epoch, uint64_t step, uint64_t steps, double loss) {
    char speed[MOVING_PART];
    if (progress->quiet || !progress->moves) return;
    if (progress->epoch != epoch) {
        progress->epoch = epoch;
        progress->start = seconds_now();
        progress->first_step = step;
    }
    speed_text(progress, epoch, step, steps, speed);
    draw_moving(epoch, progress->epochs, step, steps, loss, speed);
    progress->drawn = true;
}

/* -- the columns of the lines that stay -- */

static const Measured *measured_on(const EpochRecord *record, Split split) {
    return split == SPLIT_VALID ? &record->valid : &record->test;
}

static void add_column(Progress *progress, Shown shown, Split split, uint32_t metric,
                       const char *head, int least) {
    int width = (int)shown_columns(head, shown_fitting(head, HEAD_MAX));
    if (width < least) width = least;
    progress->columns[progress->column_count++] =
        (ProgressColumn){shown, split, metric, head, width};
}

static void add_measured(Progress *progress, const EpochRecord *record, Split split) {
    const ModelInfo *info = progress->journal->info;
    if (!measured_on(record, split)->present) return;
    add_column(progress, SHOWN_LOSS, split, 0, "loss", NUMBER_WIDTH);
    for (uint32_t i = 0; i < info->metric_count; i++)
        if (!info->counts[i].classes)
            add_column(progress, SHOWN_METRIC, split, i, info->metrics[i], NUMBER_WIDTH);
}

static int line_width(const Progress *progress) {
    int width = 0;
    for (uint32_t i = 0; i < progress->column_count; i++)
        width += progress->columns[i].width + (i ? GAP : 0);
    return width;
}

static void drop_columns(Progress *progress, Shown shown, uint32_t metric) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < progress->column_count; i++)
        if (progress->columns[i].shown != shown || progress->columns[i].metric != metric)
            progress->columns[kept++] = progress->columns[i];
    progress->column_count = kept;
}

/* What is left out so that a line fits, the least important first: the speed, the seconds, the last
 * metrics. */
static void fit_columns(Progress *progress, int room) {
    const ModelInfo *info = progress->journal->info;
    const char *before = "not shown here, but in metrics.jsonl: ";
    if (line_width(progress) > room) drop_columns(progress, SHOWN_RATE, 0);
    if (line_width(progress) > room) drop_columns(progress, SHOWN_TIME, 0);
    for (uint32_t i = info->metric_count; i-- > 0 && line_width(progress) > room;) {
        if (info->counts[i].classes) continue;
        drop_columns(progress, SHOWN_METRIC, i);
        fprintf(stderr, "%s%s", before, info->metrics[i]);
        before = ", ";
    }
    if (*before == ',') fputc('\n', stderr);
}

static void choose_columns(Progress *progress, const EpochRecord *record) {
    int room = progress->moves ? terminal_width(stderr) : LINE_WIDTH;
    char epochs[NUMBER_TEXT];
    int digits = snprintf(epochs, sizeof epochs, "%u/%u", progress->epochs, progress->epochs);
    add_column(progress, SHOWN_EPOCH, SPLIT_TRAIN, 0, "epoch",
               digits > EPOCH_WIDTH ? digits : EPOCH_WIDTH);
    add_column(progress, SHOWN_TRAIN_LOSS, SPLIT_TRAIN, 0, "loss", NUMBER_WIDTH);
    add_measured(progress, record, SPLIT_VALID);
    add_measured(progress, record, SPLIT_TEST);
    add_column(progress, SHOWN_TIME, SPLIT_TRAIN, 0, "seconds", 0);
    add_column(progress, SHOWN_RATE, SPLIT_TRAIN, 0, "rows/s", NUMBER_WIDTH);
    fit_columns(progress, room < LINE_LEAST ? LINE_LEAST : room);
}

/* -- the lines that stay -- */

static void print_cell(const ProgressColumn *column, bool first, const char *text, Style style) {
    int blanks =
        column->width + (first ? 0 : GAP) - (int)shown_columns(text, shown_fitting(text, HEAD_MAX));
    if (blanks < 1 && !first) blanks = 1;
    fprintf(stderr, "%*s%s", blanks, "", terminal_style(stderr, style));
    terminal_cell(stderr, text, 0, HEAD_MAX);
    fputs(terminal_style(stderr, STYLE_PLAIN), stderr);
}

static const char *group_of(const ProgressColumn *column) {
    if (column->shown == SHOWN_TRAIN_LOSS) return split_name(SPLIT_TRAIN);
    return column->shown == SHOWN_LOSS ? split_name(column->split) : ""; /* its metrics follow */
}

static void print_heads(const Progress *progress) {
    int blanks = 0;
    for (uint32_t i = 0; i < progress->column_count; i++) {
        const ProgressColumn *column = &progress->columns[i];
        const char *group = group_of(column);
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

static const char *shown_in(const Progress *progress, const ProgressColumn *column,
                            const EpochRecord *record, char text[NUMBER_TEXT]) {
    const Measured *measured = measured_on(record, column->split);
    bool share =
        column->shown == SHOWN_METRIC && progress->journal->info->answers[column->metric] > 0;
    switch (column->shown) {
    case SHOWN_EPOCH: return epoch_text(progress, record, text);
    case SHOWN_TRAIN_LOSS: return record->epoch ? text_number(text, record->train_loss) : "";
    case SHOWN_LOSS: return text_number(text, measured->loss);
    case SHOWN_METRIC: return metric_text(text, share, measured->metrics[column->metric]);
    case SHOWN_TIME:
        snprintf(text, NUMBER_TEXT, "%.*f", record->seconds < 1 ? 3 : 2, record->seconds);
        break;
    case SHOWN_RATE: text_count(text, record->epoch ? (int64_t)record->rows_per_second : 0); break;
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
    while (count && !*shown_in(progress, &progress->columns[count - 1], record, text)) count--;
    for (uint32_t i = 0; i < count; i++)
        print_cell(&progress->columns[i], i == 0,
                   shown_in(progress, &progress->columns[i], record, text),
                   progress->columns[i].shown == SHOWN_METRIC ? STYLE_BOLD : STYLE_PLAIN);
    fputc('\n', stderr);
    fflush(stderr);
    progress->printed = seconds_now();
    progress->waiting = false;
}

void progress_epoch(Progress *progress, const EpochRecord *record) {
    if (progress->quiet) return;
    bool soon = progress->moves && record->epoch > SHOWN_ALWAYS &&
                seconds_now() - progress->printed < LINE_SECONDS;
    progress->last = *record;
    progress->waiting = true;
    if (soon && !progress->thinned) {
        progress_clear(progress);
        fputs("the epochs are short: some are not shown here; metrics.jsonl has all of them\n",
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
