/* mlc train --find-lr: a short training whose learning rate rises, and the rate that it
 * suggests. */
#include "cli/commands/training.h"
#include "cli/results/rate_test.h"
#include "cli/show/picture.h"
#include "cli/text/plot.h"
#include "ir/base/clock.h"
#include "ir/base/display.h"
#include "runtime/train/trial_steps.h"

#include <math.h>
#include <string.h>

enum { MIN_STEPS = 100 };
#define PROGRESS_SECONDS 0.1

typedef struct {
    Training *training;
    RateTest test;
    int64_t steps; /* the steps of the whole test */
    double shown;  /* when the progress was last shown */
} RateSearch;

bool training_check_find_lr(const Options *options, Diagnostics *diag) {
    const struct {
        bool given;
        const char *name;
    } others[] = {{options->resume, "--resume"},
                  {options->out, "--out"},
                  {options->tensorboard, "--tensorboard"},
                  {options->expect.count > 0, "--expect"}};
    if (options->rates_png && !options->find_lr) {
        diag_error(diag, STATUS_USAGE, (Span){0}, "--png draws the losses of --find-lr");
        diag_help(diag, "the curves of a training are in curves.png of its folder");
        return false;
    }
    for (size_t i = 0; options->find_lr && i < sizeof others / sizeof *others; i++) {
        if (!others[i].given) continue;
        diag_error(diag, STATUS_USAGE, (Span){0},
                   "--find-lr and %s exclude each other: no run is made", others[i].name);
        return false;
    }
    return true;
}

/* -- the test -- */

static bool after_step(void *context, const RunClock *clock, double loss) {
    RateSearch *search = context;
    Training *training = search->training;
    double rate = rates_at(&training->rates, *clock), now = seconds_now();
    if (now - search->shown >= PROGRESS_SECONDS) {
        progress_step(&training->progress, 1, (uint64_t)clock->step + 1, (uint64_t)search->steps,
                      loss);
        search->shown = now;
    }
    return rate_test_add(&search->test, rate, loss);
}

/* One pass over the training rows, or as many as it takes for MIN_STEPS steps. */
static bool run_test(RateSearch *search) {
    Training *training = search->training;
    Session *session = &training->session;
    const ModelInfo *info = session->build.info;
    int64_t steps = training_epoch_steps(training), passes = (MIN_STEPS + steps - 1) / steps;
    TrainOptions options = {.dataset = session->dataset,
                            .states = session->states,
                            .threads = session->threads,
                            .train = training->train,
                            .epochs = (uint32_t)passes,
                            .accumulate = info->accumulate,
                            .seed = info->seed,
                            .initialized = session->trains_anew,
                            .shuffle = info->shuffle};
    search->steps = steps * passes;
    training->progress = progress_new(&training->journal, 1, info->batch, training->options->quiet);
    bool run = trial_steps(&options, after_step, search, training->diag);
    progress_end(&training->progress);
    return run;
}

/* -- the answer -- */

static void print_json(const RateSearch *search, const char *setting) {
    const RateTest *test = &search->test;
    for (uint32_t i = 0; i < test->count; i++) {
        json_t *line = json_pack("{s:s, s:i}", "event", "rate", "step", (int)i + 1);
        json_object_set_new(line, "rate", json_number(test->rates[i]));
        json_object_set_new(line, "loss", json_number(test->losses[i]));
        json_object_set_new(line, "smoothed", json_number(test->smoothed[i]));
        json_print_line(line, stdout);
    }
    json_t *line = json_pack("{s:s, s:b}", "event", "suggestion", "nonfinite", test->nonfinite);
    json_object_set_new(line, "rate", json_number(test->suggested));
    json_object_set_new(line, "low_until", json_number(test->low_until));
    json_object_set_new(line, "set", setting ? json_text(setting) : json_null());
    json_print_line(line, stdout);
}

static void print_plot(const RateSearch *search) {
    const RateTest *test = &search->test;
    Arena *arena = arena_new();
    double *powers = ARENA_ARRAY(arena, double, test->count);
    for (uint32_t i = 0; i < test->count; i++) powers[i] = log10(test->rates[i]);
    PlotCurve curve = {"smoothed", 0, powers, test->smoothed, test->count};
    Plot plot = {.title = "loss",
                 .axis = "log10(rate)",
                 .curves = &curve,
                 .curve_count = 1,
                 .colours = terminal_live(stdout),
                 .utf8 = terminal_utf8(),
                 .width = 80,
                 .height = 15};
    plots_print(&plot, 1, stdout);
    arena_free(arena);
}

static void print_answer(const RateSearch *search, const char *setting) {
    const RateTest *test = &search->test;
    print_plot(search);
    if (test->nonfinite)
        printf("the loss is not finite after step %u of %lld: the test ends there\n", test->count,
               (long long)search->steps);
    else if (test->count < search->steps)
        printf("the loss rises at rate %.2g: the test ends there\n", test->rates[test->count - 1]);
    if (isnan(test->suggested)) {
        printf("the loss falls at no rate from %g to %g: no rate is suggested\n", RATES_FROM,
               RATES_TO);
        return;
    }
    printf("suggested rate: %.2g, a tenth of %.2g, up to which the loss is low\n", test->suggested,
           test->low_until);
    if (!setting) {
        puts("  the model computes its rate: make this the highest one");
        return;
    }
    fputs("  mlc train ", stdout);
    display_text(search->training->options->operands[0], stdout);
    printf(strpbrk(setting, " ()[]'\"") ? " --set '%s'\n" : " --set %s\n", setting);
}

static bool answer(const RateSearch *search) {
    const Training *training = search->training;
    const Options *options = training->options;
    const Session *session = &training->session;
    const RateTest *test = &search->test;
    const char *setting =
        isnan(test->suggested)
            ? NULL
            : model_rate_setting(session->build.model, test->suggested, session->arena);
    if (options->rates_png &&
        !rates_draw(options->rates_png,
                    arena_format(session->arena, "%s: loss over the learning rate",
                                 session->build.info->name),
                    test, training->diag))
        return false;
    if (options->json)
        print_json(search, setting);
    else
        print_answer(search, setting);
    return true;
}

Status training_find_lr(Training *training) {
    RateSearch search = {.training = training};
    Diagnostics *diag = training->diag;
    bool good = run_test(&search);
    if (good) rate_test_finish(&search.test);
    if (good && !search.test.count) {
        diag_error(diag, STATUS_NONFINITE, (Span){0},
                   "the loss of the first step is not finite, so no rate can be tried");
        diag_help(diag, "'mlc train' without --find-lr says which operation makes it");
    } else if (good)
        good = answer(&search);
    rate_test_free(&search.test);
    return diag_outcome(diag, good);
}
