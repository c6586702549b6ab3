/* A test of learning rates: the loss of each step of a short training whose rate rises. */
#ifndef MLC_CLI_RESULTS_RATE_TEST_H
#define MLC_CLI_RESULTS_RATE_TEST_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    double *rates, *losses; /* [count] of the steps; the rates rise by one factor */
    double *smoothed;       /* [count]; set by rate_test_finish */
    uint32_t count, capacity;
    bool nonfinite; /* the loss after the last step was not finite */
    double running; /* mean of the latest losses, by which a divergence is seen at once */
    double first, lowest_running;
    /* set by rate_test_finish; `suggested` NaN: the loss falls at no rate */
    double low_until, suggested;
} RateTest;

/* Adds a step. false ends the test: the loss is not finite, or has clearly risen above its first
 * values. */
bool rate_test_add(RateTest *test, double rate, double loss);
/* Smooths the losses: the mean over the steps whose rates differ by at most a factor of 10^(1/4).
 * The suggestion is a tenth of the highest rate up to which the smoothed loss stays low: above its
 * lowest value by at most a tenth of its fall. */
void rate_test_finish(RateTest *test);
void rate_test_free(RateTest *test);

#endif
