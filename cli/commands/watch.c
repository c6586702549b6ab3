/* mlc watch: the curves of a run in the terminal, while another process trains it. It only reads:
 * metrics.jsonl, and whether the folder is locked. */
#include "cli/results/journal.h"
#include "cli/results/run_columns.h"
#include "cli/session/commands.h"
#include "cli/session/run_search.h"
#include "engine/session/runs.h"
#include "cli/session/stops.h"
#include "cli/text/plot.h"
#include "cli/text/terminal.h"
#include "ir/base/display.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { POLL_NANOSECONDS = 250000000, HEIGHT_MAX = 18, LINES_BESIDE = 4 };

typedef struct {
    const Options *options;
    RunRecord record;
    bool redraws;         /* the terminal can redraw the picture */
    int lines;            /* lines of the picture on the screen; 0: none */
    size_t epochs, steps; /* how many of them have been printed as plain lines */
    Arena *arena;         /* memory of one picture */
} Watch;

/* -- signals -- */

static volatile sig_atomic_t received_signal, resized;

static void on_signal(int number) { received_signal = number; }

static void on_resize(int number) { resized = number; }

static void catch_signals(void) {
    struct sigaction stop = {.sa_handler = on_signal}, resize = {.sa_handler = on_resize};
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGHUP, &stop, NULL);
    sigaction(SIGWINCH, &resize, NULL);
}

/* -- which run -- */

/* The run in runs/ whose lines were written last; NULL after reporting that there is none. */
static const char *find_newest(Watch *watch, Diagnostics *diag) {
    uint32_t count;
    const char **runs = runs_search("runs", watch->arena, &count, diag), *newest = NULL;
    struct timespec latest = {0};
    for (uint32_t i = 0; runs && i < count; i++) {
        struct stat status;
        bool there = stat(path_join(runs[i], RUN_METRICS).path, &status) == 0;
        struct timespec time = there ? status.st_mtim : (struct timespec){0};
        if (newest && (time.tv_sec < latest.tv_sec ||
                       (time.tv_sec == latest.tv_sec && time.tv_nsec < latest.tv_nsec)))
            continue;
        newest = runs[i];
        latest = time;
    }
    return newest;
}

static bool open_run(Watch *watch, Diagnostics *diag) {
    const char *folder =
        watch->options->operand_count ? watch->options->operands[0] : find_newest(watch, diag);
    if (!folder) return false;
    if (run_record_read_steps(folder, &watch->record)) return true;
    diag_error(diag, STATUS_FILE, (Span){0}, "'%s' is not the folder of a run: it has no %s",
               folder, RUN_METRICS);
    diag_help(diag, "'mlc runs' lists the runs");
    return false;
}

/* -- curves -- */

static const char *const splits[PLOT_CURVES] = {"train", "valid", "test"};

static int64_t whole(const json_t *line, const char *key) {
    return json_integer_value(json_object_get(line, key));
}

/* A value of all lines, without that of the untrained network if two epochs follow: it is usually
 * far outside of the later range. */
static PlotCurve curve_of(const Watch *watch, int split, const json_t *lines, const char *key) {
    uint32_t count = (uint32_t)json_array_size(lines), used = 0;
    bool steps = lines == watch->record.steps, skips = json_array_size(watch->record.epochs) > 2;
    int64_t epoch_steps = whole(watch->record.start, "epoch_steps");
    double *x = ARENA_ARRAY(watch->arena, double, count),
           *y = ARENA_ARRAY(watch->arena, double, count);
    for (uint32_t i = 0; i < count; i++) {
        const json_t *line = json_array_get(lines, i);
        if (skips && !steps && whole(line, "epoch") == 0) continue;
        x[used] = steps ? (double)whole(line, "step") / (double)(epoch_steps > 0 ? epoch_steps : 1)
                        : (double)whole(line, "epoch");
        y[used++] = run_record_number(line, key);
    }
    return (PlotCurve){splits[split], split, x, y, used};
}

/* Adds train, valid and test of a metric, where they exist. */
static Plot plot_of(const Watch *watch, const char *metric) {
    const RunRecord *record = &watch->record;
    PlotCurve *curves = ARENA_ARRAY(watch->arena, PlotCurve, PLOT_CURVES);
    Plot plot = {.title = metric, .axis = "epoch", .curves = curves};
    for (int split = 0; split < PLOT_CURVES; split++) {
        bool steps = split == 0 && !strcmp(metric, "loss") && json_array_size(record->steps) > 0;
        const char *key =
            steps ? "loss" : arena_format(watch->arena, "%s_%s", splits[split], metric);
        curves[plot.curve_count] =
            curve_of(watch, split, steps ? record->steps : record->epochs, key);
        const PlotCurve *curve = &curves[plot.curve_count];
        bool has_values = false;
        for (uint32_t i = 0; i < curve->count; i++) has_values |= isfinite(curve->y[i]);
        plot.curve_count += has_values;
    }
    plot.percent = strstr(metric, "accuracy") != NULL;
    plot.colours = watch->redraws;
    plot.utf8 = terminal_utf8();
    return plot;
}

/* "accuracy" of "test_accuracy"; NULL for losses and for keys that are no metrics of held-out
 * rows. */
static const char *metric_in(const char *key) {
    const char *metric = !strncmp(key, "test_", 5)    ? key + 5
                         : !strncmp(key, "valid_", 6) ? key + 6
                                                      : NULL;
    return metric && strcmp(metric, "loss") ? metric : NULL;
}

/* The metric by which the best epoch is chosen, or else the first metric; NULL: the run has the
 * loss alone. */
static const char *second_metric(const RunRecord *record) {
    const char *key, *metric = record->best_score ? metric_in(record->best_score) : NULL;
    json_t *value;
    json_object_foreach((json_t *)run_record_last(record), key, value) {
        if (!metric && run_is_metric(key, value)) metric = metric_in(key);
    }
    return metric;
}

static void put_plots(const Watch *watch, int width, FILE *out) {
    enum { GAP = 2 };
    const char *metric = second_metric(&watch->record);
    Plot plots[2] = {plot_of(watch, "loss")};
    bool two = metric && width >= 2 * PLOT_WIDTH + GAP;
    int height = terminal_height(stdout) - LINES_BESIDE;
    height = height < PLOT_HEIGHT ? PLOT_HEIGHT : height > HEIGHT_MAX ? HEIGHT_MAX : height;
    if (width < PLOT_WIDTH || !plots[0].curve_count) return;
    if (two) plots[1] = plot_of(watch, metric);
    for (int i = 0; i < 1 + two; i++) {
        plots[i].width = two ? (width - GAP) / 2 : width;
        plots[i].height = height;
    }
    plots_print(plots, two && plots[1].curve_count ? 2 : 1, out);
}

/* -- the picture -- */

static const char *value_text(const Watch *watch, const char *key, double value) {
    char text[NUMBER_TEXT];
    return arena_format(watch->arena, "%s",
                        strstr(key, "accuracy") ? text_percent(text, value, 2)
                                                : text_number(text, value));
}

/* "runs/1  small  running  epoch 3/10  0:12" */
static const char *head_line(const Watch *watch) {
    char time[NUMBER_TEXT];
    const RunRecord *record = &watch->record;
    const char *model = json_string_value(json_object_get(record->start, "model"));
    return arena_format(
        watch->arena, "%s  %s  %s  epoch %lld/%lld  %s", record->folder.path, model ? model : "",
        run_state_name(record->state), (long long)whole(run_record_last(record), "epoch"),
        (long long)whole(record->start, "epochs"), text_duration(time, record->seconds));
}

/* "train_loss 0.0412  test_loss 0.0723  test_accuracy 97.72 %" of a line. */
static const char *values_line(const Watch *watch, const json_t *line) {
    const char *key, *text = "";
    json_t *value;
    json_object_foreach((json_t *)line, key, value) {
        if (!run_is_metric(key, value) || !strcmp(key, "step")) continue;
        text = arena_format(watch->arena, "%s%s%s %s", text, *text ? "  " : "", key,
                            value_text(watch, key, json_number_value(value)));
    }
    return text;
}

static const char *best_line(const Watch *watch) {
    const RunRecord *record = &watch->record;
    if (!record->best) return "";
    double value = run_record_number(record->best, record->best_score);
    return arena_format(watch->arena, "best: %s %s, epoch %lld", record->best_score,
                        value_text(watch, record->best_score, value),
                        (long long)whole(record->best, "epoch"));
}

static void put_text(const char *text, int width, FILE *out) {
    if (!*text) return;
    terminal_cell(out, text, 0, width);
    putc('\n', out);
}

static int count_lines(const char *text) {
    int lines = 0;
    for (; *text; text++) lines += *text == '\n';
    return lines;
}

/* Draws over the previous picture; after a resize, on an empty screen. */
static void draw(Watch *watch) {
    MemoryStream stream;
    int width = terminal_width(stdout);
    memory_stream_begin(&stream);
    watch->arena = arena_new();
    put_text(head_line(watch), width, stream.out);
    put_plots(watch, width, stream.out);
    put_text(values_line(watch, run_record_last(&watch->record)), width, stream.out);
    put_text(best_line(watch), width, stream.out);
    arena_free(watch->arena);
    watch->arena = NULL;
    char *picture = memory_stream_end(&stream);
    if (resized)
        fputs("\033[2J\033[H", stdout);
    else if (watch->lines)
        printf("\033[%dA\r\033[J", watch->lines);
    resized = 0;
    watch->lines = count_lines(picture);
    fputs(picture, stdout);
    fflush(stdout);
    free(picture);
}

/* -- plain lines, where nothing can be redrawn -- */

static void print_lines(Watch *watch) {
    const RunRecord *record = &watch->record;
    watch->arena = arena_new();
    size_t epochs = json_array_size(record->epochs), steps = json_array_size(record->steps);
    while (watch->epochs < epochs || watch->steps < steps) {
        const json_t *epoch = json_array_get(record->epochs, watch->epochs),
                     *step = json_array_get(record->steps, watch->steps);
        bool is_step = step && (!epoch || whole(step, "epoch") <= whole(epoch, "epoch"));
        printf("epoch %lld  ", (long long)whole(is_step ? step : epoch, "epoch"));
        if (is_step) printf("step %lld  ", (long long)whole(step, "step"));
        display_text(values_line(watch, is_step ? step : epoch), stdout);
        putchar('\n');
        watch->steps += is_step;
        watch->epochs += !is_step;
    }
    if (record->state != RUN_RUNNING) {
        display_text(head_line(watch), stdout);
        putchar('\n');
    }
    arena_free(watch->arena);
    watch->arena = NULL;
    fflush(stdout);
}

static void show(Watch *watch) {
    if (watch->redraws || watch->options->once)
        draw(watch);
    else
        print_lines(watch);
}

/* Lines that a resumed training has replaced are not printed again. */
static void forget_replaced(Watch *watch) {
    size_t epochs = json_array_size(watch->record.epochs),
           steps = json_array_size(watch->record.steps);
    if (watch->epochs > epochs) watch->epochs = epochs;
    if (watch->steps > steps) watch->steps = steps;
}

/* Shows the run until the training ends, or a signal comes. */
static bool follow(Watch *watch, Diagnostics *diag) {
    catch_signals();
    if (watch->redraws) fputs("\033[?25l", stdout); /* no cursor */
    show(watch);
    while (watch->record.state == RUN_RUNNING && !received_signal) {
        size_t before = watch->record.taken;
        nanosleep(&(struct timespec){.tv_nsec = POLL_NANOSECONDS}, NULL);
        if (!run_record_update(&watch->record)) {
            diag_error(diag, STATUS_FILE, (Span){0}, "the run '%s' is not there any more",
                       watch->record.folder.path);
            break;
        }
        forget_replaced(watch);
        if (watch->record.taken != before || resized || watch->record.state != RUN_RUNNING)
            show(watch);
        if (ferror(stdout)) break;
    }
    if (watch->redraws) fputs("\033[?25h", stdout);
    return received_signal == 0;
}

Status command_watch(const Options *given, Diagnostics *diag) {
    Watch watch = {.options = given, .arena = arena_new()};
    bool whole_run = true, opened = open_run(&watch, diag);
    arena_free(watch.arena);
    watch.redraws = terminal_live(stdout);
    if (opened && given->once)
        show(&watch);
    else if (opened)
        whole_run = follow(&watch, diag);
    if (opened) run_record_free(&watch.record);
    return whole_run ? diag_status(diag) : stop_status(received_signal);
}
