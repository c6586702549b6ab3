/* Chooses the primary layout of each state by its first use, and writes all forms of states into
 * the plan. */
#include "passes/plan/layout.h"

#include "ir/base/integers.h"

enum { PANEL_WIDTH = 32, NARROW_PANEL_WIDTH = 16 };

Layout panel_layout(const Forms *forms, const Symbol *symbol, int axis) {
    int64_t size = symbol->shape.dim[axis];
    bool narrow = forms->no_vectors;
    uint16_t width = size <= NARROW_PANEL_WIDTH ? NARROW_PANEL_WIDTH : PANEL_WIDTH;
    /* as few panels as possible, all equally wide: there is little padding */
    if (narrow) width = (uint16_t)divide_up(size, divide_up(size, PLAN_COLUMNS));
    bool bytes = narrow && symbol->dtype != DTYPE_F32;
    if (bytes) width = PLAN_BYTE_COLUMNS;
    return (Layout){LAYOUT_PANEL, (uint8_t)axis, width, .fours = bytes};
}

static const Symbol *state_symbol(const Plan *plan, uint32_t state) {
    return &plan->graph->symbols[plan->states[state].symbol];
}

const Storage *matrix_state(const Plan *plan, const Storage *operand) {
    if (operand->kind != STORAGE_STATE) return NULL;
    const Symbol *symbol = state_symbol(plan, operand->index);
    bool multiplied = symbol->dtype == DTYPE_F32 || symbol->dtype == DTYPE_I8;
    return symbol->shape.rank == 2 && multiplied ? operand : NULL;
}

/* -- the primary layout -- */

/* Decides the layout of the state that is the operand, unless an earlier use has decided it. axis <
 * 0: plain. */
static void decide(Forms *forms, bool *decided, const Storage *operand, int axis) {
    if (!operand || decided[operand->index]) return;
    decided[operand->index] = true;
    if (axis >= 0)
        forms->primary[operand->index] =
            panel_layout(forms, state_symbol(forms->plan, operand->index), axis);
}

/* The moments of a weight: states that no product reads and that are updated together with it. */
static void decide_by_weight(Forms *forms, bool *decided, const Kernel *kernel) {
    const Storage *panels = NULL;
    for (uint32_t i = 0; i < kernel->store_count && !panels; i++) {
        const Storage *to = &kernel->stores[i].to;
        if (to->kind == STORAGE_STATE && forms->primary[to->index].kind == LAYOUT_PANEL)
            panels = to;
    }
    if (!panels) return;
    uint32_t weight = panels->index;
    Shape shape = state_symbol(forms->plan, weight)->shape;
    for (uint32_t i = 0; i < kernel->store_count; i++) {
        const Storage *to = matrix_state(forms->plan, &kernel->stores[i].to);
        if (to && shape_equal(state_symbol(forms->plan, to->index)->shape, shape))
            decide(forms, decided, to, forms->primary[weight].axis);
    }
}

void forms_choose_primary(Forms *forms) {
    const Plan *plan = forms->plan;
    bool *decided = ARENA_ARRAY(forms->arena, bool, plan->state_count);
    for (uint32_t k = 0; k < plan->kernel_count; k++) {
        const Kernel *kernel = &plan->kernels[k];
        if (kernel->kind != KERNEL_MATMUL) continue;
        /* the columns run along the operand that is a state; if both are, along the right one */
        const Attrs *attrs = &graph_node(plan->graph, kernel->root)->attrs;
        const Storage *left = matrix_state(plan, &kernel->product.left),
                      *right = matrix_state(plan, &kernel->product.right);
        decide(forms, decided, right, attrs->matmul.transpose_b ? 0 : 1);
        decide(forms, decided, left, right ? -1 : attrs->matmul.transpose_a ? 1 : 0);
    }
    for (uint32_t k = 0; k < plan->kernel_count; k++)
        decide_by_weight(forms, decided, &plan->kernels[k]);
}

/* -- writing the forms into the plan -- */

static uint32_t count_extra(const Forms *forms, uint32_t state) {
    return forms->extra[state][0] + forms->extra[state][1];
}

/* Each state's primary form, followed by its copies. first[state]: the new index of its primary
 * form. */
static void write_states(Forms *forms, uint32_t *first) {
    Plan *plan = forms->plan;
    uint32_t count = 0;
    PlanState *states = ARENA_ARRAY(plan->arena, PlanState, 3 * plan->state_count);
    for (uint32_t s = 0; s < plan->state_count; s++) {
        uint32_t symbol = plan->states[s].symbol;
        first[s] = count;
        states[count++] = (PlanState){symbol, forms->primary[s]};
        for (int axis = 0; axis < 2; axis++)
            if (forms->extra[s][axis])
                states[count++] =
                    (PlanState){symbol, panel_layout(forms, &plan->graph->symbols[symbol], axis)};
    }
    first[plan->state_count] = count;
    plan->states = states;
    plan->state_count = count;
}

/* Points a storage at the primary form, or at the one in the layout it asks for. */
static void renumber(const Plan *plan, const uint32_t *first, Storage *storage) {
    if (storage->kind != STORAGE_STATE) return;
    uint32_t form = first[storage->index];
    if (storage->layout.kind == LAYOUT_PANEL)
        while (!layout_equal(plan->states[form].layout, storage->layout)) form++;
    storage->index = form;
    storage->layout = plan->states[form].layout;
}

static uint32_t count_stores(const Forms *forms, const Kernel *kernel) {
    uint32_t count = kernel->store_count;
    for (uint32_t i = 0; i < kernel->store_count; i++)
        if (kernel->stores[i].to.kind == STORAGE_STATE)
            count += count_extra(forms, kernel->stores[i].to.index);
    return count;
}

/* An update stores all forms of its state. */
static void write_stores(const Forms *forms, const uint32_t *first, Kernel *kernel) {
    const Plan *plan = forms->plan;
    Store *stores = ARENA_ARRAY(plan->arena, Store, count_stores(forms, kernel));
    uint32_t count = 0;
    for (uint32_t i = 0; i < kernel->store_count; i++) {
        Store store = kernel->stores[i];
        uint32_t extra = store.to.kind == STORAGE_STATE ? count_extra(forms, store.to.index) : 0;
        renumber(plan, first, &store.to);
        stores[count++] = store;
        for (uint32_t form = 0; form < extra; form++) {
            store.to.layout = plan->states[++store.to.index].layout;
            stores[count++] = store;
        }
    }
    kernel->stores = stores;
    kernel->store_count = count;
}

void forms_apply(Forms *forms) {
    Plan *plan = forms->plan;
    uint32_t *first = ARENA_ARRAY(forms->arena, uint32_t, plan->state_count + 1);
    write_states(forms, first);
    for (NodeId id = 1; id < plan->graph->node_count; id++)
        renumber(plan, first, &plan->storage[id]);
    for (uint32_t k = 0; k < plan->kernel_count; k++) {
        Kernel *kernel = &plan->kernels[k];
        renumber(plan, first, &kernel->product.left);
        renumber(plan, first, &kernel->product.right);
        write_stores(forms, first, kernel);
    }
}
