/* Places the states of all functions: in the weights, which are constant, and in the state of a
 * training. */
#include "cli/ship/shipment.h"
#include "ir/base/hash.h"
#include "ir/base/integers.h"
#include "ir/base/memory.h"
#include "ir/ops/random.h"
#include "runtime/formats/hash.h"
#include "runtime/program/layouts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A form of a state in the weights. */
typedef struct {
    const Symbol *symbol;
    Layout layout;
    size_t offset;
} WeightBlock;

typedef struct {
    Shipment *shipment;
    WeightBlock *items;
    uint32_t count, capacity;
    size_t bytes;
    ShipBlock *blocks; /* of the state */
    uint32_t block_count, block_capacity;
} Placing;

static size_t form_bytes(const Symbol *symbol, Layout layout) {
    return (size_t)round_up((int64_t)layout_bytes(layout, symbol->dtype, symbol->shape),
                            SHIP_ALIGNMENT);
}

/* The offset of a form in the weights. All functions share it. */
static size_t weight_offset(Placing *placing, const Symbol *symbol, Layout layout) {
    for (uint32_t i = 0; i < placing->count; i++)
        if (!strcmp(placing->items[i].symbol->name, symbol->name) &&
            layout_equal(placing->items[i].layout, layout))
            return placing->items[i].offset;
    ARENA_ROOM(placing->shipment->arena, placing->items, placing->count, placing->capacity);
    placing->items[placing->count++] = (WeightBlock){symbol, layout, placing->bytes};
    placing->bytes += form_bytes(symbol, layout);
    return placing->items[placing->count - 1].offset;
}

/* The value of a state at the beginning, in row-major order; the caller frees it. A state of the
 * network has the value of the checkpoint. Others, such as the moments of an optimizer, have their
 * initial value. */
static void *first_value(const Shipment *shipment, const Symbol *symbol) {
    size_t bytes = (size_t)shape_elements(symbol->shape) * dtype_bytes(symbol->dtype);
    void *plain = memory_new(bytes, "the weights");
    if (!states_read(shipment->session.states, symbol->name, plain))
        state_initialize(symbol, shipment->session.build.info->seed, plain);
    return plain;
}

static bool is_zero(const Shipment *shipment, const Symbol *symbol) {
    size_t bytes = (size_t)shape_elements(symbol->shape) * dtype_bytes(symbol->dtype), at = 0;
    char *plain = first_value(shipment, symbol);
    while (at < bytes && !plain[at]) at++;
    free(plain);
    return at == bytes;
}

/* Bytes before the first form. Weights that the caller gives begin with a header. */
static size_t header_bytes(const Shipment *shipment) {
    return shipment_takes_weights(shipment) ? SHIP_HEADER : 0;
}

static const size_t *place_constant(Placing *placing, const Plan *plan) {
    size_t *offsets = ARENA_ARRAY(placing->shipment->arena, size_t, plan->state_count);
    for (uint32_t i = 0; i < plan->state_count; i++)
        offsets[i] = header_bytes(placing->shipment) +
                     weight_offset(placing, &plan->graph->symbols[plan->states[i].symbol],
                                   plan->states[i].layout);
    return offsets;
}

/* A hash of all that the code assumes about weights outside of it: the model, the offset and form
 * of each, and the numbers fitted to the data. In networks of bytes, scales are a part of the code,
 * so only weights of the same build fit. */
static uint64_t form_hash(const Placing *placing) {
    const Shipment *shipment = placing->shipment;
    const ShipRequest *request = &shipment->request;
    uint64_t hash = hash64(HASH64_START ^ shipment->weights_bytes, shipment->model_hash, 64);
    for (uint32_t i = 0; i < placing->count; i++) {
        const WeightBlock *block = &placing->items[i];
        const uint64_t form[] = {block->offset, block->layout.kind, block->layout.axis,
                                 block->layout.width};
        hash = hash64(hash, block->symbol->name, strlen(block->symbol->name) + 1);
        hash = hash64(hash, form, sizeof form);
    }
    for (uint32_t i = 0; i < request->fitted_count; i++) {
        size_t bytes = (size_t)request->fitted[i].count * sizeof(double);
        hash = hash64(hash, request->fitted[i].values, bytes);
        if (request->fitted[i].deviation) hash = hash64(hash, request->fitted[i].deviation, bytes);
    }
    return shipment->quantization ? hash64(hash, shipment->weights_hash, 64) : hash;
}

/* -- the state -- */

/* The block of a state in a layout; layout NULL: in any layout. block_count if there is none. */
static uint32_t find_block(const Placing *placing, const char *name, const Layout *layout) {
    uint32_t i = 0;
    while (i < placing->block_count &&
           (strcmp(placing->blocks[i].symbol->name, name) != 0 ||
            (layout && !layout_equal(placing->blocks[i].layout, *layout))))
        i++;
    return i;
}

/* In browsers, the tensors of a network that trains are not in the weights of the modules: they are
 * loaded into the state by ShipTraining.write. */
static bool loaded_later(const Shipment *shipment, const Symbol *symbol) {
    return shipment_is_web(shipment) && symbol_is_network(symbol) && symbol->dtype == DTYPE_F32 &&
           states_find(shipment->session.states, symbol->name);
}

/* Adds the blocks that a plan reads and writes, and returns their offsets. A block that the step
 * does not write is copied from the first block of its state. */
static const size_t *place_in_state(Placing *placing, const Plan *plan, bool is_step) {
    Shipment *shipment = placing->shipment;
    size_t *offsets = ARENA_ARRAY(shipment->arena, size_t, plan->state_count);
    for (uint32_t i = 0; i < plan->state_count; i++) {
        const Symbol *symbol = &plan->graph->symbols[plan->states[i].symbol];
        Layout layout = plan->states[i].layout;
        uint32_t first = find_block(placing, symbol->name, NULL),
                 found = find_block(placing, symbol->name, &layout);
        bool is_new = found == placing->block_count;
        if (is_new) {
            ARENA_ROOM(shipment->arena, placing->blocks, placing->block_count,
                       placing->block_capacity);
            bool copied = !is_step && first < found;
            ShipBlock *block = &placing->blocks[placing->block_count++];
            *block = (ShipBlock){.symbol = copied ? placing->blocks[first].symbol : symbol,
                                 .layout = layout,
                                 .offset = shipment->training->bytes,
                                 .written = copied ? first : found};
            bool zero = is_zero(shipment, symbol) || loaded_later(shipment, symbol);
            block->source = zero ? SHIP_ZERO : weight_offset(placing, symbol, layout);
            shipment->training->bytes += form_bytes(symbol, layout);
        }
        offsets[i] = placing->blocks[found].offset;
    }
    return offsets;
}

/* Lists the tensors of the network, ordered by name as in files of weights. */
static void list_tensors(Placing *placing) {
    Shipment *shipment = placing->shipment;
    const States *states = shipment->session.states;
    uint32_t *tensors = ARENA_ARRAY(shipment->arena, uint32_t, states_count(states));
    ShipTraining *training = shipment->training;
    for (uint32_t i = 0; i < states_count(states); i++) {
        const Symbol *symbol = states_symbol(states, i);
        uint32_t block = find_block(placing, symbol->name, NULL);
        if (symbol_is_network(symbol) && symbol->dtype == DTYPE_F32 && block < placing->block_count)
            tensors[training->tensor_count++] = block;
    }
    training->tensors = tensors;
}

/* Reports a weight that only the loss reads, as only the weights of the predictions are loaded. */
static bool check_loaded(const Placing *placing) {
    const Shipment *shipment = placing->shipment;
    for (uint32_t i = 0; i < placing->block_count; i++) {
        const Symbol *symbol = placing->blocks[i].symbol;
        if (!symbol->trainable || states_find(shipment->session.states, symbol->name)) continue;
        diag_error(shipment->diag, STATUS_MODEL, (Span){0},
                   "--train: only the loss reads the weight '%s', and no output does",
                   symbol->name);
        diag_help(shipment->diag, "make what it computes an output of the model");
        return false;
    }
    return true;
}

/* Whether the library can compute the first weights of a training. Scripts in browsers do it
 * themselves. */
static bool can_begin(const Shipment *shipment) {
    const ShipTraining *training = shipment->training;
    const char *platform = shipment->options->platform;
    FirstValues most = FIRST_IN_F32;
    for (uint32_t i = 0; i < training->tensor_count; i++) {
        const ShipBlock *block = &training->blocks[training->tensors[i]];
        FirstValues needs = ship_first_values(block->symbol->init);
        if (needs > most) most = needs;
    }
    bool doubles = !platform || !codegen_without_doubles(platform);
    return !shipment_is_web(shipment) &&
           (most == FIRST_IN_F32 || (most == FIRST_IN_F64 && doubles));
}

/* Fills in the ShipTraining. An epoch has as many batches as in the training that made the
 * network, or that `mlc train` would make. */
static void describe_training(Placing *placing) {
    Shipment *shipment = placing->shipment;
    const ModelInfo *info = shipment->session.build.info;
    const CheckpointInfo *checkpoint = &shipment->checkpoint;
    ShipTraining *training = shipment->training;
    int64_t batches =
        checkpoint->epoch ? (int64_t)(checkpoint->step / checkpoint->epoch) : shipment->batches;
    training->batches = batches ? batches : INT32_MAX;
    training->accumulate = info->accumulate ? info->accumulate : 1;
    training->replicas = info->replicas;
    training->rows = shipment->step_rows;
    training->epochs = info->epochs && batches ? info->epochs : 1;
    training->seed = info->seed;
    training->make = arena_format(shipment->arena, "%s_state_trained", shipment->name);
    training->read = arena_format(shipment->arena, "%s_state_weights", shipment->name);
    training->check = arena_format(shipment->arena, "%s_state_check", shipment->name);
    if (can_begin(shipment))
        training->fresh = arena_format(shipment->arena, "%s_state_fresh", shipment->name);
    if (shipment_is_web(shipment))
        training->write = arena_format(shipment->arena, "%s_state_load", shipment->name);
    /* a library whose weights are apart is the same for all weights of this form */
    uint64_t form = form_hash(placing), start = HASH64_START ^ training->bytes;
    training->magic = shipment_parts_weights(shipment) ? hash64(start, &form, sizeof form)
                                                       : hash64(start, shipment->weights_hash, 64);
    training->magic = hash64(training->magic, shipment->model_hash, 64);
}

/* -- the weights -- */

/* The bytes of the tensors that a browser loads into the state. */
static size_t tensor_bytes(const Shipment *shipment) {
    const ShipTraining *training = shipment->training;
    size_t bytes = 0;
    for (uint32_t i = 0; training && shipment_is_web(shipment) && i < training->tensor_count; i++)
        bytes += (size_t)shape_elements(training->blocks[training->tensors[i]].symbol->shape) *
                 sizeof(float);
    return bytes;
}

/* Gives weights outside of the library what tells them from those of other networks: a symbol of
 * their own, or a magic number that is not 0 at the beginning of the header. */
static void mark_weights(const Placing *placing) {
    Shipment *shipment = placing->shipment;
    if (shipment_parts_weights(shipment))
        shipment->request.weights_symbol = arena_format(shipment->arena, "%s_weights_%016" PRIx64,
                                                        shipment->name, form_hash(placing));
    if (!shipment_takes_weights(shipment)) return;
    shipment->request.given_magic = form_hash(placing) | 1;
    memcpy(shipment->weights, &shipment->request.given_magic, sizeof shipment->request.given_magic);
}

/* Fills the weights: the tensors that a browser loads, in row-major order, then all blocks. */
static void fill_weights(Placing *placing) {
    Shipment *shipment = placing->shipment;
    size_t tensors = tensor_bytes(shipment), header = header_bytes(shipment);
    shipment->weights_bytes = header + tensors + placing->bytes;
    shipment->weights = memory_new(shipment->weights_bytes, "the weights");
    char *at = shipment->weights + header;
    for (uint32_t i = 0; at < shipment->weights + header + tensors; i++) {
        const Symbol *symbol = shipment->training->blocks[shipment->training->tensors[i]].symbol;
        states_read(shipment->session.states, symbol->name, at);
        at += (size_t)shape_elements(symbol->shape) * sizeof(float);
    }
    for (uint32_t i = 0; i < placing->count; i++) {
        const WeightBlock *block = &placing->items[i];
        void *plain = first_value(shipment, block->symbol);
        layout_from_plain(block->layout, block->symbol->dtype, block->symbol->shape, plain,
                          at + block->offset);
        free(plain);
    }
    blake3_hex(shipment->weights, shipment->weights_bytes, shipment->weights_hash);
    shipment->request.weights = at;
    shipment->request.weights_bytes = placing->bytes;
    mark_weights(placing);
}

/* The arguments of the network alone: the struct, and the arrays that are not only for training. */
static uint32_t network_arguments(const Shipment *shipment) {
    uint32_t count = shipment->has_members;
    for (uint32_t i = 0; i < shipment->input_count; i++)
        count += !shipment->inputs[i].is_member && !shipment->inputs[i].for_training;
    return count;
}

/* Functions with the weights of the object. */
static uint32_t place_runs(Placing *placing, ShipFunction *functions) {
    Shipment *shipment = placing->shipment;
    for (uint32_t i = 0; i < shipment->variant_count; i++) {
        const ShipVariant *variant = &shipment->variants[i];
        const Plan *plan = variant->compilation.plan;
        functions[i] = (ShipFunction){shipment_takes_weights(shipment) ? SHIP_RUN_STATE : SHIP_RUN,
                                      variant->symbol,
                                      plan,
                                      place_constant(placing, plan),
                                      network_arguments(shipment),
                                      NULL};
    }
    return shipment->variant_count;
}

/* The step is placed first, as blocks of other functions are copied from its blocks. It is the last
 * function. */
static uint32_t place_training(Placing *placing, ShipFunction *functions) {
    Shipment *shipment = placing->shipment;
    shipment->training = ARENA_NEW(shipment->arena, ShipTraining);
    shipment->training->bytes = SHIP_HEADER;
    const Plan *step = shipment->step.plan;
    uint32_t count = shipment->variant_count;
    functions[count] = (ShipFunction){SHIP_STEP,
                                      arena_format(shipment->arena, "%s_step", shipment->name),
                                      step,
                                      place_in_state(placing, step, true),
                                      shipment->request.argument_count,
                                      NULL};
    for (uint32_t i = 0; i < count; i++) {
        const ShipVariant *variant = &shipment->variants[i];
        const Plan *plan = variant->compilation.plan;
        functions[i] = (ShipFunction){
            SHIP_RUN_STATE,
            arena_format(shipment->arena, "%s_run_state%s", shipment->name, variant->suffix),
            plan,
            place_in_state(placing, plan, false),
            network_arguments(shipment),
            NULL};
    }
    shipment->training->blocks = placing->blocks;
    shipment->training->block_count = placing->block_count;
    list_tensors(placing);
    return count + 1;
}

/* In browsers, a network that trains has one set of weights: those of its state. */
bool shipment_place_weights(Shipment *shipment) {
    Placing placing = {.shipment = shipment};
    uint32_t count = 0;
    bool trains = shipment_trains(shipment);
    ShipFunction *functions =
        ARENA_ARRAY(shipment->arena, ShipFunction, 2 * shipment->variant_count + 1);
    if (!trains || !shipment_is_web(shipment)) count += place_runs(&placing, functions);
    if (trains) count += place_training(&placing, functions + count);
    for (uint32_t i = 0; i < count && shipment_has_parts(shipment); i++)
        functions[i].part_symbol = arena_format(shipment->arena, "%s_part", functions[i].symbol);
    fill_weights(&placing);
    if (trains) describe_training(&placing);
    shipment->request.functions = functions;
    shipment->request.function_count = count;
    shipment->request.training = shipment->training;
    return !shipment->training || check_loaded(&placing);
}
