/* What mlc train prints at its end: losses, metrics, the files of the run. */
#include "cli/commands/training.h"
#include "cli/results/confusion.h"
#include "cli/text/terminal.h"
#include "ir/base/clock.h"
#include "ir/base/display.h"
#include "ir/base/files.h"

#include <math.h>

static void print_measured(const Training *training, const char *split, const Measured *measured) {
    char value[NUMBER_TEXT];
    if (!measured->present) return;
    const ModelInfo *info = training->journal.info;
    for (uint32_t i = 0; i < info->metric_count; i++)
        if (!info->counts[i].classes)
            printf("%s %s %s, ", split, info->metrics[i],
                   metric_text(value, info->answers[i] > 0, measured->metrics[i]));
    printf("%s loss %s, ", split, text_number(value, measured->loss));
}

static void print_counts(const Training *training, Split split, const Measured *measured) {
    const ModelInfo *info = training->journal.info;
    int64_t rows = dataset_rows(training->session.dataset, split);
    for (uint32_t i = 0; i < info->metric_count; i++) {
        const MetricCounts *counts = &info->counts[i];
        Confusion confusion = {counts->classes, counts->label, counts->answers * rows,
                               measured->counts[i]};
        if (!confusion.counts) continue;
        printf("\n%s %s:\n", split_name(split), info->metrics[i]);
        confusion_print(&info->schema, &confusion);
    }
}

/* Lists the files of the run; there is no best.safetensors without held-out rows. */
static void print_files(const char *folder) {
    static const char *const files[] = {RUN_LAST, RUN_BEST, RUN_MODEL, RUN_METRICS, RUN_CURVES};
    const char *before = ": ";
    display_text(folder, stdout);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (!file_is_there(path_join(folder, files[i]).path)) continue;
        printf("%s%s", before, files[i]);
        before = ", ";
    }
    putchar('\n');
}

/* Prints why the training ended early, and which epoch was the best. */
static void print_best(const Training *training, const EpochRecord *last) {
    const ModelInfo *info = training->session.build.info;
    const char *split = last->valid.present ? "valid" : "test",
               *metric = info->keep_best.metric ? info->keep_best.metric : "loss";
    const char *stop_metric = info->stop.score.metric ? info->stop.score.metric : "loss";
    if (training->early)
        printf("stopped early: the %s %s did not improve in %u epoch%s\n", split, stop_metric,
               info->stop.patience, info->stop.patience == 1 ? "" : "s");
    if (training->best_epoch)
        printf(
            "best %s %s: epoch %u%s\n", split, metric, training->best_epoch,
            last->valid.present
                ? ""
                : ", chosen on the test rows; 'valid = 0.1' holds out other rows for this choice");
}

/* How large batches may usefully be. */
static void print_noise(const Training *training) {
    char rows[NUMBER_TEXT];
    if (training->session.build.info->replicas == 1 || !isfinite(training->noise_scale)) return;
    text_number(rows, training->noise_scale);
    printf("gradient noise scale %s: batches of many more rows than that save few steps\n", rows);
}

void training_print_answer(const Training *training) {
    char number[NUMBER_TEXT];
    const EpochRecord *last = journal_last(&training->journal);
    const char *folder = training->folder.path;
    if (training->options->json || !last) return;
    print_measured(training, "test", &last->test);
    print_measured(training, "valid", &last->valid);
    if (isfinite(last->train_loss))
        printf("train loss %s, ", text_number(number, last->train_loss));
    printf("%u epoch%s, %.1f s\n", last->epoch, last->epoch == 1 ? "" : "s",
           seconds_now() - training->started);
    for (Split split = SPLIT_COUNT; split-- > SPLIT_VALID;) {
        if (training->error_count[split])
            printf("%s errors in the units of the data\n", split_name(split));
        units_print(training->session.arena, training->errors[split], training->error_count[split]);
    }
    print_best(training, last);
    print_noise(training);
    print_files(folder);
    print_counts(training, SPLIT_TEST, &last->test);
    print_counts(training, SPLIT_VALID, &last->valid);
}
