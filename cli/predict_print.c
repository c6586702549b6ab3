/* What a network makes of rows, as a table: a line for each row, and for each output with classes its columns. */
#include "cli/predict.h"

#include <limits.h>
#include <math.h>

enum { VALUES_SHOWN = 10, BAR_WIDTH = 24, NAME_WIDTH = 7, CELL_WIDTH = 14, SHARE_WIDTH = 11, BAR_NAME_WIDTH = 12 };

static const char wrong[] = "  wrong";

/* "12", or the name of a file */
static void print_row_name(const Predicting *predicting, int64_t i) {
    char number[NUMBER_TEXT];
    snprintf(number, sizeof number, "%lld", (long long)(predicting->first + i));
    terminal_cell(stdout, predicting->inputs.names ? predicting->inputs.names[i] : number, NAME_WIDTH, PATH_MAX);
}

static void print_values(const Predictions *predictions, int64_t i) {
    printf("  %s =", predictions->output->name);
    for (int64_t k = 0; k < predictions->width && k < VALUES_SHOWN; k++)
        printf(" %.6g", (double)prediction_value(predictions, i, k));
    if (predictions->width > VALUES_SHOWN) printf(" ...");
}

static void print_class_cell(const Predicting *predicting, const Predictions *output, int32_t class) {
    char number[NUMBER_TEXT];
    terminal_cell(stdout, class < 0 ? "?" : class_text(&predicting->session, output->output, class, number), -CELL_WIDTH,
                  CLASS_WIDTH);
    putchar(' ');
}

/* -- many rows -- */

/* The columns of an output with classes. */
typedef struct {
    const Predictions *output;
    int64_t known; /* rows whose true class is known; 0: it has no column */
    bool last;     /* nothing comes after them */
} Group;

static void print_group(const Predicting *predicting, const Group *group, int64_t i) {
    const Predictions *output = group->output;
    int32_t class = prediction_class(output, i);
    bool mistake = predicted_wrongly(predicting, output, i);
    char share[NUMBER_TEXT];
    fputs(terminal_style(stdout, mistake ? STYLE_BAD : STYLE_PLAIN), stdout);
    fputs("  ", stdout);
    if (group->known) print_class_cell(predicting, output, predicted_truth(predicting, output, i));
    print_class_cell(predicting, output, class);
    printf("%*s%s", SHARE_WIDTH, text_percent(share, prediction_share(output, i, class), 2), mistake ? wrong : "");
    if (group->known && !mistake && !group->last) printf("%*s", (int)sizeof wrong - 1, "");
    fputs(terminal_style(stdout, STYLE_PLAIN), stdout);
}

static void print_row(const Predicting *predicting, const Group *groups, uint32_t count, int64_t i) {
    print_row_name(predicting, i);
    for (uint32_t k = 0; k < count; k++) print_group(predicting, &groups[k], i);
    for (uint32_t k = 0; k < predicting->output_count; k++)
        if (!predicting->outputs[k].output->classes) print_values(&predicting->outputs[k], i);
    putchar('\n');
}

static int group_width(const Group *group) {
    return (group->known ? 2 : 1) * (CELL_WIDTH + 1) + SHARE_WIDTH + (group->known ? (int)sizeof wrong - 1 : 0);
}

/* Above the columns of several outputs stand their names. */
static void print_heads(const Predicting *predicting, const Group *groups, uint32_t count) {
    const char *what = predicting->inputs.names ? "file" : predicting->files ? "row" : "index";
    if (predicting->output_count > 1) {
        printf("%*s", NAME_WIDTH, "");
        for (uint32_t k = 0; k < count; k++) {
            fputs("  ", stdout);
            terminal_cell(stdout, groups[k].output->output->name, k + 1 < count ? -group_width(&groups[k]) : 0, CLASS_WIDTH);
        }
        putchar('\n');
    }
    printf("%*s", NAME_WIDTH, what);
    for (uint32_t k = 0; k < count; k++)
        printf("  %s%-*s %*s%*s", groups[k].known ? "true           " : "", CELL_WIDTH, "predicted", SHARE_WIDTH, "probability",
               groups[k].known && k + 1 < count ? (int)sizeof wrong - 1 : 0, "");
    putchar('\n');
}

static void print_right(const Predicting *predicting, const Group *group) {
    if (!group->known) return;
    if (predicting->output_count > 1) printf("%s: ", group->output->output->name);
    printf("%lld of %lld right", (long long)(group->known - predicted_mistakes(predicting, group->output)),
           (long long)group->known);
    if (group->known < predicting->count)
        printf(", %lld of a class that is not known", (long long)(predicting->count - group->known));
    putchar('\n');
}

static void print_left(const Predicting *predicting) {
    char shown[NUMBER_TEXT], rows[NUMBER_TEXT];
    printf("the first %s of %s %s rows; --all shows all, --index A..B those from A to B\n",
           text_count(shown, predicting->count), text_count(rows, predicting->count + predicting->left),
           split_name(predicting->split));
}

static void print_list(const Predicting *predicting) {
    Group *groups = ARENA_ARRAY(predicting->session.arena, Group, predicting->output_count);
    uint32_t count = 0;
    for (uint32_t k = 0; k < predicting->output_count; k++) {
        const Predictions *output = &predicting->outputs[k];
        if (output->output->classes) groups[count++] = (Group){output, predicted_known(predicting, output), false};
    }
    if (count) groups[count - 1].last = count == predicting->output_count;
    if (count) print_heads(predicting, groups, count);
    for (int64_t i = 0; i < predicting->count; i++) print_row(predicting, groups, count, i);
    for (uint32_t k = 0; k < count; k++) print_right(predicting, &groups[k]);
    if (predicting->left) print_left(predicting);
}

/* -- one row: its image, then of each output a bar for every class, or the values -- */

static void print_bars(const Predicting *predicting, const Predictions *output) {
    char number[NUMBER_TEXT], percent[NUMBER_TEXT];
    int32_t truth = predicted_truth(predicting, output, 0), best = prediction_class(output, 0);
    if (predicting->output_count > 1) printf("%s:\n", output->output->name);
    for (int32_t i = 0; i < output->width; i++) {
        double share = prediction_share(output, 0, i);
        fputs(terminal_style(stdout, i == best ? STYLE_BOLD : STYLE_PLAIN), stdout);
        terminal_cell(stdout, class_text(&predicting->session, output->output, i, number), BAR_NAME_WIDTH, CLASS_WIDTH);
        putchar(' ');
        terminal_bar(stdout, share, BAR_WIDTH);
        printf(" %8s%s%s\n", text_percent(percent, share, 2), i == truth ? "  true" : "", terminal_style(stdout, STYLE_PLAIN));
    }
}

static void print_single(const Predicting *predicting) {
    bool values = false;
    if (predicting->height) terminal_image(stdout, predicted_pixels(predicting, 0), predicting->height, predicting->width);
    for (uint32_t k = 0; k < predicting->output_count; k++)
        if (predicting->outputs[k].output->classes)
            print_bars(predicting, &predicting->outputs[k]);
        else
            values = true;
    if (values) print_row(predicting, NULL, 0, 0);
}

void predicted_print(const Predicting *predicting) {
    bool single = predicting->count == 1 && (predicting->files || predicting->options->index);
    (single ? print_single : print_list)(predicting);
}
