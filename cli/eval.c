/* mlc eval: loss and metrics of a trained network on a split, and which classes it takes for which. */
#include "cli/commands.h"
#include "cli/forward.h"
#include "cli/journal.h"
#include "cli/progress.h"
#include "cli/terminal.h"

#include <math.h>
#include <string.h>

enum { NAME_MAX_WIDTH = 16 };

typedef struct {
    Session session;
    const Options *options;
    Diagnostics *diag;
    Split split;
    int64_t rows;
    uint32_t batch;
    CheckpointInfo checkpoint;
    Evaluation evaluation;
    int32_t classes;
    int64_t *confusion; /* [classes][classes]: true, predicted; NULL if not asked for */
} Evaluating;

/* Of a share p measured on n rows: sqrt(p (1 - p) / n). */
static double standard_error(double share, int64_t rows) { return sqrt(share * (1 - share) / (double)rows); }

static const char *checkpoint_file(const Evaluating *evaluating) {
    return evaluating->options->checkpoint == 0 ? RUN_LAST : RUN_BEST;
}

/* -- measuring -- */

static bool measure(Evaluating *evaluating) {
    Session *session = &evaluating->session;
    const ModelInfo *info = session->build.info;
    ProgramPair pair = programs_pair(&session->programs, GRAPH_EVAL, evaluating->rows, evaluating->batch);
    Metrics metrics = {info->metrics, info->metric_count, session->finish};
    return evaluation_run(session->dataset, evaluating->split, &pair, session->states, session->threads, &metrics,
                          &evaluating->evaluation, evaluating->diag);
}

static void count_confusion(Evaluating *evaluating, const Predictions *predictions, const int32_t *rows) {
    evaluating->classes = (int32_t)predictions->width;
    evaluating->confusion = ARENA_ARRAY(evaluating->session.arena, int64_t, predictions->width * predictions->width);
    for (int64_t i = 0; i < predictions->rows; i++) {
        int32_t truth = true_class(&evaluating->session, rows[i]);
        if (truth >= 0 && truth < evaluating->classes)
            evaluating->confusion[truth * evaluating->classes + prediction_class(predictions, i)]++;
    }
}

static bool measure_confusion(Evaluating *evaluating) {
    Predictions predictions = {0};
    const int32_t *rows = dataset_split(evaluating->session.dataset, evaluating->split);
    if (!forward_run(&evaluating->session, GRAPH_EVAL, 0, evaluating->batch, rows, evaluating->rows, &predictions))
        return false;
    if (predictions.classes && !evaluating->session.build.info->label_field) {
        diag_error(evaluating->diag, STATUS_USAGE, (Span){0},
                   "--confusion needs labels that are a field of the source: those of this model are computed");
        return false;
    }
    if (predictions.classes) {
        count_confusion(evaluating, &predictions, rows);
        return true;
    }
    diag_error(evaluating->diag, STATUS_USAGE, (Span){0},
               "--confusion is for classifiers: the loss of this model compares no classes");
    return false;
}

/* -- printing -- */

static int64_t row_total(const Evaluating *evaluating, int32_t truth) {
    int64_t total = 0;
    for (int32_t i = 0; i < evaluating->classes; i++) total += evaluating->confusion[truth * evaluating->classes + i];
    return total;
}

static double recall(const Evaluating *evaluating, int32_t truth) {
    int64_t total = row_total(evaluating, truth);
    return total ? (double)evaluating->confusion[truth * (evaluating->classes + 1)] / (double)total : NAN;
}

static void print_confusion_cell(int64_t count, bool diagonal) {
    const char *style = terminal_style(stdout, diagonal ? STYLE_GOOD : count ? STYLE_BAD : STYLE_DIM);
    char text[NUMBER_TEXT];
    snprintf(text, sizeof text, count || diagonal ? "%lld" : ".", (long long)count);
    printf("%s%6s%s", style, text, terminal_style(stdout, STYLE_PLAIN));
}

static void print_confusion_row(const Evaluating *evaluating, int32_t truth) {
    char number[NUMBER_TEXT];
    const char *name = class_text(&evaluating->session, truth, number);
    printf("%3d ", truth);
    terminal_cell(stdout, name == number ? "" : name, -NAME_MAX_WIDTH, NAME_MAX_WIDTH);
    for (int32_t i = 0; i < evaluating->classes; i++)
        print_confusion_cell(evaluating->confusion[truth * evaluating->classes + i], i == truth);
    printf("   %6.2f %%\n", 100 * recall(evaluating, truth));
}

static void print_confusion(const Evaluating *evaluating) {
    printf("\n%-*s", NAME_MAX_WIDTH + 4, "true \\ predicted");
    for (int32_t i = 0; i < evaluating->classes; i++) printf("%6d", i);
    printf("     recall\n");
    for (int32_t truth = 0; truth < evaluating->classes; truth++) print_confusion_row(evaluating, truth);
}

static void print_metric(const Evaluating *evaluating, const char *metric, double value) {
    char text[NUMBER_TEXT], wrong[NUMBER_TEXT], rows[NUMBER_TEXT];
    printf("  %-10s %s", metric, metric_text(text, metric, value));
    if (strcmp(metric, "accuracy") == 0)
        printf(" %s %.2f %% (standard error; %s of %s wrong)", terminal_utf8() ? "±" : "+-",
               100 * standard_error(value, evaluating->rows),
               text_count(wrong, llround((1 - value) * (double)evaluating->rows)), text_count(rows, evaluating->rows));
    printf("\n");
}

static void print_text(const Evaluating *evaluating) {
    char rows[NUMBER_TEXT];
    const ModelInfo *info = evaluating->session.build.info;
    printf("%s/%s (after epoch %llu), %s split, %s rows\n", evaluating->options->operands[0], checkpoint_file(evaluating),
           (unsigned long long)evaluating->checkpoint.epoch, split_name(evaluating->split), text_count(rows, evaluating->rows));
    print_metric(evaluating, "loss", evaluating->evaluation.loss);
    for (uint32_t i = 0; i < info->metric_count; i++)
        print_metric(evaluating, info->metrics[i], evaluating->evaluation.metrics[i]);
    if (evaluating->confusion) print_confusion(evaluating);
}

static json_t *confusion_json(const Evaluating *evaluating, json_t *recalls) {
    json_t *matrix = json_array();
    for (int32_t truth = 0; truth < evaluating->classes; truth++) {
        json_t *row = json_array();
        for (int32_t i = 0; i < evaluating->classes; i++)
            json_array_append_new(row, json_integer(evaluating->confusion[truth * evaluating->classes + i]));
        json_array_append_new(matrix, row);
        json_array_append_new(recalls, json_number(recall(evaluating, truth)));
    }
    return matrix;
}

static void print_json(const Evaluating *evaluating) {
    const ModelInfo *info = evaluating->session.build.info;
    json_t *line = json_pack("{s:s, s:s, s:s, s:I, s:s, s:I}", "event", "eval", "run", evaluating->options->operands[0],
                             "checkpoint", checkpoint_file(evaluating), "epoch", (json_int_t)evaluating->checkpoint.epoch,
                             "split", split_name(evaluating->split), "rows", (json_int_t)evaluating->rows);
    json_object_set_new(line, "loss", json_number(evaluating->evaluation.loss));
    for (uint32_t i = 0; i < info->metric_count; i++) {
        json_object_set_new(line, info->metrics[i], json_number(evaluating->evaluation.metrics[i]));
        if (strcmp(info->metrics[i], "accuracy") == 0)
            json_object_set_new(line, "accuracy_standard_error",
                                json_number(standard_error(evaluating->evaluation.metrics[i], evaluating->rows)));
    }
    if (evaluating->confusion) {
        json_t *recalls = json_array();
        json_object_set_new(line, "confusion", confusion_json(evaluating, recalls));
        json_object_set_new(line, "recall", recalls);
    }
    json_print_line(line, stdout);
}

/* -- the command -- */

static bool prepare(Evaluating *evaluating) {
    Session *session = &evaluating->session;
    if (!session_open_run(session, evaluating->options, evaluating->diag) || !session_split(session, &evaluating->split))
        return false;
    evaluating->rows = dataset_rows(session->dataset, evaluating->split);
    evaluating->batch = programs_forward_batch(evaluating->rows, session->build.info->batch);
    programs_want(&session->programs, GRAPH_EVAL, evaluating->rows, evaluating->batch);
    return session_start(session) && session_load_weights(session, &evaluating->checkpoint);
}

Status command_eval(const Options *given, Diagnostics *diag) {
    Evaluating evaluating = {.options = given, .diag = diag};
    bool measured = prepare(&evaluating) && measure(&evaluating) && (!given->confusion || measure_confusion(&evaluating));
    if (measured && given->json)
        print_json(&evaluating);
    else if (measured)
        print_text(&evaluating);
    session_close(&evaluating.session);
    return diag_status(diag);
}
