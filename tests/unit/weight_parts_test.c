/* How processes divide the trained weights. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ir/base/integers.h"
#include "ir/data/weight_parts.h"

enum { WEIGHTS = 5 };

/* Weights that are not ordered by name; two have several blocks, one exactly two. */
static WeightParts parts_of(WeightPlace places[WEIGHTS], int processes, bool whole_blocks) {
    static const WeightPlace unordered[WEIGHTS] = {{"e.weight", 3, 0},
                                                   {"b.weight", 2 * NORM_BLOCK, 0},
                                                   {"a.weight", 17, 0},
                                                   {"d.weight", 12345, 0},
                                                   {"c.weight", 16, 0}};
    for (int i = 0; i < WEIGHTS; i++) places[i] = unordered[i];
    int64_t elements = parts_place(places, WEIGHTS);
    return (WeightParts){places, WEIGHTS, elements, processes, whole_blocks};
}

static void weights_lie_in_the_order_of_their_names(void **state) {
    (void)state;
    WeightPlace places[WEIGHTS];
    WeightParts parts = parts_of(places, 1, false);
    int64_t at = 0;
    for (int i = 0; i < WEIGHTS; i++) {
        assert_int_equal(places[i].name[0], 'a' + i);
        assert_int_equal(places[i].at, at);
        at += round_up(places[i].elements, PART_UNIT);
    }
    assert_int_equal(parts.elements, at);
}

/* Every element has one owner, and parts differ by no more than a unit. */
static void every_element_has_one_owner(void **state) {
    (void)state;
    WeightPlace places[WEIGHTS];
    for (int processes = 1; processes < 40; processes++) {
        WeightParts parts = parts_of(places, processes, false);
        int64_t next[WEIGHTS] = {0};
        for (int rank = 0; rank < processes; rank++) {
            int64_t units = part_elements(&parts, rank) / PART_UNIT,
                    least = parts.elements / PART_UNIT / processes;
            assert_true(units == least || units == least + 1);
            for (int i = 0; i < WEIGHTS; i++) {
                WeightPiece piece = part_piece(&parts, &places[i], rank);
                assert_true(piece.count >= 0);
                if (piece.count) assert_int_equal(piece.first, next[i]);
                next[i] += piece.count;
            }
        }
        for (int i = 0; i < WEIGHTS; i++) assert_int_equal(next[i], places[i].elements);
    }
}

/* With clip_norm, no block has two owners, and the blocks of a part are counted. */
static void blocks_have_one_owner(void **state) {
    (void)state;
    WeightPlace places[WEIGHTS];
    for (int processes = 1; processes < 20; processes++) {
        WeightParts parts = parts_of(places, processes, true);
        assert_int_equal(part_at(&parts, 0), 0);
        assert_int_equal(part_at(&parts, processes), parts.elements);
        int64_t blocks = 0;
        for (int rank = 0; rank < processes; rank++) {
            assert_int_equal(part_block(&parts, rank), blocks);
            assert_true(part_elements(&parts, rank) >= 0);
            for (int i = 0; i < WEIGHTS; i++) {
                WeightPiece piece = part_piece(&parts, &places[i], rank);
                if (!piece.count) continue;
                assert_int_equal(piece.first % NORM_BLOCK, 0);
                assert_true(piece.count % NORM_BLOCK == 0 ||
                            piece.first + piece.count == places[i].elements);
                blocks += divide_up(piece.count, NORM_BLOCK);
            }
        }
        assert_int_equal(blocks, part_block(&parts, processes));
        assert_int_equal(blocks, 1 + 2 + 1 + 4 + 1);
    }
}

static void moments_belong_to_weights(void **state) {
    (void)state;
    WeightPlace places[WEIGHTS];
    WeightParts parts = parts_of(places, 2, false);
    assert_ptr_equal(parts_of_moment(&parts, "adam.m.b.weight"), &places[1]);
    assert_ptr_equal(parts_of_moment(&parts, "sgd.momentum.e.weight"), &places[4]);
    assert_null(parts_of_moment(&parts, "b.weight"));
    assert_null(parts_of_moment(&parts, "adam.m.other.weight"));
    assert_null(parts_of_moment(&parts, "accumulate.0.b.weight"));
    assert_null(parts_of_moment(&parts, "accumulate.rows"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_lie_in_the_order_of_their_names),
        cmocka_unit_test(every_element_has_one_owner),
        cmocka_unit_test(blocks_have_one_owner),
        cmocka_unit_test(moments_belong_to_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
