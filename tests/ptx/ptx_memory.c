/* Memory that knows what was stored where, by whom and when. */
#include "tests/ptx/ptx_code.h"

#include <stdlib.h>

/* A byte: its last store, and its reads since then. MANY: several threads have read it, of several
 * blocks if reader_block is MANY_BLOCKS. phase: of the last read. Threads count from 1. */
typedef struct {
    uint32_t writer, written, reader, read;
    uint32_t epoch; /* of the last read */
    uint16_t writer_block, reader_block;
    bool filled;
} PtxByte;
#define MANY UINT32_MAX
#define MANY_BLOCKS UINT16_MAX

typedef struct {
    uint64_t first, end;
    bool writable;
    PtxByte *bytes; /* NULL: memory that cannot be written, or is not checked */
} MemoryPlace;

struct PtxMemory {
    MemoryPlace *places; /* in the order of their addresses */
    uint32_t count, blocks;
    uint32_t *known, *epoch;
    unsigned char *shared; /* [block][shared_bytes] */
    size_t shared_bytes;
};

static int by_address(const void *a, const void *b) {
    uint64_t x = ((const MemoryPlace *)a)->first, y = ((const MemoryPlace *)b)->first;
    return (x > y) - (x < y);
}

static void add_place(PtxMemory *memory, const PtxRange *range, bool quick) {
    MemoryPlace place = {.first = (uintptr_t)range->first, .writable = range->writable};
    place.end = place.first + range->bytes;
    if (!range->bytes) return;
    if (range->writable && !quick) place.bytes = calloc(range->bytes, sizeof *place.bytes);
    for (size_t i = 0; place.bytes && i < range->bytes; i++) place.bytes[i].filled = range->filled;
    memory->places[memory->count++] = place;
}

PtxMemory *ptx_memory_new(const PtxCode *code, const PtxLaunch *launch) {
    PtxMemory *memory = calloc(1, sizeof *memory);
    memory->places =
        calloc(launch->range_count + code->global_count + launch->blocks, sizeof *memory->places);
    memory->blocks = launch->blocks;
    memory->epoch = calloc(launch->blocks, sizeof *memory->epoch);
    memory->known = calloc((size_t)launch->blocks * launch->blocks, sizeof *memory->known);
    for (uint32_t i = 0; i < launch->range_count; i++)
        add_place(memory, &launch->ranges[i], launch->quick);
    for (uint32_t i = 0; i < code->global_count; i++)
        if (code->globals[i].bytes)
            add_place(memory,
                      &(PtxRange){code->globals[i].bytes, code->globals[i].size, false, true},
                      false);
    memory->shared = calloc(launch->blocks, code->shared_bytes + 1);
    memory->shared_bytes = code->shared_bytes;
    for (uint32_t b = 0; b < launch->blocks; b++)
        add_place(
            memory,
            &(PtxRange){memory->shared + b * code->shared_bytes, code->shared_bytes, true, false},
            launch->quick);
    qsort(memory->places, memory->count, sizeof *memory->places, by_address);
    return memory;
}

void ptx_memory_free(PtxMemory *memory) {
    for (uint32_t i = 0; i < memory->count; i++) free(memory->places[i].bytes);
    free(memory->places);
    free(memory->known);
    free(memory->epoch);
    free(memory->shared);
    free(memory);
}

uint64_t ptx_memory_shared(const PtxMemory *memory, uint32_t block, uint64_t address) {
    uint64_t offset = address - PTX_SHARED;
    if (offset >= memory->shared_bytes) return 0;
    return (uintptr_t)memory->shared + block * memory->shared_bytes + offset;
}

uint32_t *ptx_memory_known(PtxMemory *memory) { return memory->known; }
uint32_t *ptx_memory_epoch(PtxMemory *memory) { return memory->epoch; }

static MemoryPlace *place_at(const PtxMemory *memory, uint64_t address) {
    uint32_t low = 0, high = memory->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (memory->places[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    bool inside = low < memory->count && memory->places[low].first <= address;
    return inside ? &memory->places[low] : NULL;
}

/* Whether an earlier access of another thread has ended before this one. */
static bool is_before(const PtxMemory *memory, uint32_t block, uint32_t phase, PtxAccess now) {
    if (block == now.block) return phase < now.phase;
    return phase < memory->known[now.block * memory->blocks + block];
}

/* Whether all loads of a byte by other threads have ended before this access. */
static bool loads_end(const PtxMemory *memory, const PtxByte *byte, PtxAccess now) {
    if (!byte->reader || byte->reader == now.thread + 1) return true;
    return byte->reader_block == MANY_BLOCKS
               ? byte->epoch < memory->epoch[now.block]
               : is_before(memory, byte->reader_block, byte->read, now);
}

static const char *check_load(const PtxMemory *memory, PtxByte *byte, PtxAccess now) {
    uint32_t thread = now.thread + 1;
    if (!byte->filled) return "loads what was never stored";
    if (byte->writer && byte->writer != thread &&
        !is_before(memory, byte->writer_block, byte->written, now))
        return "loads what another thread has stored, without a barrier between";
    bool same = loads_end(memory, byte, now);
    bool one_block = same || byte->reader_block == now.block;
    byte->reader = same ? thread : MANY;
    byte->reader_block = one_block ? (uint16_t)now.block : MANY_BLOCKS;
    byte->read = now.phase > byte->read || same ? now.phase : byte->read;
    if (memory->epoch[now.block] > byte->epoch) byte->epoch = memory->epoch[now.block];
    return NULL;
}

static const char *check_store(const PtxMemory *memory, PtxByte *byte, PtxAccess now) {
    uint32_t thread = now.thread + 1;
    bool after_store = !byte->writer || byte->writer == thread ||
                       is_before(memory, byte->writer_block, byte->written, now);
    if (!after_store) return "stores where another thread has stored, without a barrier between";
    if (!loads_end(memory, byte, now))
        return "stores where another thread loads, without a barrier between";
    *byte = (PtxByte){.writer = thread,
                      .written = now.phase,
                      .writer_block = (uint16_t)now.block,
                      .filled = true};
    return NULL;
}

const char *ptx_memory_check(PtxMemory *memory, uint64_t address, uint32_t bytes, bool store,
                             PtxAccess access) {
    MemoryPlace *place = place_at(memory, address);
    if (address % bytes) return "not aligned";
    if (!place || address + bytes > place->end) return "outside of the memory";
    if (store && !place->writable) return "stores in memory that is only read";
    for (uint32_t i = 0; i < bytes && place->bytes; i++) {
        PtxByte *byte = &place->bytes[address + i - place->first];
        const char *wrong =
            store ? check_store(memory, byte, access) : check_load(memory, byte, access);
        if (wrong) return wrong;
    }
    return NULL;
}
