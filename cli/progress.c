/* Progress of a training run on stderr. */
#include "cli/progress.h"

#include <math.h>
#include <time.h>

enum { BAR_MAX = 24, REST_WIDTH = 72 }; /* columns: the bar, and all that stands around it */

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

Progress progress_new(const Journal *journal, uint32_t epochs, uint32_t batch, bool quiet) {
    return (Progress){.journal = journal, .epochs = epochs, .batch = batch, .quiet = quiet, .moves = terminal_live(stderr)};
}

void progress_clear(Progress *progress) {
    if (progress->drawn) fputs("\r\033[K", stderr);
    progress->drawn = false;
}

const char *metric_text(char buffer[NUMBER_TEXT], bool share, double value) {
    return share ? text_percent(buffer, value, 2) : text_number(buffer, value);
}

/* -- the moving line -- */

static void draw_speed(const Progress *progress, uint32_t epoch, uint64_t step, uint64_t steps) {
    char rate[NUMBER_TEXT], left[NUMBER_TEXT];
    double elapsed = now() - progress->start, done = (double)(step - progress->first_step);
    if (done < 1 || elapsed <= 0) return;
    double per_second = done / elapsed, remaining = (double)(steps - step) + (double)(progress->epochs - epoch) * (double)steps;
    fprintf(stderr, "  %s samples/s  %s left", text_count(rate, (int64_t)(per_second * progress->batch)),
            text_duration(left, remaining / per_second));
}

void progress_step(Progress *progress, uint32_t epoch, uint64_t step, uint64_t steps, double loss) {
    if (progress->quiet || !progress->moves) return;
    if (progress->epoch != epoch) {
        progress->epoch = epoch;
        progress->start = now();
        progress->first_step = step;
    }
    char number[NUMBER_TEXT];
    int room = terminal_width(stderr) - REST_WIDTH;
    fprintf(stderr, "\repoch %u/%u ", epoch, progress->epochs);
    if (room >= 4) terminal_bar(stderr, (double)step / (double)steps, room < BAR_MAX ? room : BAR_MAX);
    fprintf(stderr, " %llu/%llu  loss %s", (unsigned long long)step, (unsigned long long)steps, text_number(number, loss));
    draw_speed(progress, epoch, step, steps);
    fputs("\033[K", stderr);
    fflush(stderr);
    progress->drawn = true;
}

/* -- the line of an epoch -- */

static void print_measured(const Progress *progress, const char *split, const Measured *measured) {
    char value[NUMBER_TEXT];
    if (!measured->present) return;
    fprintf(stderr, "  %s loss %s", split, text_number(value, measured->loss));
    const ModelInfo *info = progress->journal->info;
    for (uint32_t i = 0; i < info->metric_count; i++)
        if (!info->counts[i].classes)
            fprintf(stderr, "  %s %s%s%s", info->metrics[i], terminal_style(stderr, STYLE_BOLD),
                    metric_text(value, info->answers[i] > 0, measured->metrics[i]), terminal_style(stderr, STYLE_PLAIN));
}

void progress_epoch(Progress *progress, const EpochRecord *record) {
    char rate[NUMBER_TEXT], name[32];
    if (progress->quiet) return;
    progress_clear(progress);
    snprintf(name, sizeof name, record->epoch ? "epoch %u/%u" : "untrained", record->epoch, progress->epochs);
    fprintf(stderr, "%-11s", name);
    if (isfinite(record->train_loss)) fprintf(stderr, "  train loss %s", text_number(rate, record->train_loss));
    print_measured(progress, "valid", &record->valid);
    print_measured(progress, "test", &record->test);
    if (record->epoch)
        fprintf(stderr, "  %.2f s  %s samples/s", record->seconds, text_count(rate, (int64_t)record->samples_per_second));
    fputc('\n', stderr);
    fflush(stderr);
}
