/* The report of `mlc data FILE.mdl` as text. */
#include "cli/show/data_print.h"
#include "cli/text/terminal.h"
#include "ir/data/date.h"
#include "ir/base/display.h"
#include "runtime/data/class_counts.h"
#include "runtime/data/findings.h"
#include "runtime/formats/bitmap.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum {
    NAME_WIDTH = 22,
    NAME_MAX_WIDTH = 60,
    MAX_CLASSES = 20,
    MAX_VALUES = 8,
    ROWS_PER_BLOCK = 5,
    CELL_WIDTH = 12, /* "-1.30316e+10" */
    CELL_MAX = 24,
    PICTURE_SIDE = 56
};

static void heading(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void heading(const char *format, ...) {
    va_list args;
    printf("\n%s", terminal_style(stdout, STYLE_BOLD));
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("%s\n", terminal_style(stdout, STYLE_PLAIN));
}

static const char *number_text(char buffer[NUMBER_TEXT], double value) {
    return isnan(value) ? "-" : text_value(buffer, value, 6);
}

/* A value of a column, or its mean. Whole numbers have all digits. Other numbers have enough digits
 * to show the differences between the values of the column. */
static const char *column_text(char buffer[NUMBER_TEXT], ExactNumber exact,
                               const Statistics *statistics) {
    enum { USUAL = 6, MOST = 15 };
    int64_t whole;
    double value = exact.number;
    double spread = statistics_deviation(statistics);
    int before = fabs(value) > spread && spread > 0 && isfinite(value)
                     ? (int)log10(fabs(value) / spread)
                     : 0;
    if (value == floor(value) && !statistics->moments.has_fractions && exact_whole(exact, &whole))
        return snprintf(buffer, NUMBER_TEXT, "%" PRId64, whole), buffer;
    return isnan(value) ? "-"
                        : text_value(buffer, value, before > MOST - USUAL ? MOST : USUAL + before);
}

/* "f32[N, 4]", "text" or "classes". */
static const char *type_text(const SourceField *field, char buffer[SHAPE_TEXT]) {
    if (field->is_text) return field->numbers ? "classes" : "text";
    int length = snprintf(buffer, SHAPE_TEXT, "%s[N", dtype_name(field->dtype));
    for (int i = 0; i < field->row.rank; i++)
        length +=
            snprintf(buffer + length, SHAPE_TEXT - (size_t)length, ", %" PRId64, field->row.dim[i]);
    snprintf(buffer + length, SHAPE_TEXT - (size_t)length, "]");
    return buffer;
}

static void print_name(const char *name) {
    fputs("  ", stdout);
    terminal_cell(stdout, name, -NAME_WIDTH, NAME_MAX_WIDTH);
}

/* -- statistics -- */

static void print_statistics(const char *name, const char *type, const Statistics *statistics,
                             const char *remark) {
    char missing[NUMBER_TEXT], least[NUMBER_TEXT], mean[NUMBER_TEXT], most[NUMBER_TEXT],
        deviation[NUMBER_TEXT];
    const ExactNumber nothing = exact_of_real(NAN);
    bool any = statistics->moments.count > 0;
    print_name(name);
    printf(" %-14s %8s %*s %*s %*s %*s%s\n", type, text_count(missing, statistics->missing),
           CELL_WIDTH, column_text(least, any ? statistics->min : nothing, statistics), CELL_WIDTH,
           column_text(mean, any ? moments_exact_mean(&statistics->moments) : nothing, statistics),
           CELL_WIDTH, column_text(most, any ? statistics->max : nothing, statistics), CELL_WIDTH,
           number_text(deviation, statistics_deviation(statistics)), remark);
}

static void print_text_column(const FieldFacts *facts, Split split, const char *remark) {
    char missing[NUMBER_TEXT], count[NUMBER_TEXT], type[SHAPE_TEXT];
    const SourceField *field = &facts->field;
    const char *one = field->numbers ? "class" : "category",
               *several = field->numbers ? "classes" : "categories";
    print_name(field->name);
    printf(" %-14s %8s %*s %s%s\n", type_text(field, type),
           text_count(missing, facts->whole[split].missing), CELL_WIDTH,
           text_count(count, field->category_count), field->category_count == 1 ? one : several,
           remark);
}

/* "2024-06-29", from seconds since 1970. */
static const char *day_text(char buffer[NUMBER_TEXT], double seconds) {
    Date date;
    if (isnan(seconds) || !date_from_seconds((int64_t)floor(seconds), &date)) return "-";
    snprintf(buffer, NUMBER_TEXT, "%04d-%02d-%02d", (int)date.parts[DATE_year],
             (int)date.parts[DATE_month], (int)date.parts[DATE_day]);
    return buffer;
}

static void print_dates(const FieldFacts *facts, Split split, const char *remark) {
    char missing[NUMBER_TEXT], least[NUMBER_TEXT], mean[NUMBER_TEXT], most[NUMBER_TEXT];
    const Statistics *statistics = &facts->whole[split];
    bool any = statistics->moments.count > 0;
    print_name(facts->field.name);
    printf(" %-14s %8s %*s %*s %*s%s\n", "date", text_count(missing, statistics->missing),
           CELL_WIDTH, day_text(least, any ? statistics->min.number : NAN), CELL_WIDTH,
           day_text(mean, any ? statistics->moments.mean : NAN), CELL_WIDTH,
           day_text(most, any ? statistics->max.number : NAN), remark);
}

static void print_field(const FieldFacts *facts, Split split, const char *remark) {
    char type[SHAPE_TEXT], name[64];
    if (facts->dates && date_format_tells(facts->dates, DATE_year)) {
        print_dates(facts, split, remark);
        return;
    }
    if (facts->dates) {
        print_statistics(facts->field.name, "time, seconds", &facts->whole[split], remark);
        return;
    }
    if (facts->field.is_text) {
        print_text_column(facts, split, remark);
        return;
    }
    print_statistics(facts->field.name, type_text(&facts->field, type), &facts->whole[split],
                     remark);
    for (int64_t i = 0; i < facts->width && facts->field.row.rank && facts->width > 1; i++) {
        snprintf(name, sizeof name, "  [%" PRId64 "]", i);
        print_statistics(name, "", &facts->columns[split][i], "");
    }
}

static void print_fields(const DataReport *report, const char *title, FieldFacts *const *fields,
                         uint32_t count, const bool *used) {
    char rows[NUMBER_TEXT];
    heading("%s, %s %s rows", title,
            text_count(rows, dataset_rows(report->session.dataset, report->split)),
            split_name(report->split));
    printf("  %-*s %-14s %8s %*s %*s %*s %*s\n", NAME_WIDTH, "field", "type", "missing", CELL_WIDTH,
           "min", CELL_WIDTH, "mean", CELL_WIDTH, "max", CELL_WIDTH, "deviation");
    for (uint32_t i = 0; i < count; i++)
        print_field(fields[i], report->split, used && !used[i] ? "  not used" : "");
}

static void print_fitted(const DataReport *report) {
    char text[NUMBER_TEXT];
    if (report->fitted_count) heading("fitted to the training rows");
    for (uint32_t i = 0; i < report->fitted_count; i++) {
        const FittedNumbers *fitted = &report->fitted[i];
        printf("  %-*s", NAME_WIDTH + 4, fitted->name);
        for (int64_t k = 0; k < fitted->count && k < MAX_VALUES; k++)
            printf(" %s", number_text(text, fitted->values[k]));
        if (fitted->count > MAX_VALUES) printf(" ... (%" PRId64 " numbers)", fitted->count);
        putchar('\n');
    }
}

/* -- classes -- */

static void print_classes(const ClassCounts *counts) {
    int64_t displayed = counts->classes > MAX_CLASSES ? MAX_CLASSES : counts->classes;
    heading("classes of '%s'%s", counts->field->name, counts->is_label ? ", the label" : "");
    printf("  class  %-*s", NAME_WIDTH, "name");
    for (Split split = 0; split < SPLIT_COUNT; split++) printf(" %9s", split_name(split));
    putchar('\n');
    for (int64_t i = 0; i < displayed; i++) {
        char text[NUMBER_TEXT];
        const char *name =
            (uint64_t)i < counts->field->category_count ? counts->field->categories[i] : "";
        printf("  %5" PRId64, i);
        print_name(name);
        for (Split split = 0; split < SPLIT_COUNT; split++)
            printf(" %9s", text_count(text, counts->counts[split][i]));
        putchar('\n');
    }
    if (displayed < counts->classes)
        printf("  ... and %" PRId64 " more (--json lists all)\n", counts->classes - displayed);
}

/* -- the first rows -- */

/* Prints a value in the width of a cell. Longer text ends in "...", a number is never cut off. */
static void print_cell(ReportElement element, const Statistics *statistics, int width) {
    char text[NUMBER_TEXT];
    putchar(' ');
    if (!element.text) {
        printf("%*s", width, column_text(text, element.number, statistics));
    } else if (display_columns(element.text, strlen(element.text)) > (size_t)width) {
        terminal_cell(stdout, element.text, 0, width - 3);
        fputs("...", stdout);
    } else {
        terminal_cell(stdout, element.text, width, width);
    }
}

/* The width of the longest text in the displayed rows, within limits. */
static int cell_width(const DataReport *report) {
    const int32_t *rows = dataset_split(report->session.dataset, report->split);
    size_t width = CELL_WIDTH;
    for (uint32_t k = 0; k < report->facts->field_count; k++) {
        for (int64_t i = 0; i < report->displayed; i++) {
            const char *text = report_source_element(report, k, rows[i], 0).text;
            size_t columns = text ? display_columns(text, strlen(text)) : 0;
            if (columns > width) width = columns;
        }
    }
    return width < CELL_MAX ? (int)width : CELL_MAX;
}

/* Prints one line per element of a field, for `count` displayed rows from `first` on. */
static void print_elements(const DataReport *report, uint32_t k, bool source, int64_t first,
                           int64_t count, int width) {
    const FieldFacts *facts = source ? report->facts->fields[k] : report->fields[k];
    const int32_t *rows = dataset_split(report->session.dataset, report->split);
    int64_t elements = shape_elements(facts->field.row),
            displayed = elements > MAX_VALUES ? MAX_VALUES : elements;
    for (int64_t element = 0; element < displayed; element++) {
        const Statistics *statistics =
            facts->width ? &facts->columns[report->split][element] : &facts->whole[report->split];
        const SourceField *field = &facts->field;
        char name[4 * NAME_MAX_WIDTH + 1];
        size_t fits =
            display_fitting(field->name, field->row.rank ? NAME_MAX_WIDTH - 20 : NAME_MAX_WIDTH);
        snprintf(name, sizeof name, field->row.rank ? "%.*s[%" PRId64 "]" : "%.*s", (int)fits,
                 field->name, element);
        print_name(name);
        for (int64_t i = first; i < first + count; i++)
            print_cell(source ? report_source_element(report, k, rows[i], element)
                              : report_field_element(report, k, i, element),
                       statistics, width);
        putchar('\n');
    }
    if (displayed < elements) printf("  ... %" PRId64 " elements\n", elements);
}

/* Prints the row numbers in the file, or the line numbers. */
static void print_places(const Dataset *dataset, const char *what, const int32_t *rows,
                         int64_t count, int width) {
    printf("  %-*s", NAME_WIDTH, what);
    for (int64_t i = 0; i < count; i++) {
        RowPlace place = dataset_row_place(dataset, rows[i]);
        printf(" %*" PRId64, width, *what == 'l' ? place.line : place.row);
    }
    putchar('\n');
}

static void print_rows(const DataReport *report) {
    heading("first rows of %s", split_name(report->split));
    int width = cell_width(report), abreast = ROWS_PER_BLOCK * (CELL_WIDTH + 1) / (width + 1);
    for (int64_t first = 0; first < report->displayed; first += abreast) {
        int64_t left = report->displayed - first;
        if (first) putchar('\n');
        int64_t count = left < abreast ? left : abreast;
        const Dataset *dataset = report->session.dataset;
        const int32_t *rows = dataset_split(dataset, report->split);
        print_places(dataset, "row", &rows[first], count, width);
        if (dataset_row_place(dataset, rows[first]).line)
            print_places(dataset, "line", &rows[first], count, width);
        for (uint32_t i = 0; i < report->facts->field_count; i++)
            print_elements(report, i, true, first, count, width);
        if (report->field_count) printf("  %-*s\n", NAME_WIDTH, "-- as the model sees them");
        for (uint32_t i = 0; i < report->field_count; i++)
            print_elements(report, i, false, first, count, width);
    }
}

/* -- the first pictures -- */

/* Prints a picture in grey, reduced to PICTURE_SIDE pixels. */
static void print_pixels(const DataReport *report, const uint8_t *pixels) {
    Shape row = report->picture->row;
    Bitmap picture = {
        .height = (int)row.dim[row.rank - 2], .width = (int)row.dim[row.rank - 1], .channels = 1};
    int64_t plane = (int64_t)picture.height * picture.width,
            channels = row.rank == 3 ? row.dim[0] : 1;
    int longest = picture.height > picture.width ? picture.height : picture.width,
        shrink = longest > PICTURE_SIDE ? longest : PICTURE_SIDE;
    int height = (picture.height * PICTURE_SIDE + shrink - 1) / shrink,
        width = (picture.width * PICTURE_SIDE + shrink - 1) / shrink;
    picture.pixels = arena_alloc(report->session.arena, (size_t)plane);
    for (int64_t i = 0; i < plane; i++) {
        int64_t sum = 0;
        for (int64_t c = 0; c < channels; c++) sum += pixels[c * plane + i];
        picture.pixels[i] = (uint8_t)(sum / channels);
    }
    uint8_t *small = arena_alloc(report->session.arena, (size_t)height * (size_t)width);
    bitmap_resize(&picture, height, width, small);
    terminal_image(stdout, small, height, width);
}

static void print_labels(const DataReport *report, int32_t row) {
    const Dataset *dataset = report->session.dataset;
    char text[NUMBER_TEXT];
    for (uint32_t i = 0; i < report->facts->class_count; i++) {
        const SourceField *field = report->facts->classes[i].field;
        uint32_t number = (uint32_t)(source_field(dataset_fields(dataset), field->name) -
                                     dataset_fields(dataset)->fields);
        double category_number = dataset_number(dataset, number, row, 0).number;
        int32_t category = isnan(category_number) ? -1 : (int32_t)category_number;
        const char *name = dataset_class_name(dataset, field->name, category);
        snprintf(text, sizeof text, "%" PRId32, category);
        printf(", %s %s", field->name, text);
        if (!name || !strcmp(name, text)) continue;
        fputs(" (", stdout);
        terminal_cell(stdout, name, 0, NAME_MAX_WIDTH);
        putchar(')');
    }
}

static void print_pictures(const DataReport *report) {
    const uint8_t *pixels = dataset_field(report->session.dataset, report->picture->name);
    heading("first pictures of %s", split_name(report->split));
    for (int64_t i = 0; i < report->displayed; i++) {
        int32_t row = dataset_split(report->session.dataset, report->split)[i];
        const Dataset *dataset = report->session.dataset;
        RowPlace place = dataset_row_place(dataset, row);
        fputs("  ", stdout);
        if (place.row < 0)
            display_text(place.file, stdout);
        else
            printf("row %" PRId64, place.row);
        print_labels(report, row);
        putchar('\n');
        print_pixels(report, pixels + row * shape_elements(report->picture->row));
    }
}

/* -- the report -- */

static void print_findings(const Findings *findings) {
    heading(findings->count ? "suspicious" : "nothing suspicious");
    for (uint32_t i = 0; i < findings->count; i++) {
        printf("  %s: ", findings->items[i].kind);
        display_text(findings->items[i].text, stdout);
        putchar('\n');
    }
}

void report_print(const DataReport *report) {
    const Dataset *dataset = report->session.dataset;
    char train[NUMBER_TEXT], valid[NUMBER_TEXT], test[NUMBER_TEXT];
    display_text(report->options->operands[0], stdout);
    printf(": data from %s, %s train rows, %s valid, %s test\n",
           report->session.build.info->source.reader,
           text_count(train, dataset_rows(dataset, SPLIT_TRAIN)),
           text_count(valid, dataset_rows(dataset, SPLIT_VALID)),
           text_count(test, dataset_rows(dataset, SPLIT_TEST)));
    int64_t dropped = dataset_fields(dataset)->dropped_rows;
    if (dropped)
        printf("%s row%s left out by drop_missing\n", text_count(train, dropped),
               dropped == 1 ? " is" : "s are");
    print_fields(report, "fields of the source", report->facts->fields, report->facts->field_count,
                 report->used);
    if (report->field_count)
        print_fields(report, "fields of the data block", report->fields, report->field_count, NULL);
    print_fitted(report);
    for (uint32_t i = 0; i < report->facts->class_count; i++)
        print_classes(&report->facts->classes[i]);
    if (report->displayed && report->picture) print_pictures(report);
    if (report->displayed && !report->picture) print_rows(report);
    print_findings(&report->facts->findings);
}
