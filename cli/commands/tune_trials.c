/* Measures tiles within the training step, on real rows: which steps of a product are skipped
 * depends on the zeros in the data.
 *
 *     for each tile number i: compile the step with tile i of every product
 *     for each round, for each program: run some steps, and time each kernel
 *
 * The time of a product is the least over the rounds, as other work on the machine only adds to
 * it. Then the best tiles are measured with other steps in an iteration. */
#include "cli/commands/tuning.h"
#include "cli/show/trace.h"
#include "ir/base/clock.h"
#include "ir/base/integers.h"
#include "ir/base/memory.h"
#include "runtime/program/run.h"

#include <math.h>
#include <string.h>

enum { ROUNDS = 3, CHECK_ROUNDS = 7, WARM_UP = 2, MIN_STEPS = 4, MAX_STEPS = 100 };
#define TUNE_BEST UINT32_MAX
#define ROUND_SECONDS 0.05
#define CLEARLY_FASTER 0.98 /* less is noise: then the first tile stays */

/* -- a program with chosen tiles -- */

/* The number of a product, which is added if it is new. */
static uint32_t find_product(Tuning *tuning, const char *product, const ProductTile *tiles,
                             uint32_t count) {
    for (uint32_t i = 0; i < tuning->count; i++)
        if (strcmp(tuning->products[i].product, product) == 0) return i;
    Arena *arena = tuning->session.arena;
    ARENA_ROOM(arena, tuning->products, tuning->count, tuning->capacity);
    TunedProduct *made = &tuning->products[tuning->count];
    *made = (TunedProduct){.product = arena_format(arena, "%s", product), .count = count};
    memcpy(made->tiles, tiles, count * sizeof *tiles);
    for (uint32_t i = 0; i < MAX_TUNE_TILES; i++) made->seconds[i] = INFINITY;
    return tuning->count++;
}

/* The tile for a product of the program that is compiled: the one with the number of the trial. */
static ProductTile choose(void *context, uint32_t kernel, const char *product,
                          const ProductTile *tiles, uint32_t count) {
    Tuning *tuning = context;
    uint32_t number = find_product(tuning, product, tiles, count);
    const TunedProduct *found = &tuning->products[number];
    tuning->product_of[kernel] = number + 1;
    if (tuning->trial == TUNE_BEST) return found->tiles[found->best];
    return found->tiles[tuning->trial < found->count ? tuning->trial : 0];
}

/* Compiles the step with tile `trial` of every product; TUNE_BEST: with the best one. NULL after
 * reporting errors. */
static Program *compile(Tuning *tuning, uint32_t trial) {
    Session *session = &tuning->session;
    Compilation compilation;
    Path cache;
    TileChooser chooser = {tuning, choose};
    CodegenOptions options = build_codegen_options(&session->build.options, &cache);
    options.tiles = &chooser;
    options.cache_folder = NULL; /* nothing is compiled twice */
    tuning->trial = trial;
    if (!build_compilation(&session->build, GRAPH_TRAIN, (uint32_t)cut_share(&tuning->cut, 0).rows,
                           PASS_COUNT - 1, &compilation))
        return NULL;
    if (!tuning->product_of)
        tuning->product_of =
            ARENA_ARRAY(session->arena, uint32_t, compilation.plan->kernel_count + 1);
    Program *program = codegen_compile(compilation.plan, compilation.graph, &options, tuning->diag);
    if (program && states_bind(session->states, program, tuning->diag)) return program;
    program_free(program);
    return NULL;
}

/* -- running -- */

typedef struct {
    Timeline timeline;
    int64_t step;  /* the current one */
    int64_t timed; /* the first that is timed */
} Timing;

static void note_time(void *context, int thread, uint32_t kernel, bool begins) {
    const Timing *timing = context;
    if (timing->step >= timing->timed)
        timeline_note(&timing->timeline, timing->step - timing->timed, thread, kernel, begins,
                      (uint64_t)nanoseconds_now());
}

static bool after_step(void *context, int64_t index, const void *outputs) {
    (void)index, (void)outputs;
    ((Timing *)context)->step++;
    return true;
}

/* Runs WARM_UP steps and then `steps` timed ones, over the first rows again and again. */
static bool run_steps(Tuning *tuning, const Program *program, int64_t steps, Timing *timing,
                      Arena *arena) {
    Session *session = &tuning->session;
    Runner *runner = runner_new(program, session->states, session->threads, tuning->diag);
    bool ready = runner && runner_data(runner, session->dataset, tuning->diag);
    if (ready) {
        int64_t rows = cut_share(&tuning->cut, 0).rows,
                most = dataset_rows(session->dataset, SPLIT_TRAIN) / rows;
        RunTimes times = {.start = {.steps = INT32_MAX}, .cut = tuning->cut, .accumulate = 1};
        run_clock_seed(&times.start, session->build.info->seed);
        *timing = (Timing){.timed = WARM_UP};
        timeline_open(&timing->timeline, arena, steps, threads_count(session->threads),
                      program->kernel_count);
        runner_watch(runner, note_time, timing);
        for (int64_t left = WARM_UP + steps; left > 0; left -= most)
            runner_loop(runner, dataset_split(session->dataset, SPLIT_TRAIN),
                        left < most ? left : most, &times, 0, after_step, timing);
    }
    runner_free(runner);
    return ready;
}

/* Adds up the times of the kernels of each product. The product keeps its least sum. */
static void take_times(Tuning *tuning, const Timing *timing, uint32_t trial, Arena *arena) {
    double *sums = ARENA_ARRAY(arena, double, tuning->count + 1);
    for (uint32_t k = 0; k < timing->timeline.kernels; k++)
        sums[tuning->product_of[k]] += timeline_kernel_seconds(&timing->timeline, k);
    for (uint32_t i = 0; i < tuning->count; i++) {
        TunedProduct *product = &tuning->products[i];
        if (trial < product->count)
            product->seconds[trial] = fmin(product->seconds[trial], sums[i + 1]);
    }
}

/* Times a program. trial TUNE_BEST: no product takes the times of its kernels. Returns the seconds
 * of a step; 0 after reporting errors. */
static double time_program(Tuning *tuning, const Program *program, uint32_t trial, int64_t steps) {
    Arena *arena = arena_new();
    Timing timing;
    double seconds = 0;
    if (run_steps(tuning, program, steps, &timing, arena)) {
        seconds = timeline_step_seconds(&timing.timeline);
        if (trial != TUNE_BEST) take_times(tuning, &timing, trial, arena);
    }
    arena_free(arena);
    return seconds;
}

/* -- the order of the measurements -- */

/* The number of steps that take about ROUND_SECONDS. */
static int64_t steps_in_round(const Tuning *tuning) {
    int64_t steps = (int64_t)fmin(ROUND_SECONDS / tuning->before, MAX_STEPS);
    return max_i64(steps, MIN_STEPS);
}

/* Compiles a program for each of the tiles first .. end - 1, and times them in turn. */
static bool time_tiles(Tuning *tuning, uint32_t first, uint32_t end) {
    Program *programs[MAX_TUNE_TILES] = {NULL};
    bool good = true;
    for (uint32_t i = first; i < end && good; i++)
        good = (programs[i] = compile(tuning, i)) != NULL;
    for (int round = 0; round < ROUNDS; round++)
        for (uint32_t i = first; i < end && good; i++)
            good = time_program(tuning, programs[i], i, steps_in_round(tuning)) > 0;
    for (uint32_t i = first; i < end; i++) program_free(programs[i]);
    return good;
}

/* The largest number of tiles of a product. */
static uint32_t max_tiles(const Tuning *tuning) {
    uint32_t most = 0;
    for (uint32_t i = 0; i < tuning->count; i++)
        if (tuning->products[i].count > most) most = tuning->products[i].count;
    return most;
}

/* The fastest tile of every product becomes its best one, if it is clearly faster than the
 * first. */
static void choose_best(Tuning *tuning) {
    for (uint32_t i = 0; i < tuning->count; i++) {
        TunedProduct *product = &tuning->products[i];
        product->best = 0;
        for (uint32_t j = 1; j < product->count; j++)
            if (product->seconds[j] < product->seconds[product->best]) product->best = j;
        if (product->seconds[product->best] > CLEARLY_FASTER * product->seconds[0])
            product->best = 0;
    }
}

/* Every product gets its best tile with other steps, from tile number `first` on: the same number
 * for all, so that one program measures one number of steps. */
static void add_steps(Tuning *tuning, uint32_t first) {
    for (uint32_t i = 0; i < tuning->count; i++) {
        TunedProduct *product = &tuning->products[i];
        ProductTile tile = product->tiles[product->best];
        while (product->count < first) product->tiles[product->count++] = product->tiles[0];
        for (int steps = 1; steps <= MAX_PRODUCT_STEPS; steps *= 2)
            if (steps != product->tiles[0].steps)
                product->tiles[product->count++] = (ProductTile){tile.rows, tile.vectors, steps};
    }
}

/* Times a step with the first tiles and with the best ones, in turn. */
static bool compare(Tuning *tuning) {
    Program *first = compile(tuning, 0), *best = first ? compile(tuning, TUNE_BEST) : NULL;
    bool good = best != NULL;
    int64_t steps = steps_in_round(tuning);
    tuning->before = tuning->after = INFINITY;
    for (int round = 0; round < CHECK_ROUNDS && good; round++) {
        double before = time_program(tuning, first, TUNE_BEST, steps),
               after = time_program(tuning, best, TUNE_BEST, steps);
        good = before > 0 && after > 0;
        tuning->before = fmin(tuning->before, before);
        tuning->after = fmin(tuning->after, after);
    }
    program_free(best);
    program_free(first);
    return good;
}

bool tune_measure(Tuning *tuning) {
    Program *first = compile(tuning, 0); /* finds the products */
    tuning->before = first ? time_program(tuning, first, 0, MIN_STEPS) : 0;
    program_free(first);
    uint32_t tiles = max_tiles(tuning);
    if (tuning->before <= 0 || !time_tiles(tuning, 0, tiles)) return false;
    choose_best(tuning);
    add_steps(tuning, tiles);
    if (!time_tiles(tuning, tiles, max_tiles(tuning))) return false;
    choose_best(tuning);
    return compare(tuning);
}
