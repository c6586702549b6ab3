/* KERNEL_GEMM (--gemm=openblas): OpenBLAS computes the product, on the calling thread and its own.
 * It adds in another order than the numerics contract, so results agree up to rounding only. The
 * library is loaded when the first plan needs it, since loading starts its threads. */
#include "codegen/llvm/openblas.h"

#include <cblas.h>
#include <dlfcn.h>
#include <pthread.h>

static __typeof__(cblas_sgemm) *sgemm;

static void open_library(void) {
    void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    if (library) *(void **)&sgemm = dlsym(library, "cblas_sgemm");
}

bool openblas_open(Diagnostics *diag) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_library);
    if (sgemm) return true;
    diag_error(diag, STATUS_USAGE, (Span){0},
               "--gemm=openblas: the library libopenblas.so.0 is not there");
    diag_help(diag,
              "install it (Debian: apt-get install libopenblas0-pthread), or leave the option out");
    return false;
}

void openblas_gemm(const GemmShape *s, const float *a, const float *b, float *c) {
    int m = (int)s->m, n = (int)s->n, k = (int)s->k;
    for (int64_t i = 0; i < s->batch; i++, a += s->m * s->k, b += s->k * s->n, c += s->m * s->n)
        sgemm(CblasRowMajor, s->transpose_a ? CblasTrans : CblasNoTrans,
              s->transpose_b ? CblasTrans : CblasNoTrans, m, n, k, 1, a, s->transpose_a ? m : k, b,
              s->transpose_b ? k : n, 0, c, n);
}

/* A constant of the module in the layout of GemmShape. */
static LLVMValueRef shape_constant(Emitter *e, const Node *node) {
    Shape a = graph_operand(e->graph, node, 0)->shape, c = node->shape;
    int64_t m = c.dim[c.rank - 2], n = c.dim[c.rank - 1],
            k = a.dim[node->attrs.matmul.transpose_a ? a.rank - 2 : a.rank - 1];
    LLVMValueRef fields[] = {const_i64(e, shape_elements(c) / (m * n)),
                             const_i64(e, m),
                             const_i64(e, n),
                             const_i64(e, k),
                             const_i32(e, node->attrs.matmul.transpose_a),
                             const_i32(e, node->attrs.matmul.transpose_b)};
    LLVMValueRef value = LLVMConstStructInContext(e->context, fields, 6, false);
    LLVMValueRef global = LLVMAddGlobal(e->module, LLVMTypeOf(value), "gemm_shape");
    LLVMSetInitializer(global, value);
    LLVMSetLinkage(global, LLVMPrivateLinkage);
    LLVMSetGlobalConstant(global, true);
    return global;
}

int64_t kernel_gemm(Emitter *e, LLVMValueRef first, LLVMValueRef last) {
    (void)first, (void)last; /* one unit */
    LLVMTypeRef parameters[] = {e->pointer, e->pointer, e->pointer, e->pointer};
    LLVMTypeRef type = LLVMFunctionType(e->nothing, parameters, 4, false);
    LLVMValueRef function = LLVMGetNamedFunction(e->module, "openblas_gemm");
    if (!function) function = LLVMAddFunction(e->module, "openblas_gemm", type);
    const Kernel *kernel = e->kernel;
    LLVMValueRef args[] = {shape_constant(e, graph_node(e->graph, kernel->root)),
                           storage_base(e, kernel->product.left),
                           storage_base(e, kernel->product.right),
                           storage_base(e, kernel->stores[0].to)};
    LLVMBuildCall2(e->builder, type, function, args, 4, "");
    return 1;
}
