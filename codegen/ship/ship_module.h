/* The LLVM module of a shipped object. Internal to codegen/. */
#ifndef MLC_CODEGEN_SHIP_SHIP_MODULE_H
#define MLC_CODEGEN_SHIP_SHIP_MODULE_H

#include "codegen/ship.h"
#include "codegen/target/target.h"

/* Makes the module; sizes[i].scratch becomes that of function i. with_math: the functions of
 * ship_math.h are in it. */
LLVMModuleRef ship_module(LLVMContextRef context, const ShipRequest *request, const Target *target,
                          bool with_math, ShipSizes *sizes);

#endif
