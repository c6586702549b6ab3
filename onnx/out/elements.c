/* Writes the results of operations on elements. */
#include "onnx/out/elements.h"

const char *element_operand(const Out *out, const Form *form, uint32_t i) {
    return value_of(out, form->operands[i])->name;
}

OutValue element_spread(const Out *out, const Form *form) {
    OutValue all = {0};
    for (uint32_t i = 0; i < form->count; i++)
        if (value_of(out, form->operands[i])->rank > all.rank)
            all.rank = value_of(out, form->operands[i])->rank;
    for (int axis = 0; axis < all.rank; axis++) all.sizes.size[axis].size = 1;
    for (uint32_t i = 0; i < form->count; i++) {
        const OutValue *value = value_of(out, form->operands[i]);
        int shift = all.rank - value->rank;
        for (int axis = 0; axis < value->rank; axis++)
            if (!size_is_one(value->sizes.size[axis]))
                all.sizes.size[axis + shift] = value->sizes.size[axis];
    }
    return all;
}

const char *element_name(Out *out, NodeId id, const OutValue *value, const char *op) {
    bool full = value->rank == graph_node(out->graph, id)->shape.rank;
    for (int axis = 0; full && axis < value->rank; axis++)
        full = size_equal(value->sizes.size[axis], out->sizes[id].size[axis]);
    return full ? value_name(out, id, op) : NULL;
}

bool element_result(Out *out, NodeId id, const Form *form, const char *op, const char *a,
                    const char *b) {
    OutValue value = element_spread(out, form);
    value.name = put_call(out, element_name(out, id, &value, op), op, b ? 2 : 1, a, b);
    out->values[id] = value;
    return true;
}

bool element_where(Out *out, NodeId id, const Form *form, const char *condition, const char *a,
                   const char *b) {
    OutValue value = element_spread(out, form);
    value.name = put_call(out, element_name(out, id, &value, "Where"), "Where", 3, condition, a, b);
    out->values[id] = value;
    return true;
}

bool element_cast(Out *out, NodeId id, const Form *form, const char *name, OnnxType type) {
    OutValue value = element_spread(out, form);
    value.name = put_cast(out, element_name(out, id, &value, "Cast"), name, type);
    out->values[id] = value;
    return true;
}
