/* Hostile texts: printed graphs, damaged at random. Reading one must end in a valid graph that round-trips, or in errors;
 * the sanitizers see to the rest.
 *   read_fuzz_test            two thousand texts
 *   read_fuzz_test 0 100000   these */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/random_graph.h"

#include <stdlib.h>
#include <string.h>

static uint64_t first_text, last_text = 2000; /* the last one is not included */

/* A text under attack, with room to grow. */
typedef struct {
    char *bytes;
    size_t length, capacity;
    uint64_t seed, drawn;
} Victim;

static size_t draw(Victim *victim, size_t count) {
    return (size_t)((uint64_t)random_bits(victim->seed, STREAM_AUGMENT, 0, victim->drawn++) * count >> 32);
}

static void print_graph(const Graph *graph, Victim *victim) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    graph_print(graph, out);
    fclose(out);
    victim->capacity = size + 4096;
    victim->bytes = malloc(victim->capacity);
    memcpy(victim->bytes, text, size);
    victim->length = size;
    free(text);
}

/* -- damages -- */

static void change_byte(Victim *victim) {
    victim->bytes[draw(victim, victim->length)] = (char)draw(victim, 256);
}

static void change_digit(Victim *victim) {
    size_t at = draw(victim, victim->length);
    while (at < victim->length && (victim->bytes[at] < '0' || victim->bytes[at] > '9')) at++;
    if (at < victim->length) victim->bytes[at] = (char)('0' + draw(victim, 10));
}

static void remove_piece(Victim *victim) {
    size_t at = draw(victim, victim->length), count = 1 + draw(victim, 8);
    if (at + count > victim->length) count = victim->length - at;
    memmove(victim->bytes + at, victim->bytes + at + count, victim->length - at - count);
    victim->length -= count;
}

static void insert(Victim *victim, size_t at, const char *piece, size_t count) {
    if (victim->length + count > victim->capacity) return;
    memmove(victim->bytes + at + count, victim->bytes + at, victim->length - at);
    memcpy(victim->bytes + at, piece, count);
    victim->length += count;
}

static void insert_word(Victim *victim) {
    static const char *const words[] = {
        "%1",     "%99999999999", "[",    "]",       "9223372036854775807",  "-1",         "nan",
        "f32[]",  "\"",           "\\x",  "axis=",   "18446744073709551616", "\n",         "# ",
        "output", "update",       "grad", "%100000", "perm=[0,0,0,0,0,0,0]", "2147483648,"};
    const char *word = words[draw(victim, sizeof words / sizeof *words)];
    insert(victim, draw(victim, victim->length + 1), word, strlen(word));
}

static void repeat_piece(Victim *victim) {
    char piece[64];
    size_t count = 1 + draw(victim, sizeof piece), from = draw(victim, victim->length);
    if (from + count > victim->length) count = victim->length - from;
    memcpy(piece, victim->bytes + from, count);
    insert(victim, draw(victim, victim->length + 1), piece, count);
}

static void cut_off(Victim *victim) {
    victim->length = 1 + draw(victim, victim->length);
}

static void damage(Victim *victim) {
    static void (*const damages[])(Victim *) = {change_byte, change_digit, change_digit, remove_piece,
                                                insert_word, repeat_piece, cut_off};
    size_t times = 1 + draw(victim, 4), kinds = sizeof damages / sizeof *damages;
    for (size_t i = 0; i < times && victim->length; i++) damages[draw(victim, draw(victim, 4) ? kinds - 1 : kinds)](victim);
}

/* -- checks -- */

static Graph *read_exactly(const char *bytes, size_t length, Diagnostics *diag) {
    char *copy = malloc(length + !length); /* no byte after the text, so that reading one is seen */
    memcpy(copy, bytes, length);
    Graph *graph = graph_read("fuzz.ir", copy, length, diag);
    free(copy);
    return graph;
}

static void check_accepted(const Graph *graph, Diagnostics *diag) {
    Victim first = {0}, second = {0};
    assert_true(graph_verify(graph));
    print_graph(graph, &first);
    Graph *again = read_exactly(first.bytes, first.length, diag);
    assert_non_null(again);
    print_graph(again, &second);
    assert_int_equal(first.length, second.length);
    assert_memory_equal(first.bytes, second.bytes, first.length);
    graph_free(again);
    free(first.bytes);
    free(second.bytes);
}

/* Messages are made as well: they print parts of the text. */
static void check_rejected(Diagnostics *diag) {
    FILE *nowhere = fopen("/dev/null", "w");
    assert_true(diag_errors(diag) > 0);
    assert_int_equal(diag_status(diag), STATUS_MODEL);
    diag_print(diag, nowhere);
    fclose(nowhere);
}

static bool try_text(uint64_t seed) {
    Diagnostics *diag = diag_new();
    Victim victim = {.seed = seed};
    Graph *graph = random_graph(seed % 50, diag);
    print_graph(graph, &victim);
    graph_free(graph);
    damage(&victim);
    graph = read_exactly(victim.bytes, victim.length, diag);
    bool accepted = graph != NULL;
    if (accepted)
        check_accepted(graph, diag);
    else
        check_rejected(diag);
    graph_free(graph);
    free(victim.bytes);
    diag_free(diag);
    return accepted;
}

static void damaged_texts_are_read_or_rejected(void **state) {
    (void)state;
    uint64_t accepted = 0;
    for (uint64_t seed = first_text; seed < last_text; seed++) accepted += try_text(seed);
    assert_true(accepted > 0 && accepted < last_text - first_text); /* both happen */
}

int main(int argc, char **argv) {
    if (argc == 3) {
        first_text = strtoull(argv[1], NULL, 10);
        last_text = strtoull(argv[2], NULL, 10);
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(damaged_texts_are_read_or_rejected)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
