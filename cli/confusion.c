/* Which classes a network takes for which: matrices of counts, as tables and as JSON. */
#include "cli/confusion.h"
#include "cli/journal.h"
#include "ir/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_WIDTH = 16, COUNT_WIDTH = 6 };

const char *class_name(const SourceSchema *schema, const char *label, int32_t class, char number[NUMBER_TEXT]) {
    SourceRows rows;
    const SourceField *field = label ? source_any(schema, source_rows_of(label, &rows)) : NULL;
    if (field && class >= 0 && (uint32_t) class < field->category_count) return field->categories[class];
    snprintf(number, NUMBER_TEXT, "%d", class);
    return number;
}

static int64_t count_at(const Confusion *confusion, int64_t truth, int64_t guess) {
    return confusion->counts[truth * confusion->classes + guess];
}

static double recall(const Confusion *confusion, int64_t truth) {
    int64_t total = 0;
    for (int64_t i = 0; i < confusion->classes; i++) total += count_at(confusion, truth, i);
    return total ? (double)count_at(confusion, truth, truth) / (double)total : NAN;
}

/* -- as a table -- */

/* Of a column: numbers stay apart. */
static int count_width(const Confusion *confusion) {
    int64_t most = 0;
    for (int64_t i = 0; i < confusion->classes * confusion->classes; i++)
        if (confusion->counts[i] > most) most = confusion->counts[i];
    int width = snprintf(NULL, 0, "%lld", (long long)most) + 1;
    return width > COUNT_WIDTH ? width : COUNT_WIDTH;
}

static void print_cell(int64_t count, bool diagonal, int width) {
    const char *style = terminal_style(stdout, diagonal ? STYLE_GOOD : count ? STYLE_BAD : STYLE_DIM);
    char text[NUMBER_TEXT];
    snprintf(text, sizeof text, count || diagonal ? "%lld" : ".", (long long)count);
    printf("%s%*s%s", style, width, text, terminal_style(stdout, STYLE_PLAIN));
}

/* Whether the classes have numbers of their own, 3, 4, 5 and 9, that a column has room for: then they are called by nothing else. */
static bool is_numbered(const SourceSchema *schema, const Confusion *confusion, int width) {
    SourceRows rows;
    const SourceField *field = confusion->label ? source_any(schema, source_rows_of(confusion->label, &rows)) : NULL;
    bool numbered = field && field->numbers && confusion->classes <= field->category_count;
    for (int64_t i = 0; i < confusion->classes && numbered; i++) {
        char number[NUMBER_TEXT];
        int length = snprintf(number, sizeof number, "%lld", (long long)field->numbers[i]);
        numbered = length < width && !strcmp(number, field->categories[i]);
    }
    return numbered;
}

static void print_head(const SourceSchema *schema, const Confusion *confusion, int width) {
    char number[NUMBER_TEXT];
    bool numbered = is_numbered(schema, confusion, width);
    printf("%-*s", NAME_MAX_WIDTH + 4, "true \\ predicted");
    for (int64_t i = 0; i < confusion->classes; i++)
        if (numbered)
            printf("%*s", width, class_name(schema, confusion->label, (int32_t)i, number));
        else
            printf("%*lld", width, (long long)i);
    printf("     recall\n");
}

static void print_row(const SourceSchema *schema, const Confusion *confusion, int32_t truth, int width) {
    char number[NUMBER_TEXT];
    const char *name = class_name(schema, confusion->label, truth, number);
    if (is_numbered(schema, confusion, width))
        printf("%3s %*s", name, NAME_MAX_WIDTH, "");
    else
        printf("%3d ", truth), terminal_cell(stdout, name == number ? "" : name, -NAME_MAX_WIDTH, NAME_MAX_WIDTH);
    for (int64_t i = 0; i < confusion->classes; i++) print_cell(count_at(confusion, truth, i), i == truth, width);
    printf("   %8s\n", text_percent(number, recall(confusion, truth), 2));
}

/* Labels that are computed may be no class. */
static void print_outside(const Confusion *confusion) {
    char outside[NUMBER_TEXT], all[NUMBER_TEXT];
    int64_t left = confusion->elements;
    for (int64_t i = 0; i < confusion->classes * confusion->classes; i++) left -= confusion->counts[i];
    if (left > 0)
        printf("%s of %s have a class that has no column\n", text_count(outside, left), text_count(all, confusion->elements));
}

void confusion_print(const SourceSchema *schema, const Confusion *confusion) {
    int width = count_width(confusion);
    print_head(schema, confusion, width);
    for (int64_t truth = 0; truth < confusion->classes; truth++) print_row(schema, confusion, (int32_t)truth, width);
    print_outside(confusion);
}

/* -- as JSON -- */

json_t *confusion_json(const Confusion *confusion) {
    json_t *rows = json_array();
    for (int64_t truth = 0; truth < confusion->classes; truth++) {
        json_t *row = json_array();
        for (int64_t i = 0; i < confusion->classes; i++)
            json_array_append_new(row, json_integer(count_at(confusion, truth, i)));
        json_array_append_new(rows, row);
    }
    return rows;
}

json_t *confusion_recalls(const Confusion *confusion) {
    json_t *recalls = json_array();
    for (int64_t truth = 0; truth < confusion->classes; truth++)
        json_array_append_new(recalls, json_number(recall(confusion, truth)));
    return recalls;
}

json_t *confusion_classes(const SourceSchema *schema, const Confusion *confusion) {
    json_t *names = json_array();
    for (int64_t i = 0; i < confusion->classes; i++) {
        char number[NUMBER_TEXT];
        json_array_append_new(names, json_string(class_name(schema, confusion->label, (int32_t)i, number)));
    }
    return names;
}

/* -- where the counts come from -- */

static int64_t *counts_new(int64_t classes) {
    return memory_array((size_t)classes * (size_t)classes, sizeof(int64_t), "the counts of a confusion matrix");
}

int64_t *confusion_counts(const double *values, int64_t classes) {
    int64_t *counts = counts_new(classes);
    for (int64_t i = 0; i < classes * classes; i++) counts[i] = llround(values[i]);
    return counts;
}

int64_t *confusion_read(const json_t *rows, int64_t classes) {
    if (!json_is_array(rows)) return NULL;
    int64_t *counts = counts_new(classes);
    for (int64_t i = 0; i < classes * classes; i++)
        counts[i] = json_integer_value(json_array_get(json_array_get(rows, (size_t)(i / classes)), (size_t)(i % classes)));
    return counts;
}
