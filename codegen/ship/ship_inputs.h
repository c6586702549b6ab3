/* The code that computes the inputs of a network from what the caller passes. Internal to
 * codegen/. */
#ifndef MLC_CODEGEN_SHIP_SHIP_INPUTS_H
#define MLC_CODEGEN_SHIP_SHIP_INPUTS_H

#include "codegen/ship.h"
#include "codegen/emit/emit.h"

/* The number of the argument that the network reads directly as this input; -1: the input must be
 * computed. */
int32_t ship_passed(const ShipRequest *request, const Symbol *input);
/* Emits code that computes all rows of an input into memory at `to`. arguments: the addresses that
 * the caller passed. */
void ship_compute(Emitter *e, const ShipRequest *request, const Symbol *input,
                  const LLVMValueRef *arguments, LLVMValueRef to);

#endif
