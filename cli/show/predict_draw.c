/* Predictions as a picture. A network that reads or generates images has a grid of them with
 * predictions below. A network that predicts numbers has a scatter plot over the true numbers. */
#include "cli/show/picture.h"
#include "cli/show/predict_show.h"
#include "ir/base/display.h"
#include "runtime/data/dataset.h"

#include <limits.h>
#include <math.h>
#include <string.h>

enum { GRID_MAX = 1000, CAPTION_WIDTH = 20, NAME_BYTES = 256, SIDE_MIN = 4, SIDE_MAX = 4096 };

/* -- choosing what to draw -- */

static bool is_side(int64_t size) { return size >= SIDE_MIN && size <= SIDE_MAX; }

/* The pictures in rows of this shape; no name if they are none. Bytes may have any size; numbers
 * need sides from SIDE_MIN to SIDE_MAX. */
static PictureShape pictures_of(const char *name, DType dtype, Shape row) {
    PictureShape pictures = {
        .name = name, .dtype = dtype, .channels = row.rank == 3 ? (int)row.dim[0] : 1};
    if (row.rank < 2 || row.rank > 3 || (pictures.channels != 1 && pictures.channels != 3))
        return (PictureShape){0};
    int64_t height = row.dim[row.rank - 2], width = row.dim[row.rank - 1];
    bool bytes = dtype == DTYPE_U8 && height <= SIDE_MAX && width <= SIDE_MAX;
    if (!bytes && (dtype != DTYPE_F32 || !is_side(height) || !is_side(width)))
        return (PictureShape){0};
    pictures.height = (int)height;
    pictures.width = (int)width;
    return pictures;
}

/* The first field with pictures of bytes, or else of numbers. */
static PictureShape find_read(const Predicting *predicting) {
    const SourceSchema *schema = dataset_fields(predicting->session.dataset);
    const DType dtypes[] = {DTYPE_U8, DTYPE_F32};
    for (int k = 0; k < 2; k++)
        for (uint32_t i = 0; i < schema->field_count; i++) {
            const SourceField *field = &schema->fields[i];
            const void *data;
            PictureShape found = field->dtype == dtypes[k]
                                     ? pictures_of(field->name, field->dtype, field->row)
                                     : (PictureShape){0};
            if (found.name && dataset_find(predicting->session.dataset, field->name, &data))
                return found;
        }
    return (PictureShape){0};
}

static PictureShape as_made(const PictureShape *read, const char *name, Shape row) {
    PictureShape made = pictures_of(name, DTYPE_F32, row);
    if (made.name || !read->name ||
        shape_elements(row) != (int64_t)read->channels * read->height * read->width)
        return made;
    made = *read; /* a flat output with as many numbers as an input image */
    made.name = name;
    made.dtype = DTYPE_F32;
    return made;
}

/* Finds the first output that has the shape of pictures, or as many numbers as an input image. */
static bool find_made(const Predicting *predicting, const PictureShape *read, PictureShape *made) {
    const Build *build = &predicting->session.build;
    Graph *graph = model_graph(build->model, GRAPH_PREDICT, 1, predicting->diag);
    for (uint32_t i = 0; graph && i < build->info->output_count && !made->name; i++) {
        const ModelOutput *output = &build->info->outputs[i];
        for (uint32_t k = 0; k < graph->output_count && !output->classes && !output->parts; k++) {
            if (strcmp(graph->outputs[k].name, output->name) != 0) continue;
            Shape shape = graph_node(graph, graph->outputs[k].node)->shape,
                  row = {.rank = shape.rank - 1};
            if (row.rank < 1) continue;
            memcpy(row.dim, &shape.dim[1], (size_t)row.rank * sizeof *row.dim);
            *made = as_made(read, output->name, row);
        }
    }
    if (graph) graph_free(graph);
    return graph != NULL;
}

static const ModelOutput *target_output(const Predicting *predicting) {
    const ModelInfo *info = predicting->session.build.info;
    for (uint32_t i = 0; i < info->output_count; i++)
        if (info->outputs[i].target.width && !info->outputs[i].classes) return &info->outputs[i];
    return NULL;
}

static bool report_nothing_to_draw(const Predicting *predicting) {
    const ModelInfo *info = predicting->session.build.info;
    bool classes = false;
    for (uint32_t i = 0; i < info->output_count; i++) classes |= info->outputs[i].classes;
    diag_error(predicting->diag, STATUS_USAGE, (Span){0},
               "--png has nothing to draw: the network has no images as input or output, and %s",
               classes ? "its output is classes, not numbers" : "the data have no true numbers");
    if (classes)
        diag_help(predicting->diag,
                  "'mlc eval RUN --confusion --png FILE' draws predicted and true classes");
    else
        diag_help(predicting->diag,
                  "images have the shape [N, H, W], [N, 1, H, W] or [N, 3, H, W]");
    return false;
}

bool predicted_plan_drawing(Predicting *predicting) {
    Drawing *drawing = &predicting->drawing;
    drawing->read = find_read(predicting);
    if (!find_made(predicting, &drawing->read, &drawing->made)) return false;
    bool images = drawing->read.name || drawing->made.name;
    drawing->numbers = !images && !predicting->files && target_output(predicting);
    if (!images && !drawing->numbers) return report_nothing_to_draw(predicting);
    if (!images || predicting->displayed <= GRID_MAX) return true;
    diag_error(predicting->diag, STATUS_USAGE, (Span){0}, "--png draws at most %d images, not %lld",
               GRID_MAX, (long long)predicting->displayed);
    diag_help(predicting->diag, "--index A..B chooses some of the rows");
    return false;
}

/* -- numbers as brightness -- */

typedef struct {
    double low, high;
} Range;

/* The range of numbers that is drawn from black to white: 0..1, -1..1 or 0..255 if they exceed it
 * by at most a quarter, else their own range. */
static Range range_of(const float *values, int64_t count) {
    static const Range customary[] = {{0, 1}, {-1, 1}, {0, 255}};
    Range range = {INFINITY, -INFINITY};
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(values[i])) continue;
        range.low = fmin(range.low, (double)values[i]);
        range.high = fmax(range.high, (double)values[i]);
    }
    for (size_t i = 0; i < sizeof customary / sizeof *customary; i++) {
        double slack = (customary[i].high - customary[i].low) / 4;
        if (range.low >= customary[i].low - slack && range.high <= customary[i].high + slack)
            return customary[i];
    }
    return range.high > range.low ? range : (Range){range.low, range.low + 1};
}

static int64_t elements_of(const PictureShape *pictures) {
    return (int64_t)pictures->channels * pictures->height * pictures->width;
}

/* The numbers of the displayed rows as bytes, one row after the other. */
static const uint8_t *bytes_of(const Predicting *predicting, const float *values,
                               int64_t elements) {
    uint8_t *bytes =
        ARENA_ARRAY(predicting->session.arena, uint8_t, predicting->displayed * elements);
    int64_t count = predicting->displayed * elements;
    Range range = range_of(values, predicting->displayed * elements);
    for (int64_t i = 0; i < count; i++) {
        double level = 255 * ((double)values[i] - range.low) / (range.high - range.low);
        bytes[i] = level > 0 ? (uint8_t)lrint(fmin(level, 255)) : 0; /* NaN is black */
    }
    return bytes;
}

static const uint8_t *read_pixels(const Predicting *predicting) {
    const PictureShape *read = &predicting->drawing.read;
    int64_t elements = elements_of(read), bytes = elements * (int64_t)dtype_bytes(read->dtype);
    const uint8_t *data = dataset_field(predicting->session.dataset, read->name);
    uint8_t *rows = ARENA_ARRAY(predicting->session.arena, uint8_t, predicting->displayed * bytes);
    for (int64_t i = 0; i < predicting->displayed; i++)
        memcpy(rows + i * bytes, data + predicting->rows[i] * bytes, (size_t)bytes);
    return read->dtype == DTYPE_U8
               ? rows
               : bytes_of(predicting, (const float *)(const void *)rows, elements);
}

static const uint8_t *made_pixels(const Predicting *predicting) {
    const PictureShape *made = &predicting->drawing.made;
    for (uint32_t i = 0; i < predicting->output_count; i++)
        if (!strcmp(predicting->outputs[i].output->name, made->name))
            return bytes_of(predicting, predicting->outputs[i].values, elements_of(made));
    return NULL;
}

/* -- a grid of images -- */

static void write_class(const Predicting *predicting, int64_t i, GridCell *cell) {
    char number[NUMBER_TEXT], percent[NUMBER_TEXT];
    const Predictions *predictions = predicting->main;
    int32_t class = prediction_class(predictions, i),
            truth = predicted_truth(predicting, predictions, i);
    const char *name = class_text(&predicting->session, predictions->output, class, number);
    cell->mistake = predicted_wrongly(predicting, predictions, i);
    snprintf(cell->caption, sizeof cell->caption, "%.*s  %s",
             (int)display_fitting(name, CAPTION_WIDTH), name,
             text_percent(percent, prediction_probability(predictions, i, class), 0));
    if (truth < 0) return;
    name = class_text(&predicting->session, predictions->output, truth, number);
    snprintf(cell->truth, sizeof cell->truth, "true: %.*s",
             (int)display_fitting(name, CAPTION_WIDTH), name);
}

/* Writes the first number of the output, in the units of the data if they are known. */
static void write_number(const Predicting *predicting, int64_t i, GridCell *cell) {
    const Predictions *predictions = predicting->main;
    int64_t at = i * predictions->width;
    double value = predictions->units ? predictions->units[at] : (double)predictions->values[at];
    snprintf(cell->caption, sizeof cell->caption, "%.4g", value);
    if (predictions->truths && isfinite(predictions->truths[at]))
        snprintf(cell->truth, sizeof cell->truth, "true: %.4g", predictions->truths[at]);
}

static void write_title(const Predicting *predicting, char *title, size_t size) {
    const ModelInfo *info = predicting->session.build.info;
    int64_t known = predicted_known(predicting, predicting->main);
    const char *data = predicting->files ? predicting->options->operands[1] : info->source.reader;
    if (predicting->files || !known || !predicting->main->output->classes)
        snprintf(title, size, "%s on %s", info->name, data);
    else
        snprintf(title, size, "%s on %s: %lld of %lld correct", info->name, data,
                 (long long)(known - predicted_mistakes(predicting, predicting->main)),
                 (long long)known);
}

static void write_subtitle(const Predicting *predicting, char *subtitle, size_t size) {
    const ModelOutput *output = predicting->main->output;
    const Drawing *drawing = &predicting->drawing;
    char rows[64] = "", several[NAME_BYTES] = "", made[2 * NAME_BYTES] = "";
    if (!predicting->files)
        snprintf(rows, sizeof rows, "%s rows %lld to %lld; ", split_name(predicting->split),
                 (long long)predicting->first,
                 (long long)(predicting->first + predicting->displayed - 1));
    if (predicting->output_count > 1) snprintf(several, sizeof several, " by '%s'", output->name);
    if (drawing->made.name)
        snprintf(made, sizeof made, "%s%.100s%sthe output '%.100s'",
                 drawing->read.name ? "above the field '" : "",
                 drawing->read.name ? drawing->read.name : "",
                 drawing->read.name ? "', below it " : "", drawing->made.name);
    if (output->classes)
        snprintf(subtitle, size, "%s%s%sbelow each the predicted class%s with its probability%s",
                 rows, made, *made ? "; " : "", several,
                 predicted_known(predicting, predicting->main) ? ", and the true class" : "");
    else if (*made)
        snprintf(subtitle, size, "%s%s", rows, made);
    else
        snprintf(subtitle, size, "%sbelow each %s '%s'%s", rows,
                 predicting->main->width > 1 ? "the first number of" : "the output", output->name,
                 predicting->main->truths ? ", and the true number" : "");
}

static GridImages grid_images(const PictureShape *pictures) {
    return (GridImages){pictures->name ? pictures->height : 0, pictures->width, pictures->channels};
}

static GridCell *make_cells(const Predicting *predicting) {
    const Drawing *drawing = &predicting->drawing;
    const uint8_t *read = drawing->read.name ? read_pixels(predicting) : NULL;
    const uint8_t *made = drawing->made.name ? made_pixels(predicting) : NULL;
    GridCell *cells = ARENA_ARRAY(predicting->session.arena, GridCell, predicting->displayed);
    for (int64_t i = 0; i < predicting->displayed; i++) {
        cells[i] = (GridCell){.pixels = read ? read + i * elements_of(&drawing->read) : NULL,
                              .made = made ? made + i * elements_of(&drawing->made) : NULL};
        if (predicting->main->output->classes) write_class(predicting, i, &cells[i]);
        /* A generated image needs no number below it. */
        if (!predicting->main->output->classes && !predicting->drawing.made.name)
            write_number(predicting, i, &cells[i]);
    }
    return cells;
}

/* -- numbers -- */

/* Draws all predicted rows: a scatter plot can have many points. */
static bool draw_numbers(const Predicting *predicting) {
    const ModelOutput *output = target_output(predicting);
    const Predictions *predictions = predicting->outputs;
    char title[PATH_MAX + NAME_BYTES];
    while (predictions->output != output) predictions++;
    if (!predictions->truths) return report_nothing_to_draw(predicting);
    write_title(predicting, title, sizeof title);
    Scatter scatter = {
        .title = title,
        .name = output->target.names[0],
        .truths = predictions->truths,
        .predictions = predictions->units,
        .count = predicting->count,
        .stride = predictions->width,
    };
    return scatter_draw(predicting->options->png, &scatter, predicting->diag);
}

bool predicted_draw(const Predicting *predicting) {
    if (predicting->drawing.numbers) return draw_numbers(predicting);
    char title[PATH_MAX + NAME_BYTES], subtitle[4 * NAME_BYTES];
    write_title(predicting, title, sizeof title);
    write_subtitle(predicting, subtitle, sizeof subtitle);
    Grid grid = {
        .title = title,
        .subtitle = subtitle,
        .read = grid_images(&predicting->drawing.read),
        .made = grid_images(&predicting->drawing.made),
        .cells = make_cells(predicting),
        .count = (uint32_t)predicting->displayed,
    };
    return grid_draw(predicting->options->png, &grid, predicting->diag);
}
