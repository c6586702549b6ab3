/* Confusion matrices: counts of true and predicted classes, as tables, csv and JSON. */
#include "cli/results/confusion.h"
#include "cli/text/csv.h"
#include "cli/results/journal.h"
#include "ir/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_WIDTH = 16, COUNT_WIDTH = 6 };

static int64_t count_at(const Confusion *confusion, int64_t truth, int64_t guess) {
    return confusion->counts[truth * confusion->classes + guess];
}

static int64_t total_of(const Confusion *confusion, int64_t truth) {
    int64_t total = 0;
    for (int64_t i = 0; i < confusion->classes; i++) total += count_at(confusion, truth, i);
    return total;
}

static double recall(const Confusion *confusion, int64_t truth) {
    int64_t total = total_of(confusion, truth);
    return total ? (double)count_at(confusion, truth, truth) / (double)total : NAN;
}

/* -- as a table -- */

/* The width of a column of counts, with a space between numbers. */
static int count_width(const Confusion *confusion) {
    int64_t most = 0;
    for (int64_t i = 0; i < confusion->classes * confusion->classes; i++)
        if (confusion->counts[i] > most) most = confusion->counts[i];
    int width = snprintf(NULL, 0, "%lld", (long long)most) + 1;
    return width > COUNT_WIDTH ? width : COUNT_WIDTH;
}

/* Whether the classes are numbers of the data, such as 3, 4, 5 and 9, and fit into a column. They
 * are then printed instead of the indices 0, 1, 2 and 3. */
static bool is_numbered(const SourceSchema *schema, const Confusion *confusion, int width) {
    SourceRows rows;
    const SourceField *field =
        confusion->label ? source_any(schema, source_rows_of(confusion->label, &rows)) : NULL;
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

static void print_row(const SourceSchema *schema, const Confusion *confusion, int32_t truth,
                      int width) {
    char number[NUMBER_TEXT];
    const char *name = class_name(schema, confusion->label, truth, number);
    if (is_numbered(schema, confusion, width))
        printf("%3s %*s", name, NAME_MAX_WIDTH, "");
    else
        printf("%3d ", truth),
            terminal_cell(stdout, name == number ? "" : name, -NAME_MAX_WIDTH, NAME_MAX_WIDTH);
    for (int64_t i = 0; i < confusion->classes; i++) {
        int64_t count = count_at(confusion, truth, i);
        bool diagonal = i == truth;
        const char *style = terminal_style(stdout, diagonal ? STYLE_GOOD
                                                   : count  ? STYLE_BAD
                                                            : STYLE_DIM);
        char text[NUMBER_TEXT];
        snprintf(text, sizeof text, count || diagonal ? "%lld" : ".", (long long)count);
        printf("%s%*s%s", style, width, text, terminal_style(stdout, STYLE_PLAIN));
    }
    double fraction = recall(confusion, truth);
    printf("   %8s\n", isnan(fraction) ? "-" : text_percent(number, fraction, 2));
}

/* Computed labels can lie outside of the classes. */
static void print_outside(const Confusion *confusion) {
    char outside[NUMBER_TEXT], all[NUMBER_TEXT];
    int64_t left = confusion->elements;
    for (int64_t i = 0; i < confusion->classes * confusion->classes; i++)
        left -= confusion->counts[i];
    if (left > 0)
        printf("%s of %s have a class without a column\n", text_count(outside, left),
               text_count(all, confusion->elements));
}

/* -- many classes: only the worst -- */

enum { MAX_MISTAKES = 20, MAX_CLASSES = 10 };

typedef struct {
    int32_t truth, guess;
    int64_t count, all; /* all: elements of the true class */
} Mistake;

static void print_class(const SourceSchema *schema, const char *label, int32_t class) {
    char number[NUMBER_TEXT];
    const char *name = class_name(schema, label, class, number);
    printf("%7d ", class);
    terminal_cell(stdout, name == number ? "" : name, -NAME_MAX_WIDTH, NAME_MAX_WIDTH);
}

static int by_count(const void *a, const void *b) {
    const Mistake *first = a, *second = b;
    if (first->count != second->count) return first->count > second->count ? -1 : 1;
    if (first->truth != second->truth) return first->truth < second->truth ? -1 : 1;
    return (first->guess > second->guess) - (first->guess < second->guess);
}

/* Compares recalls: here `count` is the number of correct predictions of a class. */
static int by_recall(const void *a, const void *b) {
    const Mistake *first = a, *second = b;
    double one = (double)first->count / (double)first->all,
           other = (double)second->count / (double)second->all;
    if (one < other || one > other) return one < other ? -1 : 1;
    return (first->truth > second->truth) - (first->truth < second->truth);
}

static void print_mistakes(const SourceSchema *schema, const Confusion *confusion) {
    Mistake *mistakes = NULL;
    size_t count = 0, room = 0;
    for (int32_t truth = 0; truth < confusion->classes; truth++)
        for (int32_t guess = 0; guess < confusion->classes; guess++) {
            if (truth == guess || !count_at(confusion, truth, guess)) continue;
            if (count == room)
                mistakes = memory_grow(mistakes, room = 2 * room + 64, sizeof *mistakes,
                                       "a list of mistakes");
            mistakes[count++] = (Mistake){truth, guess, count_at(confusion, truth, guess),
                                          total_of(confusion, truth)};
        }
    if (count) qsort(mistakes, count, sizeof *mistakes, by_count);
    printf(count ? "most frequent mistakes\n   true %*s predicted %*s   count  of the class\n"
                 : "no mistakes\n",
           NAME_MAX_WIDTH, "", NAME_MAX_WIDTH - 3, "");
    for (size_t i = 0; i < count && i < MAX_MISTAKES; i++) {
        char fraction[NUMBER_TEXT];
        print_class(schema, confusion->label, mistakes[i].truth);
        print_class(schema, confusion->label, mistakes[i].guess);
        printf("%8lld      %8s\n", (long long)mistakes[i].count,
               text_percent(fraction, (double)mistakes[i].count / (double)mistakes[i].all, 2));
    }
    if (count > MAX_MISTAKES) printf("  and %zu more pairs of classes\n", count - MAX_MISTAKES);
    free(mistakes);
}

static void print_lowest(const SourceSchema *schema, const Confusion *confusion) {
    Mistake *classes =
        memory_array((size_t)confusion->classes, sizeof *classes, "a list of classes");
    size_t count = 0;
    for (int32_t truth = 0; truth < confusion->classes; truth++) {
        int64_t total = total_of(confusion, truth);
        if (total)
            classes[count++] = (Mistake){truth, truth, count_at(confusion, truth, truth), total};
    }
    qsort(classes, count, sizeof *classes, by_recall);
    printf("classes with the lowest recall\n");
    for (size_t i = 0; i < count && i < MAX_CLASSES; i++) {
        char fraction[NUMBER_TEXT], right[NUMBER_TEXT], all[NUMBER_TEXT];
        print_class(schema, confusion->label, classes[i].truth);
        printf("%10s  (%s of %s)\n",
               text_percent(fraction, (double)classes[i].count / (double)classes[i].all, 2),
               text_count(right, classes[i].count), text_count(all, classes[i].all));
    }
    free(classes);
}

void confusion_print_csv(const char *output, const SourceSchema *schema, const Confusion *confusion,
                         FILE *out) {
    char number[NUMBER_TEXT];
    for (int32_t truth = 0; truth < confusion->classes; truth++)
        for (int32_t guess = 0; guess < confusion->classes; guess++) {
            if (!count_at(confusion, truth, guess)) continue;
            csv_put_text(output, out);
            putc(',', out);
            csv_put_text(class_name(schema, confusion->label, truth, number), out);
            putc(',', out);
            csv_put_text(class_name(schema, confusion->label, guess, number), out);
            fprintf(out, ",%lld\n", (long long)count_at(confusion, truth, guess));
        }
}

void confusion_print(const SourceSchema *schema, const Confusion *confusion) {
    if (confusion->classes > CONFUSION_PRINTED) {
        char classes[NUMBER_TEXT];
        printf(
            "%s classes are too many for a matrix here; 'mlc eval RUN --confusion --csv FILE' writes it\n",
            text_count(classes, confusion->classes));
        print_mistakes(schema, confusion);
        print_lowest(schema, confusion);
        print_outside(confusion);
        return;
    }
    int width = count_width(confusion);
    print_head(schema, confusion, width);
    for (int64_t truth = 0; truth < confusion->classes; truth++)
        print_row(schema, confusion, (int32_t)truth, width);
    print_outside(confusion);
}

/* -- as JSON -- */

json_t *confusion_json(const Confusion *confusion) {
    if (confusion->classes > CONFUSION_ROWS) {
        json_t *cells = json_array();
        for (int64_t truth = 0; truth < confusion->classes; truth++)
            for (int64_t guess = 0; guess < confusion->classes; guess++)
                if (count_at(confusion, truth, guess))
                    json_array_append_new(
                        cells, json_pack("[I, I, I]", (json_int_t)truth, (json_int_t)guess,
                                         (json_int_t)count_at(confusion, truth, guess)));
        return json_pack("{s:I, s:o}", "classes", (json_int_t)confusion->classes, "cells", cells);
    }
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
        json_array_append_new(
            names, json_string(class_name(schema, confusion->label, (int32_t)i, number)));
    }
    return names;
}

/* -- where the counts come from -- */

static int64_t *counts_new(int64_t classes) {
    return memory_array((size_t)classes * (size_t)classes, sizeof(int64_t),
                        "the counts of a confusion matrix");
}

int64_t *confusion_counts(const double *values, int64_t classes) {
    int64_t *counts = counts_new(classes);
    for (int64_t i = 0; i < classes * classes; i++) counts[i] = llround(values[i]);
    return counts;
}

int64_t *confusion_read(const json_t *rows, int64_t classes) {
    if (json_is_object(rows)) {
        int64_t *counts = counts_new(classes);
        size_t i;
        json_t *cell;
        json_array_foreach(json_object_get(rows, "cells"), i, cell) {
            int64_t at[3];
            for (size_t k = 0; k < 3; k++) at[k] = json_integer_value(json_array_get(cell, k));
            if (at[0] >= 0 && at[0] < classes && at[1] >= 0 && at[1] < classes)
                counts[at[0] * classes + at[1]] = at[2];
        }
        return counts;
    }
    if (!json_is_array(rows)) return NULL;
    int64_t *counts = counts_new(classes);
    for (int64_t i = 0; i < classes * classes; i++)
        counts[i] = json_integer_value(
            json_array_get(json_array_get(rows, (size_t)(i / classes)), (size_t)(i % classes)));
    return counts;
}
