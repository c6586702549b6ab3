#include "codegen/cuda/ptx.h"
#include "ir/base/memory.h"
#include "tests/ptx/ptx_code.h"

#include <stdlib.h>
#include <string.h>

/* What a program owns. */
typedef struct {
    Plan *plan;
    Graph *graph;
    PtxCode *code;
    PtxSetting setting;
    size_t *output_offsets;
    char error[PTX_ERROR];
} PtxProgram;

/* -- the text -- */

/* Frees the text and returns another one. A change that finds nothing ends the test. */
static char *mutate(char *text, const PtxMutation *mutation) {
    MemoryStream stream;
    int number = 0, changed = 0, wanted = mutation->number;
    size_t length = strlen(mutation->from);
    const char *at = text, *found;
    for (const char *look = text; wanted < 0 && (look = strstr(look, mutation->from));
         look += length)
        number++;
    if (wanted < 0) wanted += number + 1;
    number = 0;
    memory_stream_begin(&stream);
    for (; (found = strstr(at, mutation->from)); at = found + length) {
        bool here = wanted == 0 || ++number == wanted;
        fprintf(stream.out, "%.*s%s", (int)(found - at), at, here ? mutation->to : mutation->from);
        changed += here;
    }
    fputs(at, stream.out);
    free(text);
    if (!changed) abort();
    return memory_stream_end(&stream);
}

/* malloc'ed; NULL after reporting why. */
static char *text_of(const Plan *plan, const PtxSetting *setting, Diagnostics *diag) {
    PtxModule ptx;
    LLVMMemoryBufferRef buffer = NULL;
    const char *gpu = setting->gpu ? setting->gpu : "sm_80";
    if (ptx_open(&ptx, plan, &(CodegenOptions){.level = setting->level, .gpu = gpu}, diag))
        buffer = ptx_text(&ptx, diag);
    char *text = buffer ? strdup(LLVMGetBufferStart(buffer)) : NULL;
    for (int i = 0; text && i < PTX_MUTATIONS && setting->mutations[i].from; i++)
        text = mutate(text, &setting->mutations[i]);
    if (buffer) LLVMDisposeMemoryBuffer(buffer);
    ptx_close(&ptx);
    return text;
}

/* -- the memory -- */

typedef struct {
    PtxRange *ranges;
    uint32_t count;
} Ranges;

static void add_range(Ranges *ranges, void *first, size_t bytes, bool writable, bool filled) {
    ranges->ranges[ranges->count++] = (PtxRange){first, bytes, writable, filled};
}

static void add_inputs(Ranges *ranges, const PtxProgram *p, const StepArgs *args) {
    for (uint32_t i = 0; i < p->graph->symbol_count; i++) {
        const Symbol *symbol = &p->graph->symbols[i];
        if (symbol->kind == SYMBOL_STATE || !args->inputs[i]) continue;
        int64_t elements = shape_elements(symbol->shape);
        if (symbol->kind == SYMBOL_BATCH)
            elements = elements / symbol->shape.dim[0] * p->setting.data_rows;
        add_range(ranges, (void *)(uintptr_t)args->inputs[i],
                  (size_t)elements * dtype_bytes(symbol->dtype), false, true);
    }
}

static int64_t batch_of(const Graph *graph) {
    int64_t batch = 0;
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].kind == SYMBOL_BATCH) batch = graph->symbols[i].shape.dim[0];
    return batch;
}

static Ranges ranges_of(const PtxProgram *p, StepArgs *args) {
    const Plan *plan = p->plan;
    Ranges ranges = {calloc(plan->state_count + p->graph->symbol_count + 8, sizeof(PtxRange)), 0};
    add_range(&ranges, args, sizeof *args, false, true);
    add_range(&ranges, args->slab, plan->slab_bytes, true, false);
    add_range(&ranges, args->thread_slab, plan->thread_slab_bytes, true, false);
    add_range(&ranges, args->outputs, plan->output_bytes, true, false);
    add_range(&ranges, (void *)(uintptr_t)args->states, plan->state_count * sizeof(void *), false,
              true);
    add_range(&ranges, (void *)(uintptr_t)args->inputs, p->graph->symbol_count * sizeof(void *),
              false, true);
    add_range(&ranges, (void *)(uintptr_t)args->rows, (size_t)batch_of(p->graph) * sizeof(int32_t),
              false, true);
    for (uint32_t i = 0; i < plan->state_count; i++) {
        const Symbol *symbol = &p->graph->symbols[plan->states[i].symbol];
        add_range(&ranges, args->states[i],
                  layout_bytes(plan->states[i].layout, symbol->dtype, symbol->shape), true, true);
    }
    add_inputs(&ranges, p, args);
    return ranges;
}

/* -- the program -- */

static void run(const Program *program, const StepArgs *given, uint32_t kernel, int64_t first,
                int64_t last) {
    PtxProgram *p = program->context;
    StepArgs args = *given;
    (void)kernel, (void)first, (void)last;
    if (*p->error) return;
    args.slab = malloc(p->plan->slab_bytes + 1);
    args.thread_slab = malloc(p->plan->thread_slab_bytes + 1);
    Ranges ranges = ranges_of(p, &args);
    uint32_t arrivals = 0xfffffffe; /* the counter passes 2^32 */
    PtxLaunch launch = {.blocks = p->setting.blocks,
                        .seed = p->setting.seed++,
                        .ranges = ranges.ranges,
                        .range_count = ranges.count,
                        .requests = p->setting.requests};
    uint64_t values[PTX_ARGUMENTS] = {(uintptr_t)&args, 1, (uintptr_t)&arrivals, arrivals};
    ptx_run(p->code, &launch, values, p->error);
    free(ranges.ranges);
    free(args.slab);
    free(args.thread_slab);
}

static void ptx_program_destroy(Program *program) {
    PtxProgram *p = program->context;
    ptx_code_free(p->code);
    plan_free(p->plan);
    graph_free(p->graph);
    free(p->output_offsets);
    free(p);
    free(program);
}

static Program *program_of(PtxProgram *p) {
    static const ProgramKernel whole = {.units = 1, .threads = 1, .pieces = 1};
    Program *program = calloc(1, sizeof *program);
    p->output_offsets = calloc(p->graph->output_count + 1, sizeof *p->output_offsets);
    for (uint32_t k = 0; k < p->plan->kernel_count; k++)
        for (uint32_t i = 0; i < p->plan->kernels[k].store_count; i++) {
            Storage to = p->plan->kernels[k].stores[i].to;
            if (to.kind == STORAGE_OUTPUT) p->output_offsets[to.index] = to.offset;
        }
    *program = (Program){.graph = p->graph,
                         .states = p->plan->states,
                         .state_count = p->plan->state_count,
                         .output_bytes = p->plan->output_bytes,
                         .output_offsets = p->output_offsets,
                         .kernels = &whole,
                         .kernel_count = 1,
                         .run = run,
                         .destroy = ptx_program_destroy,
                         .context = p};
    return program;
}

Program *ptx_program(Plan *plan, Graph *graph, const PtxSetting *setting, Diagnostics *diag) {
    PtxProgram *p = calloc(1, sizeof *p);
    *p = (PtxProgram){.plan = plan, .graph = graph, .setting = *setting};
    char *text = text_of(plan, setting, diag);
    if (text) p->code = ptx_read(text, p->error);
    if (text && !p->code) diag_error(diag, STATUS_BUG, (Span){0}, "PTX: %s", p->error);
    free(text);
    Program *program = program_of(p);
    if (p->code) return program;
    program_free(program);
    return NULL;
}

const char *ptx_program_error(const Program *program) {
    return ((const PtxProgram *)program->context)->error;
}
