/* Worker threads: all of them work. Each unit of shared work is done once, after all of the stage
 * before it, whenever threads are delayed. ThreadSanitizer runs this test too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/program/replicated.h"
#include "runtime/threads/cores.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 3, MANY_THREADS = 8, ROUNDS = 300 };

/* -- a call a thread -- */

static void count_in(void *context, int thread) { ((int64_t *)context)[thread]++; }

static void test_everybody_works(void **state) {
    (void)state;
    int64_t calls[THREADS] = {0};
    Threads *threads = threads_new(THREADS);
    assert_int_equal(threads_count(threads), THREADS);
    for (int round = 1; round <= 100; round++) {
        threads_run(threads, count_in, calls);
        for (int i = 0; i < THREADS; i++) assert_int_equal(calls[i], round);
    }
    threads_free(threads);
}

/* Workers that have gone to sleep between two runs wake up again. */
static void test_wakes_sleepers(void **state) {
    (void)state;
    int64_t calls[THREADS] = {0};
    Threads *threads = threads_new(THREADS);
    for (int round = 1; round <= 3; round++) {
        usleep(2000);
        threads_run(threads, count_in, calls);
        assert_int_equal(calls[THREADS - 1], round);
    }
    usleep(2000);
    threads_free(threads);
}

static void test_online(void **state) {
    (void)state;
    assert_in_range(threads_online(), 1, 1 << 20);
}

/* Binds the thread to the core that it is on, and releases it again: it is still there. */
static int settle_on_a_core(const cpu_set_t *allowed) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)core_now(), &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    int core = core_now();
    assert_int_equal(sched_setaffinity(0, sizeof *allowed, allowed), 0);
    return core;
}

/* The system may bring the thread back at once, but not a hundred times. */
static void test_a_thread_leaves_its_core(void **state) {
    (void)state;
    cpu_set_t allowed, after, taken;
    assert_int_equal(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    if (CPU_COUNT(&allowed) < 2) skip();
    int stayed = 0, core;
    do {
        core = settle_on_a_core(&allowed);
        CPU_ZERO(&taken);
        CPU_SET((size_t)core, &taken);
        core_leave(&taken);
        stayed++;
    } while (core_now() == core && stayed < 100);
    assert_in_range(stayed, 1, 99);
    assert_int_equal(sched_getaffinity(0, sizeof after, &after), 0);
    assert_true(CPU_EQUAL(&allowed, &after));
}

static void test_a_thread_stays_where_all_cores_are_taken(void **state) {
    (void)state;
    cpu_set_t allowed, after;
    assert_int_equal(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    core_leave(&allowed);
    assert_int_equal(sched_getaffinity(0, sizeof after, &after), 0);
    assert_true(CPU_EQUAL(&allowed, &after));
}

/* -- shared work -- */

/* A program that has no code, only the facts about how its work may be shared. */
enum { KERNELS = 10, MAX_UNITS = 100 };
static const ProgramKernel kernels[KERNELS] = {
    {.units = 100, .threads = 8, .pieces = 3}, /* two shared kernels, */
    {.units = 3, .threads = 2, .pieces = 4},   /* one of them with fewer units than pieces, */
    {.units = 5, .threads = 1, .pieces = 1},   /* and two small ones, in order; */
    {.units = 1, .threads = 1, .pieces = 1},
    {.units = 1, .threads = 1, .pieces = 1, .barrier_before = true}, /* a stage of one chunk */
    {.units = 64, .threads = 256, .pieces = 8, .barrier_before = true},
    {.units = 17, .threads = 3, .pieces = 1, .barrier_before = true},
    {.units = 12,
     .threads = 3,
     .pieces = 2,
     .groups = 6,
     .barrier_before = true}, /* two kernels in step by rows, beside another one */
    {.units = 6, .threads = 2, .pieces = 1, .groups = 6},
    {.units = 20, .threads = 2, .pieces = 2},
};

/* Plain memory without atomics: only the order of the stages keeps it right. */
typedef struct {
    Threads *threads;
    int64_t done[KERNELS][MAX_UNITS]; /* how often each unit was done */
    int64_t round, rounds, wrong;
    uint32_t tired; /* one of so many pieces takes long, or yields its core; 0: none */
} Shared;

static uint32_t stage_of(uint32_t kernel) {
    uint32_t stage = 0;
    for (uint32_t k = 1; k <= kernel; k++) stage += kernels[k].barrier_before;
    return stage;
}

/* Kernels of earlier stages have done this round, and those of later stages have not. */
static bool others_are_right(const Shared *shared, uint32_t kernel) {
    bool right = true;
    for (uint32_t k = 0; k < KERNELS; k++) {
        if (stage_of(k) == stage_of(kernel)) continue;
        for (int64_t i = 0; i < kernels[k].units; i++)
            right &= shared->done[k][i] == shared->round + (k < kernel);
    }
    return right;
}

/* The small kernels of a stage run in order, each of them whole. Kernels in step run in order for
 * some groups at a time. */
static bool order_is_right(const Shared *shared, const Piece *piece) {
    if (piece->kernel != 3 && piece->kernel != 8) return true;
    uint32_t before = piece->kernel - 1;
    int64_t each = kernels[before].units / kernels[piece->kernel].units;
    int64_t first = piece->kernel == 8 ? piece->first * each : 0;
    int64_t last = piece->kernel == 8 ? piece->last * each : kernels[before].units;
    bool right = true;
    for (int64_t i = first; i < last; i++) right &= shared->done[before][i] == shared->round + 1;
    return right;
}

static void do_piece(void *context, int thread, const Piece *piece) {
    Shared *shared = context;
    (void)thread;
    bool right = others_are_right(shared, piece->kernel) && order_is_right(shared, piece);
    if (!right) __atomic_fetch_add(&shared->wrong, 1, __ATOMIC_RELAXED);
    uint32_t luck = (uint32_t)(shared->round * 31 + piece->first * 7 + piece->kernel);
    if (shared->tired && luck % shared->tired == 0) usleep(luck % 300);
    if (shared->tired && luck % shared->tired == 1) sched_yield();
    for (int64_t i = piece->first; i < piece->last; i++) shared->done[piece->kernel][i]++;
}

static bool begin_again(void *context) {
    Shared *shared = context;
    return ++shared->round < shared->rounds;
}

static void expect_all_done(int threads, uint32_t tired) {
    static Shared shared;
    Program program = {.kernels = kernels, .kernel_count = KERNELS};
    shared = (Shared){.threads = threads_new(threads), .tired = tired};
    Work work = work_of_program(&program, threads_count(shared.threads));
    work.run = do_piece;
    work.again = begin_again;
    work.context = &shared;
    for (int part = 1; part <= 3; part++) { /* the threads go back to rest between the parts */
        shared.rounds = part * ROUNDS / 3;
        threads_work(shared.threads, &work);
        assert_int_equal(shared.round, shared.rounds);
        assert_int_equal(shared.wrong, 0);
        for (uint32_t k = 0; k < KERNELS; k++)
            for (int64_t i = 0; i < kernels[k].units; i++)
                assert_int_equal(shared.done[k][i], shared.round);
    }
    work_free(&work);
    threads_free(shared.threads);
}

static void test_every_unit_is_done_once(void **state) {
    (void)state;
    for (int threads = 1; threads <= THREADS; threads++) expect_all_done(threads, 0);
}

/* More threads than cores. Some stay away for a while, so that others take their work. */
static void test_threads_that_stay_away(void **state) {
    (void)state;
    for (int threads = 2; threads <= MANY_THREADS; threads *= 2) expect_all_done(threads, 40);
}

/* -- what every thread does for itself -- */

enum { REPLICATED, READER, NO_READER, REPLICATED_KERNELS };
static const ProgramKernel replicated_kernels[REPLICATED_KERNELS] = {
    {.units = 5, .threads = 1, .pieces = 1, .replicated = true},
    {.units = 64, .threads = 8, .pieces = 4, .reads_replicated = true},
    {.units = 64, .threads = 8, .pieces = 1, .barrier_before = true},
};

typedef struct {
    Program program;
    Replicas *replicas;
    int64_t round, wrong, done[REPLICATED_KERNELS]; /* units */
} Replicating;

/* The replicated kernel writes the number of the round into its thread's memory. */
static void do_replicated(void *context, const StepArgs *args, int thread, const Piece *piece) {
    Replicating *replicating = context;
    int64_t *number = args->thread_slab, units = piece->last - piece->first;
    (void)thread;
    bool again = piece->kernel == REPLICATED && *number == replicating->round,
         late = piece->kernel == READER && *number != replicating->round;
    if (again || late) __atomic_fetch_add(&replicating->wrong, 1, __ATOMIC_RELAXED);
    if (piece->kernel == REPLICATED) *number = replicating->round;
    if (piece->kernel != REPLICATED)
        __atomic_fetch_add(&replicating->done[piece->kernel], units, __ATOMIC_RELAXED);
}

static void do_owning(void *context, int thread, const Piece *piece) {
    Replicating *replicating = context;
    replicas_run(replicating->replicas, (uint64_t)replicating->round, &(StepArgs){0}, thread, piece,
                 do_replicated, replicating);
}

static bool replicated_again(void *context) { return ++((Replicating *)context)->round <= ROUNDS; }

static void test_replicated_kernels_are_done_before_their_readers(void **state) {
    (void)state;
    for (int count = 1; count <= THREADS; count++) {
        Replicating replicating = {.program = {.kernels = replicated_kernels,
                                               .kernel_count = REPLICATED_KERNELS,
                                               .thread_slab_bytes = 64},
                                   .round = 1};
        Threads *threads = threads_new(count);
        Work work = work_of_program(&replicating.program, threads_count(threads));
        replicating.replicas = replicas_new(&replicating.program, threads_count(threads));
        work.run = do_owning;
        work.again = replicated_again;
        work.context = &replicating;
        threads_work(threads, &work);
        assert_int_equal(replicating.wrong, 0);
        assert_int_equal(replicating.done[READER], ROUNDS * replicated_kernels[READER].units);
        assert_int_equal(replicating.done[NO_READER], ROUNDS * replicated_kernels[NO_READER].units);
        replicas_free(replicating.replicas);
        work_free(&work);
        threads_free(threads);
    }
}

/* -- how work is cut -- */

static uint32_t owned_by(const Work *work, uint32_t stage, uint32_t threads, uint32_t thread) {
    return work->owned[stage * threads + thread + 1] - work->owned[stage * threads + thread];
}

static void test_ranges_are_cut_into_pieces(void **state) {
    (void)state;
    Work work = work_of_program(&(Program){.kernels = kernels, .kernel_count = KERNELS}, 2);
    assert_int_equal(work.stages, 5);
    /* the small kernels are the first thread's first chunk */
    assert_int_equal(owned_by(&work, 0, 2, 0), 1 + 3 + 1);
    /* three units are three pieces, not eight */
    assert_int_equal(owned_by(&work, 0, 2, 1), 3 + 2);
    assert_int_equal(owned_by(&work, 1, 2, 0), 1);
    assert_int_equal(owned_by(&work, 1, 2, 1), 0);
    /* each is half of what is left: 16, 8, 4, 2, 1 and 1 */
    assert_int_equal(owned_by(&work, 2, 2, 1), 6);
    /* as many chunks of rows as the kernels in step may have */
    assert_int_equal(owned_by(&work, 4, 2, 1), 2 + 2);
    work_free(&work);
}

static void test_one_thread_has_one_chunk(void **state) {
    (void)state;
    Work work = work_of_program(&(Program){.kernels = kernels, .kernel_count = KERNELS}, 1);
    assert_int_equal(work.stages, 1);
    assert_int_equal(owned_by(&work, 0, 1, 0), 1);
    assert_int_equal(work.chunks[1], KERNELS);
    for (uint32_t k = 0; k < KERNELS; k++) assert_int_equal(work.pieces[k].last, kernels[k].units);
    work_free(&work);
}

/* If a thread has more pieces than its counter can hold, several go together. */
static void test_many_pieces_go_together(void **state) {
    (void)state;
    enum { MANY = 5000 };
    ProgramKernel *many = calloc(MANY, sizeof *many);
    for (int i = 0; i < MANY; i++) many[i] = (ProgramKernel){.units = 8, .threads = 2, .pieces = 2};
    Work work = work_of_program(&(Program){.kernels = many, .kernel_count = MANY}, 2);
    for (uint32_t thread = 0; thread < 2; thread++)
        assert_in_range(owned_by(&work, 0, 2, thread), 1, WORK_MAX_OWNED);
    assert_int_equal(work.chunks[work.owned[2]], MANY * 4);
    work_free(&work);
    free(many);
}

static void test_work_without_kernels_ends(void **state) {
    (void)state;
    Threads *threads = threads_new(2);
    Shared shared = {.rounds = 3};
    Work work = work_of_program(&(Program){0}, 2);
    work.again = begin_again;
    work.context = &shared;
    threads_work(threads, &work);
    assert_int_equal(shared.round, 3);
    work_free(&work);
    threads_free(threads);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everybody_works),
        cmocka_unit_test(test_wakes_sleepers),
        cmocka_unit_test(test_online),
        cmocka_unit_test(test_a_thread_leaves_its_core),
        cmocka_unit_test(test_a_thread_stays_where_all_cores_are_taken),
        cmocka_unit_test(test_every_unit_is_done_once),
        cmocka_unit_test(test_threads_that_stay_away),
        cmocka_unit_test(test_replicated_kernels_are_done_before_their_readers),
        cmocka_unit_test(test_ranges_are_cut_into_pieces),
        cmocka_unit_test(test_one_thread_has_one_chunk),
        cmocka_unit_test(test_many_pieces_go_together),
        cmocka_unit_test(test_work_without_kernels_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
