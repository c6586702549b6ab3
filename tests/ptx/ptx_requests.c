/* Counts how often the memory of a block answers a load or a store of a warp. It has 32 banks of 4
 * bytes, and answers from each bank one word in a cycle, to all threads that want this word. The words
 * of a vector of four come for 8 threads at a time; for 16 if threads n and n xor 1 always want the
 * same, or threads n and n xor 2 (forums.developer.nvidia.com/t/77228). */
#include "tests/ptx/ptx_code.h"

enum { BANKS = 32, WORD = 4 };

/* Whether threads n and n xor `bit` have the same address. */
static bool come_in_pairs(const uint64_t *address, uint32_t lanes, uint32_t bit) {
    for (uint32_t lane = 0; lane < PTX_WARP; lane++)
        if (!(lanes >> lane & 1) || address[lane] != address[lane ^ bit]) return false;
    return true;
}

/* The most words that threads [first, end) want of one bank. */
static uint32_t answers(const uint64_t *address, uint32_t lanes, uint32_t bytes, uint32_t first,
                        uint32_t end) {
    uint64_t words[BANKS][PTX_WARP];
    uint32_t count[BANKS] = {0}, most = 0;
    for (uint32_t lane = first; lane < end; lane++)
        for (uint32_t b = 0; b < bytes && lanes >> lane & 1; b += WORD) {
            uint64_t word = (address[lane] + b) / WORD;
            uint32_t bank = word % BANKS, i = 0;
            while (i < count[bank] && words[bank][i] != word) i++;
            if (i == count[bank]) words[bank][count[bank]++] = word;
            if (count[bank] > most) most = count[bank];
        }
    return most;
}

uint32_t ptx_requests(const uint64_t *address, uint32_t lanes, uint32_t bytes) {
    bool paired = come_in_pairs(address, lanes, 1) || come_in_pairs(address, lanes, 2);
    uint32_t together = bytes <= WORD ? PTX_WARP : PTX_WARP * WORD / bytes * (paired ? 2 : 1),
             sum = 0;
    for (uint32_t first = 0; first < PTX_WARP; first += together)
        sum += answers(address, lanes, bytes, first, first + together);
    return sum;
}
