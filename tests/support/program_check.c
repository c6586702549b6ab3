/* Two programs, the same inputs, the same initial states: every bit must agree. */
#include "program_check.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A program with all memory that it runs on. */
typedef struct {
    const Program *program;
    void *slab, *outputs, **states;
    const void **inputs;
    int32_t *rows;
    int threads;
    pthread_barrier_t barrier;
} Machine;

static void *memory(size_t bytes) {
    size_t rounded = (bytes + 127) & ~(size_t)63;
    void *p = aligned_alloc(64, rounded);
    if (!p) abort();
    return memset(p, 0, rounded);
}

static void draw_input(const Symbol *symbol, uint64_t seed, void *data) {
    for (int64_t i = 0, n = shape_elements(symbol->shape); i < n; i++) {
        uint32_t bits = random_bits(seed, STREAM_INPUT, hash_name(symbol->name), (uint64_t)i);
        switch (symbol->dtype) {
        case DTYPE_F32: ((float *)data)[i] = (float)(bits >> 8) * 0x1p-23f - 1; break;
        case DTYPE_I32: ((int32_t *)data)[i] = (int32_t)(bits % 10); break;
        case DTYPE_U8: ((uint8_t *)data)[i] = (uint8_t)(symbol->shape.rank == 1 ? bits % 10 : bits & 255); break;
        default: ((uint8_t *)data)[i] = bits & 1; break;
        }
    }
}

/* Row-major <-> the form a state is stored in. */
static void convert_state(const PlanState *form, const Symbol *symbol, char *plain, char *stored, bool store) {
    size_t bytes = dtype_bytes(symbol->dtype);
    int64_t index[SHAPE_MAX_RANK] = {0};
    for (int64_t i = 0, n = shape_elements(symbol->shape); i < n; i++) {
        char *there = stored + (size_t)layout_offset(form->layout, symbol->shape, index) * bytes, *here = plain + (size_t)i * bytes;
        if (store) memcpy(there, here, bytes);
        else memcpy(here, there, bytes);
        for (int axis = symbol->shape.rank - 1; axis >= 0 && ++index[axis] == symbol->shape.dim[axis]; axis--) index[axis] = 0;
    }
}

static size_t state_bytes(const Symbol *symbol) { return (size_t)shape_elements(symbol->shape) * dtype_bytes(symbol->dtype); }

static void machine_open(Machine *m, const Program *program, const ProgramCheck *check, int threads) {
    const Graph *graph = program->graph;
    *m = (Machine){.program = program, .threads = threads};
    m->slab = memory(program->slab_bytes);
    memset(m->slab, 0x5a, program->slab_bytes); /* nothing may count on zeros */
    m->outputs = memory(program->output_bytes);
    m->states = memory(program->state_count * sizeof(void *));
    m->inputs = memory(graph->symbol_count * sizeof(void *));
    int64_t batch = 1;
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (symbol->kind == SYMBOL_STATE) continue;
        void *data = memory(state_bytes(symbol));
        draw_input(symbol, check->seed, data);
        m->inputs[i] = data;
        if (symbol->kind == SYMBOL_BATCH) batch = symbol->shape.dim[0];
    }
    m->rows = memory((size_t)batch * sizeof *m->rows);
    for (int64_t i = 0; i < batch; i++) m->rows[i] = (int32_t)(batch - 1 - i);
    for (uint32_t i = 0; i < program->state_count; i++) {
        const Symbol *symbol = &graph->symbols[program->states[i].symbol];
        char *plain = memory(state_bytes(symbol));
        state_initialize(symbol, check->seed, plain);
        m->states[i] = memory(layout_bytes(program->states[i].layout, symbol->dtype, symbol->shape));
        convert_state(&program->states[i], symbol, plain, m->states[i], true);
        free(plain);
    }
    pthread_barrier_init(&m->barrier, NULL, (unsigned)threads);
}

static void machine_close(Machine *m) {
    for (uint32_t i = 0; i < m->program->state_count; i++) free(m->states[i]);
    for (uint32_t i = 0; i < m->program->graph->symbol_count; i++) free((void *)(uintptr_t)m->inputs[i]);
    free(m->slab);
    free(m->outputs);
    free(m->states);
    free(m->inputs);
    free(m->rows);
    pthread_barrier_destroy(&m->barrier);
}

typedef struct {
    Machine *machine;
    int thread, steps;
} Worker;

static void meet(void *context, int thread) {
    (void)thread;
    pthread_barrier_wait(&((Machine *)context)->barrier);
}

static void *work(void *argument) {
    Worker *w = argument;
    Machine *m = w->machine;
    StepArgs args = {m->slab, m->states, m->inputs, m->rows, m->outputs, meet, m};
    for (int i = 0; i < w->steps; i++) program_run(m->program, &args, w->thread, m->threads);
    return NULL;
}

static void machine_run(Machine *m, int steps) {
    enum { MOST = 16 };
    pthread_t threads[MOST];
    Worker workers[MOST];
    for (int i = 0; i < m->threads; i++) workers[i] = (Worker){m, i, steps};
    for (int i = 1; i < m->threads; i++) pthread_create(&threads[i], NULL, work, &workers[i]);
    work(&workers[0]);
    for (int i = 1; i < m->threads; i++) pthread_join(threads[i], NULL);
}

static char message[256];

static bool reals_agree(float x, float y, double tolerance) {
    if (!memcmp(&x, &y, sizeof x) || (x != x && y != y)) return true;
    return tolerance > 0 && fabs((double)x - (double)y) <= tolerance * fmax(1, fabs((double)y));
}

/* What is compared: elements of one output or state. */
typedef struct {
    const char *what, *name;
    DType dtype;
    int64_t count;
    double tolerance;
} Elements;

static const char *compare_elements(const Elements *e, const void *a, const void *b) {
    const char *what = e->what, *name = e->name;
    DType dtype = e->dtype;
    for (int64_t i = 0; i < e->count; i++) {
        if (dtype == DTYPE_F32) {
            float x = ((const float *)a)[i], y = ((const float *)b)[i];
            if (reals_agree(x, y, e->tolerance)) continue;
            snprintf(message, sizeof message, "%s %s[%lld]: %a and %a", what, name, (long long)i, (double)x, (double)y);
            return message;
        }
        size_t bytes = dtype_bytes(dtype);
        if (!memcmp((const char *)a + (size_t)i * bytes, (const char *)b + (size_t)i * bytes, bytes)) continue;
        snprintf(message, sizeof message, "%s %s[%lld] differs", what, name, (long long)i);
        return message;
    }
    return NULL;
}

static const void *output_of(const Machine *m, const char *name, const Node **node) {
    const Graph *graph = m->program->graph;
    for (uint32_t i = 0; i < graph->output_count; i++)
        if (!strcmp(graph->outputs[i].name, name)) {
            *node = graph_node(graph, graph->outputs[i].node);
            return (const char *)m->outputs + m->program->output_offsets[i];
        }
    return NULL;
}

static const char *compare_outputs(const Machine *a, const Machine *b, double tolerance) {
    const Graph *graph = a->program->graph;
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const Node *x, *y;
        const char *name = graph->outputs[i].name;
        const void *left = output_of(a, name, &x), *right = output_of(b, name, &y);
        if (!left || !right) return "an output is missing";
        const char *difference = compare_elements(&(Elements){"output", name, x->dtype, shape_elements(x->shape), tolerance}, left, right);
        if (difference) return difference;
    }
    return NULL;
}

/* Every form of every state of `a` against the one plain form of `b`. */
static const char *compare_states(const Machine *a, const Machine *b, double tolerance) {
    const char *difference = NULL;
    for (uint32_t i = 0; !difference && i < a->program->state_count; i++) {
        const Symbol *symbol = &a->program->graph->symbols[a->program->states[i].symbol];
        char *left = memory(state_bytes(symbol)), *right = memory(state_bytes(symbol));
        convert_state(&a->program->states[i], symbol, left, a->states[i], false);
        for (uint32_t j = 0; j < b->program->state_count; j++)
            if (!strcmp(b->program->graph->symbols[b->program->states[j].symbol].name, symbol->name))
                convert_state(&b->program->states[j], symbol, right, b->states[j], false);
        difference = compare_elements(&(Elements){"state", symbol->name, symbol->dtype, shape_elements(symbol->shape), tolerance}, left, right);
        free(left);
        free(right);
    }
    return difference;
}

const char *program_compare(const Program *a, const Program *b, const ProgramCheck *check) {
    Machine x, y;
    machine_open(&x, a, check, check->threads);
    machine_open(&y, b, check, 1);
    machine_run(&x, check->steps);
    machine_run(&y, check->steps);
    const char *difference = compare_outputs(&x, &y, check->tolerance);
    if (!difference) difference = compare_states(&x, &y, check->tolerance);
    machine_close(&x);
    machine_close(&y);
    return difference;
}
