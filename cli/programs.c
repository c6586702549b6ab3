/* The programs that a command needs. LLVM takes most of the time between start and first step, so that they are compiled
 * side by side; graphs and passes, which share the model and its diagnostics, are made before, one after the other. */
#include "cli/programs.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct {
    Compilation compilation;
    Diagnostics *diag; /* of its own: diagnostics are not made for several threads */
    Program **result;
} Job;

typedef struct {
    Job jobs[PROGRAMS_MAX];
    uint32_t count;
    atomic_uint next;
    CodegenOptions options;
} JobQueue;

static CompiledProgram *find(const Programs *programs, GraphKind kind, uint32_t batch) {
    for (uint32_t i = 0; i < programs->count; i++)
        if (programs->items[i].kind == kind && programs->items[i].batch == batch) return (CompiledProgram *)&programs->items[i];
    return NULL;
}

static void want(Programs *programs, GraphKind kind, uint32_t batch) {
    if (batch == 0 || find(programs, kind, batch)) return;
    programs->items[programs->count++] = (CompiledProgram){.kind = kind, .batch = batch};
}

static uint32_t full_batch(int64_t rows, uint32_t batch) {
    return rows >= batch ? batch : 0;
}
static uint32_t last_batch(int64_t rows, uint32_t batch) {
    return (uint32_t)(rows % batch);
}

void programs_want(Programs *programs, GraphKind kind, int64_t rows, uint32_t batch) {
    want(programs, kind, full_batch(rows, batch));
    want(programs, kind, last_batch(rows, batch));
}

static const Program *get(const Programs *programs, GraphKind kind, uint32_t batch) {
    const CompiledProgram *compiled = find(programs, kind, batch);
    return compiled ? compiled->program : NULL;
}

ProgramPair programs_pair(const Programs *programs, GraphKind kind, int64_t rows, uint32_t batch) {
    return (ProgramPair){
        .full = get(programs, kind, full_batch(rows, batch)),
        .last = get(programs, kind, last_batch(rows, batch)),
        .batch = batch,
    };
}

void programs_free(Programs *programs) {
    for (uint32_t i = 0; i < programs->count; i++) program_free(programs->items[i].program);
    programs->count = 0;
}

static void *compile_jobs(void *argument) {
    JobQueue *queue = argument;
    for (unsigned i; (i = atomic_fetch_add(&queue->next, 1)) < queue->count;) {
        Job *job = &queue->jobs[i];
        *job->result = codegen_compile(job->compilation.plan, job->compilation.graph, &queue->options, job->diag);
        job->compilation = (Compilation){0}; /* codegen has taken it over */
    }
    return NULL;
}

/* The caller works too; a thread that cannot be started is one helper less. */
static void run_queue(JobQueue *queue) {
    pthread_t helpers[PROGRAMS_MAX];
    uint32_t started = 0, wanted = queue->count < (uint32_t)threads_online() ? queue->count : (uint32_t)threads_online();
    while (started + 1 < wanted && pthread_create(&helpers[started], NULL, compile_jobs, queue) == 0) started++;
    compile_jobs(queue);
    for (uint32_t i = 0; i < started; i++) pthread_join(helpers[i], NULL);
}

static void finish_job(Job *job, const Build *build) {
    compilation_free(&job->compilation);
    if (diag_errors(build->diag) == 0) diag_append(build->diag, job->diag);
    diag_free(job->diag);
}

bool programs_compile(Programs *programs, const Build *build) {
    Path cache;
    JobQueue queue = {.options = build_codegen_options(build->options, &cache)};
    bool good = true;
    for (uint32_t i = 0; good && i < programs->count; i++) {
        CompiledProgram *wanted = &programs->items[i];
        Job *job = &queue.jobs[queue.count++];
        *job = (Job){.diag = diag_new(), .result = &wanted->program};
        good = build_compilation(build, wanted->kind, wanted->batch, PASS_COUNT - 1, &job->compilation);
    }
    if (good) run_queue(&queue);
    for (uint32_t i = 0; i < queue.count; i++) finish_job(&queue.jobs[i], build);
    for (uint32_t i = 0; good && i < programs->count; i++) good = programs->items[i].program != NULL;
    return good;
}

uint32_t programs_forward_batch(int64_t rows, uint32_t batch) {
    for (int64_t size = 4 * (int64_t)batch; size >= batch; size--)
        if (size <= rows && rows % size == 0) return (uint32_t)size;
    return batch;
}
