/* The layout pass: chooses how matrix states are stored, so that products read them fast. A product
 * reads 32 columns of one operand at a time, which must be contiguous. The values that it loads and
 * stores for its tile should be contiguous too.
 *
 * A tile can run along either axis of the product, and a state can be stored in several forms. This
 * pass chooses both. */
#include "passes/plan/layout.h"
#include "passes/pass_list.h"
#include "passes/plan/planning.h"

/* What running the tile along an axis costs, the most expensive first. */
typedef struct {
    /* the columns of the operand are not contiguous, and it is not a state, which could be stored
     * in another form */
    bool scattered;
    bool new_form;    /* a state needs one more form */
    uint32_t traffic; /* values of the tile that are read or written across the columns */
} AxisCost;

/* The axis, within the last two, of the operand along which the product's columns run. */
static int column_axis(const Attrs *attrs, bool swapped) {
    if (swapped) return attrs->matmul.transpose_a ? 1 : 0;
    return attrs->matmul.transpose_b ? 0 : 1;
}

/* Whether the contiguous axis of a layout is not that of the tile's columns. These run along axis 0
 * of the product if swapped, otherwise along axis 1. */
static bool runs_across(Layout layout, bool swapped) {
    int contiguous = layout.kind == LAYOUT_PANEL ? layout.axis : 1;
    return contiguous != (swapped ? 0 : 1);
}

static Layout layout_of(const Forms *forms, const Storage *storage) {
    return storage->kind == STORAGE_STATE ? forms->primary[storage->index] : (Layout){0};
}

/* Loads across the columns: operands of the nodes after the product that have its shape and are in
 * memory. A value that is read twice counts twice. */
static uint32_t load_traffic(const Forms *forms, const Kernel *kernel, bool swapped) {
    const Plan *plan = forms->plan;
    uint32_t count = 0;
    for (uint32_t i = 0; i < kernel->node_count; i++) {
        const Node *node = graph_node(plan->graph, kernel->nodes[i]);
        for (uint32_t k = 0; kernel->nodes[i] != kernel->root && k < node->operand_count; k++) {
            const Storage *storage = &plan->storage[node->operands[k]];
            bool in_memory = storage->kind == STORAGE_SLAB || storage->kind == STORAGE_STATE;
            if (!in_memory ||
                !shape_equal(graph_operand(plan->graph, node, k)->shape, kernel->space))
                continue;
            count += runs_across(layout_of(forms, storage), swapped);
        }
    }
    return count;
}

static bool has_form(const Forms *forms, uint32_t state, int axis) {
    const Layout *primary = &forms->primary[state];
    return (primary->kind == LAYOUT_PANEL && primary->axis == axis) || forms->extra[state][axis];
}

static AxisCost axis_cost(const Forms *forms, const Kernel *kernel, bool swapped) {
    uint32_t traffic = load_traffic(forms, kernel, swapped);
    for (uint32_t i = 0; i < kernel->store_count; i++)
        traffic += runs_across(layout_of(forms, &kernel->stores[i].to), swapped);
    int axis = column_axis(&graph_node(forms->plan->graph, kernel->root)->attrs, swapped);
    const Storage *state =
        matrix_state(forms->plan, swapped ? &kernel->product.left : &kernel->product.right);
    return (AxisCost){
        .scattered = !state && axis == 0,
        .new_form = state && !has_form(forms, state->index, axis),
        .traffic = traffic,
    };
}

static bool costs_less(AxisCost a, AxisCost b) {
    if (a.scattered != b.scattered) return b.scattered;
    if (a.new_form != b.new_form) return b.new_form;
    return a.traffic < b.traffic;
}

/* Without vectors, elements may lie anywhere. So products read the one form of a state. */
static void read_primary(const Forms *forms, Storage *operand) {
    if (matrix_state(forms->plan, operand)) operand->layout = forms->primary[operand->index];
}

/* Chooses the axis along which the columns of a tile run. A state that is read along them is read
 * in panels. */
static void choose_tile(Forms *forms, Kernel *kernel) {
    if (forms->no_vectors) {
        read_primary(forms, &kernel->product.left);
        read_primary(forms, &kernel->product.right);
        return;
    }
    if (kernel->product.windows) {
        /* The tile can run along images or windows only if these are neighbours in memory. */
        const Graph *graph = forms->plan->graph;
        const Node *windows = graph_node(graph, kernel->product.windows);
        WindowsImage image = windows_image(graph, windows);
        kernel->product.swapped =
            image.images_adjoin ||
            (image.pixel == 1 &&
             product_runs_along_windows(graph, graph_node(graph, kernel->root), windows));
    } else
        kernel->product.swapped =
            costs_less(axis_cost(forms, kernel, true), axis_cost(forms, kernel, false));
    Storage *operand = kernel->product.swapped ? &kernel->product.left : &kernel->product.right;
    if (!matrix_state(forms->plan, operand)) return;
    int axis =
        column_axis(&graph_node(forms->plan->graph, kernel->root)->attrs, kernel->product.swapped);
    if (!has_form(forms, operand->index, axis)) forms->extra[operand->index][axis] = true;
    const Plan *plan = forms->plan;
    operand->layout =
        panel_layout(forms, &plan->graph->symbols[plan->states[operand->index].symbol], axis);
}

bool pass_layout(Compilation *compilation, const PassOptions *options) {
    if (options->external_gemm) return true; /* OpenBLAS reads plain matrices */
    Arena *arena = arena_new();
    Plan *plan = compilation->plan;
    Forms forms = {plan, arena, options->no_vectors, ARENA_ARRAY(arena, Layout, plan->state_count),
                   arena_alloc(arena, 2 * plan->state_count + 1)};
    forms_choose_primary(&forms);
    for (uint32_t k = 0; k < plan->kernel_count; k++)
        if (plan->kernels[k].kind == KERNEL_MATMUL) choose_tile(&forms, &plan->kernels[k]);
    forms_apply(&forms);
    arena_free(arena);
    return true;
}
