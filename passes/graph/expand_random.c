/* Expands random into integer operations: Philox 4x32 with 10 rounds (Salmon et al., "Parallel
 * random numbers: as easy as 1, 2, 3", SC'11), as ir/ops/random.c computes it. Elements 4 i .. 4 i
 * + 3 are the words of one block. */
#include "passes/graph/formula.h"
#include "ir/base/integers.h"

enum { ROUNDS = 10 };

/* The four words of a counter, and the two of the key. */
typedef struct {
    NodeId word[4], key[2];
} RandomBlock;

/* A round of Philox 4x32, as in ir/ops/random.c. */
static RandomBlock block_round(const Formula *f, const RandomBlock *from, uint32_t round) {
    NodeId first = f_int(f, 0xD2511F53u), second = f_int(f, 0xCD9E8D57u);
    NodeId key[2] = {f_add(f, from->key[0], f_int(f, round * 0x9E3779B9u)),
                     f_add(f, from->key[1], f_int(f, round * 0xBB67AE85u))};
    NodeId high = f_mul_high(f, from->word[0], first),
           other_high = f_mul_high(f, from->word[2], second);
    RandomBlock to = *from;
    to.word[0] = f_xor(f, f_xor(f, other_high, from->word[1]), key[0]);
    to.word[1] = f_mul(f, from->word[2], second);
    to.word[2] = f_xor(f, f_xor(f, high, from->word[3]), key[1]);
    to.word[3] = f_mul(f, from->word[0], first);
    return to;
}

static RandomBlock random_block(const Formula *f, NodeId number) {
    const RandomNumbers *numbers = &f->node.attrs.random;
    Shape shape = f->node.shape;
    NodeId draw = build_broadcast(f->graph, f->operands[2], shape);
    RandomBlock block = {{number, draw, f_int(f, numbers->substream), f_int(f, numbers->stream)},
                         {NODE_NONE}};
    for (int i = 0; i < 2; i++) block.key[i] = build_broadcast(f->graph, f->operands[i], shape);
    for (uint32_t round = 0; round < ROUNDS; round++) block = block_round(f, &block, round);
    return block;
}

/* The number of the first element, row * (elements of a row). */
static NodeId first_number(const Formula *f) {
    NodeId each = build_i32(f->graph, (int32_t)f->node.attrs.random.row, (Shape){0});
    return build_binary(f->graph, OP_mul, f->operands[3], each);
}

/* The words of `blocks` blocks, one after the other, from the block of the first element on. Each
 * block is computed once for its four elements. Word w of all blocks has its own buffer, and
 * kernels that read the bits interleave the four buffers. */
static NodeId random_words(const Formula *f, int64_t blocks) {
    Formula each = *f;
    each.node.shape = shape_of(1, (int64_t[]){blocks});
    NodeId number = build_iota(f->graph, each.node.shape, 0);
    if (f->node.attrs.random.row) {
        NodeId two = build_i32(f->graph, 2, (Shape){0}),
               begin = build_binary(f->graph, OP_shr, first_number(f), two);
        number = f_add(f, number, build_broadcast(f->graph, begin, each.node.shape));
    }
    RandomBlock block = random_block(&each, number);
    NodeId columns[4];
    for (int i = 0; i < 4; i++)
        columns[i] = build_reshape(f->graph, block.word[i], shape_of(2, (int64_t[]){blocks, 1}));
    return build_reshape(f->graph, build_concat(f->graph, columns, 4, 1),
                         shape_of(1, (int64_t[]){4 * blocks}));
}

/* Rows of 4 k elements begin with a block. Other rows may begin within one. */
NodeId expand_random(const Formula *f) {
    enum { WORDS = 4 };
    int64_t elements = shape_elements(f->node.shape);
    bool within = f->node.attrs.random.row % WORDS != 0;
    NodeId bits = random_words(f, divide_up(elements + (within ? WORDS - 1 : 0), WORDS));
    if (within) {
        Shape flat = shape_of(1, (int64_t[]){elements});
        NodeId rest = build_binary(f->graph, OP_and, first_number(f),
                                   build_i32(f->graph, WORDS - 1, (Shape){0}));
        NodeId place =
            f_add(f, build_iota(f->graph, flat, 0), build_broadcast(f->graph, rest, flat));
        bits = build_gather(f->graph, bits, place, 0);
    } else
        bits = build_slice(f->graph, bits, (int64_t[]){0}, (int64_t[]){elements}, NULL);
    return build_reshape(f->graph, bits, f->node.shape);
}
