/* The weights of a shipped network. They are constants of the object that reads them, or of an
 * object of their own, or memory of a module for WebAssembly. */
#include "codegen/ship/c_values.h"
#include "codegen/ship/ship_module.h"

LLVMValueRef ship_add_buffer(LLVMModuleRef module, const char *name, size_t bytes) {
    LLVMTypeRef byte = LLVMInt8TypeInContext(LLVMGetModuleContext(module)),
                type = LLVMArrayType2(byte, bytes ? bytes : 1);
    LLVMValueRef buffer = LLVMAddGlobal(module, type, name);
    LLVMSetInitializer(buffer, LLVMConstNull(type));
    LLVMSetAlignment(buffer, SHIP_ALIGNMENT);
    return buffer;
}

/* Declares the weights, which may be defined elsewhere in the program. */
static LLVMValueRef declare_weights(LLVMModuleRef module, const ShipRequest *request,
                                    const char *symbol) {
    LLVMTypeRef byte = LLVMInt8TypeInContext(LLVMGetModuleContext(module));
    LLVMValueRef weights =
        LLVMAddGlobal(module, LLVMArrayType2(byte, request->weights_bytes), symbol);
    LLVMSetGlobalConstant(weights, true);
    LLVMSetAlignment(weights, SHIP_ALIGNMENT);
    LLVMSetVisibility(weights, LLVMHiddenVisibility); /* its address needs no table of addresses */
    return weights;
}

static void define_weights(LLVMModuleRef module, LLVMValueRef weights, const ShipRequest *request) {
    char section[128];
    LLVMSetInitializer(weights,
                       LLVMConstStringInContext2(LLVMGetModuleContext(module), request->weights,
                                                 request->weights_bytes, true));
    snprintf(section, sizeof section, ".rodata.%s_weights", request->name);
    LLVMSetSection(weights, section);
}

LLVMValueRef ship_add_weights(LLVMModuleRef module, const ShipRequest *request) {
    char name[128];
    snprintf(name, sizeof name, "%s_weights", request->name);
    if (request->given_magic) return NULL;
    if (request->buffers) return ship_add_buffer(module, name, request->weights_bytes);
    if (request->weights_symbol) return declare_weights(module, request, request->weights_symbol);
    LLVMValueRef weights = declare_weights(module, request, name);
    define_weights(module, weights, request);
    return weights;
}

LLVMModuleRef ship_weights_module(LLVMContextRef context, const ShipRequest *request) {
    LLVMModuleRef module = LLVMModuleCreateWithNameInContext(request->weights_symbol, context);
    define_weights(module, declare_weights(module, request, request->weights_symbol), request);
    return module;
}

void codegen_ship_weights_source(const ShipRequest *request, FILE *out) {
    fputs("#include <stdint.h>\n\n", out);
    c_declare_weights(request->weights_symbol, request->weights_bytes, out);
    fprintf(out, "const uint32_t %s[%zu] = ", request->weights_symbol,
            c_word_count(request->weights_bytes));
    c_print_words(request->weights, request->weights_bytes, out);
}
