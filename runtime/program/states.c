/* The memory of the states. A state has a block of memory for each of its forms, the layouts in
 * which programs read it. Several programs share states, such as those for whole batches, for the
 * last batch and for evaluation. */
#include "runtime/program/states.h"
#include "ir/ops/random.h"
#include "runtime/program/layouts.h"
#include "ir/base/memory.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    Layout layout;
    void *memory;      /* NULL: no program has bound the state, and it is zero */
    uint64_t *version; /* counts the changes of the memory */
} StateForm;

typedef struct {
    Symbol symbol;
    StateForm *forms; /* all hold the same values */
    uint32_t form_count;
    bool has_values; /* initialized, written or updated; until then its memory is zero */
} StoredState;

typedef struct ProgramBinding ProgramBinding;
struct ProgramBinding {
    ProgramBinding *next;
    const Program *program;
    void **pointers;           /* [program->state_count] */
    const uint64_t **versions; /* likewise */
};

struct States {
    Arena *arena;
    StoredState **states; /* ordered by name */
    uint32_t count, capacity;
    ProgramBinding *bindings;
};

States *states_new(void) {
    Arena *arena = arena_new();
    States *states = ARENA_NEW(arena, States);
    states->arena = arena;
    return states;
}

void states_free(States *states) {
    if (!states) return;
    for (uint32_t i = 0; i < states->count; i++)
        for (uint32_t f = 0; f < states->states[i]->form_count; f++)
            free(states->states[i]->forms[f].memory);
    arena_free(states->arena);
}

uint32_t states_count(const States *states) { return states->count; }
const Symbol *states_symbol(const States *states, uint32_t index) {
    return &states->states[index]->symbol;
}

/* Index of the first state whose name is not below `name`. */
static uint32_t lower_bound(const States *states, const char *name) {
    uint32_t low = 0, high = states->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (strcmp(states->states[middle]->symbol.name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static StoredState *find_state(const States *states, const char *name) {
    uint32_t at = lower_bound(states, name);
    return at < states->count && !strcmp(states->states[at]->symbol.name, name) ? states->states[at]
                                                                                : NULL;
}

const Symbol *states_find(const States *states, const char *name) {
    StoredState *state = find_state(states, name);
    return state ? &state->symbol : NULL;
}

/* -- binding -- */

static StoredState *add_state(States *states, const Symbol *symbol) {
    ARENA_ROOM(states->arena, states->states, states->count, states->capacity);
    uint32_t at = lower_bound(states, symbol->name);
    memmove(&states->states[at + 1], &states->states[at],
            (states->count - at) * sizeof *states->states);
    StoredState *state = ARENA_NEW(states->arena, StoredState);
    state->symbol = *symbol;
    state->symbol.name = arena_copy_string(states->arena, symbol->name, strlen(symbol->name));
    states->states[at] = state;
    states->count++;
    return state;
}

static size_t plain_bytes(const StoredState *state) {
    return (size_t)shape_elements(state->symbol.shape) * dtype_bytes(state->symbol.dtype);
}

static void read_form(const StoredState *state, uint32_t form, void *plain) {
    if (!state->forms[form].memory) {
        memset(plain, 0, plain_bytes(state));
        return;
    }
    layout_to_plain(state->forms[form].layout, state->symbol.dtype, state->symbol.shape,
                    state->forms[form].memory, plain);
}

static void reserve_form(const StoredState *state, StateForm *form) {
    if (!form->memory)
        form->memory =
            memory_new(layout_bytes(form->layout, state->symbol.dtype, state->symbol.shape),
                       "the weights and their moments");
}

static void write_form(StoredState *state, uint32_t form, const void *plain) {
    reserve_form(state, &state->forms[form]);
    layout_from_plain(state->forms[form].layout, state->symbol.dtype, state->symbol.shape, plain,
                      state->forms[form].memory);
    ++*state->forms[form].version;
}

static void copy_form(StoredState *state, uint32_t from, uint32_t to) {
    StateForm *source = &state->forms[from], *target = &state->forms[to];
    if (source->layout.kind == LAYOUT_PLAIN) {
        write_form(state, to, source->memory);
        return;
    }
    if (target->layout.kind == LAYOUT_PLAIN) {
        reserve_form(state, target);
        read_form(state, from, target->memory);
        ++*target->version;
        return;
    }
    void *plain = memory_new(plain_bytes(state), "the weights and their moments");
    read_form(state, from, plain);
    write_form(state, to, plain);
    free(plain);
}

static void write_state(StoredState *state, const void *plain) {
    for (uint32_t f = 0; f < state->form_count; f++) write_form(state, f, plain);
    state->has_values = true;
}

static void initialize_state(StoredState *state, uint64_t seed) {
    const Init *init = &state->symbol.init;
    bool zero = init->kind == INIT_CONSTANT && init->a == 0.0F && !signbit(init->a);
    if (zero && !state->has_values) { /* moments of optimizers: the memory still is zero */
        state->has_values = true;
        return;
    }
    void *plain = memory_new(plain_bytes(state), "the weights and their moments");
    state_initialize(&state->symbol, seed, plain);
    write_state(state, plain);
    free(plain);
}

/* A form of a state, without memory if it is new and zero. A new form gets the values that the
 * state has. */
static StateForm *find_form(States *states, StoredState *state, Layout layout) {
    for (uint32_t f = 0; f < state->form_count; f++)
        if (layout_equal(state->forms[f].layout, layout)) return &state->forms[f];
    StateForm *forms = ARENA_ARRAY(states->arena, StateForm, state->form_count + 1);
    if (state->form_count) memcpy(forms, state->forms, state->form_count * sizeof *forms);
    forms[state->form_count] = (StateForm){layout, NULL, ARENA_NEW(states->arena, uint64_t)};
    *forms[state->form_count].version = 1;
    state->forms = forms;
    if (state->form_count++ && state->has_values && forms->memory)
        copy_form(state, 0, state->form_count - 1);
    else if (state->symbol.init.kind == INIT_FITTED)
        initialize_state(state, 0);
    return &forms[state->form_count - 1];
}

static const ProgramBinding *find_binding(const States *states, const Program *program) {
    const ProgramBinding *binding = states->bindings;
    while (binding && binding->program != program) binding = binding->next;
    return binding;
}

bool states_bind(States *states, const Program *program, Diagnostics *diag) {
    if (find_binding(states, program)) return true;
    ProgramBinding *binding = ARENA_NEW(states->arena, ProgramBinding);
    binding->pointers = ARENA_ARRAY(states->arena, void *, program->state_count);
    binding->versions = ARENA_ARRAY(states->arena, const uint64_t *, program->state_count);
    for (uint32_t i = 0; i < program->state_count; i++) {
        const Symbol *symbol = &program->graph->symbols[program->states[i].symbol];
        StoredState *state = find_state(states, symbol->name);
        if (!state) state = add_state(states, symbol);
        if (state->symbol.dtype != symbol->dtype ||
            !shape_equal(state->symbol.shape, symbol->shape)) {
            char ours[SHAPE_TEXT], theirs[SHAPE_TEXT];
            diag_error(diag, STATUS_BUG, (Span){0},
                       "state '%s' is %s in one program and %s in another", symbol->name,
                       shape_text(state->symbol.dtype, state->symbol.shape, ours),
                       shape_text(symbol->dtype, symbol->shape, theirs));
            return false;
        }
        StateForm *form = find_form(states, state, program->states[i].layout);
        reserve_form(state, form);
        binding->pointers[i] = form->memory;
        binding->versions[i] = form->version;
    }
    binding->program = program;
    binding->next = states->bindings;
    states->bindings = binding;
    return true;
}

void states_keep(States *states, const Graph *graph) {
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (symbol->kind == SYMBOL_STATE && symbol->node && !find_state(states, symbol->name))
            find_form(states, add_state(states, symbol), (Layout){0});
    }
}

void states_clear(States *states, const char *name) {
    StoredState *state = find_state(states, name);
    assert(state->form_count == 1 && "no program has bound it");
    free(state->forms->memory);
    state->forms->memory = NULL;
}

void *const *states_pointers(States *states, const Program *program) {
    const ProgramBinding *binding = find_binding(states, program);
    assert(binding && "states_bind comes first");
    return binding->pointers;
}

const uint64_t *const *states_versions(const States *states, const Program *program) {
    const ProgramBinding *binding = find_binding(states, program);
    assert(binding && "states_bind comes first");
    return binding->versions;
}

/* -- values -- */

void states_initialize(States *states, uint64_t seed) {
    for (uint32_t i = 0; i < states->count; i++)
        if (states->states[i]->symbol.init.kind != INIT_FITTED)
            initialize_state(states->states[i], seed);
}

bool states_read(const States *states, const char *name, void *data) {
    StoredState *state = find_state(states, name);
    if (state) read_form(state, 0, data);
    return state != NULL;
}

bool states_write(States *states, const char *name, const void *data) {
    StoredState *state = find_state(states, name);
    if (state) write_state(state, data);
    return state != NULL;
}

size_t states_bytes(const States *states) {
    size_t bytes = 0;
    for (uint32_t i = 0; i < states->count; i++) bytes += plain_bytes(states->states[i]);
    return bytes;
}

void states_save(const States *states, void *to) {
    char *at = to;
    for (uint32_t i = 0; i < states->count; at += plain_bytes(states->states[i++]))
        read_form(states->states[i], 0, at);
}

void states_restore(States *states, const void *from) {
    const char *at = from;
    for (uint32_t i = 0; i < states->count; at += plain_bytes(states->states[i++]))
        write_state(states->states[i], at);
}

/* Blocks have a fixed size so that the compiler vectorizes the loop. */
static bool all_finite(const uint32_t *bits, size_t count) {
    enum { BLOCK = 64 };
    const uint32_t magnitude = 0x7fffffff, infinity = 0x7f800000;
    for (; count >= BLOCK; bits += BLOCK, count -= BLOCK) {
        uint32_t bad = 0;
        for (size_t i = 0; i < BLOCK; i++) bad |= (bits[i] & magnitude) >= infinity;
        if (bad) return false;
    }
    for (size_t i = 0; i < count; i++)
        if ((bits[i] & magnitude) >= infinity) return false;
    return true;
}

/* Whether all elements are finite. The padding of a form is not checked. */
static bool state_is_finite(const StoredState *state) {
    const StateForm *form = &state->forms[0];
    const Symbol *symbol = &state->symbol;
    size_t bytes = plain_bytes(state);
    if (!form->memory || symbol->dtype != DTYPE_F32 ||
        (symbol->init.kind == INIT_CONSTANT && !isfinite(symbol->init.a)))
        return true;
    if (layout_bytes(form->layout, symbol->dtype, symbol->shape) == bytes)
        return all_finite(form->memory, bytes / sizeof(float));
    void *plain = memory_new(bytes, "the weights and their moments");
    read_form(state, 0, plain);
    bool finite = all_finite(plain, bytes / sizeof(float));
    free(plain);
    return finite;
}

const Symbol *states_nonfinite(const States *states) {
    const Symbol *found = NULL;
    for (uint32_t i = 0; i < states->count; i++) {
        const StoredState *state = states->states[i];
        if ((!found || (state->symbol.trainable && !found->trainable)) && !state_is_finite(state))
            found = &state->symbol;
    }
    return found;
}

static bool has_form(const ProgramBinding *binding, const StateForm *form) {
    for (uint32_t i = 0; i < binding->program->state_count; i++)
        if (binding->pointers[i] == form->memory) return true;
    return false;
}

void states_publish(States *states, const Program *program) {
    const ProgramBinding *binding = find_binding(states, program);
    const PlanState *previous = NULL;
    for (uint32_t i = 0; i < program->state_count; previous = &program->states[i++]) {
        const Symbol *symbol = &program->graph->symbols[program->states[i].symbol];
        bool repeated = previous && previous->symbol == program->states[i].symbol;
        if (symbol->update != NODE_NONE && !repeated) {
            /* Copies the form that the program wrote to the others. */
            StoredState *state = find_state(states, symbol->name);
            uint32_t source = 0;
            state->has_values = true;
            while (!has_form(binding, &state->forms[source])) source++;
            for (uint32_t f = 0; f < state->form_count; f++)
                if (has_form(binding, &state->forms[f]))
                    ++*state->forms[f].version;
                else
                    copy_form(state, source, f);
        }
    }
}
