/* --expect METRIC>=VALUE: what the last epoch must reach. */
#include "cli/results/expect.h"
#include "ir/base/names.h"
#include "runtime/train/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EXPECT_LOSS = -1, NAME_ROOM = 256 };

typedef struct {
    int metric; /* index of a metric, or EXPECT_LOSS */
    bool at_least;
    double value;
} Expectation;

static bool find_metric(const char *name, const ModelInfo *info, int *metric, Diagnostics *diag) {
    const char *names[RUNTIME_MAX_METRICS + 1] = {"loss"};
    uint32_t count = 1;
    for (uint32_t i = 0; i < info->metric_count && i < RUNTIME_MAX_METRICS; i++)
        names[count++] = info->metrics[i];
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(names[i], name)) continue;
        if (i > 0 && info->counts[i - 1].classes) {
            diag_error(diag, STATUS_USAGE, (Span){0}, "--expect: '%s' is a matrix, not a number",
                       name);
            diag_help(diag, "accuracy(...) and f1(...) are numbers computed from the same counts");
            return false;
        }
        *metric = (int)i - 1;
        return true;
    }
    diag_error(diag, STATUS_USAGE, (Span){0}, "--expect: the model has no metric '%s'", name);
    if (!diag_suggest(diag, name, names, count)) {
        Arena *arena = arena_new();
        diag_help(diag, "it has %s; metrics = [...] in the train block lists them",
                  names_quoted(arena, names, count, count));
        arena_free(arena);
    }
    return false;
}

static bool parse_one(const char *text, const ModelInfo *info, Expectation *expectation,
                      Diagnostics *diag) {
    char name[NAME_ROOM], *end = NULL;
    size_t length = strcspn(text, "<>");
    const char *value = text + length + 2;
    bool well_formed =
        length > 0 && length < sizeof name && text[length] && text[length + 1] == '=';
    if (well_formed) expectation->value = strtod(value, &end);
    if (!well_formed || end == value || *end || !isfinite(expectation->value)) {
        diag_error(diag, STATUS_USAGE, (Span){0},
                   "--expect takes METRIC>=VALUE or METRIC<=VALUE, not '%s'", text);
        diag_help(
            diag,
            "for instance --expect 'accuracy>=0.97' (in quotes: the shell would redirect output at '>')");
        return false;
    }
    memcpy(name, text, length);
    name[length] = 0;
    expectation->at_least = text[length] == '>';
    return find_metric(name, info, &expectation->metric, diag);
}

bool expect_parse(const Options *options, const ModelInfo *info, Diagnostics *diag) {
    Expectation expectation;
    bool good = true;
    for (uint32_t i = 0; i < options->expect.count; i++)
        good &= parse_one(options->expect.items[i], info, &expectation, diag);
    return good;
}

static bool check_one(const Expectation *expectation, const char *name, const EpochRecord *record,
                      Diagnostics *diag) {
    const Measured *measured = record->test.present    ? &record->test
                               : record->valid.present ? &record->valid
                                                       : NULL;
    const char *split = measured == &record->test ? "test" : measured ? "valid" : "train";
    double value = measured ? measured->loss : record->train_loss;
    if (expectation->metric != EXPECT_LOSS)
        value = measured ? measured->metrics[expectation->metric] : NAN;
    if (expectation->at_least ? value >= expectation->value : value <= expectation->value)
        return true;
    diag_error(diag, STATUS_EXPECT, (Span){0}, "the %s %s after epoch %u is %.6g, expected %s %.6g",
               split, name, record->epoch, isnan(value) ? fabs(value) : value,
               expectation->at_least ? "at least" : "at most", expectation->value);
    return false;
}

bool expect_check(const Options *options, const ModelInfo *info, const Journal *journal,
                  Diagnostics *diag) {
    bool met = true;
    const EpochRecord *record = journal_last(journal);
    for (uint32_t i = 0; record && i < options->expect.count; i++) {
        Expectation expectation;
        if (!parse_one(options->expect.items[i], info, &expectation, diag)) return false;
        met &= check_one(&expectation,
                         expectation.metric < 0 ? "loss" : info->metrics[expectation.metric],
                         record, diag);
    }
    return met;
}
