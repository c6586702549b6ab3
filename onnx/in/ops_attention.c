/* Attention: softmax(scale * Q K' + mask) V. */
#include "onnx/in/translate.h"

#include <math.h>

/* The operands [rows, heads, length, width], and what the scores become. */
typedef struct {
    Import *import;
    OpNode *node;
    Tensor *query, *keys, *values, *scores;
} Attending;

/* [rows, length, heads * width] as [rows, heads, length, width] */
static Tensor *with_heads(const Attending *at, uint32_t input, const char *name) {
    static const int order[] = {0, 2, 1, 3};
    Tensor *x = at->node->in[input];
    if (x->rank == 4) return x;
    int64_t heads = node_int(at->node, name, 0);
    if (x->rank != 3 || heads < 1 || x->dims[2].rows || x->dims[2].size % heads)
        return node_fail(at->import, at->node, "its input %u cannot be divided into %lld heads",
                         input, (long long)heads),
               NULL;
    Dim dims[] = {x->dims[0], x->dims[1], {heads, false}, {x->dims[2].size / heads, false}};
    return permuted(at->import, reshape_to(at->import, x, 4, dims), order);
}

/* Several heads of the query may share keys and values. NULL after reporting that they cannot. */
static Tensor *shared_heads(const Attending *at, Tensor *x) {
    int64_t heads = at->query->dims[1].size, own = x->dims[1].size;
    if (heads == own) return x;
    if (heads % own || x->dims[1].rows || at->query->dims[1].rows)
        return node_fail(at->import, at->node, "%lld heads cannot share %lld", (long long)heads,
                         (long long)own),
               NULL;
    int64_t *index = ARENA_ARRAY(at->import->arena, int64_t, heads);
    for (int64_t i = 0; i < heads; i++) index[i] = i / (heads / own);
    return take_elements(at->import, x, 1, heads, index);
}

static bool take_operands(Attending *at) {
    at->query = with_heads(at, 0, "q_num_heads");
    at->keys = with_heads(at, 1, "kv_num_heads");
    at->values = with_heads(at, 2, "kv_num_heads");
    if (!at->query || !at->keys || !at->values) return false;
    const Dim *q = at->query->dims, *k = at->keys->dims, *v = at->values->dims;
    bool fits = dim_equal(q[0], k[0]) && dim_equal(q[0], v[0]) && dim_equal(q[3], k[3]) &&
                dim_equal(k[1], v[1]) && dim_equal(k[2], v[2]) && !q[3].rows && !k[2].rows;
    if (!fits) return node_fail(at->import, at->node, "its query, keys and values do not fit");
    at->keys = shared_heads(at, at->keys);
    at->values = shared_heads(at, at->values);
    return at->keys && at->values;
}

/* scale * Q K', limited by softcap * tanh(x / softcap) */
static void make_scores(Attending *at) {
    Import *import = at->import;
    float scale = node_float(at->node, "scale", 1 / sqrtf((float)at->query->dims[3].size)),
          cap = node_float(at->node, "softcap", 0);
    Dim dims[] = {at->query->dims[0], at->query->dims[1], at->query->dims[2], at->keys->dims[2]};
    at->scores =
        inner(import, LEVEL_PRODUCT,
              arena_format(import->arena, "%%06 @ transpose(%%10) * %s", real_text(import, scale)),
              2, (Tensor *[]){at->query, at->keys});
    set_dims(at->scores, 4, dims);
    const char *limit = real_text(import, cap);
    if (cap > 0)
        at->scores = inner(import, LEVEL_PRODUCT,
                           arena_format(import->arena, "%s * tanh(%%06 / %s)", limit, limit), 1,
                           &at->scores);
}

/* Whether the mask is broadcast to the scores; reports others. */
static bool mask_fits(const Attending *at, const Tensor *mask) {
    Tensor both = {0};
    return (broadcast_dims(at->import, at->node, at->scores, mask, &both.rank, both.dims) &&
            same_dims(&both, at->scores)) ||
           node_fail(at->import, at->node, "its mask does not fit its scores");
}

/* Scores where the condition of the text is false become very small. */
static void hide_others(Attending *at, const char *condition, uint32_t count, Tensor *const *args) {
    const char *text =
        arena_format(at->import->arena, "select(%s, %%00, -3.4028235e+38)", condition);
    at->scores = inner(at->import, LEVEL_ATOM, text, count, args);
}

/* A mask of truth values says which scores are seen; one of numbers is added. */
static bool mask_scores(Attending *at) {
    Tensor *mask = at->node->in_count > 3 ? at->node->in[3] : NULL, *both[] = {at->scores, mask};
    if (mask && !mask_fits(at, mask)) return false;
    if (mask && mask->kind == KIND_BOOL)
        hide_others(at, "%10", 2, both);
    else if (mask)
        at->scores = inner(at->import, LEVEL_SUM, "%05 + %16", 2, both);
    if (node_int(at->node, "is_causal", 0))
        hide_others(at, triangle_text(at->import, at->scores->dims + 2, 2, "<=", 0), 1,
                    &at->scores);
    return true;
}

bool op_attention(Import *import, OpNode *node) {
    static const int order[] = {0, 2, 1, 3};
    Attending at = {.import = import, .node = node};
    for (uint32_t i = 4; i < node->in_count; i++)
        if (node->in[i]) return node_fail(import, node, "keys of earlier steps are not supported");
    for (uint32_t i = 1; i < node->out_count; i++)
        if (node->out[i]->consumers)
            return node_fail(import, node, "only its first output is supported");
    if (!take_operands(&at)) return false;
    make_scores(&at);
    if (!mask_scores(&at)) return false;
    Tensor *y =
        inner(import, LEVEL_PRODUCT, "softmax(%00) @ %17", 2, (Tensor *[]){at.scores, at.values});
    y->dims[3] = at.values->dims[3];
    y->kind = KIND_REAL;
    if (node->in[0]->rank == 3) {
        Dim dims[] = {y->dims[0], y->dims[2], {y->dims[1].size * y->dims[3].size, false}};
        y = reshape_to(import, permuted(import, y, order), 3, dims);
    }
    make_same(import, node, 0, y);
    return true;
}
