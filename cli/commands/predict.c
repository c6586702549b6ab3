/* mlc predict: prints the predictions of a trained network for rows of its data or of new files. */
#include "cli/results/ensemble.h"
#include "cli/show/predict_show.h"
#include "cli/session/commands.h"
#include "ir/base/memory.h"
#include "runtime/train/checkpoint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STANDARD_COUNT = 50 }; /* the displayed rows of a table without --index and --all */

/* -- which rows -- */

static bool parse_range(const char *text, int64_t *first, int64_t *last) {
    char begin[32];
    const char *dots = strstr(text, "..");
    size_t length = dots ? (size_t)(dots - text) : strlen(text);
    if (length >= sizeof begin) return false;
    memcpy(begin, text, length);
    begin[length] = 0;
    if (!parse_number(begin, 0, INT64_MAX, first)) return false;
    *last = *first;
    return !dots || (parse_number(dots + 2, 0, INT64_MAX, last) && *last >= *first);
}

/* The form of the printed predictions. */
typedef enum { ANSWER_TABLE, ANSWER_JSON, ANSWER_CSV, ANSWER_NPZ } Answer;

static Answer answer_of(const Options *options) {
    const char *path = options->answer;
    if (options->json || (path && path_ends_in(path, ".json"))) return ANSWER_JSON;
    if (path && path_ends_in(path, ".npz")) return ANSWER_NPZ;
    return path && path_ends_in(path, ".csv") ? ANSWER_CSV : ANSWER_TABLE;
}

/* A file whose name promises another format than its contents have would mislead its readers. */
static bool check_answer_name(const Options *options, Diagnostics *diag) {
    static const struct {
        const char *ending, *help;
    } others[] = {{".npy", "an .npz archive can hold predictions: --out predictions.npz"},
                  {".png", "--png FILE draws predictions"},
                  {".npz", "leave out --json: the name alone makes an archive"},
                  {".csv", "leave out --json: the name alone makes a csv file"}};
    const char *path = options->answer;
    for (size_t i = 0; path && i < sizeof others / sizeof *others; i++) {
        bool made = !options->json && answer_of(options) != ANSWER_TABLE;
        if (made || !path_ends_in(path, others[i].ending)) continue;
        diag_error(diag, STATUS_USAGE, (Span){0}, "--out %s: predictions cannot be written as %s%s",
                   path, options->json ? "JSON into a file named *" : "", others[i].ending);
        diag_help(diag, "%s", others[i].help);
        return false;
    }
    return true;
}

/* Finds the rows from predicting->first to *last. They are those of --index, all rows for --all,
 * JSON and csv, or else the first STANDARD_COUNT. */
static bool find_range(Predicting *predicting, int64_t rows, int64_t *last) {
    const Options *options = predicting->options;
    bool all = options->all || options->csv || answer_of(options) != ANSWER_TABLE;
    *last = all || rows < STANDARD_COUNT ? rows - 1 : STANDARD_COUNT - 1;
    if (options->index && !parse_range(options->index, &predicting->first, last)) {
        diag_error(predicting->diag, STATUS_USAGE, (Span){0},
                   "--index takes a number, or A..B with A <= B, not '%s'", options->index);
        return false;
    }
    if (*last < rows) return true;
    diag_error(predicting->diag, STATUS_USAGE, (Span){0},
               "--index %s: the %s split has rows 0 to %lld", options->index,
               split_name(predicting->split), (long long)rows - 1);
    return false;
}

static bool choose_rows(Predicting *predicting) {
    const Options *options = predicting->options;
    int64_t last;
    if (options->index && options->all) {
        diag_error(predicting->diag, STATUS_USAGE, (Span){0},
                   "--index and --all exclude each other");
        return false;
    }
    if (!session_split(&predicting->session, predicting->options, &predicting->split)) return false;
    int64_t rows = dataset_rows(predicting->session.dataset, predicting->split);
    if (!find_range(predicting, rows, &last)) return false;
    bool chosen = options->index || options->all;
    predicting->count = last - predicting->first + 1;
    predicting->displayed =
        chosen || predicting->count < STANDARD_COUNT ? predicting->count : STANDARD_COUNT;
    predicting->omitted = chosen ? 0 : rows - predicting->displayed;
    predicting->rows =
        dataset_split(predicting->session.dataset, predicting->split) + predicting->first;
    return true;
}

/* -- images -- */

static void find_image_size(Predicting *predicting) {
    const char *name = predicting->session.build.info->image_field;
    const SourceField *field =
        name ? source_field(dataset_fields(predicting->session.dataset), name) : NULL;
    if (!field || field->dtype != DTYPE_U8 || field->row.rank < 2 ||
        (field->row.rank == 3 && field->row.dim[0] != 1))
        return;
    predicting->height = (int)field->row.dim[field->row.rank - 2];
    predicting->width = (int)field->row.dim[field->row.rank - 1];
}

/* -- the command -- */

static bool open_model(void *context) {
    Predicting *predicting = context;
    const Options *options = predicting->options;
    if (predicting->files &&
        (option_given(options, OPTION_index) || option_given(options, OPTION_split))) {
        diag_error(predicting->diag, STATUS_USAGE, (Span){0},
                   "--index and --split choose rows of the model's data, not of files");
        return false;
    }
    if (!session_open_run(&predicting->session, options, predicting->diag)) return false;
    build_describe_forward(&predicting->session.build, GRAPH_PREDICT,
                           options->all ? BUILD_USUAL_ROWS : 0);
    return true;
}

static bool read_files(void *context) {
    Predicting *predicting = context;
    const Options *options = predicting->options;
    return inputs_open(&predicting->session, GRAPH_PREDICT, options->operands + 1,
                       options->operand_count - 1, &predicting->inputs);
}

static bool take_rows(void *context) {
    Predicting *predicting = context;
    Session *session = &predicting->session;
    build_print_choice(&session->build);
    if (predicting->files) {
        const Dataset *dataset = predicting->session.dataset;
        predicting->rows = dataset_split(dataset, SPLIT_TRAIN);
        predicting->count = predicting->displayed = dataset_rows(dataset, SPLIT_TRAIN);
    } else if (!choose_rows(predicting))
        return false;
    find_image_size(predicting);
    if (predicting->options->png && !predicted_plan_drawing(predicting)) return false;
    session->rows = predicting->rows;
    session->row_count = predicting->count;
    predicting->batch = programs_forward_batch(predicting->count, session->build.info->batch);
    programs_want(&session->programs, GRAPH_PREDICT,
                  &(Cut){predicting->count, predicting->batch, 1});
    return session_check_digits(session, GRAPH_PREDICT, NULL);
}

static bool load_weights(void *context) {
    Predicting *predicting = context;
    CheckpointInfo checkpoint;
    return units_keep(&predicting->session) &&
           session_load_weights(&predicting->session, &checkpoint);
}

static Forward forward_of(const Predicting *predicting) {
    return (Forward){predicting->batch, predicting->rows, predicting->count, predicting->outputs,
                     predicting->output_count};
}

static bool run(Predicting *predicting) {
    Session *session = &predicting->session;
    predicting->output_count = session->build.info->output_count;
    predicting->outputs = ARENA_ARRAY(session->arena, Predictions, predicting->output_count);
    predicting->main = predicting->outputs;
    for (uint32_t i = 0; i < predicting->output_count; i++) {
        Predictions *output = &predicting->outputs[i];
        output->output = &session->build.info->outputs[i];
        if (output->output->classes && !predicting->main->output->classes)
            predicting->main = output;
    }
    Forward forward = forward_of(predicting);
    return forward_run(session, GRAPH_PREDICT, &forward) && units_run(session, &forward);
}

static bool is_finite(const Predicting *predicting, int64_t i) {
    bool finite = true;
    for (uint32_t k = 0; k < predicting->output_count; k++)
        for (int64_t c = 0; c < predicting->outputs[k].width; c++)
            finite &= isfinite(prediction_value(&predicting->outputs[k], i, c)) != 0;
    return finite;
}

/* NaN and infinite predictions are an error: they must not pass for an answer. */
static void report_nonfinite(const Predicting *predicting) {
    int64_t rows = 0, first = 0;
    for (int64_t i = predicting->count - 1; i >= 0; i--) {
        if (is_finite(predicting, i)) continue;
        rows++;
        first = i;
    }
    if (!rows) return;
    char place[PLACE_TEXT];
    diag_error(predicting->diag, STATUS_NONFINITE, (Span){0},
               "the predictions of %lld row%s are not finite, such as %s", (long long)rows,
               rows == 1 ? "" : "s",
               predicting->inputs.names ? predicting->inputs.names[first]
                                        : dataset_place_brief(predicting->session.dataset,
                                                              predicting->rows[first], place));
    diag_help(
        predicting->diag,
        "a cell of the row may be missing or infinite, or a weight may be; 'mlc eval' names the operation where it begins");
}

/* Writes the file completely or not at all; NULL and "-" mean stdout. */
static bool print_answer(Predicting *predicting, Answer answer, const char *path) {
    static void (*const prints[])(const Predicting *) = {predicted_print, predicted_print_json,
                                                         predicted_print_csv};
    MemoryStream stream;
    if (answer == ANSWER_NPZ) return predicted_write_npz(predicting, path);
    if (path && !strcmp(path, "-")) path = NULL;
    if (path) memory_stream_begin(&stream);
    predicting->out = path ? stream.out : stdout;
    prints[answer](predicting);
    if (!path) return true;
    char *text = memory_stream_end(&stream);
    bool written = file_write(path, text, stream.length, predicting->diag);
    free(text);
    return written;
}

/* Opens a session and predicts all rows. */
static bool predict(Predicting *predicting) {
    const SessionHooks hooks = {.context = predicting,
                                .model = open_model,
                                .data = predicting->files ? read_files : NULL,
                                .rows = take_rows,
                                .weights = load_weights};
    return session_open(&predicting->session, &hooks) && run(predicting);
}

/* -- ensembles -- */

/* Adds one more run. Its warnings are those of the first one, or about its own files. */
static bool add_run(Ensemble *ensemble, const Options *options, Diagnostics *diag) {
    Predicting other = {.options = options, .diag = diag, .files = options->operand_count > 1};
    bool good = predict(&other);
    Forward forward = forward_of(&other);
    good = good && ensemble_add(ensemble, options->operands[0], &other.session, &forward, diag);
    session_close(&other.session);
    return good;
}

/* Predicts with the first run, then replaces its predictions by the means over all runs. */
static bool predict_ensemble(Predicting *predicting, Arena *arena) {
    EnsembleRuns found;
    Ensemble ensemble;
    if (!ensemble_find(predicting->options, arena, &found, predicting->diag)) return false;
    const Options *options = found.options;
    predicting->options = options;
    predicting->files = options[0].operand_count > 1;
    if (!predict(predicting)) return false;
    Forward forward = forward_of(predicting);
    ensemble_begin(&ensemble, found.runs[0], &predicting->session, &forward, predicting->files,
                   found.count);
    for (uint32_t i = 1; i < found.count; i++)
        if (!add_run(&ensemble, &options[i], predicting->diag)) return false;
    ensemble_finish(&ensemble, predicting->outputs);
    return true;
}

Status command_predict(const Options *given, Diagnostics *diag) {
    Predicting predicting = {.options = given, .diag = diag, .files = given->operand_count > 1};
    Arena *arena = arena_new();
    if (!check_answer_name(given, diag)) return STATUS_USAGE;
    bool predicted = given->ensemble ? predict_ensemble(&predicting, arena)
                                     : ensemble_check_single(given, diag) && predict(&predicting);
    bool good = predicted && (!given->png || predicted_draw(&predicting));
    if (good) report_nonfinite(&predicting);
    /* the file of --csv, then the answer; with `--csv -` the csv text is the answer */
    bool csv_is_answer = given->csv && !strcmp(given->csv, "-");
    if (given->csv) good = good && print_answer(&predicting, ANSWER_CSV, given->csv);
    if (!csv_is_answer) good = good && print_answer(&predicting, answer_of(given), given->answer);
    session_close(&predicting.session);
    arena_free(arena);
    return diag_outcome(diag, good);
}
