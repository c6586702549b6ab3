/* mlc eval: prints loss, metrics and confusion matrix of a trained network, for a split or for new
 * files. */
#include "cli/commands/evaluating.h"
#include "cli/session/commands.h"
#include "cli/results/journal.h"
#include "cli/show/picture.h"
#include "cli/show/progress.h"
#include "cli/text/terminal.h"
#include "ir/base/memory.h"
#include "ir/base/display.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The standard error of a fraction p of n predictions: sqrt(p (1 - p) / n). */
static double standard_error(double fraction, int64_t predictions) {
    return sqrt(fraction * (1 - fraction) / (double)predictions);
}

/* -- measuring -- */

static bool measure(Evaluating *evaluating) {
    Session *session = &evaluating->session;
    const ModelInfo *info = session->build.info;
    SplitPrograms programs =
        programs_of_split(&session->programs, evaluating->means ? GRAPH_GIVEN : GRAPH_EVAL,
                          &(Cut){evaluating->rows, evaluating->batch, 1});
    Metrics metrics = {info->metrics, info->metric_count, session->finish};
    if (!evaluation_run(session->dataset, evaluating->split, &programs, session->states,
                        session->threads, &metrics, session->arena, &evaluating->evaluation,
                        evaluating->diag))
        return false;
    for (uint32_t i = 0; i < info->metric_count; i++)
        if (info->counts[i].classes)
            evaluating->counts[i] =
                confusion_counts(evaluating->evaluation.counts[i], info->counts[i].classes);
    return true;
}

static bool measure_units(Evaluating *evaluating) {
    if (evaluating->means) {
        evaluating->errors =
            units_errors(evaluating->session.arena, evaluating->means,
                         evaluating->session.build.info->output_count, &evaluating->error_count);
        return true;
    }
    evaluating->errors = units_measure(&evaluating->session, evaluating->split, evaluating->batch,
                                       &evaluating->error_count);
    return evaluating->errors != NULL;
}

static OutputConfusion count_confusion(const Evaluating *evaluating, const Predictions *predictions,
                                       const int32_t *rows) {
    int64_t classes = predictions->width,
            *counts = ARENA_ARRAY(evaluating->session.arena, int64_t, classes * classes);
    for (int64_t i = 0; i < predictions->rows; i++) {
        int32_t truth = true_class(&evaluating->session, predictions->output, rows[i]);
        if (truth >= 0 && truth < classes)
            counts[truth * classes + prediction_class(predictions, i)]++;
    }
    return (OutputConfusion){predictions->output,
                             {classes, predictions->output->label, predictions->rows, counts}};
}

static bool report_no_confusion(const Evaluating *evaluating) {
    const ModelInfo *info = evaluating->session.build.info;
    const ModelOutput *flat = NULL, *parts = NULL;
    for (uint32_t i = 0; i < info->output_count; i++) {
        if (info->outputs[i].classes) flat = &info->outputs[i];
        if (info->outputs[i].parts) parts = &info->outputs[i];
    }
    if (parts && !flat) {
        diag_error(evaluating->diag, STATUS_USAGE, parts->span,
                   "--confusion needs an output [N, classes]: '%s' has classes for parts of a row",
                   parts->name);
        diag_help(evaluating->diag,
                  "a metric such as accuracy counts the correct predictions of all parts");
        return false;
    }
    diag_error(
        evaluating->diag, STATUS_USAGE, (Span){0},
        flat
            ? "--confusion needs labels that are a field of the source: the labels of this model are computed"
            : "--confusion is for classifiers: the loss of this model compares no output with classes");
    return false;
}

static bool measure_confusions(Evaluating *evaluating) {
    const ModelInfo *info = evaluating->session.build.info;
    Arena *arena = evaluating->session.arena;
    Forward forward = {.batch = evaluating->batch,
                       .rows = dataset_split(evaluating->session.dataset, evaluating->split),
                       .count = evaluating->rows,
                       .outputs = ARENA_ARRAY(arena, Predictions, info->output_count)};
    for (uint32_t i = 0; i < info->output_count; i++) {
        if (!info->outputs[i].label) continue;
        if (evaluating->means) forward.outputs[forward.output_count] = evaluating->means[i];
        forward.outputs[forward.output_count++].output = &info->outputs[i];
    }
    if (!forward.output_count) return report_no_confusion(evaluating);
    if (!evaluating->means && !forward_run(&evaluating->session, GRAPH_EVAL, &forward))
        return false;
    evaluating->confusions = ARENA_ARRAY(arena, OutputConfusion, forward.output_count);
    for (uint32_t i = 0; i < forward.output_count; i++)
        evaluating->confusions[evaluating->confusion_count++] =
            count_confusion(evaluating, &forward.outputs[i], forward.rows);
    return true;
}

/* Rejects --png and --csv without a matrix, before anything is computed. */
static bool check_confusion_options(const Evaluating *evaluating) {
    const ModelInfo *info = evaluating->session.build.info;
    const char *option = evaluating->options->png ? "--png" : "--csv",
               *verb = evaluating->options->png ? "draws" : "writes";
    bool labels = false;
    if (!evaluating->options->png && !evaluating->options->counts) return true;
    if (!evaluating->options->confusion) {
        diag_error(evaluating->diag, STATUS_USAGE, (Span){0},
                   "%s %s the matrix of --confusion, which is not given", option, verb);
        diag_help(evaluating->diag, "mlc eval RUN --confusion %s FILE", option);
        return false;
    }
    for (uint32_t i = 0; i < info->output_count; i++) labels |= info->outputs[i].label != NULL;
    return labels || report_no_confusion(evaluating);
}

enum { MAX_CLASSES_DRAWN = 1000 }; /* with more classes, a cell is smaller than a pixel */

static bool check_drawn_classes(const Evaluating *evaluating) {
    for (uint32_t i = 0; i < evaluating->confusion_count; i++) {
        const OutputConfusion *drawn = &evaluating->confusions[i];
        if (drawn->confusion.classes <= MAX_CLASSES_DRAWN) continue;
        diag_error(evaluating->diag, STATUS_USAGE, drawn->output->span,
                   "a matrix of %lld classes cannot be drawn: at most %d can",
                   (long long)drawn->confusion.classes, MAX_CLASSES_DRAWN);
        diag_help(evaluating->diag, "--csv FILE writes its counts");
        return false;
    }
    return true;
}

static bool draw_confusions(const Evaluating *evaluating) {
    if (!check_drawn_classes(evaluating)) return false;
    const Session *session = &evaluating->session;
    ConfusionPicture *drawn =
        ARENA_ARRAY(session->arena, ConfusionPicture, evaluating->confusion_count);
    for (uint32_t i = 0; i < evaluating->confusion_count; i++) {
        const Confusion *confusion = &evaluating->confusions[i].confusion;
        int64_t right = 0, all = 0;
        for (int64_t k = 0; k < confusion->classes * confusion->classes; k++) {
            all += confusion->counts[k];
            if (k % (confusion->classes + 1) == 0) right += confusion->counts[k];
        }
        drawn[i] = (ConfusionPicture){arena_format(session->arena, "%s, '%s': %lld of %lld correct",
                                                   session->build.info->name,
                                                   evaluating->confusions[i].output->name,
                                                   (long long)right, (long long)all),
                                      &session->build.info->schema, *confusion};
    }
    return confusions_draw(evaluating->options->png, drawn, evaluating->confusion_count,
                           evaluating->diag);
}

static bool write_counts(const Evaluating *evaluating) {
    const char *path = evaluating->options->counts;
    MemoryStream stream;
    if (!path) return true;
    memory_stream_begin(&stream);
    fputs("output,true,predicted,count\n", stream.out);
    for (uint32_t i = 0; i < evaluating->confusion_count; i++)
        confusion_print_csv(evaluating->confusions[i].output->name,
                            &evaluating->session.build.info->schema,
                            &evaluating->confusions[i].confusion, stream.out);
    return file_write_stream(path, &stream, evaluating->diag);
}

/* -- printing -- */

/* The matrix of a metric; 0 classes if the metric is a number. */
static Confusion counts_of(const Evaluating *evaluating, uint32_t metric) {
    const MetricCounts *counts = &evaluating->session.build.info->counts[metric];
    return (Confusion){counts->classes, counts->label, counts->answers * evaluating->rows,
                       evaluating->counts[metric]};
}

/* `answers`: the number of predictions that the metric is a fraction of; 0 if it is not a
 * fraction. */
static void print_metric(const char *metric, double value, int64_t answers) {
    char text[NUMBER_TEXT], error[NUMBER_TEXT], right[NUMBER_TEXT], all[NUMBER_TEXT];
    printf("  %-10s %s", metric, metric_text(text, answers > 0, value));
    if (answers)
        printf(" %s %s (standard error; %s of %s)", terminal_utf8() ? "±" : "+-",
               text_percent(error, standard_error(value, answers), 2),
               text_count(right, llround(value * (double)answers)), text_count(all, answers));
    printf("%s\n", isnan(value) ? "  (undefined on these rows)" : "");
}

/* "test split", "new.csv", "a.png and 2 more" */
static void print_data(const Evaluating *evaluating) {
    const Options *options = evaluating->options;
    if (evaluating->files)
        display_text(options->operands[1], stdout);
    else
        printf("%s split", split_name(evaluating->split));
    if (options->operand_count > 2) printf(" and %d more", options->operand_count - 2);
}

static void print_text(const Evaluating *evaluating) {
    char rows[NUMBER_TEXT];
    const ModelInfo *info = evaluating->session.build.info;
    if (evaluating->found) {
        printf("mean of %u run%s, %s, ", evaluating->found->count,
               evaluating->found->count == 1 ? "" : "s", options_checkpoint(evaluating->options));
    } else {
        display_text(evaluating->options->operands[0], stdout);
        printf("/%s (after epoch %llu), ", options_checkpoint(evaluating->options),
               (unsigned long long)evaluating->checkpoint.epoch);
    }
    print_data(evaluating);
    printf(", %s row%s\n", text_count(rows, evaluating->rows), evaluating->rows == 1 ? "" : "s");
    print_metric("loss", evaluating->evaluation.loss, 0);
    for (uint32_t i = 0; i < info->metric_count; i++)
        if (!info->counts[i].classes)
            print_metric(info->metrics[i], evaluating->evaluation.metrics[i],
                         info->answers[i] * evaluating->rows);
    if (evaluating->error_count) puts("errors in the units of the data");
    units_print(evaluating->session.arena, evaluating->errors, evaluating->error_count);
    for (uint32_t i = 0; i < info->metric_count; i++)
        if (info->counts[i].classes) {
            Confusion confusion = counts_of(evaluating, i);
            printf("\n%s:\n", info->metrics[i]);
            confusion_print(&info->schema, &confusion);
        }
    for (uint32_t i = 0; i < evaluating->confusion_count; i++) {
        const Session *session = &evaluating->session;
        const OutputConfusion *confusion = &evaluating->confusions[i];
        bool several = session->build.info->output_count > 1;
        if (several)
            printf("\n%s, compared with '%s':", confusion->output->name, confusion->output->label);
        putchar('\n');
        confusion_print(&session->build.info->schema, &confusion->confusion);
    }
}

static void put_confusion(json_t *line, const SourceSchema *schema, const Confusion *confusion) {
    json_object_set_new(line, "confusion", confusion_json(confusion));
    json_object_set_new(line, "recall", confusion_recalls(confusion));
    json_object_set_new(line, "classes", confusion_classes(schema, confusion));
}

/* Each of several outputs has its own object. A single output has one only if a metric is named
 * classes, confusion or recall, so that these keys are taken. */
static void put_confusions(json_t *line, const Evaluating *evaluating) {
    const ModelInfo *info = evaluating->session.build.info;
    bool named = json_object_get(line, "classes") || json_object_get(line, "confusion") ||
                 json_object_get(line, "recall");
    if (info->output_count == 1 && !named) {
        put_confusion(line, &info->schema, &evaluating->confusions[0].confusion);
        return;
    }
    json_t *outputs = json_object();
    for (uint32_t i = 0; i < evaluating->confusion_count; i++) {
        json_t *object = json_object();
        put_confusion(object, &info->schema, &evaluating->confusions[i].confusion);
        json_object_set_new(outputs, evaluating->confusions[i].output->name, object);
    }
    json_object_set_new(line, "outputs", outputs);
}

/* Stores a value under its name, or in an object "metrics" if the line needs that key itself. */
static void put_value(json_t *line, const char *name, json_t *value) {
    if (!json_object_get(line, name) && strcmp(name, "outputs") && strcmp(name, "metrics") &&
        strcmp(name, "units")) {
        json_object_set_new(line, name, value);
        return;
    }
    if (!json_object_get(line, "metrics")) json_object_set_new(line, "metrics", json_object());
    json_object_set_new(json_object_get(line, "metrics"), name, value);
}

static void put_standard_error(json_t *line, const Evaluating *evaluating, uint32_t metric) {
    const ModelInfo *info = evaluating->session.build.info;
    int64_t answers = info->answers[metric] * evaluating->rows;
    if (answers)
        put_value(
            line,
            arena_format(evaluating->session.arena, "%s_standard_error", info->metrics[metric]),
            json_number(standard_error(evaluating->evaluation.metrics[metric], answers)));
}

static json_t *files_json(const Options *options) {
    json_t *files = json_array();
    for (int i = 1; i < options->operand_count; i++)
        json_array_append_new(files, json_text(options->operands[i]));
    return files;
}

static void put_runs(json_t *line, const Evaluating *evaluating) {
    const EnsembleRuns *found = evaluating->found;
    json_t *runs = json_array();
    for (uint32_t i = 0; found && i < found->count; i++)
        json_array_append_new(runs, json_text(found->runs[i]));
    if (found)
        json_object_set(line, "runs", runs);
    else
        json_object_set_new(line, "run", json_text(evaluating->options->operands[0]));
    json_decref(runs);
    json_object_set_new(line, "checkpoint", json_string(options_checkpoint(evaluating->options)));
    if (!found)
        json_object_set_new(line, "epoch", json_integer((json_int_t)evaluating->checkpoint.epoch));
}

static void print_json(const Evaluating *evaluating) {
    const ModelInfo *info = evaluating->session.build.info;
    const Options *options = evaluating->options;
    json_t *line = json_pack("{s:s}", "event", "eval");
    put_runs(line, evaluating);
    json_object_set_new(line, evaluating->files ? "files" : "split",
                        evaluating->files ? files_json(options)
                                          : json_string(split_name(evaluating->split)));
    json_object_set_new(line, "rows", json_integer(evaluating->rows));
    json_object_set_new(line, "loss", json_number(evaluating->evaluation.loss));
    for (uint32_t i = 0; i < info->metric_count; i++) {
        Confusion counts = counts_of(evaluating, i);
        put_value(line, info->metrics[i],
                  counts.classes ? confusion_json(&counts)
                                 : json_number(evaluating->evaluation.metrics[i]));
    }
    for (uint32_t i = 0; i < info->metric_count; i++) put_standard_error(line, evaluating, i);
    if (evaluating->error_count)
        json_object_set_new(line, "units", units_json(evaluating->errors, evaluating->error_count));
    if (evaluating->confusion_count) put_confusions(line, evaluating);
    json_print_line(line, stdout);
}

/* -- the command -- */

static bool open_model(void *context) {
    Evaluating *evaluating = context;
    const Options *options = evaluating->options;
    if (evaluating->files && option_given(options, OPTION_split)) {
        diag_error(evaluating->diag, STATUS_USAGE, (Span){0},
                   "--split chooses rows of the model's data, not of files");
        return false;
    }
    if (!session_open_run(&evaluating->session, options, evaluating->diag)) return false;
    build_describe_forward(&evaluating->session.build, GRAPH_EVAL,
                           evaluating->files ? 0 : BUILD_USUAL_ROWS);
    return true;
}

static bool read_files(void *context) {
    Evaluating *evaluating = context;
    const Options *options = evaluating->options;
    Inputs inputs;
    return inputs_open(&evaluating->session, GRAPH_EVAL, options->operands + 1,
                       options->operand_count - 1, &inputs);
}

static bool take_rows(void *context) {
    Evaluating *evaluating = context;
    Session *session = &evaluating->session;
    build_print_choice(&session->build);
    if ((!evaluating->files && !session_split(session, evaluating->options, &evaluating->split)) ||
        !check_confusion_options(evaluating))
        return false;
    session->rows = dataset_split(session->dataset, evaluating->split);
    session->row_count = evaluating->rows = dataset_rows(session->dataset, evaluating->split);
    evaluating->batch = programs_forward_batch(evaluating->rows, session->build.info->batch);
    Cut cut = {evaluating->rows, evaluating->batch, 1};
    programs_want(&session->programs, GRAPH_EVAL, &cut);
    if (evaluating->found) programs_want(&session->programs, GRAPH_GIVEN, &cut);
    return session_check_digits(session, GRAPH_EVAL, NULL);
}

static bool load_weights(void *context) {
    Evaluating *evaluating = context;
    return session_load_weights(&evaluating->session, &evaluating->checkpoint);
}

bool evaluating_open(Evaluating *evaluating) {
    const SessionHooks hooks = {.context = evaluating,
                                .model = open_model,
                                .data = evaluating->files ? read_files : NULL,
                                .rows = take_rows,
                                .weights = load_weights};
    return session_open(&evaluating->session, &hooks);
}

Status command_eval(const Options *given, Diagnostics *diag) {
    Evaluating evaluating = {.options = given, .diag = diag, .files = given->operand_count > 1};
    Arena *arena = arena_new();
    bool opened = given->ensemble
                      ? evaluating_average(&evaluating, arena)
                      : ensemble_check_single(given, diag) && evaluating_open(&evaluating);
    bool measured = opened && measure(&evaluating) && measure_units(&evaluating) &&
                    (!given->confusion || measure_confusions(&evaluating)) &&
                    (!given->png || draw_confusions(&evaluating)) && write_counts(&evaluating);
    bool more = !given->counts || strcmp(given->counts, "-");
    if (measured && more && given->json)
        print_json(&evaluating);
    else if (measured && more)
        print_text(&evaluating);
    for (uint32_t i = 0; i < RUNTIME_MAX_METRICS; i++) free(evaluating.counts[i]);
    session_close(&evaluating.session);
    arena_free(arena);
    return diag_outcome(diag, measured);
}
