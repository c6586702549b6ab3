/* The stock of data and programs: see stock.h. */
#include "engine/build/stock.h"
#include "ir/base/memory.h"

#include <stdlib.h>
#include <string.h>

void stock_open(Stock *stock) { *stock = (Stock){.data = data_cache_shared_new()}; }

void stock_close(Stock *stock) {
    for (uint32_t i = 0; i < stock->count; i++) program_free(stock->programs[i]);
    data_cache_free(stock->data);
    *stock = (Stock){0};
}

Program *stock_program(const Stock *stock, Compilation *compilation) {
    for (uint32_t i = 0; i < stock->count; i++) {
        Program *program = codegen_share(stock->programs[i], compilation->plan, compilation->graph);
        if (!program) continue;
        *compilation = (Compilation){0};
        return program;
    }
    return NULL;
}

void stock_loosen(const Stock *stock, GraphKind kind, uint32_t batch, const Plan *plan) {
    size_t nodes = plan->graph->node_count;
    bool *differs = memory_array(nodes, sizeof *differs, "the constants of a plan");
    for (uint32_t i = 0; i < stock->other_count; i++) {
        Compilation other;
        memset(differs, false, nodes * sizeof *differs);
        if (!build_compilation(&stock->others[i], kind, batch, PASS_COUNT - 1, &other)) continue;
        if (plan_same_code(plan, other.plan, differs))
            for (NodeId id = 1; id < plan->graph->node_count; id++)
                if (differs[id]) plan->storage[id].kind = STORAGE_TABLE;
        compilation_free(&other);
    }
    free(differs);
}

void stock_put(Stock *stock, Program *program) {
    if (stock->count == STOCK_PROGRAMS) {
        program_free(stock->programs[0]);
        stock->count--;
        memmove(stock->programs, stock->programs + 1, stock->count * sizeof *stock->programs);
    }
    stock->programs[stock->count++] = program;
}
