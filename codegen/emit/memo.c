/* Memos: a hash table from (node, place) to the value that the emitted code has computed. */
#include "codegen/emit/emit.h"

#include <string.h>

typedef struct {
    NodeId node;
    const Place *place;
    LaneValue value;
} MemoEntry;

struct Memo {
    MemoEntry *entries;
    uint32_t count, capacity, *slots, slot_count;
};

static uint32_t memo_hash(NodeId node, const Place *place) {
    uint64_t mixed =
        ((uint64_t)(uintptr_t)place >> 4) * 0x9E3779B97F4A7C15u + node * 0xC2B2AE3D27D4EB4Fu;
    return (uint32_t)(mixed >> 32);
}

/* The slot of (node, place), or the free one where it would be. */
static uint32_t *memo_slot(const Memo *memo, NodeId node, const Place *place) {
    uint32_t at = memo_hash(node, place) & (memo->slot_count - 1);
    for (; memo->slots[at]; at = (at + 1) & (memo->slot_count - 1)) {
        const MemoEntry *entry = &memo->entries[memo->slots[at] - 1];
        if (entry->node == node && entry->place == place) break;
    }
    return &memo->slots[at];
}

/* The place of a value that is the same everywhere. */
static const Place *const everywhere = NULL;

LaneValue memo_find(const Emitter *e, NodeId node, const Place *place) {
    const Memo *memo = e->memo;
    bool reduced = e->kernel->kind == KERNEL_ROW && emit_computes(e, node) &&
                   op_class(graph_node(e->graph, node)->op) == CLASS_REDUCE;
    if (reduced) place = everywhere;
    uint32_t number = memo->slot_count ? *memo_slot(memo, node, place) : 0;
    return number ? memo->entries[number - 1].value : (LaneValue){NULL, false};
}

void emit_set(Emitter *e, NodeId node, const Place *place, LaneValue value) {
    Memo *memo = e->memo;
    ARENA_ROOM(e->arena, memo->entries, memo->count, memo->capacity);
    if (2 * memo->count >= memo->slot_count) {
        memo->slot_count = memo->slot_count ? 2 * memo->slot_count : 64;
        memo->slots = ARENA_ARRAY(e->arena, uint32_t, memo->slot_count);
        for (uint32_t i = 0; i < memo->count; i++) {
            uint32_t at =
                memo_hash(memo->entries[i].node, memo->entries[i].place) & (memo->slot_count - 1);
            while (memo->slots[at]) at = (at + 1) & (memo->slot_count - 1);
            memo->slots[at] = i + 1;
        }
    }
    uint32_t *slot = memo_slot(memo, node, place);
    if (!*slot) *slot = ++memo->count;
    memo->entries[*slot - 1] = (MemoEntry){node, place, value};
}

void emit_set_everywhere(Emitter *e, NodeId node, LaneValue value) {
    emit_set(e, node, everywhere, value);
}

Region region_begin(Emitter *e) {
    Region region = {e->memo};
    e->memo = ARENA_NEW(e->arena, Memo);
    return region;
}

void region_end(Emitter *e, Region region) { e->memo = region.memo; }
