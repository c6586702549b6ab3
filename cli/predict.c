/* mlc predict: what a trained network makes of rows of its data, or of new ones. */
#include "cli/commands.h"
#include "cli/forward.h"
#include "cli/inputs.h"
#include "cli/picture.h"
#include "cli/terminal.h"
#include "ir/shown.h"

#include <limits.h>
#include <math.h>
#include <string.h>

enum {
    STANDARD_COUNT = 50,
    GRID_MAX = 1000,
    VALUES_SHOWN = 10,
    BAR_WIDTH = 24,
    NAME_WIDTH = 7,
    CELL_WIDTH = 14,
    BAR_NAME_WIDTH = 12,
    CAPTION_WIDTH = 20
};

typedef struct {
    Session session;
    const Options *options;
    Diagnostics *diag;
    bool files;    /* the rows are those of files */
    Inputs inputs; /* of files */
    Split split;
    int64_t first, count;    /* rows of the split */
    const int32_t *rows;     /* their numbers in the data set */
    int height, width;       /* of an image; 0 if the model's data are no grey images */
    Predictions predictions; /* of the first output */
    Predictions *others;     /* [output_count]: of a model without classes, all of them */
} Predicting;

/* -- which rows -- */

static bool parse_range(const char *text, int64_t *first, int64_t *last) {
    char begin[32];
    const char *dots = strstr(text, "..");
    size_t length = dots ? (size_t)(dots - text) : strlen(text);
    if (length >= sizeof begin) return false;
    memcpy(begin, text, length);
    begin[length] = 0;
    if (!parse_number(begin, 0, INT32_MAX, first)) return false;
    *last = *first;
    return !dots || (parse_number(dots + 2, 0, INT32_MAX, last) && *last >= *first);
}

static bool choose_rows(Predicting *predicting) {
    const char *index = predicting->options->index;
    int64_t last = STANDARD_COUNT - 1;
    if (!session_split(&predicting->session, &predicting->split)) return false;
    int64_t rows = dataset_rows(predicting->session.dataset, predicting->split);
    if (index && !parse_range(index, &predicting->first, &last)) {
        diag_error(predicting->diag, STATUS_USAGE, (Span){0}, "--index takes a number, or A..B with A <= B, not '%s'", index);
        return false;
    }
    if (!index && last >= rows) last = rows - 1;
    if (last >= rows) {
        diag_error(predicting->diag, STATUS_USAGE, (Span){0}, "--index %s: the %s split has rows 0 to %lld", index,
                   split_name(predicting->split), (long long)rows - 1);
        return false;
    }
    predicting->count = last - predicting->first + 1;
    predicting->rows = dataset_split(predicting->session.dataset, predicting->split) + predicting->first;
    return true;
}

/* -- images -- */

static const SourceField *image_field(const Session *session) {
    const char *name = session->build.info->image_field;
    return name ? source_field(dataset_fields(session->dataset), name) : NULL;
}

static void find_image_size(Predicting *predicting) {
    const SourceField *field = image_field(&predicting->session);
    if (!field || field->dtype != DTYPE_U8 || field->row.rank != 3 || field->row.dim[0] != 1) return;
    predicting->height = (int)field->row.dim[1];
    predicting->width = (int)field->row.dim[2];
}

static bool need_images(const Predicting *predicting) {
    if (predicting->height > 0) return true;
    diag_error(predicting->diag, STATUS_USAGE, (Span){0},
               "the data of this model are no grey images: there is nothing to draw or to read");
    return false;
}

static const uint8_t *row_pixels(const Predicting *predicting, int64_t i) {
    const uint8_t *images = dataset_field(predicting->session.dataset, predicting->session.build.info->image_field);
    return images + (int64_t)predicting->rows[i] * predicting->height * predicting->width;
}

static bool open_files(Predicting *predicting) {
    const Options *options = predicting->options;
    Session *session = &predicting->session;
    if (option_given(options, OPTION_index) || option_given(options, OPTION_split)) {
        diag_error(predicting->diag, STATUS_USAGE, (Span){0},
                   "--index and --split choose rows of the model's data, not of files");
        return false;
    }
    if (!session_open_model(session, options, predicting->diag) ||
        !inputs_open(session, options->operands + 1, options->operand_count - 1, &predicting->inputs))
        return false;
    predicting->rows = dataset_split(session->dataset, SPLIT_TRAIN);
    predicting->count = dataset_rows(session->dataset, SPLIT_TRAIN);
    return true;
}

static bool open_rows(Predicting *predicting) {
    return session_open_run(&predicting->session, predicting->options, predicting->diag) && choose_rows(predicting);
}

/* -- text -- */

static int32_t truth_of(const Predicting *predicting, int64_t i) {
    return true_class(&predicting->session, predicting->rows[i]);
}

static bool is_mistake(const Predicting *predicting, int64_t i) {
    int32_t truth = truth_of(predicting, i);
    return predicting->predictions.classes && truth >= 0 && truth != prediction_class(&predicting->predictions, i);
}

/* Rows whose class is known: a file may have no labels, or some that are no class of the network. */
static int64_t count_known(const Predicting *predicting) {
    int64_t known = 0;
    for (int64_t i = 0; i < predicting->count; i++) known += truth_of(predicting, i) >= 0;
    return known;
}

/* "12", or the name of a file */
static void print_row_name(const Predicting *predicting, int64_t i) {
    char number[NUMBER_TEXT];
    snprintf(number, sizeof number, "%lld", (long long)(predicting->first + i));
    terminal_cell(stdout, predicting->inputs.names ? predicting->inputs.names[i] : number, NAME_WIDTH, PATH_MAX);
}

static int64_t count_mistakes(const Predicting *predicting) {
    int64_t mistakes = 0;
    for (int64_t i = 0; i < predicting->count; i++) mistakes += is_mistake(predicting, i);
    return mistakes;
}

static void print_output(const Predictions *predictions, int64_t i) {
    printf("  %s =", predictions->name);
    for (int64_t k = 0; k < predictions->width && k < VALUES_SHOWN; k++)
        printf(" %.6g", (double)prediction_value(predictions, i, k));
    if (predictions->width > VALUES_SHOWN) printf(" ...");
}

static void print_values(const Predicting *predicting, int64_t i) {
    print_row_name(predicting, i);
    for (uint32_t k = 0; k < predicting->session.build.info->output_count; k++) print_output(&predicting->others[k], i);
    putchar('\n');
}

static void print_class_cell(const Predicting *predicting, int32_t class) {
    char number[NUMBER_TEXT];
    terminal_cell(stdout, class < 0 ? "?" : class_text(&predicting->session, class, number), -CELL_WIDTH, CLASS_WIDTH);
    putchar(' ');
}

static void print_class(const Predicting *predicting, int64_t i, bool with_truth) {
    int32_t class = prediction_class(&predicting->predictions, i);
    bool mistake = is_mistake(predicting, i);
    fputs(terminal_style(stdout, mistake ? STYLE_BAD : STYLE_PLAIN), stdout);
    print_row_name(predicting, i);
    fputs("  ", stdout);
    if (with_truth) print_class_cell(predicting, truth_of(predicting, i));
    print_class_cell(predicting, class);
    printf("%9.2f %%%s%s\n", 100 * (double)prediction_value(&predicting->predictions, i, class), mistake ? "  wrong" : "",
           terminal_style(stdout, STYLE_PLAIN));
}

static void print_right(int64_t known, int64_t mistakes, int64_t count) {
    printf("%lld of %lld right", (long long)(known - mistakes), (long long)known);
    if (known < count) printf(", %lld of a class that is not known", (long long)(count - known));
    putchar('\n');
}

static void print_list(const Predicting *predicting) {
    bool classes = predicting->predictions.classes;
    int64_t known = count_known(predicting);
    const char *what = predicting->inputs.names ? "file" : predicting->files ? "row" : "index";
    if (classes) printf("%7s  %s%-14s %11s\n", what, known ? "true           " : "", "predicted", "probability");
    for (int64_t i = 0; i < predicting->count; i++) {
        if (classes)
            print_class(predicting, i, known > 0);
        else
            print_values(predicting, i);
    }
    if (classes && known) print_right(known, count_mistakes(predicting), predicting->count);
}

/* One image: the image, then a bar for every class. */
static void print_single(const Predicting *predicting) {
    char number[NUMBER_TEXT];
    const Predictions *predictions = &predicting->predictions;
    int32_t truth = truth_of(predicting, 0), best = prediction_class(predictions, 0);
    if (predicting->height) terminal_image(stdout, row_pixels(predicting, 0), predicting->height, predicting->width);
    if (!predictions->classes) {
        print_values(predicting, 0);
        return;
    }
    for (int32_t i = 0; i < predictions->width; i++) {
        double share = (double)prediction_value(predictions, 0, i);
        fputs(terminal_style(stdout, i == best ? STYLE_BOLD : STYLE_PLAIN), stdout);
        terminal_cell(stdout, class_text(&predicting->session, i, number), BAR_NAME_WIDTH, CLASS_WIDTH);
        putchar(' ');
        terminal_bar(stdout, share, BAR_WIDTH);
        printf(" %6.2f %%%s%s\n", 100 * share, i == truth ? "  true" : "", terminal_style(stdout, STYLE_PLAIN));
    }
}

/* -- JSON -- */

/* JSON is UTF-8; names of files need not be. */
static json_t *json_text(const char *text) {
    json_t *string = json_string(text);
    return string ? string : json_string("?");
}

static json_t *values_json(const Predictions *predictions, int64_t i) {
    json_t *values = json_array();
    for (int64_t k = 0; k < predictions->width; k++)
        json_array_append_new(values, json_number((double)prediction_value(predictions, i, k)));
    return values;
}

static json_t *row_json(const Predicting *predicting, int64_t i) {
    const Predictions *predictions = &predicting->predictions;
    char number[NUMBER_TEXT];
    json_t *line = json_object();
    if (predicting->inputs.names)
        json_object_set_new(line, "image", json_text(predicting->inputs.names[i]));
    else
        json_object_set_new(line, "index", json_integer(predicting->first + i));
    if (predictions->classes) {
        int32_t class = prediction_class(predictions, i), truth = truth_of(predicting, i);
        if (truth >= 0) json_object_set_new(line, "true", json_integer(truth));
        json_object_set_new(line, "predicted", json_integer(class));
        json_object_set_new(line, "class", json_text(class_text(&predicting->session, class, number)));
        json_object_set_new(line, "probability", json_number((double)prediction_value(predictions, i, class)));
    }
    if (predictions->classes) json_object_set_new(line, "probabilities", values_json(predictions, i));
    for (uint32_t k = 0; k < predicting->session.build.info->output_count && !predictions->classes; k++)
        json_object_set_new(line, predicting->others[k].name, values_json(&predicting->others[k], i));
    return line;
}

/* -- the picture -- */

static void fill_cell(const Predicting *predicting, int64_t i, GridCell *cell) {
    char number[NUMBER_TEXT];
    const Predictions *predictions = &predicting->predictions;
    int32_t class = prediction_class(predictions, i), truth = truth_of(predicting, i);
    *cell = (GridCell){.pixels = row_pixels(predicting, i), .mistake = is_mistake(predicting, i)};
    if (!predictions->classes) {
        snprintf(cell->caption, sizeof cell->caption, "%.4g", (double)prediction_value(predictions, i, 0));
        return;
    }
    const char *name = class_text(&predicting->session, class, number);
    snprintf(cell->caption, sizeof cell->caption, "%.*s  %.0f %%", (int)shown_fitting(name, CAPTION_WIDTH), name,
             100 * (double)prediction_value(predictions, i, class));
    if (truth < 0) return;
    name = class_text(&predicting->session, truth, number);
    snprintf(cell->truth, sizeof cell->truth, "true: %.*s", (int)shown_fitting(name, CAPTION_WIDTH), name);
}

static bool draw(const Predicting *predicting, const GridCell *cells) {
    char title[256], subtitle[256];
    const ModelInfo *info = predicting->session.build.info;
    if (predicting->files)
        snprintf(title, sizeof title, "%s on %s", info->name, predicting->options->operands[1]);
    else
        snprintf(title, sizeof title, "%s on %s: %lld of %lld right", info->name, info->source.reader,
                 (long long)(predicting->count - count_mistakes(predicting)), (long long)predicting->count);
    snprintf(subtitle, sizeof subtitle,
             "%s images %lld to %lld; below each what it is taken for, with the probability, and its true class",
             split_name(predicting->split), (long long)predicting->first,
             (long long)(predicting->first + predicting->count - 1));
    Grid grid = {
        .title = title,
        .subtitle = predicting->files ? "the predicted class and its probability" : subtitle,
        .rows = predicting->height,
        .columns = predicting->width,
        .cells = cells,
        .count = (uint32_t)predicting->count,
    };
    return grid_draw(predicting->options->png, &grid, predicting->diag);
}

static bool draw_grid(const Predicting *predicting) {
    if (!need_images(predicting)) return false;
    if (predicting->count > GRID_MAX) {
        diag_error(predicting->diag, STATUS_USAGE, (Span){0}, "--png draws at most %d images, not %lld", GRID_MAX,
                   (long long)predicting->count);
        return false;
    }
    GridCell *cells = ARENA_ARRAY(predicting->session.arena, GridCell, predicting->count);
    for (int64_t i = 0; i < predicting->count; i++) fill_cell(predicting, i, &cells[i]);
    return draw(predicting, cells);
}

/* -- the command -- */

static bool run(Predicting *predicting, uint32_t batch) {
    Session *session = &predicting->session;
    const ModelInfo *info = session->build.info;
    if (!forward_run(session, GRAPH_PREDICT, 0, batch, predicting->rows, predicting->count, &predicting->predictions))
        return false;
    predicting->others = ARENA_ARRAY(session->arena, Predictions, info->output_count);
    predicting->others[0] = predicting->predictions;
    for (uint32_t i = 1; i < info->output_count && !predicting->predictions.classes; i++)
        if (!forward_run(session, GRAPH_PREDICT, i, batch, predicting->rows, predicting->count, &predicting->others[i]))
            return false;
    return true;
}

static bool predict(Predicting *predicting) {
    Session *session = &predicting->session;
    CheckpointInfo checkpoint;
    if (!(predicting->files ? open_files(predicting) : open_rows(predicting))) return false;
    find_image_size(predicting);
    uint32_t batch = programs_forward_batch(predicting->count, session->build.info->batch);
    programs_want(&session->programs, GRAPH_PREDICT, predicting->count, batch);
    return session_start(session) && session_load_weights(session, &checkpoint) && run(predicting, batch);
}

/* A network that was given NaN, or has weights that are not finite, says nothing: that must not look like an answer. */
static void warn_of_nonfinite(const Predicting *predicting) {
    const Predictions *predictions = &predicting->predictions;
    int64_t rows = 0, first = 0;
    for (int64_t i = predicting->count - 1; i >= 0; i--) {
        bool finite = true;
        for (int64_t k = 0; k < predictions->width; k++) finite &= isfinite(prediction_value(predictions, i, k)) != 0;
        rows += !finite;
        if (!finite) first = i;
    }
    if (rows)
        fprintf(stderr, "mlc: warning: what the network makes of %lld row%s is not finite, such as row %lld: are its data?\n",
                (long long)rows, rows == 1 ? "" : "s", (long long)(predicting->first + first));
}

static void answer(const Predicting *predicting) {
    bool single = predicting->count == 1 && (predicting->files || predicting->options->index);
    warn_of_nonfinite(predicting);
    if (predicting->options->json)
        for (int64_t i = 0; i < predicting->count; i++) json_print_line(row_json(predicting, i), stdout);
    else if (single)
        print_single(predicting);
    else
        print_list(predicting);
}

Status command_predict(const Options *given, Diagnostics *diag) {
    Predicting predicting = {.options = given, .diag = diag, .files = given->operand_count > 1};
    if (predict(&predicting) && (!given->png || draw_grid(&predicting))) answer(&predicting);
    session_close(&predicting.session);
    return diag_status(diag);
}
