/* Prints a plan as text: the kernels of a step in order, and the memory that it takes. */
#include "ir/plan/plan.h"

#include <inttypes.h>
#include <stdlib.h>

typedef struct {
    const Plan *plan;
    const Graph *graph;
    FILE *out;
    uint32_t *inside; /* [node]: 1 + the last kernel that computes it */
    uint32_t *read;   /* [node]: 1 + the last kernel that reads it */
    /* [node]: 1 + the kernel that stores it in the slab, 1 + the last one that reads it there */
    uint32_t *first, *last;
} Printer;

const char *const kernel_names[KERNEL_KINDS] = {"map",      "reduce", "row", "scan",
                                                "winograd", "matmul", "gemm"};

static bool is_product(const Kernel *kernel) {
    return kernel->kind == KERNEL_MATMUL || kernel->kind == KERNEL_GEMM;
}

/* -- storage -- */

static void print_layout(Layout layout, FILE *out) {
    if (layout.kind == LAYOUT_PANEL)
        fprintf(out, " in panel(%d, %d%s)", layout.axis, layout.width, layout.fours ? ", 4" : "");
}

static void print_storage(const Printer *printer, Storage storage) {
    const Graph *graph = printer->graph;
    FILE *out = printer->out;
    switch (storage.kind) {
    case STORAGE_NONE: fputs("registers", out); break;
    case STORAGE_TABLE: fputs("table", out); break;
    case STORAGE_SLAB:
        fputs(storage.replicated ? "thread slab" : "slab", out);
        if (storage.offset != PLAN_UNPLACED) fprintf(out, "+%zu", storage.offset);
        break;
    case STORAGE_STATE:
        fprintf(out, "state %s", graph->symbols[printer->plan->states[storage.index].symbol].name);
        break;
    case STORAGE_INPUT: fprintf(out, "input %s", graph->symbols[storage.index].name); break;
    case STORAGE_OUTPUT: fprintf(out, "output %s", graph->outputs[storage.index].name); break;
    }
    print_layout(storage.layout, out);
}

/* "%12 in slab+128", or only the name where the storage has one */
static void print_value(const Printer *printer, NodeId id, Storage storage) {
    if (storage.kind == STORAGE_SLAB) fprintf(printer->out, "%%%u in ", id);
    print_storage(printer, storage);
}

/* -- kernels -- */

/* The model's line that the kernel's root, or its last node, comes from. */
static void print_place(const Printer *printer, const Kernel *kernel) {
    NodeId id = kernel->root;
    if (!id && kernel->node_count) id = kernel->nodes[kernel->node_count - 1];
    const char *name;
    uint32_t line, column;
    if (id && diag_locate(printer->graph->diag, graph_node(printer->graph, id)->span, &name, &line,
                          &column))
        fprintf(printer->out, ", from line %u", line);
}

static void print_head(const Printer *printer, uint32_t number) {
    const Kernel *kernel = &printer->plan->kernels[number];
    FILE *out = printer->out;
    if (kernel->barrier_before) fputs("# -- barrier --\n", out);
    fprintf(out, "# k%u %s ", number, kernel_names[kernel->kind]);
    Shape shape = kernel->space;
    fputc('[', out);
    for (int i = 0; i < shape.rank; i++) fprintf(out, "%s%" PRId64, i ? "," : "", shape.dim[i]);
    fputc(']', out);
    if (kernel->product.swapped) fputs(" swapped", out);
    if (kernel->product.skips_zeros) fputs(" skips zeros", out);
    if (kernel->by_rows) fputs(" by rows", out);
    if (kernel->replicated) fputs(", on every thread", out);
    if (kernel->max_threads == 1 && !kernel->replicated) fputs(", 1 thread", out);
    if (kernel->max_threads > 1) fprintf(out, ", %u threads", kernel->max_threads);
    if (kernel->max_threads > 1 && kernel->pieces > 1)
        fprintf(out, ", %u pieces each", kernel->pieces);
    print_place(printer, kernel);
    fputc('\n', out);
}

static void print_read(Printer *printer, uint32_t number, NodeId id, bool *any) {
    const Storage *storage = &printer->plan->storage[id];
    if (printer->inside[id] == number + 1 || printer->read[id] == number + 1 ||
        storage->kind == STORAGE_NONE)
        return;
    printer->read[id] = number + 1;
    fputs(*any ? ", " : "#    reads  ", printer->out);
    *any = true;
    print_value(printer, id, *storage);
}

static void print_reads(Printer *printer, uint32_t number) {
    const Kernel *kernel = &printer->plan->kernels[number];
    bool any = false;
    for (uint32_t i = 0; i < kernel->node_count; i++)
        printer->inside[kernel->nodes[i]] = number + 1;
    for (uint32_t i = 0; i < kernel->node_count; i++) {
        const Node *node = graph_node(printer->graph, kernel->nodes[i]);
        bool product = is_product(kernel) && kernel->nodes[i] == kernel->root;
        for (uint32_t k = 0; !product && k < node->operand_count; k++)
            print_read(printer, number, node->operands[k], &any);
    }
    for (uint32_t i = 0; i < kernel->store_count; i++)
        print_read(printer, number, kernel->stores[i].node, &any);
    if (any) fputc('\n', printer->out);
}

static void print_operands(const Printer *printer, const Kernel *kernel) {
    const Node *root = graph_node(printer->graph, kernel->root);
    fputs("#    left   ", printer->out);
    if (kernel->product.windows) {
        char shape[SHAPE_TEXT];
        fprintf(printer->out, "windows %s of ",
                shape_text(DTYPE_F32, graph_node(printer->graph, kernel->product.windows)->shape,
                           shape));
    }
    print_value(printer, kernel_operand(printer->plan, kernel, 0), kernel->product.left);
    fputs("\n#    right  ", printer->out);
    print_value(printer, root->operands[1], kernel->product.right);
    fputc('\n', printer->out);
}

static void print_kernel(Printer *printer, uint32_t number) {
    const Kernel *kernel = &printer->plan->kernels[number];
    print_head(printer, number);
    /* "%5 convert, %7 div", broken into lines */
    enum { PER_LINE = 8 };
    for (uint32_t i = 0; i < kernel->node_count; i++) {
        fputs(i == 0 ? "#    nodes  " : i % PER_LINE ? ", " : ",\n#           ", printer->out);
        fprintf(printer->out, "%%%u %s", kernel->nodes[i],
                op_name(graph_node(printer->graph, kernel->nodes[i])->op));
    }
    if (kernel->node_count) fputc('\n', printer->out);
    if (is_product(kernel)) print_operands(printer, kernel);
    print_reads(printer, number);
    for (uint32_t i = 0; i < kernel->store_count; i++) {
        fprintf(printer->out, "#    store  %%%u to ", kernel->stores[i].node);
        print_storage(printer, kernel->stores[i].to);
        fputc('\n', printer->out);
    }
}

/* -- memory -- */

static size_t state_bytes(const Plan *plan, uint32_t index) {
    const Symbol *symbol = &plan->graph->symbols[plan->states[index].symbol];
    return layout_bytes(plan->states[index].layout, symbol->dtype, symbol->shape);
}

static void note_read(Printer *printer, uint32_t number, NodeId id) {
    /* a reshape has the buffer of its operand */
    while (!printer->first[id] && graph_node(printer->graph, id)->op == OP_reshape)
        id = graph_node(printer->graph, id)->operands[0];
    if (printer->first[id]) printer->last[id] = number + 1;
}

/* Finds which kernel stores each value in the slab, and which reads it last. */
static void note_lives(Printer *printer) {
    const Plan *plan = printer->plan;
    for (uint32_t k = 0; k < plan->kernel_count; k++)
        for (uint32_t i = 0; i < plan->kernels[k].store_count; i++)
            if (plan->kernels[k].stores[i].to.kind == STORAGE_SLAB)
                printer->first[plan->kernels[k].stores[i].node] = k + 1;
    for (uint32_t k = 0; k < plan->kernel_count; k++) {
        const Kernel *kernel = &plan->kernels[k];
        for (uint32_t i = 0; i < kernel->store_count; i++)
            note_read(printer, k, kernel->stores[i].node);
        for (uint32_t i = 0; i < kernel->node_count; i++) {
            const Node *node = graph_node(printer->graph, kernel->nodes[i]);
            for (uint32_t n = 0; n < node->operand_count; n++)
                note_read(printer, k, node->operands[n]);
        }
    }
}

static void print_slab(Printer *printer) {
    const Plan *plan = printer->plan;
    fprintf(printer->out, "# slab: %zu bytes", plan->slab_bytes);
    if (plan->thread_slab_bytes)
        fprintf(printer->out, ", and for each thread: %zu bytes", plan->thread_slab_bytes);
    fputc('\n', printer->out);
    for (uint32_t k = 0; k < plan->kernel_count; k++)
        for (uint32_t i = 0; i < plan->kernels[k].store_count; i++)
            if (plan->kernels[k].stores[i].to.kind == STORAGE_SLAB) {
                const Store *store = &plan->kernels[k].stores[i];
                const Node *node = graph_node(printer->graph, store->node);
                char text[SHAPE_TEXT];
                fprintf(printer->out, "#    %%%u %s %s in ", store->node, op_name(node->op),
                        shape_text(node->dtype, node->shape, text));
                print_storage(printer, store->to);
                fprintf(printer->out, ", k%u to k%u, %zu bytes\n", k,
                        printer->last[store->node] - 1,
                        layout_bytes(store->to.layout, node->dtype, node->shape));
            }
}

static void print_states(const Printer *printer) {
    const Plan *plan = printer->plan;
    size_t bytes = 0;
    for (uint32_t i = 0; i < plan->state_count; i++) bytes += state_bytes(plan, i);
    fprintf(printer->out, "# states: %zu bytes\n", bytes);
    for (uint32_t i = 0; i < plan->state_count; i++) {
        const PlanState *state = &printer->plan->states[i];
        const Symbol *symbol = &printer->graph->symbols[state->symbol];
        char text[SHAPE_TEXT];
        bool copy = i > 0 && printer->plan->states[i - 1].symbol == state->symbol;
        fprintf(printer->out, "#    %s%s %s", symbol->name, copy ? ", a copy," : "",
                shape_text(symbol->dtype, symbol->shape, text));
        print_layout(state->layout, printer->out);
        fprintf(printer->out, ", %zu bytes\n", state_bytes(printer->plan, i));
    }
}

void plan_print(const Plan *plan, FILE *out) {
    Arena *arena = arena_new();
    uint32_t nodes = plan->graph->node_count;
    Printer printer = {plan,
                       plan->graph,
                       out,
                       ARENA_ARRAY(arena, uint32_t, nodes),
                       ARENA_ARRAY(arena, uint32_t, nodes),
                       ARENA_ARRAY(arena, uint32_t, nodes),
                       ARENA_ARRAY(arena, uint32_t, nodes)};
    note_lives(&printer);
    uint32_t barriers = 0;
    for (uint32_t k = 0; k < plan->kernel_count; k++) barriers += plan->kernels[k].barrier_before;
    fprintf(out, "# plan of %s: %u kernels, %u barriers\n", plan->graph->name, plan->kernel_count,
            barriers);
    for (uint32_t k = 0; k < plan->kernel_count; k++) print_kernel(&printer, k);
    print_states(&printer);
    print_slab(&printer);
    fprintf(out, "# outputs: %zu bytes\n", plan->output_bytes);
    arena_free(arena);
}
