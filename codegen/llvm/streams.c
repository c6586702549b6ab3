/* The machine's rate of reading and writing memory, measured with code like that of the kernels:
 * several whole vectors at a time, which do not depend on each other. */
#include "codegen/llvm/step.h"
#include "codegen/llvm/jit.h"
#include "codegen/llvm/object.h"

enum { TOGETHER = STREAM_ELEMENTS / LANES };

/* -- code -- */

static LLVMValueRef vector_at(Emitter *e, LLVMValueRef memory, LLVMValueRef element, int number) {
    LLVMValueRef at = LLVMBuildAdd(e->builder, element, const_i64(e, number * LANES), "");
    return element_pointer(e, memory, DTYPE_F32, at);
}

static LLVMValueRef load_integers(Emitter *e, LLVMValueRef pointer) {
    return LLVMBuildLoad2(e->builder, lanes_of(e->i32), pointer, "");
}

/* Begins the function name(memory, elements). The builder stands in its first block, which is
 * returned. */
static LLVMBasicBlockRef begin_function(Emitter *e, const char *name, const Target *target) {
    LLVMTypeRef parameters[] = {e->pointer, e->i64};
    e->function =
        LLVMAddFunction(e->module, name, LLVMFunctionType(e->nothing, parameters, 2, false));
    function_set_target(e, e->function, target);
    LLVMBasicBlockRef entry = LLVMAppendBasicBlockInContext(e->context, e->function, "entry");
    LLVMPositionBuilderAtEnd(e->builder, entry);
    return entry;
}

/* The vectors are combined by `or` as integers, since some values, such as denormals, are slow as
 * floats. */
static void emit_read(Emitter *e, const Target *target) {
    LLVMBasicBlockRef entry = begin_function(e, "stream_read", target);
    LLVMValueRef memory = LLVMGetParam(e->function, 0), elements = LLVMGetParam(e->function, 1);
    LLVMValueRef gathered[TOGETHER], none = LLVMConstNull(lanes_of(e->i32));
    Loop loop = loop_begin(e, const_i64(e, 0));
    for (int i = 0; i < TOGETHER; i++) {
        gathered[i] = LLVMBuildPhi(e->builder, lanes_of(e->i32), "");
        LLVMAddIncoming(gathered[i], &none, &entry, 1);
    }
    for (int i = 0; i < TOGETHER; i++) {
        LLVMValueRef next = LLVMBuildOr(e->builder, gathered[i],
                                        load_integers(e, vector_at(e, memory, loop.index, i)), "");
        LLVMAddIncoming(gathered[i], &next, &loop.body, 1);
        gathered[i] = next;
    }
    loop_end(e, loop, elements, STREAM_ELEMENTS);
    for (int i = 1; i < TOGETHER; i++)
        gathered[0] = LLVMBuildOr(e->builder, gathered[0], gathered[i], "");
    LLVMBuildStore(e->builder, gathered[0], memory);
    LLVMBuildRetVoid(e->builder);
}

static LLVMModuleRef make_streams(LLVMContextRef context, const Target *target, const void *what) {
    (void)what;
    LLVMModuleRef module = LLVMModuleCreateWithNameInContext("streams", context);
    Emitter e = emitter_new(context, module, target);
    emit_read(&e, target);
    begin_function(&e, "stream_add", target);
    LLVMValueRef memory = LLVMGetParam(e.function, 0), elements = LLVMGetParam(e.function, 1);
    LLVMValueRef one = value_splat(&e, (LaneValue){const_i32(&e, 1), true});
    Loop loop = loop_begin(&e, const_i64(&e, 0));
    for (int i = 0; i < TOGETHER; i++) {
        LLVMValueRef at = vector_at(&e, memory, loop.index, i);
        LLVMBuildStore(e.builder, LLVMBuildAdd(e.builder, load_integers(&e, at), one, ""), at);
    }
    loop_end(&e, loop, elements, STREAM_ELEMENTS);
    LLVMBuildRetVoid(e.builder);
    emitter_close(&e);
    return module;
}

/* -- the code, ready to run -- */

typedef void StreamFunction(float *memory, int64_t elements);

bool streams_open(Streams *streams, const CodegenOptions *options, Diagnostics *diag) {
    LLVMOrcLLJITRef jit = NULL;
    *streams = (Streams){0};
    Object object = object_make(make_streams, NULL, options, diag);
    if (object.buffer && jit_open(options, object.buffer, &jit, diag)) {
        streams->read = (StreamFunction *)(uintptr_t)jit_lookup(jit, "stream_read", diag);
        streams->add = (StreamFunction *)(uintptr_t)jit_lookup(jit, "stream_add", diag);
    }
    streams->code = jit;
    return streams->read && streams->add;
}

void streams_close(Streams *streams) { jit_close(streams->code); }
