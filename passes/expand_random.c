/* Random bits, written out in whole numbers: Philox 4x32 with 10 rounds (Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3", SC'11), as ir/random.c computes it. Elements 4 i .. 4 i + 3 are the words of one block. */
#include "passes/formula.h"

enum { ROUNDS = 10 };

/* The four words of a counter, and the two of the key. */
typedef struct {
    NodeId word[4], key[2];
} Block;

static Block block_round(const Formula *f, const Block *from, uint32_t round) {
    NodeId first = f_int(f, 0xD2511F53u), second = f_int(f, 0xCD9E8D57u);
    NodeId key[2] = {f_add(f, from->key[0], f_int(f, round * 0x9E3779B9u)),
                     f_add(f, from->key[1], f_int(f, round * 0xBB67AE85u))};
    NodeId high = f_mul_high(f, from->word[0], first), other_high = f_mul_high(f, from->word[2], second);
    Block to = *from;
    to.word[0] = f_xor(f, f_xor(f, other_high, from->word[1]), key[0]);
    to.word[1] = f_mul(f, from->word[2], second);
    to.word[2] = f_xor(f, f_xor(f, high, from->word[3]), key[1]);
    to.word[3] = f_mul(f, from->word[0], first);
    return to;
}

static Block random_block(const Formula *f, NodeId number) {
    const int64_t *stream = f->node.attrs.a;
    Shape shape = f->node.shape;
    NodeId draw = build_broadcast(f->graph, f->operands[2], shape);
    Block block = {{number, draw, f_int(f, (uint32_t)stream[1]), f_int(f, (uint32_t)stream[0])}, {NODE_NONE}};
    for (int i = 0; i < 2; i++) block.key[i] = build_broadcast(f->graph, f->operands[i], shape);
    for (uint32_t round = 0; round < ROUNDS; round++) block = block_round(f, &block, round);
    return block;
}

NodeId expand_random(const Formula *f) {
    Formula flat = *f;
    flat.node.shape = shape_of(1, (int64_t[]){shape_elements(f->node.shape)});
    NodeId element = build_iota(f->graph, flat.node.shape, 0);
    Block block = random_block(&flat, f_shr(&flat, element, f_int(&flat, 2)));
    NodeId number = f_and(&flat, element, f_int(&flat, 3)), bits = block.word[3];
    for (uint32_t i = 3; i-- > 0;) bits = f_select(&flat, f_eq(&flat, number, f_int(&flat, i)), block.word[i], bits);
    return build_reshape(f->graph, bits, f->node.shape);
}
