/* mlc eval: loss and metrics of a trained network on a split, and which classes it takes for which. */
#include "cli/commands.h"
#include "cli/forward.h"
#include "cli/journal.h"
#include "cli/progress.h"
#include "cli/terminal.h"

#include <math.h>

enum { NAME_MAX_WIDTH = 16 };

/* Of one of the model's outputs. */
typedef struct {
    const ModelOutput *output;
    int32_t classes;
    int64_t *counts; /* [classes][classes]: true, predicted */
} Confusion;

typedef struct {
    Session session;
    const Options *options;
    Diagnostics *diag;
    Split split;
    int64_t rows;
    uint32_t batch;
    CheckpointInfo checkpoint;
    Evaluation evaluation;
    Confusion *confusions; /* of the outputs with labels, if asked for */
    uint32_t confusion_count;
} Evaluating;

/* Of a share p of n answers: sqrt(p (1 - p) / n). */
static double standard_error(double share, int64_t answers) { return sqrt(share * (1 - share) / (double)answers); }

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
    int32_t classes = (int32_t)predictions->width;
    int64_t *counts = ARENA_ARRAY(evaluating->session.arena, int64_t, predictions->width * predictions->width);
    for (int64_t i = 0; i < predictions->rows; i++) {
        int32_t truth = true_class(&evaluating->session, predictions->output, rows[i]);
        if (truth >= 0 && truth < classes) counts[truth * classes + prediction_class(predictions, i)]++;
    }
    evaluating->confusions[evaluating->confusion_count++] = (Confusion){predictions->output, classes, counts};
}

static bool nothing_to_confuse(const Evaluating *evaluating) {
    const ModelInfo *info = evaluating->session.build.info;
    const ModelOutput *flat = NULL, *parts = NULL;
    for (uint32_t i = 0; i < info->output_count; i++) {
        if (info->outputs[i].classes) flat = &info->outputs[i];
        if (info->outputs[i].parts) parts = &info->outputs[i];
    }
    if (parts && !flat) {
        diag_error(evaluating->diag, STATUS_USAGE, parts->span,
                   "--confusion takes flat outputs [N, classes] only: '%s' has classes for parts of a row", parts->name);
        diag_help(evaluating->diag, "a metric such as accuracy counts the right ones of all parts");
        return false;
    }
    diag_error(evaluating->diag, STATUS_USAGE, (Span){0},
               flat ? "--confusion needs labels that are a field of the source: those of this model are computed"
                    : "--confusion is for classifiers: the loss of this model compares no output with classes");
    return false;
}

static bool measure_confusions(Evaluating *evaluating) {
    const ModelInfo *info = evaluating->session.build.info;
    const int32_t *rows = dataset_split(evaluating->session.dataset, evaluating->split);
    evaluating->confusions = ARENA_ARRAY(evaluating->session.arena, Confusion, info->output_count);
    for (uint32_t i = 0; i < info->output_count; i++) {
        Predictions predictions;
        if (!info->outputs[i].label) continue;
        if (!forward_run(&evaluating->session, GRAPH_EVAL, i, evaluating->batch, rows, evaluating->rows, &predictions))
            return false;
        count_confusion(evaluating, &predictions, rows);
    }
    return evaluating->confusion_count || nothing_to_confuse(evaluating);
}

/* -- printing -- */

static int64_t row_total(const Confusion *confusion, int32_t truth) {
    int64_t total = 0;
    for (int32_t i = 0; i < confusion->classes; i++) total += confusion->counts[truth * confusion->classes + i];
    return total;
}

static double recall(const Confusion *confusion, int32_t truth) {
    int64_t total = row_total(confusion, truth);
    return total ? (double)confusion->counts[truth * (confusion->classes + 1)] / (double)total : NAN;
}

static void print_confusion_cell(int64_t count, bool diagonal) {
    const char *style = terminal_style(stdout, diagonal ? STYLE_GOOD : count ? STYLE_BAD : STYLE_DIM);
    char text[NUMBER_TEXT];
    snprintf(text, sizeof text, count || diagonal ? "%lld" : ".", (long long)count);
    printf("%s%6s%s", style, text, terminal_style(stdout, STYLE_PLAIN));
}

static void print_confusion_row(const Session *session, const Confusion *confusion, int32_t truth) {
    char number[NUMBER_TEXT];
    const char *name = class_text(session, confusion->output, truth, number);
    printf("%3d ", truth);
    terminal_cell(stdout, name == number ? "" : name, -NAME_MAX_WIDTH, NAME_MAX_WIDTH);
    for (int32_t i = 0; i < confusion->classes; i++)
        print_confusion_cell(confusion->counts[truth * confusion->classes + i], i == truth);
    printf("   %6.2f %%\n", 100 * recall(confusion, truth));
}

static void print_confusion(const Session *session, const Confusion *confusion) {
    bool several = session->build.info->output_count > 1;
    if (several) printf("\n%s, compared with '%s':", confusion->output->name, confusion->output->label);
    printf("\n%-*s", NAME_MAX_WIDTH + 4, "true \\ predicted");
    for (int32_t i = 0; i < confusion->classes; i++) printf("%6d", i);
    printf("     recall\n");
    for (int32_t truth = 0; truth < confusion->classes; truth++) print_confusion_row(session, confusion, truth);
}

/* `answers`: those that it is a share of, in all rows; 0: it is no share. */
static void print_metric(const char *metric, double value, int64_t answers) {
    char text[NUMBER_TEXT], right[NUMBER_TEXT], all[NUMBER_TEXT];
    printf("  %-10s %s", metric, metric_text(text, answers > 0, value));
    if (answers)
        printf(" %s %.2f %% (standard error; %s of %s)", terminal_utf8() ? "±" : "+-", 100 * standard_error(value, answers),
               text_count(right, llround(value * (double)answers)), text_count(all, answers));
    printf("\n");
}

static void print_text(const Evaluating *evaluating) {
    char rows[NUMBER_TEXT];
    const ModelInfo *info = evaluating->session.build.info;
    printf("%s/%s (after epoch %llu), %s split, %s row%s\n", evaluating->options->operands[0], checkpoint_file(evaluating),
           (unsigned long long)evaluating->checkpoint.epoch, split_name(evaluating->split), text_count(rows, evaluating->rows),
           evaluating->rows == 1 ? "" : "s");
    print_metric("loss", evaluating->evaluation.loss, 0);
    for (uint32_t i = 0; i < info->metric_count; i++)
        print_metric(info->metrics[i], evaluating->evaluation.metrics[i], info->answers[i] * evaluating->rows);
    for (uint32_t i = 0; i < evaluating->confusion_count; i++)
        print_confusion(&evaluating->session, &evaluating->confusions[i]);
}

static void put_confusion(json_t *line, const Confusion *confusion) {
    json_t *matrix = json_array(), *recalls = json_array();
    for (int32_t truth = 0; truth < confusion->classes; truth++) {
        json_t *row = json_array();
        for (int32_t i = 0; i < confusion->classes; i++)
            json_array_append_new(row, json_integer(confusion->counts[truth * confusion->classes + i]));
        json_array_append_new(matrix, row);
        json_array_append_new(recalls, json_number(recall(confusion, truth)));
    }
    json_object_set_new(line, "confusion", matrix);
    json_object_set_new(line, "recall", recalls);
}

/* Of a model with several outputs, each has an object of its own; so has the only one where a metric is called as what is in it. */
static void put_confusions(json_t *line, const Evaluating *evaluating) {
    bool several = evaluating->session.build.info->output_count > 1;
    if (!several && !json_object_get(line, "confusion") && !json_object_get(line, "recall")) {
        put_confusion(line, &evaluating->confusions[0]);
        return;
    }
    json_t *outputs = json_object();
    for (uint32_t i = 0; i < evaluating->confusion_count; i++) {
        json_t *object = json_object();
        put_confusion(object, &evaluating->confusions[i]);
        json_object_set_new(outputs, evaluating->confusions[i].output->name, object);
    }
    json_object_set_new(line, "outputs", outputs);
}

static void put_metric(json_t *line, const Evaluating *evaluating, uint32_t metric) {
    const ModelInfo *info = evaluating->session.build.info;
    const char *name = info->metrics[metric];
    double value = evaluating->evaluation.metrics[metric];
    int64_t answers = info->answers[metric] * evaluating->rows;
    json_object_set_new(line, name, json_number(value));
    if (answers)
        json_object_set_new(line, arena_format(evaluating->session.arena, "%s_standard_error", name),
                            json_number(standard_error(value, answers)));
}

static void print_json(const Evaluating *evaluating) {
    const ModelInfo *info = evaluating->session.build.info;
    json_t *line = json_pack("{s:s, s:s, s:s, s:I, s:s, s:I}", "event", "eval", "run", evaluating->options->operands[0],
                             "checkpoint", checkpoint_file(evaluating), "epoch", (json_int_t)evaluating->checkpoint.epoch,
                             "split", split_name(evaluating->split), "rows", (json_int_t)evaluating->rows);
    json_object_set_new(line, "loss", json_number(evaluating->evaluation.loss));
    for (uint32_t i = 0; i < info->metric_count; i++) put_metric(line, evaluating, i);
    if (evaluating->confusion_count) put_confusions(line, evaluating);
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
    bool measured = prepare(&evaluating) && measure(&evaluating) && (!given->confusion || measure_confusions(&evaluating));
    if (measured && given->json)
        print_json(&evaluating);
    else if (measured)
        print_text(&evaluating);
    session_close(&evaluating.session);
    return diag_status(diag);
}
