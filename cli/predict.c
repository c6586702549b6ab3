/* mlc predict: what a trained network makes of rows of its data, or of new ones. */
#include "cli/commands.h"
#include "cli/forward.h"
#include "cli/inputs.h"
#include "cli/picture.h"
#include "cli/terminal.h"

#include <string.h>

enum { STANDARD_COUNT = 50, GRID_MAX = 1000, VALUES_SHOWN = 10, BAR_WIDTH = 24 };

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

static bool knows_truth(const Predicting *predicting) { return truth_of(predicting, 0) >= 0; }

/* "12", or the name of a file */
static const char *row_name(const Predicting *predicting, int64_t i, char buffer[NUMBER_TEXT]) {
    if (predicting->inputs.names) return predicting->inputs.names[i];
    snprintf(buffer, NUMBER_TEXT, "%lld", (long long)(predicting->first + i));
    return buffer;
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
    char name[NUMBER_TEXT];
    printf("%7s", row_name(predicting, i, name));
    for (uint32_t k = 0; k < predicting->session.build.info->output_count; k++) print_output(&predicting->others[k], i);
    putchar('\n');
}

static void print_class(const Predicting *predicting, int64_t i) {
    char truth[64], found[64];
    const Session *session = &predicting->session;
    int32_t class = prediction_class(&predicting->predictions, i);
    bool mistake = is_mistake(predicting, i);
    char name[NUMBER_TEXT];
    printf("%s%7s  ", terminal_style(stdout, mistake ? STYLE_BAD : STYLE_PLAIN), row_name(predicting, i, name));
    if (knows_truth(predicting)) printf("%-14s ", class_text(session, truth_of(predicting, i), truth, sizeof truth));
    printf("%-14s %9.2f %%%s%s\n", class_text(session, class, found, sizeof found),
           100 * (double)prediction_value(&predicting->predictions, i, class), mistake ? "  wrong" : "",
           terminal_style(stdout, STYLE_PLAIN));
}

static void print_list(const Predicting *predicting) {
    bool classes = predicting->predictions.classes;
    const char *what = predicting->inputs.names ? "file" : predicting->files ? "row" : "index";
    if (classes)
        printf("%7s  %s%-14s %11s\n", what, knows_truth(predicting) ? "true           " : "", "predicted", "probability");
    for (int64_t i = 0; i < predicting->count; i++) {
        if (classes)
            print_class(predicting, i);
        else
            print_values(predicting, i);
    }
    if (classes && knows_truth(predicting))
        printf("%lld of %lld right\n", (long long)(predicting->count - count_mistakes(predicting)),
               (long long)predicting->count);
}

/* One image: the image, then a bar for every class. */
static void print_single(const Predicting *predicting) {
    char name[64];
    const Predictions *predictions = &predicting->predictions;
    int32_t truth = truth_of(predicting, 0), best = prediction_class(predictions, 0);
    if (predicting->height) terminal_image(stdout, row_pixels(predicting, 0), predicting->height, predicting->width);
    if (!predictions->classes) {
        print_values(predicting, 0);
        return;
    }
    for (int32_t i = 0; i < predictions->width; i++) {
        double share = (double)prediction_value(predictions, 0, i);
        printf("%s%12s ", terminal_style(stdout, i == best ? STYLE_BOLD : STYLE_PLAIN),
               class_text(&predicting->session, i, name, sizeof name));
        terminal_bar(stdout, share, BAR_WIDTH);
        printf(" %6.2f %%%s%s\n", 100 * share, i == truth ? "  true" : "", terminal_style(stdout, STYLE_PLAIN));
    }
}

/* -- JSON -- */

static json_t *values_json(const Predictions *predictions, int64_t i) {
    json_t *values = json_array();
    for (int64_t k = 0; k < predictions->width; k++)
        json_array_append_new(values, json_number((double)prediction_value(predictions, i, k)));
    return values;
}

static json_t *row_json(const Predicting *predicting, int64_t i) {
    const Predictions *predictions = &predicting->predictions;
    char name[64];
    json_t *line = json_object();
    if (predicting->inputs.names)
        json_object_set_new(line, "image", json_string(predicting->inputs.names[i]));
    else
        json_object_set_new(line, "index", json_integer(predicting->first + i));
    if (predictions->classes) {
        int32_t class = prediction_class(predictions, i), truth = truth_of(predicting, i);
        if (truth >= 0) json_object_set_new(line, "true", json_integer(truth));
        json_object_set_new(line, "predicted", json_integer(class));
        json_object_set_new(line, "class", json_string(class_text(&predicting->session, class, name, sizeof name)));
        json_object_set_new(line, "probability", json_number((double)prediction_value(predictions, i, class)));
    }
    if (predictions->classes) json_object_set_new(line, "probabilities", values_json(predictions, i));
    for (uint32_t k = 0; k < predicting->session.build.info->output_count && !predictions->classes; k++)
        json_object_set_new(line, predicting->others[k].name, values_json(&predicting->others[k], i));
    return line;
}

/* -- the picture -- */

static void fill_cell(const Predicting *predicting, int64_t i, GridCell *cell) {
    char name[32];
    int32_t class = prediction_class(&predicting->predictions, i);
    *cell = (GridCell){.pixels = row_pixels(predicting, i), .mistake = is_mistake(predicting, i)};
    if (!predicting->predictions.classes) {
        snprintf(cell->caption, sizeof cell->caption, "%.4g", (double)prediction_value(&predicting->predictions, i, 0));
        return;
    }
    snprintf(cell->caption, sizeof cell->caption, "%s  %.0f %%", class_text(&predicting->session, class, name, sizeof name),
             100 * (double)prediction_value(&predicting->predictions, i, class));
    int32_t truth = truth_of(predicting, i);
    if (truth >= 0)
        snprintf(cell->truth, sizeof cell->truth, "true: %s", class_text(&predicting->session, truth, name, sizeof name));
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

static void answer(const Predicting *predicting) {
    bool single = predicting->count == 1 && (predicting->files || predicting->options->index);
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
