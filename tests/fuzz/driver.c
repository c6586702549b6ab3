/* Runs a fuzzer without libFuzzer: READER_fuzz RUNS FILE... damages the files at random. Each run
 * damages them in its own way, always the same for the same number. FIRST..LAST instead of RUNS
 * repeats some runs. */
#include "ir/ops/random.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

/* The bytes that are damaged, with room to grow. */
typedef struct {
    uint8_t *bytes;
    size_t length, capacity;
    uint64_t seed, drawn;
} Victim;

static size_t draw(Victim *victim, size_t count) {
    return (size_t)((uint64_t)random_bits(victim->seed, STREAM_AUGMENT, 0, victim->drawn++) *
                        count >>
                    32);
}

/* -- damages -- */

static void change_byte(Victim *victim) {
    victim->bytes[draw(victim, victim->length)] = (uint8_t)draw(victim, 256);
}

static void change_bit(Victim *victim) {
    victim->bytes[draw(victim, victim->length)] ^= (uint8_t)(1u << draw(victim, 8));
}

/* Overwrites a number of four bytes, in either byte order. */
static void change_size(Victim *victim) {
    static const uint32_t sizes[] = {0, 1, 0xffff, 0x01000000, 0x7fffffff, 0x80000000, 0xffffffff};
    size_t at = draw(victim, victim->length);
    uint32_t size = sizes[draw(victim, sizeof sizes / sizeof *sizes)];
    for (size_t i = 0; i < 4 && at + i < victim->length; i++)
        victim->bytes[at + i] = (uint8_t)(size >> 8 * i);
}

static void change_digit(Victim *victim) {
    size_t at = draw(victim, victim->length);
    while (at < victim->length && (victim->bytes[at] < '0' || victim->bytes[at] > '9')) at++;
    if (at < victim->length) victim->bytes[at] = (uint8_t)('0' + draw(victim, 10));
}

static void remove_piece(Victim *victim) {
    size_t at = draw(victim, victim->length), count = 1 + draw(victim, 12);
    if (at + count > victim->length) count = victim->length - at;
    memmove(victim->bytes + at, victim->bytes + at + count, victim->length - at - count);
    victim->length -= count;
}

static void insert(Victim *victim, size_t at, const void *piece, size_t count) {
    if (victim->length + count > victim->capacity) return;
    memmove(victim->bytes + at + count, victim->bytes + at, victim->length - at);
    memcpy(victim->bytes + at, piece, count);
    victim->length += count;
}

static void insert_word(Victim *victim) {
    size_t count = 0;
    while (fuzz_words[count]) count++;
    const char *word = fuzz_words[draw(victim, count)];
    insert(victim, draw(victim, victim->length + 1), word, strlen(word));
}

static void repeat_piece(Victim *victim) {
    uint8_t piece[64];
    size_t count = 1 + draw(victim, sizeof piece), from = draw(victim, victim->length);
    if (from + count > victim->length) count = victim->length - from;
    memcpy(piece, victim->bytes + from, count);
    insert(victim, draw(victim, victim->length + 1), piece, count);
}

static void cut_off(Victim *victim) { victim->length = 1 + draw(victim, victim->length); }

static void damage(Victim *victim) {
    static void (*const damages[])(Victim *) = {change_byte,  change_bit,   change_size,
                                                change_digit, remove_piece, insert_word,
                                                repeat_piece, cut_off};
    enum { KINDS = sizeof damages / sizeof *damages };
    size_t times = 1 + draw(victim, 4);
    /* the last one is rare: it leaves little to damage */
    for (size_t i = 0; i < times && victim->length; i++)
        damages[draw(victim, draw(victim, 4) ? KINDS - 1 : KINDS)](victim);
}

/* -- files -- */

enum { ROOM = 4096 };

static Victim read_seed(const char *path) {
    FILE *in = fopen(path, "rb");
    REQUIRE(in && !fseek(in, 0, SEEK_END));
    size_t length = (size_t)ftell(in);
    Victim victim = {.bytes = malloc(length + ROOM), .length = length, .capacity = length + ROOM};
    rewind(in);
    REQUIRE(victim.bytes && fread(victim.bytes, 1, length, in) == length);
    fclose(in);
    return victim;
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    char *rest;
    uint64_t first = 0, last = strtoull(argv[1], &rest, 10), files = (uint64_t)argc - 2;
    if (*rest) first = last, last = strtoull(rest + strspn(rest, "."), NULL, 10);
    for (uint64_t number = first; number < last; number++) {
        Victim victim = read_seed(argv[2 + number % files]);
        victim.seed = number;
        damage(&victim);
        LLVMFuzzerTestOneInput(victim.bytes, victim.length);
        free(victim.bytes);
    }
    printf("%llu inputs from %llu files\n", (unsigned long long)(last - first),
           (unsigned long long)files);
    return 0;
}
