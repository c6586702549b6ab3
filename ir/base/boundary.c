/* Boundaries: a jump to the begin of the call, and a table of what must be given back then. */
#include "ir/base/boundary.h"
#include "ir/base/memory.h"

#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_BYTES = 320, FIRST_CAPACITY = 256 };
#define NONE UINT32_MAX
#define RESERVE_BYTES ((size_t)48 << 20)

typedef struct {
    void *object;
    size_t size;
    BoundaryRelease *release; /* NULL: the entry is free */
    uint64_t number;          /* entries are numbered in the order in which they were made */
    uint32_t next;            /* in its chain, or in the list of free entries */
} Held;

struct Boundary {
    jmp_buf place;
    BoundaryUse use;
    Failure failure;
    char text[TEXT_BYTES];
    bool is_lost, is_leaving;
    uint64_t next_number, begin; /* begin: the first number of this call */
    bool lacks_older;            /* the call has given back what an earlier one made */
    /* entries, and a hash table of chains; capacity is a power of two */
    Held *held;
    uint32_t *chains;
    uint32_t capacity, free_entries;
    bool in_foreign, refused;
    void *reserve;
};

static _Thread_local Boundary *active;
static atomic_bool foreign_is_lost;

bool boundary_active(void) { return active != NULL; }
bool boundary_is_lost(const Boundary *boundary) { return boundary->is_lost; }
const char *boundary_text(const Boundary *boundary) { return boundary->text; }

/* -- the table -- */

static uint32_t *chain_of(const Boundary *boundary, const void *object) {
    uint64_t hash = (uint64_t)(uintptr_t)object * 0x9e3779b97f4a7c15u;
    return &boundary->chains[(hash >> 32) & (boundary->capacity - 1)];
}

static void link_all(Boundary *boundary) {
    boundary->free_entries = NONE;
    for (uint32_t i = 0; i < boundary->capacity; i++) boundary->chains[i] = NONE;
    for (uint32_t i = boundary->capacity; i-- > 0;) {
        Held *entry = &boundary->held[i];
        uint32_t *list =
            entry->release ? chain_of(boundary, entry->object) : &boundary->free_entries;
        entry->next = *list;
        *list = i;
    }
}

/* The table itself is not held by the boundary. */
static bool grow(Boundary *boundary) {
    uint32_t capacity = boundary->capacity ? 2 * boundary->capacity : FIRST_CAPACITY;
    Boundary *outer = active;
    active = NULL;
    Held *held = capacity ? memory_try_grow(boundary->held, capacity * sizeof *held) : NULL;
    if (held) boundary->held = held;
    uint32_t *chains = held ? memory_try_grow(boundary->chains, capacity * sizeof *chains) : NULL;
    if (chains) boundary->chains = chains;
    active = outer;
    if (!chains) return false;
    for (uint32_t i = boundary->capacity; i < capacity; i++) held[i] = (Held){0};
    boundary->capacity = capacity;
    link_all(boundary);
    return true;
}

void boundary_hold(void *object, size_t size, BoundaryRelease *release) {
    Boundary *boundary = active;
    if (!boundary || boundary->in_foreign || boundary->is_leaving) return;
    if (boundary->free_entries == NONE && !grow(boundary)) {
        release(object, size);
        memory_exhausted(0, "the list of what a call has made");
    }
    uint32_t i = boundary->free_entries, *chain = chain_of(boundary, object);
    boundary->free_entries = boundary->held[i].next;
    boundary->held[i] = (Held){object, size, release, boundary->next_number++, *chain};
    *chain = i;
}

void boundary_drop(void *object, BoundaryRelease *release) {
    Boundary *boundary = active;
    if (!boundary) return;
    for (uint32_t *link = chain_of(boundary, object); *link != NONE;) {
        uint32_t i = *link;
        Held *entry = &boundary->held[i];
        if (entry->object == object && entry->release == release) {
            boundary->lacks_older |= entry->number < boundary->begin;
            *link = entry->next;
            *entry = (Held){.next = boundary->free_entries};
            boundary->free_entries = i;
            return;
        }
        link = &entry->next;
    }
}

static void free_memory(void *memory, size_t size) {
    (void)size;
    free(memory);
}

void boundary_hold_memory(void *memory) { boundary_hold(memory, 0, free_memory); }
void boundary_drop_memory(void *memory) { boundary_drop(memory, free_memory); }

uint64_t boundary_mark(void) { return active ? active->next_number : 0; }

void boundary_forget(uint64_t mark) {
    if (!active) return;
    for (uint32_t i = 0; i < active->capacity; i++)
        if (active->held[i].release && active->held[i].number >= mark) active->held[i] = (Held){0};
    link_all(active);
}

/* -- giving back -- */

/* The newest object from number `begin` on that is no memory; NULL: there is none. */
static Held *newest(const Boundary *boundary, uint64_t begin) {
    Held *found = NULL;
    for (uint32_t i = 0; i < boundary->capacity; i++) {
        Held *entry = &boundary->held[i];
        if (entry->release && entry->release != free_memory && entry->number >= begin &&
            (!found || entry->number > found->number))
            found = entry;
    }
    return found;
}

static void give_back(Boundary *boundary, uint64_t begin) {
    for (Held *entry; (entry = newest(boundary, begin));) {
        Held gone = *entry;
        boundary_drop(gone.object, gone.release);
        gone.release(gone.object, gone.size);
    }
    /* free() may be one that calls boundary_drop_memory */
    for (uint32_t i = 0; i < boundary->capacity; i++) {
        Held gone = boundary->held[i];
        if (!gone.release || gone.number < begin) continue;
        boundary_drop_memory(gone.object);
        free(gone.object);
    }
}

void boundary_leave(Failure failure, const char *text) {
    Boundary *boundary = active;
    if (!boundary->is_leaving) {
        boundary->is_leaving = true;
        boundary->failure = failure;
        snprintf(boundary->text, sizeof boundary->text, "%s", text);
        boundary->is_lost = boundary->use == BOUNDARY_CHANGES || boundary->lacks_older;
        if (boundary->in_foreign) atomic_store(&foreign_is_lost, true);
        boundary_spend_reserve();
        give_back(boundary, boundary->is_lost ? 0 : boundary->begin);
    }
    longjmp(boundary->place, 1);
}

/* -- calls -- */

Boundary *boundary_new(void) {
    Boundary *boundary = memory_try_grow(NULL, sizeof *boundary);
    if (!boundary) return NULL;
    *boundary = (Boundary){.free_entries = NONE};
    if (grow(boundary)) return boundary;
    boundary_free(boundary);
    return NULL;
}

void boundary_free(Boundary *boundary) {
    if (!boundary) return;
    free(boundary->held);
    free(boundary->chains);
    free(boundary);
}

Failure boundary_run(Boundary *boundary, BoundaryUse use, void (*body)(void *context),
                     void *context) {
    boundary->use = use;
    boundary->failure = FAILURE_NONE;
    boundary->begin = boundary->next_number;
    boundary->lacks_older = boundary->is_leaving = boundary->in_foreign = boundary->refused = false;
    active = boundary;
    if (!setjmp(boundary->place)) body(context);
    active = NULL;
    return boundary->failure;
}

/* -- foreign code -- */

bool boundary_foreign_begin(bool needs_reserve) {
    Boundary *boundary = active;
    if (!boundary) return true;
    if (atomic_load(&foreign_is_lost)) return false;
    boundary->reserve = memory_try_grow(NULL, RESERVE_BYTES);
    if (!boundary->reserve && needs_reserve) return false;
    boundary->in_foreign = true;
    boundary->refused = false;
    return true;
}

bool boundary_foreign_end(void) {
    if (!active) return false;
    active->in_foreign = false;
    boundary_spend_reserve();
    return active->refused;
}

bool boundary_spend_reserve(void) {
    Boundary *boundary = active;
    if (!boundary || !boundary->reserve) return false;
    void *reserve = boundary->reserve;
    boundary->refused |= boundary->in_foreign;
    boundary->reserve = NULL;
    free(reserve);
    return true;
}

bool boundary_foreign_refused(void) {
    bool inside = active && active->in_foreign;
    if (inside) active->refused = true;
    return inside;
}
