/* Boundaries: calls that end for a lack of memory or a bug, and what they give back. */
#include "ir/base/boundary.h"
#include "ir/base/diag.h"
#include "ir/base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 8 };
static int released[MOST], release_count;

static void note_release(void *object, size_t size) {
    assert_true(size == 7 && release_count < MOST);
    released[release_count++] = *(int *)object;
}

static int one = 1, two = 2, three = 3;

static void hold(int *object) { boundary_hold(object, 7, note_release); }

static Boundary *begin(void) {
    release_count = 0;
    Boundary *boundary = boundary_new();
    assert_non_null(boundary);
    return boundary;
}

static void succeed(void *context) {
    assert_true(boundary_active());
    hold(context);
}

static void exhaust(void *context) {
    hold(&two);
    hold(&three);
    if (context) boundary_drop(context, note_release);
    memory_exhausted(100, "the test");
}

/* The newest object is released first, and older ones stay. */
static void test_reads(void **state) {
    (void)state;
    Boundary *boundary = begin();
    assert_int_equal(boundary_run(boundary, BOUNDARY_READS, succeed, &one), FAILURE_NONE);
    assert_int_equal(boundary_run(boundary, BOUNDARY_READS, exhaust, NULL), FAILURE_MEMORY);
    assert_string_equal(boundary_text(boundary), "no memory for the test (100 bytes)");
    assert_int_equal(release_count, 2);
    assert_true(released[0] == 3 && released[1] == 2);
    assert_false(boundary_is_lost(boundary));
    assert_false(boundary_active());
    boundary_free(boundary);
    assert_int_equal(release_count, 2);
}

/* A call that changes what earlier ones have made takes everything with it. */
static void test_changes(void **state) {
    (void)state;
    Boundary *boundary = begin();
    boundary_run(boundary, BOUNDARY_CHANGES, succeed, &one);
    assert_int_equal(boundary_run(boundary, BOUNDARY_CHANGES, exhaust, NULL), FAILURE_MEMORY);
    assert_int_equal(release_count, 3);
    assert_int_equal(released[2], 1);
    assert_true(boundary_is_lost(boundary));
    boundary_free(boundary);
}

/* So does one that was to read only, but gave back what an earlier call had made. */
static void test_gave_back(void **state) {
    (void)state;
    Boundary *boundary = begin();
    boundary_run(boundary, BOUNDARY_CHANGES, succeed, &one);
    assert_int_equal(boundary_run(boundary, BOUNDARY_READS, exhaust, &one), FAILURE_MEMORY);
    assert_int_equal(release_count, 2);
    assert_true(boundary_is_lost(boundary));
    boundary_free(boundary);
}

static void be_wrong(void *context) {
    MemoryStream stream;
    memory_stream_begin(&stream); /* closed and freed by the boundary */
    fputs("text", stream.out);
    diag_bug("the number is %d", *(int *)context);
}

static void test_bug(void **state) {
    (void)state;
    Boundary *boundary = begin();
    assert_int_equal(boundary_run(boundary, BOUNDARY_READS, be_wrong, &three), FAILURE_BUG);
    assert_string_equal(boundary_text(boundary), "the number is 3");
    boundary_free(boundary);
}

/* Many objects, some of which are given back before the end; memory is freed. */
static void hold_many(void *context) {
    void **memory = context;
    for (int i = 0; i < 3000; i++) {
        memory[i] = malloc(16);
        boundary_hold_memory(memory[i]);
    }
    for (int i = 0; i < 3000; i += 3) {
        boundary_drop_memory(memory[i]);
        free(memory[i]);
    }
    uint64_t mark = boundary_mark();
    boundary_hold_memory(memory[0] = malloc(16));
    boundary_forget(mark); /* this one stays */
    memory_exhausted(0, "the test");
}

static void test_many(void **state) {
    (void)state;
    Boundary *boundary = begin();
    void **memory = calloc(3000, sizeof *memory);
    assert_int_equal(boundary_run(boundary, BOUNDARY_READS, hold_many, memory), FAILURE_MEMORY);
    assert_string_equal(boundary_text(boundary), "no memory for the test");
    memset(memory[0], 1, 16);
    free(memory[0]);
    free(memory);
    boundary_free(boundary);
}

/* Code of C++ gets the reserve once; then the caller learns of the failure. */
static void run_foreign(void *context) {
    bool *refused = context;
    assert_true(boundary_foreign_begin(true));
    hold(&one); /* not held: it is made by the foreign code */
    if (refused[0]) {
        assert_true(boundary_spend_reserve());
        assert_false(boundary_spend_reserve());
    }
    refused[1] = boundary_foreign_end();
}

static void exhaust_foreign(void *context) {
    (void)context;
    assert_true(boundary_foreign_begin(true));
    memory_exhausted(0, "the test");
}

static void refuse_foreign(void *context) {
    assert_false(boundary_foreign_begin(false));
    hold(context);
}

static void test_foreign(void **state) {
    (void)state;
    Boundary *boundary = begin();
    bool refused[2] = {false, true};
    assert_int_equal(boundary_run(boundary, BOUNDARY_READS, run_foreign, refused), FAILURE_NONE);
    assert_false(refused[1]);
    refused[0] = true;
    assert_int_equal(boundary_run(boundary, BOUNDARY_READS, run_foreign, refused), FAILURE_NONE);
    assert_true(refused[1]);
    assert_int_equal(release_count, 0);
    /* a jump out of such code is the last one: no more of it runs */
    assert_int_equal(boundary_run(boundary, BOUNDARY_READS, exhaust_foreign, NULL), FAILURE_MEMORY);
    assert_int_equal(boundary_run(boundary, BOUNDARY_READS, refuse_foreign, &one), FAILURE_NONE);
    boundary_free(boundary);
}

/* The program's allocator (cli/session/libraries.c) ends a call that cannot do without memory. One
 * that asks whether there is memory gets NULL. */
static bool answered;

static void ask(void *context) {
    size_t bytes = *(size_t *)context;
    answered = !memory_try_grow(NULL, bytes) && !memory_try(bytes);
    void *volatile memory = malloc(bytes); /* a library, which never gets NULL */
    free(memory);
}

static void test_asked(void **state) {
    (void)state;
    size_t bytes = SIZE_MAX / 4;
    Boundary *boundary = begin();
    assert_int_equal(boundary_run(boundary, BOUNDARY_READS, ask, &bytes), FAILURE_MEMORY);
    assert_true(answered);
    assert_memory_equal(boundary_text(boundary), "no memory for a library", 23);
    boundary_free(boundary);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),     cmocka_unit_test(test_changes),
        cmocka_unit_test(test_gave_back), cmocka_unit_test(test_bug),
        cmocka_unit_test(test_many),      cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
