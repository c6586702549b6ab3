/* How the rows of an epoch are cut into batches and shares. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ir/data/cut.h"

static void shares_follow_one_another(void **state) {
    (void)state;
    for (int64_t rows = 1; rows < 40; rows++)
        for (int64_t replicas = 1; replicas <= 6; replicas++) {
            Cut cut = {rows, 2 * replicas, replicas};
            int64_t next = 0, shares = cut_shares(&cut);
            for (int64_t i = 0; i < shares; i++) {
                Share share = cut_share(&cut, i);
                assert_int_equal(share.batch * cut.batch + share.first, next);
                assert_true(share.rows > 0);
                assert_int_equal(cut_size_rows(&cut, cut_share_size(&cut, i)), share.rows);
                next += share.rows;
                assert_int_equal(share.ends, next % cut.batch == 0 || next == rows);
            }
            assert_int_equal(next, rows);
            assert_int_equal(cut_share(&cut, shares - 1).batch + 1, cut_batches(&cut));
        }
}

static void assert_sizes(Cut cut, int64_t full, int64_t larger, int64_t smaller) {
    assert_int_equal(cut_size_rows(&cut, SHARE_FULL), full);
    assert_int_equal(cut_size_rows(&cut, SHARE_LARGER), larger);
    assert_int_equal(cut_size_rows(&cut, SHARE_SMALLER), smaller);
}

static void the_last_batch_is_cut_evenly(void **state) {
    (void)state;
    Cut cut = {28, 20, 5}; /* a last batch of 8 rows: 2, 2, 2, 1, 1 */
    static const int64_t rows[] = {2, 2, 2, 1, 1}, first[] = {0, 2, 4, 6, 7};
    assert_int_equal(cut_batch_rows(&cut, 0), 20);
    assert_int_equal(cut_batch_rows(&cut, 1), 8);
    for (int64_t i = 0; i < 5; i++) {
        assert_int_equal(cut_share(&cut, 5 + i).rows, rows[i]);
        assert_int_equal(cut_share(&cut, 5 + i).first, first[i]);
    }
    assert_sizes(cut, 4, 2, 1);
    assert_sizes((Cut){30, 20, 5}, 4, 2, 0);
    assert_sizes((Cut){38, 20, 5}, 4, 0, 3); /* 4, 4, 4, 3, 3 */
    assert_sizes((Cut){40, 20, 5}, 4, 0, 0);
    assert_sizes((Cut){23, 20, 5}, 4, 1, 0); /* three shares of one row */
    assert_sizes((Cut){18, 20, 5}, 0, 4, 3); /* no full batch */
    assert_sizes((Cut){7, 20, 1}, 0, 7, 0);
    assert_sizes((Cut){0, 20, 5}, 0, 0, 0);
}

static void whole_batches_end_where_a_batch_ends(void **state) {
    (void)state;
    Cut cut = {28, 12, 3}; /* shares of 4, 4, 4; 4, 4, 4; 2, 1, 1 */
    assert_int_equal(cut_whole_batches(&cut, 0, 1), 1);
    assert_int_equal(cut_whole_batches(&cut, 0, 2), 2);
    assert_int_equal(cut_whole_batches(&cut, 0, 3), 3);
    assert_int_equal(cut_whole_batches(&cut, 0, 5), 3);
    assert_int_equal(cut_whole_batches(&cut, 1, 4), 2);
    assert_int_equal(cut_whole_batches(&cut, 2, 2), 1);
    assert_int_equal(cut_whole_batches(&cut, 4, 5), 5);
    assert_int_equal(cut_whole_batches(&cut, 6, 2), 2);
    assert_int_equal(cut_whole_batches(&(Cut){28, 12, 1}, 0, 2), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_follow_one_another),
        cmocka_unit_test(the_last_batch_is_cut_evenly),
        cmocka_unit_test(whole_batches_end_where_a_batch_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
