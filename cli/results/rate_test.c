/* A test of learning rates. */
#include "cli/results/rate_test.h"
#include "ir/base/memory.h"

#include <math.h>
#include <stdlib.h>

enum { FIRST_STEPS = 5 };
#define LATEST 0.2            /* the weight of a new loss in the running mean */
#define SMOOTHED_DECADES 0.25 /* the width of the smoothing, on both sides */
#define NEAR 0.1              /* "low" losses: this part of the fall above the lowest */
#define MIN_FALL 0.01         /* the least fall, as a part of the first loss: less is noise */

/* Over the first steps, the running mean is the plain mean of their losses. */
static void update_running(RateTest *test, double loss) {
    double weight = fmax(1.0 / test->count, LATEST);
    test->running += weight * (loss - test->running);
    if (test->count <= FIRST_STEPS) test->first = test->running;
    if (test->count <= FIRST_STEPS || test->running < test->lowest_running)
        test->lowest_running = test->running;
}

bool rate_test_add(RateTest *test, double rate, double loss) {
    test->nonfinite = !isfinite(loss);
    if (test->nonfinite) return false;
    if (test->count == test->capacity) {
        test->capacity = test->capacity ? 2 * test->capacity : 256;
        test->rates =
            memory_grow(test->rates, test->capacity, sizeof *test->rates, "a test of rates");
        test->losses =
            memory_grow(test->losses, test->capacity, sizeof *test->losses, "a test of rates");
    }
    test->rates[test->count] = rate;
    test->losses[test->count++] = loss;
    update_running(test, loss);
    double fall = test->first - test->lowest_running;
    return test->count <= FIRST_STEPS ||
           test->running <= test->first + fmax(fall, fabs(test->first));
}

/* Each mean has the same number of steps on both sides, so that a slope is not bent at the ends. */
static void smooth(RateTest *test) {
    double per_step = test->count > 1
                          ? log10(test->rates[test->count - 1] / test->rates[0]) / (test->count - 1)
                          : 1;
    uint32_t most = (uint32_t)fmax(1, SMOOTHED_DECADES / per_step);
    for (uint32_t i = 0; i < test->count; i++) {
        uint32_t side = most, sum_from, sum_to;
        if (side > i) side = i;
        if (side > test->count - 1 - i) side = test->count - 1 - i;
        double sum = 0;
        for (sum_from = i - side, sum_to = i + side; sum_from <= sum_to; sum_from++)
            sum += test->losses[sum_from];
        test->smoothed[i] = sum / (2 * side + 1);
    }
}

void rate_test_finish(RateTest *test) {
    test->smoothed = memory_array(test->count, sizeof *test->smoothed, "a test of rates");
    test->suggested = test->low_until = NAN;
    smooth(test);
    uint32_t lowest = 0;
    for (uint32_t i = 0; i < test->count; i++)
        if (test->smoothed[i] < test->smoothed[lowest]) lowest = i;
    if (!test->count || test->smoothed[lowest] > test->first - MIN_FALL * fabs(test->first)) return;
    double near = test->smoothed[lowest] + NEAR * (test->first - test->smoothed[lowest]);
    while (lowest + 1 < test->count && test->smoothed[lowest + 1] <= near) lowest++;
    test->low_until = test->rates[lowest];
    test->suggested = test->low_until / 10;
}

void rate_test_free(RateTest *test) {
    free(test->rates);
    free(test->losses);
    free(test->smoothed);
    *test = (RateTest){0};
}
