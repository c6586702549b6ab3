/* Einsum: "bqd,bkd->bqk" becomes products of matrices, two operands at a time. A label is a letter,
 * or a digit for an axis of "...": 7 is the last one. */
#include "onnx/in/translate.h"

#include <ctype.h>
#include <string.h>

enum { LABELS = 128, MAX_OPERANDS = 8 };

/* An operand with the labels of its axes. */
typedef struct {
    Tensor *x;
    char labels[ONNX_MAX_RANK + 1];
} Operand;

typedef struct {
    Import *import;
    const OpNode *node;
    Dim dims[LABELS];
    Operand operands[MAX_OPERANDS];
    char result[ONNX_MAX_RANK + 1];
} Einsum;

/* -- the equation -- */

static bool add_label(char *labels, char label) {
    size_t length = strlen(labels);
    if (length >= ONNX_MAX_RANK || strchr(labels, label)) return false;
    labels[length] = label;
    labels[length + 1] = '\0';
    return true;
}

/* Reads the labels up to ',', '-' or the end; "..." stands for `rest` axes. NULL: another sign, a
 * label twice, or too many of them. */
static const char *read_labels(const char *at, int rest, char *labels) {
    for (; *at && *at != ',' && *at != '-'; at++) {
        if (*at == ' ') continue;
        bool dots = !strncmp(at, "...", 3);
        if (!dots && !isalpha((unsigned char)*at)) return NULL;
        for (int i = rest; i > 0 && dots; i--)
            if (!add_label(labels, (char)('0' + ONNX_MAX_RANK - i))) return NULL;
        if (!dots && !add_label(labels, *at)) return NULL;
        if (dots) at += 2;
    }
    return at;
}

static int count_letters(const char *at) {
    int count = 0;
    for (; *at && *at != ',' && *at != '-'; at++) count += isalpha((unsigned char)*at) != 0;
    return count;
}

/* The size of each label; false after reporting that an operand has another one. */
static bool take_sizes(Einsum *sum, const Operand *operand) {
    if ((int)strlen(operand->labels) != operand->x->rank)
        return node_fail(sum->import, sum->node, "its equation does not fit an input with %d axes",
                         operand->x->rank);
    for (int i = 0; i < operand->x->rank; i++) {
        Dim *dim = &sum->dims[(int)operand->labels[i]];
        if (dim->size && !dim_equal(*dim, operand->x->dims[i]))
            return node_fail(sum->import, sum->node, "the label %c stands for %s and for %s",
                             operand->labels[i], dim_text(sum->import, *dim),
                             dim_text(sum->import, operand->x->dims[i]));
        *dim = operand->x->dims[i];
    }
    return true;
}

/* Without "->", the result has the axes of "...", and the labels that occur once, by the
 * alphabet. */
static void imply_result(Einsum *sum) {
    for (int label = '0'; label < LABELS; label++) {
        uint32_t uses = 0;
        for (uint32_t i = 0; i < sum->node->in_count; i++)
            uses += strchr(sum->operands[i].labels, label) != NULL;
        if (uses == 1 || (uses && isdigit(label))) add_label(sum->result, (char)label);
    }
}

static bool read_equation(Einsum *sum) {
    const char *at = node_string(sum->node, "equation", "");
    int most = 0;
    for (uint32_t i = 0; i < sum->node->in_count; i++) {
        Operand *operand = &sum->operands[i];
        operand->x = sum->node->in[i];
        int rest = operand->x->rank - count_letters(at);
        if (rest > most) most = rest;
        if (!(at = read_labels(at, rest, operand->labels)))
            return node_fail(sum->import, sum->node,
                             "an equation with a diagonal, or with another sign, is not supported");
        if (!take_sizes(sum, operand)) return false;
        if (i + 1 < sum->node->in_count && *at++ != ',')
            return node_fail(sum->import, sum->node, "its equation has too few operands");
    }
    if (!*at) return imply_result(sum), true;
    at = !strncmp(at, "->", 2) ? read_labels(at + 2, most, sum->result) : NULL;
    for (const char *label = sum->result; at && *label; label++)
        if (!sum->dims[(int)*label].size) at = NULL;
    return (at && !*at) ||
           node_fail(sum->import, sum->node, "the result of its equation does not fit");
}

/* -- the products -- */

/* Whether the result, or an operand from `next` on, has the label. */
static bool is_needed(const Einsum *sum, char label, uint32_t next) {
    bool needed = strchr(sum->result, label) != NULL;
    for (uint32_t i = next; i < sum->node->in_count; i++)
        needed |= strchr(sum->operands[i].labels, label) != NULL;
    return needed;
}

/* The operand with its axes in the order of some labels, which are all that it has. */
static Tensor *in_order(const Einsum *sum, const Operand *operand, const char *labels) {
    int order[ONNX_MAX_RANK], rank = operand->x->rank;
    for (int i = 0; i < rank; i++)
        order[i] = (int)(strchr(operand->labels, labels[i]) - operand->labels);
    if (!operand->x->constant) return permuted(sum->import, operand->x, order);
    Tensor *y = tensor_new(sum->import, operand->x->name);
    *y = *transposed(sum->import, operand->x, rank, order);
    y->args = NULL;
    return y;
}

/* One axis for several labels. */
static Dim merged(const Einsum *sum, const char *labels) {
    Dim all = {1, false};
    for (; *labels; labels++) {
        const Dim dim = sum->dims[(int)*labels];
        all.rows |= dim.rows;
        if (__builtin_mul_overflow(all.size, dim.size, &all.size)) all.size = SHAPE_MAX_ELEMENTS;
    }
    return all;
}

static int add_dims(const Einsum *sum, const char *labels, int rank, Dim *dims) {
    for (; *labels; labels++) dims[rank++] = sum->dims[(int)*labels];
    return rank;
}

/* Adds the elements along the axes that nothing else needs. */
static void reduce_operand(const Einsum *sum, Operand *operand, uint32_t next, const char *others) {
    for (int i = operand->x->rank - 1; i >= 0; i--) {
        char label = operand->labels[i];
        int64_t axis = i;
        if (is_needed(sum, label, next) || strchr(others, label)) continue;
        Tensor *y = inner_pipe(sum->import, arena_format(sum->import->arena, "sum(axis = %d)", i),
                               operand->x);
        set_dims(y, reduced_dims(operand->x, &axis, 1, false, y->dims), y->dims);
        y->kind = KIND_REAL;
        operand->x = y;
        memmove(operand->labels + i, operand->labels + i + 1, strlen(operand->labels + i));
    }
}

/* The labels of two operands: those of both that stay or are added up, and those of one. */
typedef struct {
    char both[ONNX_MAX_RANK + 1], added[ONNX_MAX_RANK + 1], left[ONNX_MAX_RANK + 1],
        right[ONNX_MAX_RANK + 1];
} Groups;

static Groups group_labels(const Einsum *sum, const Operand *a, const Operand *b, uint32_t next) {
    Groups groups = {0};
    for (const char *at = a->labels; *at; at++)
        add_label(!strchr(b->labels, *at)     ? groups.left
                  : is_needed(sum, *at, next) ? groups.both
                                              : groups.added,
                  *at);
    for (const char *at = b->labels; *at; at++)
        if (!strchr(a->labels, *at)) add_label(groups.right, *at);
    return groups;
}

static Tensor *arranged(const Einsum *sum, const Operand *operand, const char *first,
                        const char *second, const char *third, int rank, const Dim *dims) {
    const char *labels = arena_format(sum->import->arena, "%s%s%s", first, second, third);
    Tensor *x = in_order(sum, operand, labels);
    Tensor wanted = {.rank = rank};
    set_dims(&wanted, rank, dims);
    if (same_dims(x, &wanted)) return x;
    if (!x->constant) return reshape_to(sum->import, x, rank, dims);
    set_dims(x, rank, dims);
    return x;
}

/* a @ b with the axes `both` in front, or a dense layer. */
static Tensor *product(const Einsum *sum, const Operand *a, const Operand *b,
                       const Groups *groups) {
    Dim dims[ONNX_MAX_RANK + 2];
    int count = add_dims(sum, groups->both, 0, dims);
    const Dim left = merged(sum, groups->left), inside = merged(sum, groups->added),
              right = merged(sum, groups->right);
    memcpy(dims + count, (Dim[]){left, inside}, 2 * sizeof *dims);
    Tensor *x = arranged(sum, a, groups->both, groups->left, groups->added, count + 2, dims);
    bool dense = b->x->constant && b->x->reals && !count && b->x->consumers == 1;
    memcpy(dims + count, dense ? (Dim[]){right, inside} : (Dim[]){inside, right}, 2 * sizeof *dims);
    Tensor *y = dense
                    ? arranged(sum, b, groups->right, groups->added, "", 2, dims)
                    : arranged(sum, b, groups->both, groups->added, groups->right, count + 2, dims);
    if (dense) return make_dense(sum->import, NULL, x, y);
    Tensor *z = inner(sum->import, LEVEL_PRODUCT, "%06 @ %17", 2, (Tensor *[]){x, y});
    memcpy(dims + count, (Dim[]){left, right}, 2 * sizeof *dims);
    set_dims(z, count + 2, dims);
    return z;
}

/* Where nothing is added up, elements are multiplied; both operands have all axes. */
static Tensor *outer_product(const Einsum *sum, const Operand *a, const Operand *b,
                             const Groups *groups) {
    Dim dims[2 * ONNX_MAX_RANK];
    int count = add_dims(sum, groups->both, 0, dims), ones = (int)strlen(groups->right);
    int rank = add_dims(sum, groups->left, count, dims);
    for (int i = 0; i < ones; i++) dims[rank + i] = (Dim){1, false};
    Tensor *x = arranged(sum, a, groups->both, groups->left, "", rank + ones, dims);
    for (int i = count; i < rank; i++) dims[i] = (Dim){1, false};
    rank = add_dims(sum, groups->right, rank, dims);
    Tensor *y = arranged(sum, b, groups->both, groups->right, "", rank, dims);
    Tensor *z = inner(sum->import, LEVEL_PRODUCT, "%06 * %17", 2, (Tensor *[]){x, y});
    add_dims(sum, groups->left, count, dims);
    set_dims(z, rank, dims);
    return z;
}

/* Joins operand b to a; the operands from `next` on come later. */
static bool join(const Einsum *sum, Operand *a, Operand b, uint32_t next) {
    reduce_operand(sum, a, next, b.labels);
    reduce_operand(sum, &b, next, a->labels);
    if (a->x->constant && !b.x->constant) { /* weights stand on the right */
        Operand first = *a;
        *a = b;
        b = first;
    }
    const Groups groups = group_labels(sum, a, &b, next);
    const char *labels =
        arena_format(sum->import->arena, "%s%s%s", groups.both, groups.left, groups.right);
    int rank = (int)strlen(labels), matrices = (int)strlen(groups.both) + 2;
    bool mixes = merged(sum, groups.added).rows || rank > SHAPE_MAX_RANK;
    if (mixes || (*groups.added && matrices > SHAPE_MAX_RANK))
        return node_fail(sum->import, sum->node,
                         mixes && rank <= SHAPE_MAX_RANK ? "it adds over the rows of the batch"
                                                         : "its product has too many axes");
    Dim dims[ONNX_MAX_RANK];
    Tensor *y = *groups.added ? product(sum, a, &b, &groups) : outer_product(sum, a, &b, &groups);
    add_dims(sum, labels, 0, dims);
    *a = (Operand){.x = y};
    bool matrix = strlen(groups.left) == 1 && strlen(groups.right) == 1;
    if (*groups.added && !matrix) a->x = reshape_to(sum->import, y, rank, dims);
    memcpy(a->labels, labels, (size_t)rank + 1);
    return true;
}

bool op_einsum(Import *import, OpNode *node) {
    Einsum sum = {.import = import, .node = node};
    if (node->in_count > MAX_OPERANDS)
        return node_fail(import, node, "it has %u operands; at most %d are supported",
                         node->in_count, MAX_OPERANDS);
    if (!read_equation(&sum)) return false;
    Operand *all = &sum.operands[0];
    for (uint32_t i = 1; i < node->in_count; i++)
        if (!join(&sum, all, sum.operands[i], i + 1)) return false;
    for (const char *label = all->labels; *label; label++)
        if (!strchr(sum.result, *label) && sum.dims[(int)*label].rows)
            return node_fail(import, node, "it adds over the rows of the batch");
    reduce_operand(&sum, all, node->in_count, "");
    make_same(import, node, 0, in_order(&sum, all, sum.result));
    return true;
}
