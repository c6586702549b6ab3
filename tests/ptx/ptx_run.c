/* Runs the kernel: all blocks side by side, one warp after the other for a random number of
 * instructions.
 *
 * The threads of a warp may be at different instructions. Those that have called the deepest and,
 * of these, those that have come least far go on together, until they meet others. A thread at a
 * barrier or a shuffle waits for the other threads of its warp. */
#include "tests/ptx/ptx_code.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 4, LONGEST_TURN = 400 };

typedef enum { THREAD_RUNS, THREAD_AT_BARRIER, THREAD_AT_SHUFFLE, THREAD_ENDED } ThreadState;

/* A call of a function by a whole warp. Arrays of lanes lie behind each other. */
typedef struct {
    const PtxFunction *function;
    uint64_t *registers;           /* [register][lane] */
    unsigned char *local, *filled; /* [lane][byte]; filled: whether something was stored there */
    uint64_t in[PTX_PARAMETERS][PTX_WARP], out[PTX_PARAMETERS][PTX_WARP];
    uint32_t back; /* the instruction after the call */
} PtxCall;

typedef struct {
    uint32_t block, first; /* first: number of its first thread in the block */
    PtxCall calls[MAX_DEPTH];
    uint32_t at[PTX_WARP], depth[PTX_WARP];
    ThreadState state[PTX_WARP];
    bool arrived; /* at the barrier of the block */
    bool ended;
} Warp;

typedef struct {
    const PtxCode *code;
    const PtxLaunch *launch;
    PtxMemory *memory;
    char *error;
    bool failed;
    Warp *warps; /* of block b: warps[b * warps_of_block ...] */
    uint32_t warp_count, warps_of_block;
    uint32_t *phase;              /* [block]: barriers that it has passed */
    uint32_t *released, *pending; /* [other block]; [block * blocks + other]: see acquire */
    bool *acquired;               /* [block]: it has loaded the counter since its last barrier */
    uint32_t at;                  /* the instruction that runs, for messages */
    uint64_t random, counter;     /* counter: the address of the barriers' counter */
    uint64_t clock;               /* instructions that warps have run */
} PtxMachine;

static void wrong(PtxMachine *m, const Warp *w, uint32_t lane, const char *format, ...) {
    if (m->failed) return;
    const PtxCall *call = &w->calls[w->depth[lane]];
    m->failed = true;
    int length =
        snprintf(m->error, PTX_ERROR, "block %u, thread %u, %s, instruction %u: ", w->block,
                 w->first + lane, call->function->name, m->at);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(m->error + length, (size_t)(PTX_ERROR - length), format, arguments);
    va_end(arguments);
}

static uint32_t draw(PtxMachine *m, uint32_t below) {
    m->random = m->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((m->random >> 33) % below);
}

/* -- values -- */

static uint64_t *reg(const PtxCall *call, int32_t slot, uint32_t lane) {
    return &call->registers[(uint32_t)slot * PTX_WARP + lane];
}

static uint64_t value_of(const PtxCall *call, const PtxOperand *operand, uint32_t lane) {
    return operand->slot < 0 ? operand->number : *reg(call, operand->slot, lane);
}

static uint64_t address_of(const PtxCall *call, const PtxOperand *operand, uint32_t lane) {
    return operand->slot < 0 ? operand->number : *reg(call, operand->slot, lane) + operand->number;
}

static uint64_t extend(uint64_t bits, const PtxInstruction *i) {
    int unused = 64 - 8 * i->bytes;
    return i->is_signed ? (uint64_t)((int64_t)(bits << unused) >> unused) : bits;
}

/* -- memory -- */

static void access_local(PtxMachine *m, const Warp *w, PtxCall *call, const PtxInstruction *i,
                         uint32_t lane, uint64_t address) {
    uint64_t offset = address - PTX_LOCAL, size = call->function->local_bytes;
    bool store = i->kind == PTX_STORE;
    if (i->names_global) wrong(m, w, lane, "names global memory, but means local memory");
    if (offset + i->bytes > size) wrong(m, w, lane, "outside of the local memory");
    if (m->failed) return;
    unsigned char *at = call->local + lane * size + offset,
                  *filled = call->filled + lane * size + offset;
    uint64_t bits = 0;
    if (store) {
        bits = value_of(call, &i->in[1], lane);
        memcpy(at, &bits, i->bytes);
        memset(filled, 1, i->bytes);
        return;
    }
    for (int b = 0; b < i->bytes; b++)
        if (!filled[b]) wrong(m, w, lane, "loads local memory that was never stored");
    memcpy(&bits, at, i->bytes);
    *reg(call, i->result, lane) = extend(bits, i);
}

static void count_requests(const PtxMachine *m, const PtxCall *call, const PtxInstruction *i,
                           uint32_t lanes) {
    uint64_t address[PTX_WARP];
    bool is_access = i->kind == PTX_LOAD || i->kind == PTX_STORE;
    if (!m->launch->requests || !is_access || !i->names_shared || !i->whole) return;
    for (uint32_t lane = 0; lane < PTX_WARP; lane++)
        address[lane] = address_of(call, &i->in[0], lane);
    *m->launch->requests += ptx_requests(address, lanes, i->whole);
}

static PtxAccess access_now(const PtxMachine *m, const Warp *w, uint32_t lane) {
    return (PtxAccess){w->block * m->code->block + w->first + lane, w->block, m->phase[w->block]};
}

static void access_memory(PtxMachine *m, const Warp *w, PtxCall *call, const PtxInstruction *i,
                          uint32_t lane) {
    uint64_t address = address_of(call, &i->in[0], lane), bits = 0;
    bool store = i->kind == PTX_STORE;
    if (address & PTX_LOCAL) {
        access_local(m, w, call, i, lane, address);
        return;
    }
    if (address % i->alignment) wrong(m, w, lane, "%s not aligned", store ? "store" : "load");
    bool shared = address & PTX_SHARED;
    if (shared != i->names_shared)
        wrong(m, w, lane, "names %s memory of a block",
              shared ? "other memory, but means the" : "the");
    if (shared) address = ptx_memory_shared(m->memory, w->block, address);
    const char *found = i->names_local ? "names local memory, but means global memory"
                                       : ptx_memory_check(m->memory, address, i->bytes, store,
                                                          access_now(m, w, lane));
    if (found) wrong(m, w, lane, "%s %s", store ? "store" : "load", found);
    if (m->failed) return;
    if (store) {
        bits = value_of(call, &i->in[1], lane);
        memcpy((void *)(uintptr_t)address, &bits, i->bytes);
        return;
    }
    memcpy(&bits, (const void *)(uintptr_t)address, i->bytes);
    *reg(call, i->result, lane) = extend(bits, i);
}

/* -- the barrier of the grid: what a block has stored before it arrives with .release, others may
 * load after they have loaded the counter with .acquire and passed a barrier of their block -- */

static uint32_t *counter_at(PtxMachine *m, const Warp *w, const PtxCall *call,
                            const PtxInstruction *i, uint32_t lane) {
    if (address_of(call, &i->in[0], lane) != m->counter)
        wrong(m, w, lane, "is not at the counter of the barriers");
    return (uint32_t *)(uintptr_t)m->counter;
}

static void raise(uint32_t *to, uint32_t from) { *to = from > *to ? from : *to; }

static void arrive(PtxMachine *m, const Warp *w, PtxCall *call, const PtxInstruction *i,
                   uint32_t lane) {
    const uint32_t *known = ptx_memory_known(m->memory);
    *counter_at(m, w, call, i, lane) += (uint32_t)value_of(call, &i->in[1], lane);
    if (!i->ordered) return;
    for (uint32_t b = 0; b < m->launch->blocks; b++)
        raise(&m->released[b],
              b == w->block ? m->phase[b] : known[w->block * m->launch->blocks + b]);
}

static void acquire(PtxMachine *m, const Warp *w, PtxCall *call, const PtxInstruction *i,
                    uint32_t lane) {
    *reg(call, i->result, lane) = *counter_at(m, w, call, i, lane);
    m->acquired[w->block] |= i->ordered;
    for (uint32_t b = 0; i->ordered && b < m->launch->blocks; b++)
        raise(&m->pending[w->block * m->launch->blocks + b], m->released[b]);
}

/* -- control -- */

static uint64_t special(const PtxMachine *m, const Warp *w, PtxRegister which, uint32_t lane) {
    const uint64_t values[] = {
        [PTX_TID] = w->first + lane,      [PTX_NTID] = m->code->block, [PTX_CTAID] = w->block,
        [PTX_NCTAID] = m->launch->blocks, [PTX_CLOCK] = m->clock,      [PTX_TIME] = m->clock};
    return values[which];
}

static void call_begin(PtxCall *call, const PtxFunction *function, uint32_t back) {
    free(call->registers), free(call->local), free(call->filled);
    size_t local = (size_t)function->local_bytes * PTX_WARP + 1;
    call->function = function;
    call->registers = calloc((size_t)function->registers * PTX_WARP + 1, sizeof(uint64_t));
    call->local = calloc(local, 1);
    call->filled = calloc(local, 1);
    call->back = back;
}

/* All threads of a warp call together. */
static void enter(PtxMachine *m, Warp *w, const PtxInstruction *i, uint32_t lanes) {
    uint32_t depth = w->depth[0];
    if (lanes != UINT32_MAX || depth + 1 == MAX_DEPTH) {
        wrong(m, w, (uint32_t)__builtin_ctz(lanes), "only some threads of a warp call");
        return;
    }
    PtxCall *from = &w->calls[depth], *to = &w->calls[depth + 1];
    call_begin(to, &m->code->functions[i->target], w->at[0] + 1);
    memcpy(to->in, from->out, sizeof to->in);
    for (uint32_t lane = 0; lane < PTX_WARP; lane++) w->at[lane] = 0, w->depth[lane]++;
}

static void leave(Warp *w, uint32_t lane) {
    if (w->depth[lane] == 0) {
        w->state[lane] = THREAD_ENDED;
        return;
    }
    w->at[lane] = w->calls[w->depth[lane]].back;
    w->depth[lane]--;
}

static void shuffle(Warp *w) {
    PtxCall *call = &w->calls[w->depth[0]];
    const PtxInstruction *i = &call->function->code[w->at[0]];
    uint64_t values[PTX_WARP];
    for (uint32_t lane = 0; lane < PTX_WARP; lane++) {
        uint32_t control = (uint32_t)value_of(call, &i->in[2], lane), mask = control >> 8 & 31,
                 number = (uint32_t)value_of(call, &i->in[1], lane),
                 last = (lane & mask) | (control & 31 & ~mask);
        uint32_t from = i->down ? lane + number : (lane & mask) | (number & ~mask);
        values[lane] = value_of(call, &i->in[0], from > last ? lane : from);
    }
    for (uint32_t lane = 0; lane < PTX_WARP; lane++) {
        *reg(call, i->result, lane) = values[lane];
        w->at[lane]++;
        w->state[lane] = THREAD_RUNS;
    }
}

static void pass_barrier(PtxMachine *m, uint32_t block) {
    uint32_t *known = ptx_memory_known(m->memory), blocks = m->launch->blocks;
    bool met = true;
    m->phase[block]++;
    for (uint32_t b = 0; b < blocks; b++) {
        raise(&known[block * blocks + b], m->pending[block * blocks + b]);
        met &= known[block * blocks + b] || b == block;
    }
    if (met && m->acquired[block]) ptx_memory_epoch(m->memory)[block]++;
    m->acquired[block] = false;
    for (uint32_t k = 0; k < m->warps_of_block; k++) {
        Warp *w = &m->warps[block * m->warps_of_block + k];
        w->arrived = false;
        for (uint32_t lane = 0; lane < PTX_WARP; lane++)
            w->state[lane] = THREAD_RUNS, w->at[lane]++;
    }
}

static void reach_barrier(PtxMachine *m, Warp *w) {
    w->arrived = true;
    for (uint32_t k = 0; k < m->warps_of_block; k++)
        if (!m->warps[w->block * m->warps_of_block + k].arrived) return;
    pass_barrier(m, w->block);
}

/* No thread of the warp runs: all wait for the same, or have ended. */
static void meet(PtxMachine *m, Warp *w) {
    bool same = true;
    for (uint32_t lane = 1; lane < PTX_WARP; lane++)
        same &= w->state[lane] == w->state[0] && w->at[lane] == w->at[0] &&
                w->depth[lane] == w->depth[0];
    if (w->state[0] == THREAD_ENDED && same)
        w->ended = true;
    else if (!same)
        wrong(m, w, 0, "threads of a warp wait at different places");
    else if (w->state[0] == THREAD_AT_SHUFFLE)
        shuffle(w);
    else
        reach_barrier(m, w);
}

/* -- turns -- */

/* The threads of a warp that go on together, up to the instruction `limit`. */
typedef struct {
    uint32_t lanes, at, depth, limit;
} Group;

static bool find_group(const Warp *w, Group *group) {
    *group = (Group){.at = UINT32_MAX, .limit = UINT32_MAX};
    for (uint32_t lane = 0; lane < PTX_WARP; lane++)
        if (w->state[lane] == THREAD_RUNS && w->depth[lane] > group->depth)
            group->depth = w->depth[lane];
    for (uint32_t lane = 0; lane < PTX_WARP; lane++)
        if (w->state[lane] == THREAD_RUNS && w->depth[lane] == group->depth &&
            w->at[lane] < group->at)
            group->at = w->at[lane];
    for (uint32_t lane = 0; lane < PTX_WARP; lane++) {
        if (w->state[lane] != THREAD_RUNS || w->depth[lane] != group->depth) continue;
        if (w->at[lane] == group->at)
            group->lanes |= 1u << lane;
        else if (w->at[lane] < group->limit)
            group->limit = w->at[lane];
    }
    return group->lanes != 0;
}

static uint32_t guarded_lanes(const PtxCall *call, const PtxInstruction *i, uint32_t lanes) {
    uint32_t taken = 0;
    if (i->guard < 0) return lanes;
    for (uint32_t lane = 0; lane < PTX_WARP; lane++)
        if (lanes >> lane & 1 && ((*reg(call, i->guard, lane) & 1) != 0) != i->guard_not)
            taken |= 1u << lane;
    return taken;
}

static void run_thread(PtxMachine *m, Warp *w, PtxCall *call, const PtxInstruction *i,
                       uint32_t lane) {
    switch (i->kind) {
    case PTX_COMPUTE:
        *reg(call, i->result, lane) =
            i->compute(value_of(call, &i->in[0], lane), value_of(call, &i->in[1], lane),
                       value_of(call, &i->in[2], lane));
        break;
    case PTX_LOAD:
    case PTX_STORE: access_memory(m, w, call, i, lane); break;
    case PTX_LOAD_PARAMETER: *reg(call, i->result, lane) = call->in[i->target][lane]; break;
    case PTX_STORE_PARAMETER: call->out[i->target][lane] = value_of(call, &i->in[1], lane); break;
    case PTX_SPECIAL: *reg(call, i->result, lane) = special(m, w, i->which, lane); break;
    case PTX_ARRIVE: arrive(m, w, call, i, lane); break;
    case PTX_ACQUIRE: acquire(m, w, call, i, lane); break;
    default: break;
    }
}

/* An instruction after which the threads need not be at the next one. */
static bool is_control(PtxKind kind) {
    return kind == PTX_BRANCH || kind == PTX_CALL || kind == PTX_RETURN || kind == PTX_EXIT ||
           kind == PTX_BARRIER || kind == PTX_SHUFFLE || kind == PTX_ACQUIRE;
}

static void run_control(PtxMachine *m, Warp *w, PtxCall *call, const PtxInstruction *i,
                        uint32_t lanes) {
    uint32_t taken = guarded_lanes(call, i, lanes);
    if (i->kind == PTX_CALL) {
        enter(m, w, i, taken);
        return;
    }
    for (uint32_t lane = 0; lane < PTX_WARP; lane++) {
        if (!(lanes >> lane & 1)) continue;
        bool takes = taken >> lane & 1;
        if (takes && i->kind == PTX_RETURN)
            leave(w, lane);
        else if (takes && i->kind == PTX_EXIT)
            w->state[lane] = THREAD_ENDED;
        else if (takes && i->kind == PTX_BARRIER)
            w->state[lane] = THREAD_AT_BARRIER;
        else if (takes && i->kind == PTX_SHUFFLE)
            w->state[lane] = THREAD_AT_SHUFFLE;
        else
            w->at[lane] = takes && i->kind == PTX_BRANCH ? i->target : w->at[lane] + 1;
        if (takes && i->kind == PTX_ACQUIRE) run_thread(m, w, call, i, lane);
    }
}

/* A group of threads, up to an instruction after which they may part. Returns how many it ran. */
static uint32_t run_group(PtxMachine *m, Warp *w, const Group *group) {
    PtxCall *call = &w->calls[group->depth];
    uint32_t count = 0;
    for (uint32_t at = group->at;; at++, count++) {
        const PtxInstruction *i = &call->function->code[at];
        m->at = at;
        if (at >= call->function->count) wrong(m, w, 0, "runs beyond its end");
        bool stops = m->failed || at == group->limit || is_control(i->kind);
        for (uint32_t lane = 0; stops && lane < PTX_WARP; lane++)
            if (group->lanes >> lane & 1) w->at[lane] = at;
        if (m->failed || at == group->limit) return count;
        m->clock++;
        if (is_control(i->kind)) {
            run_control(m, w, call, i, group->lanes);
            return count + 1;
        }
        uint32_t lanes = guarded_lanes(call, i, group->lanes);
        count_requests(m, call, i, lanes);
        for (uint32_t lane = 0; lane < PTX_WARP; lane++)
            if (lanes >> lane & 1) run_thread(m, w, call, i, lane);
    }
}

static uint64_t run_turn(PtxMachine *m, Warp *w) {
    Group group;
    uint64_t length = 1 + draw(m, LONGEST_TURN), count = 0;
    while (count < length && !m->failed && !w->arrived && !w->ended)
        if (find_group(w, &group))
            count += run_group(m, w, &group);
        else
            meet(m, w);
    return count;
}

static bool has_run(const PtxMachine *m) {
    for (uint32_t k = 0; k < m->warp_count; k++)
        if (!m->warps[k].ended) return false;
    return true;
}

static void run_warps(PtxMachine *m) {
    uint64_t most = (uint64_t)1 << 27, count = 0, idle = 0;
    while (!m->failed && !has_run(m)) {
        Warp *w = &m->warps[draw(m, m->warp_count)];
        uint64_t ran = w->arrived || w->ended ? 0 : run_turn(m, w) + 1;
        count += ran;
        idle = ran ? 0 : idle + 1;
        if (count > most || idle > (uint64_t)m->warp_count * 1000)
            wrong(m, w, 0, "the kernel does not end");
    }
}

static PtxMachine machine_new(const PtxCode *code, const PtxLaunch *launch,
                              const uint64_t args[PTX_ARGUMENTS], char *error) {
    uint32_t blocks = launch->blocks, each = code->block / PTX_WARP;
    PtxMachine m = {.code = code,
                    .launch = launch,
                    .memory = ptx_memory_new(code, launch),
                    .error = error,
                    .warps = calloc((size_t)blocks * each, sizeof(Warp)),
                    .warp_count = blocks * each,
                    .warps_of_block = each,
                    .phase = calloc(blocks, sizeof(uint32_t)),
                    .released = calloc(blocks, sizeof(uint32_t)),
                    .acquired = calloc(blocks, sizeof(bool)),
                    .pending = calloc((size_t)blocks * blocks, sizeof(uint32_t)),
                    .counter = args[2],
                    .clock = launch->clock ? *launch->clock : 0,
                    .random = launch->seed * 2 + 1};
    for (uint32_t k = 0; k < m.warp_count; k++) {
        Warp *w = &m.warps[k];
        w->block = k / each, w->first = k % each * PTX_WARP;
        call_begin(&w->calls[0], &code->functions[code->entry], 0);
        for (int p = 0; p < code->parameters; p++)
            for (uint32_t lane = 0; lane < PTX_WARP; lane++) w->calls[0].in[p][lane] = args[p];
    }
    return m;
}

static void machine_free(PtxMachine *m) {
    for (uint32_t k = 0; k < m->warp_count; k++)
        for (int depth = 0; depth < MAX_DEPTH; depth++) {
            PtxCall *call = &m->warps[k].calls[depth];
            free(call->registers), free(call->local), free(call->filled);
        }
    ptx_memory_free(m->memory);
    free(m->warps);
    free(m->phase);
    free(m->released);
    free(m->pending);
    free(m->acquired);
}

bool ptx_run(const PtxCode *code, const PtxLaunch *launch, const uint64_t args[PTX_ARGUMENTS],
             char error[PTX_ERROR]) {
    PtxMachine m = machine_new(code, launch, args, error);
    *error = 0;
    run_warps(&m);
    if (launch->clock) *launch->clock = m.clock;
    machine_free(&m);
    return !m.failed;
}
