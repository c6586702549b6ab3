/* A shipment for browsers: two modules that differ in how they multiply and add, and the memory for
 * the arguments of their functions. */
#include "cli/ship/shipment.h"

static const char *buffer_name(const Shipment *shipment, const char *what, int64_t number) {
    if (number < 0) return arena_format(shipment->arena, "%s_%s", shipment->name, what);
    return arena_format(shipment->arena, "%s_%s_%lld", shipment->name, what, (long long)number);
}

/* The largest number of rows of a call. */
static int64_t max_rows(const Shipment *shipment) {
    int64_t rows = 1;
    for (uint32_t i = 0; i < shipment->variant_count; i++)
        if (shipment->variants[i].rows > rows) rows = shipment->variants[i].rows;
    return rows;
}

/* input_N for each argument, output_N for each output; state, tensors and loss for a training. */
static void describe_buffers(Shipment *shipment) {
    ShipRequest *request = &shipment->request;
    const ShipTraining *training = shipment->training;
    uint32_t count = 0;
    int64_t rows = max_rows(shipment), lines = rows * shipment_lines(shipment);
    if (shipment->step_rows > lines) lines = shipment->step_rows;
    ShipBuffer *buffers = ARENA_ARRAY(shipment->arena, ShipBuffer,
                                      request->argument_count + shipment->output_count + 3);
    for (uint32_t i = 0; i < request->argument_count; i++)
        buffers[count++] =
            (ShipBuffer){buffer_name(shipment, "input", i), (size_t)lines * request->line_bytes[i]};
    for (uint32_t i = 0; i < shipment->output_count; i++)
        buffers[count++] =
            (ShipBuffer){buffer_name(shipment, "output", i),
                         (size_t)(rows * shipment->outputs[i].elements) * sizeof(float)};
    if (training) {
        size_t tensors = 0;
        for (uint32_t i = 0; i < training->tensor_count; i++)
            tensors +=
                (size_t)shape_elements(training->blocks[training->tensors[i]].symbol->shape) *
                sizeof(float);
        buffers[count++] = (ShipBuffer){buffer_name(shipment, "state", -1), training->bytes};
        buffers[count++] = (ShipBuffer){buffer_name(shipment, "tensors", -1), tensors};
        buffers[count++] = (ShipBuffer){buffer_name(shipment, "loss", -1), sizeof(float)};
    }
    request->buffers = buffers;
    request->buffer_count = count;
}

bool shipment_make_modules(Shipment *shipment, const CodegenOptions *options) {
    CodegenOptions relaxed = *options, exact = *options;
    relaxed.wasm = WASM_RELAXED;
    exact.wasm = WASM_EXACT;
    describe_buffers(shipment);
    return codegen_ship(&shipment->request, &relaxed, &shipment->relaxed, shipment->diag) &&
           codegen_ship(&shipment->request, &exact, &shipment->shipped, shipment->diag);
}
