/* New rows from pictures: each is converted to the size and the colours that the network reads. */
#include "cli/session/input_files.h"
#include "cli/session/image.h"
#include "ir/base/display.h"
#include "ir/base/memory.h"
#include "ir/data/derived.h"
#include "runtime/formats/bitmap.h"

#include <stdlib.h>
#include <string.h>

static bool is_image(const Symbol *symbol) {
    Shape row = input_row(symbol);
    return symbol->dtype == DTYPE_U8 && row.rank == 3 && (row.dim[0] == 1 || row.dim[0] == 3);
}

static void print_kind(bool size, int height, int width, bool colour, bool coloured) {
    if (size) fprintf(stderr, "%dx%d%s", width, height, colour ? " " : "");
    if (colour) fputs(coloured ? "colour" : "grey", stderr);
}

/* Notes how a picture was converted; prints nothing if it was not. */
static void print_image_changes(const char *file, Shape row, const ImageFacts *facts) {
    int height = (int)row.dim[1], width = (int)row.dim[2];
    bool size = facts->height != height || facts->width != width, coloured = row.dim[0] == 3;
    bool colour = facts->coloured != coloured, converted = size || colour;
    const char *light = facts->inverted ? "inverted" : NULL;
    if (facts->light)
        light = facts->inverted ? "inverted (its background is light)"
                                : "not inverted (though its background is light)";
    if (!converted && !facts->inverted) return;
    display_text(file, stderr);
    fputs(": ", stderr);
    print_kind(size, facts->height, facts->width, colour, facts->coloured);
    if (converted) fputs(", converted to ", stderr);
    print_kind(size, height, width, colour, coloured);
    fprintf(stderr, "%s%s%s\n", converted && light ? ", " : "", light ? light : "",
            facts->centred ? ", cropped to its strokes and centred" : "");
}

/* mnist() and idx() with 28 x 28 grey pictures hold centred figures on black, so new pictures are
 * cropped and centred too. --fit overrides this. */
bool inputs_centre_strokes(const Build *build, Shape row) {
    const char *reader = build->info->source.reader;
    bool like_mnist = row.dim[0] == 1 && row.dim[1] == 28 && row.dim[2] == 28;
    bool drawn = !strcmp(reader, "mnist") || !strcmp(reader, "idx");
    return build->given->fit == CHOICE_fit_yes ||
           (build->given->fit == CHOICE_fit_auto && like_mnist && drawn);
}

/* Converts a picture like the training images: images() has stretched those of folders; those of
 * other sources already had their size. */
static bool read_image(const InputFiles *input, const char *file, Shape row, uint8_t *pixels) {
    const Build *build = &input->session->build;
    ImageFacts facts;
    int channels = (int)row.dim[0], height = (int)row.dim[1], width = (int)row.dim[2];
    bool stretch = input_model_kind(input) == INPUT_PICTURES;
    Choice_invert invert = stretch && !option_given(build->given, OPTION_invert)
                               ? CHOICE_invert_no
                               : build->given->invert;
    FitRequest request = {invert, inputs_centre_strokes(build, row)};
    bool good =
        stretch && invert == CHOICE_invert_no && !request.centre
            ? image_stretch(file, channels, height, width, pixels, &facts, build->diag)
            : image_fit(file, channels, height, width, request, pixels, &facts, build->diag);
    if (good && !build->given->quiet) print_image_changes(file, row, &facts);
    return good;
}

/* The class named by a folder; -1: none. */
static int32_t class_called(const SourceField *label, const char *name) {
    int64_t number;
    for (uint32_t i = 0; i < label->category_count; i++)
        if (!strcmp(label->categories[i], name)) return (int32_t)i;
    return !label->category_count && parse_number(name, 0, INT32_MAX, &number) ? (int32_t)number
                                                                               : -1;
}

/* The classes of the pictures, by the names of their folders. NULL if some are unknown, which is
 * reported only where labels are needed. */
static void *classes_of(const InputFiles *input, const SourceField *label) {
    void *classes =
        memory_array((size_t)input->count, sizeof(int32_t), "the classes of the pictures");
    for (int i = 0; i < input->count; i++) {
        const char *folder = input->pictures[i].folder;
        int32_t class = folder ? class_called(label, folder) : -1;
        if (class >= 0 && input_put_element(classes, label->dtype, i, class)) continue;
        free(classes);
        if (input->read_count == input->network_count) return NULL;
        diag_error(input_diag(input), STATUS_DATA, (Span){0},
                   folder ? "the folder of '%s' is not named after a class: '%s'"
                          : "the class of '%s' is not known",
                   input->files[i], folder);
        diag_help(input_diag(input),
                  "give a folder that holds one folder for each class, named after it");
        return NULL;
    }
    return classes;
}

/* Whether the input is the label, or is computed from it alone. */
static bool is_of_label(const InputFiles *input, const char *name, const SourceField *label) {
    const SourceSchema *schema = &input->session->build.info->schema;
    uint32_t count;
    if (!strcmp(name, label->name)) return true;
    const uint32_t *fields = source_reads(schema, name, input->session->arena, &count);
    return count == 1 && &schema->fields[fields[0]] == label;
}

/* Folder names give one label. Other labels cannot be made from them. */
static const SourceField *label_of(const InputFiles *input) {
    const ModelInfo *info = input->session->build.info;
    const SourceField *label =
        info->label_field ? source_any(&info->schema, info->label_field) : NULL;
    bool is_label = label && label->row.rank == 0 && label->dtype != DTYPE_F32;
    for (uint32_t i = input->network_count; i < input->read_count; i++) {
        if (is_label && is_of_label(input, input->reads[i].name, label)) continue;
        diag_error(input_diag(input), STATUS_USAGE, (Span){0},
                   "folders of pictures give only a class, but the loss also reads '%s'",
                   input->reads[i].name);
        return NULL;
    }
    return is_label ? label : NULL;
}

bool input_open_images(InputFiles *input) {
    const Symbol *symbol = input_only(input, "an image");
    if (!symbol) return false;
    Shape row = input_row(symbol);
    if (!is_image(symbol)) {
        diag_error(input_diag(input), STATUS_USAGE, (Span){0},
                   "the network does not read images: its input is '%s'", symbol->name);
        return false;
    }
    const SourceField *label = label_of(input);
    void *classes = label ? classes_of(input, label) : NULL;
    if (diag_errors(input_diag(input))) return false;
    uint8_t *pixels =
        memory_array((size_t)input->count, (size_t)shape_elements(row), "the pictures");
    SourceField fields[] = {{.name = symbol->name, .dtype = DTYPE_U8, .row = row}, {0}};
    if (classes) fields[1] = *label;
    input->session->dataset =
        dataset_new(fields, classes ? 2 : 1, (void *[]){pixels, classes}, input->count, NULL, NULL);
    input->inputs->names = input->files;
    input->inputs->images = true;
    bool good = true;
    for (int i = 0; i < input->count && good; i++)
        good = read_image(input, input->files[i], row,
                          pixels + (size_t)i * (size_t)shape_elements(row));
    return good;
}
