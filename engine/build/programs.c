/* Compiles the programs of a command. LLVM takes most of the time before the first step, so the
 * programs are compiled in parallel, while the caller reads data. The graphs are made and optimized
 * before that, one after the other, because they share the model and its diagnostics. */
#include "engine/build/programs.h"
#include "engine/build/device.h"
#include "ir/base/number_text.h"
#include "ir/base/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef struct {
    Compilation compilation;
    Diagnostics *diag; /* one per job, because Diagnostics are not thread-safe */
    Program **result;
} Job;

struct ProgramJobs {
    Job jobs[PROGRAMS_MAX];
    uint32_t count;
    atomic_uint next, done;
    const Programs *programs;
    CodegenOptions options;
    Path cache;
    Device *device; /* NULL: for the CPU */
    pthread_t compilers[PROGRAMS_MAX];
    uint32_t compiler_count;
};

static CompiledProgram *find(const Programs *programs, GraphKind kind, uint32_t batch) {
    for (uint32_t i = 0; i < programs->count; i++)
        if (programs->items[i].kind == kind && programs->items[i].batch == batch)
            return (CompiledProgram *)&programs->items[i];
    return NULL;
}

void programs_want(Programs *programs, GraphKind kind, const Cut *cut) {
    for (ShareSize size = 0; size < SHARE_SIZES; size++) {
        uint32_t batch = (uint32_t)cut_size_rows(cut, size);
        if (batch == 0 || find(programs, kind, batch)) continue;
        programs->items[programs->count++] = (CompiledProgram){.kind = kind, .batch = batch};
    }
}

static const Program *get(const Programs *programs, GraphKind kind, const Cut *cut,
                          ShareSize size) {
    int64_t rows = cut_size_rows(cut, size);
    return rows ? find(programs, kind, (uint32_t)rows)->program : NULL;
}

SplitPrograms programs_of_split(const Programs *programs, GraphKind kind, const Cut *cut) {
    return (SplitPrograms){
        .full = get(programs, kind, cut, SHARE_FULL),
        .last = get(programs, kind, cut, SHARE_LARGER),
        .smaller = get(programs, kind, cut, SHARE_SMALLER),
        .batch = (uint32_t)cut->batch,
        .replicas = (uint32_t)cut->replicas,
    };
}

static Program *compile_job(const ProgramJobs *queue, const Job *job) {
    Plan *plan = job->compilation.plan;
    Graph *graph = job->compilation.graph;
    return queue->device ? build_for_device(queue->device, plan, graph, &queue->options, job->diag)
                         : codegen_compile(plan, graph, &queue->options, job->diag);
}

static void *compile_jobs(void *argument) {
    ProgramJobs *queue = argument;
    for (unsigned i; (i = atomic_fetch_add(&queue->next, 1)) < queue->count;) {
        Job *job = &queue->jobs[i];
        const Programs *programs = queue->programs;
        *job->result = compile_job(queue, job);
        job->compilation = (Compilation){0}; /* the program owns it now */
        if (atomic_fetch_add(&queue->done, 1) + 1 == queue->count && programs->compiled)
            programs->compiled(programs->context);
    }
    return NULL;
}

static void join_compilers(ProgramJobs *queue) {
    for (uint32_t i = 0; queue && i < queue->compiler_count; i++)
        pthread_join(queue->compilers[i], NULL);
    if (queue) queue->compiler_count = 0;
}

static void free_job(Job *job) {
    compilation_free(&job->compilation);
    diag_free(job->diag);
}

/* Takes a program from the stock, or prepares one that other trainings can share. false: the stock
 * has to be filled first. */
static bool use_stock(Stock *stock, CompiledProgram *wanted, Compilation *compilation) {
    wanted->program = stock_program(stock, compilation);
    wanted->from_stock = wanted->program != NULL;
    stock->lacks |= stock->is_strict && !wanted->program;
    if (!wanted->program && !stock->lacks)
        stock_loosen(stock, wanted->kind, wanted->batch, compilation->plan);
    return !stock->lacks;
}

/* Makes a job for every program that is neither compiled nor in stock. */
static bool make_jobs(Programs *programs, ProgramJobs *queue, const Build *build) {
    bool good = true;
    for (uint32_t i = 0; good && i < programs->count; i++) {
        CompiledProgram *wanted = &programs->items[i];
        Compilation compilation;
        if (wanted->program) continue;
        good = build_compilation(build, wanted->kind, wanted->batch, PASS_COUNT - 1, &compilation);
        if (good && programs->stock) good = use_stock(programs->stock, wanted, &compilation);
        if (!good || wanted->program)
            compilation_free(&compilation);
        else
            queue->jobs[queue->count++] = (Job){compilation, diag_new(), &wanted->program};
    }
    return good;
}

static uint32_t count_compiled(const Programs *programs) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < programs->count; i++) count += programs->items[i].program != NULL;
    return count;
}

bool programs_begin(Programs *programs, const Build *build) {
    programs->jobs = MEMORY_NEW(ProgramJobs, "the programs of a command");
    programs->jobs->programs = programs;
    programs->jobs->device = build->device;
    programs->jobs->options = build_codegen_options(&build->options, &programs->jobs->cache);
    uint32_t known = count_compiled(programs);
    if (!make_jobs(programs, programs->jobs, build)) return false;
    if (!programs->jobs->count && count_compiled(programs) > known && programs->compiled)
        programs->compiled(programs->context); /* all are from the stock */
    /* What no thread compiles, finish_begun compiles on the caller's thread. */
    ProgramJobs *queue = programs->jobs;
    uint32_t online = build->options.alone ? 0 : (uint32_t)threads_online(),
             wanted = queue->count < online ? queue->count : online;
    while (queue->compiler_count < wanted &&
           pthread_create(&queue->compilers[queue->compiler_count], NULL, compile_jobs, queue) == 0)
        queue->compiler_count++;
    return true;
}

static bool finish_begun(Programs *programs, const Build *build) {
    if (!programs->jobs) return true;
    ProgramJobs *queue = programs->jobs;
    Diagnostics *diag = build->diag;
    bool good = true;
    compile_jobs(queue);
    join_compilers(queue);
    for (uint32_t i = 0; i < queue->count; i++) {
        if (diag_errors(diag) == 0) diag_append(diag, queue->jobs[i].diag);
        good = good && *queue->jobs[i].result;
        free_job(&queue->jobs[i]);
    }
    free(programs->jobs);
    programs->jobs = NULL;
    return good;
}

bool programs_compile(Programs *programs, const Build *build) {
    return finish_begun(programs, build) && programs_begin(programs, build) &&
           finish_begun(programs, build);
}

/* -- the memory that the programs will need -- */

/* Programs share the states, but each has its own activations. The data are not counted: mapped
 * files need not be in memory. */
bool programs_fit(const Programs *programs, const Build *build, Diagnostics *diag) {
    size_t states = 0, values = 0, on_device = 0, available = memory_limit(),
           threads = (size_t)build_threads(&build->options);
    for (uint32_t i = 0; i < programs->count; i++) {
        const Program *program = programs->items[i].program;
        if (!program) continue;
        size_t own = stored_state_bytes(program->graph, program->states, program->state_count);
        states = own > states ? own : states;
        values +=
            program->slab_bytes + program->output_bytes + program->thread_slab_bytes * threads;
        size_t slabs = program->plan->slab_bytes + program->plan->thread_slab_bytes;
        on_device = slabs > on_device ? slabs : on_device; /* they use the same memory */
    }
    if (build->device && !device_fit(build->device, states, on_device, diag)) return false;
    if (states + values <= available) return true;
    char all[NUMBER_TEXT], of_states[NUMBER_TEXT], of_values[NUMBER_TEXT], limit[NUMBER_TEXT];
    diag_error(
        diag, STATUS_FILE, (Span){0},
        "this needs %s of memory (weights and optimizer state %s, activations %s), but only %s are available",
        text_bytes(all, (int64_t)(states + values)), text_bytes(of_states, (int64_t)states),
        text_bytes(of_values, (int64_t)values), text_bytes(limit, (int64_t)available));
    if (values > states)
        diag_help(diag,
                  "a smaller 'batch' needs less; 'accumulate' keeps the number of rows in a step");
    else
        diag_help(
            diag,
            "a smaller network needs less, and so does an optimizer without moments, such as sgd");
    return false;
}

void programs_put(Programs *programs) {
    for (uint32_t i = 0; i < programs->count; i++) {
        CompiledProgram *item = &programs->items[i];
        if (!item->program || item->from_stock) continue;
        stock_put(programs->stock, item->program);
        item->program = NULL;
    }
}

void programs_free(Programs *programs) {
    join_compilers(programs->jobs); /* they may still run if the command has failed */
    for (uint32_t i = 0; programs->jobs && i < programs->jobs->count; i++)
        free_job(&programs->jobs->jobs[i]);
    free(programs->jobs);
    programs->jobs = NULL;
    for (uint32_t i = 0; i < programs->count; i++) program_free(programs->items[i].program);
    programs->count = 0;
}

uint32_t programs_forward_batch(int64_t rows, uint32_t batch) {
    for (int64_t size = 4 * (int64_t)batch; size >= batch; size--)
        if (size <= rows && rows % size == 0) return (uint32_t)size;
    return batch;
}
