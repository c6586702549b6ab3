/* Expands random into integer operations: Philox 4x32 with 10 rounds (Salmon et al., "Parallel
 * random numbers: as easy as 1, 2, 3", SC'11), as ir/ops/random.c computes it. Elements 4 i .. 4 i
 * + 3 are the words of one block. */
#include "passes/graph/formula.h"

enum { ROUNDS = 10 };

/* The four words of a counter, and the two of the key. */
typedef struct {
    NodeId word[4], key[2];
} Block;

static Block block_round(const Formula *f, const Block *from, uint32_t round) {
    NodeId first = f_int(f, 0xD2511F53u), second = f_int(f, 0xCD9E8D57u);
    NodeId key[2] = {f_add(f, from->key[0], f_int(f, round * 0x9E3779B9u)),
                     f_add(f, from->key[1], f_int(f, round * 0xBB67AE85u))};
    NodeId high = f_mul_high(f, from->word[0], first),
           other_high = f_mul_high(f, from->word[2], second);
    Block to = *from;
    to.word[0] = f_xor(f, f_xor(f, other_high, from->word[1]), key[0]);
    to.word[1] = f_mul(f, from->word[2], second);
    to.word[2] = f_xor(f, f_xor(f, high, from->word[3]), key[1]);
    to.word[3] = f_mul(f, from->word[0], first);
    return to;
}

static Block random_block(const Formula *f, NodeId number) {
    const Attrs *attrs = &f->node.attrs;
    Shape shape = f->node.shape;
    NodeId draw = build_broadcast(f->graph, f->operands[2], shape);
    Block block = {
        {number, draw, f_int(f, attrs->random.substream), f_int(f, attrs->random.stream)},
        {NODE_NONE}};
    for (int i = 0; i < 2; i++) block.key[i] = build_broadcast(f->graph, f->operands[i], shape);
    for (uint32_t round = 0; round < ROUNDS; round++) block = block_round(f, &block, round);
    return block;
}

NodeId expand_random(const Formula *f) {
    int64_t elements = shape_elements(f->node.shape), blocks = (elements + 3) / 4;
    Formula each = *f;
    each.node.shape = shape_of(1, (int64_t[]){blocks});
    Block block = random_block(&each, build_iota(f->graph, each.node.shape, 0));
    /* The words of all blocks, one after the other. Each block is computed once for its four
     * elements. Word w of all blocks has its own buffer, and kernels that read the bits interleave
     * the four buffers. */
    NodeId columns[4];
    for (int i = 0; i < 4; i++)
        columns[i] = build_reshape(each.graph, block.word[i], shape_of(2, (int64_t[]){blocks, 1}));
    NodeId rows = build_concat(each.graph, columns, 4, 1);
    NodeId bits = build_reshape(each.graph, rows, shape_of(1, (int64_t[]){4 * blocks}));
    bits = build_slice(f->graph, bits, (int64_t[]){0}, (int64_t[]){elements}, NULL);
    return build_reshape(f->graph, bits, f->node.shape);
}
