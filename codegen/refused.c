/* What LLVM does where it is refused memory. It would call abort(), from `operator new` of C++ or from its own allocator: its interface
 * for C has no function that changes this, so that the two functions of C++ are called by their mangled names. */
#include "codegen/codegen.h"
#include "ir/memory.h"

static const char compiler[] = "compiling";

static void new_refused(void) { memory_exhausted(0, compiler); }

static void allocator_refused(void *context, const char *reason, bool crash_report) {
    (void)context, (void)reason, (void)crash_report;
    memory_exhausted(0, compiler);
}

/* std::set_new_handler, and llvm::install_bad_alloc_error_handler (llvm/Support/ErrorHandling.h) */
void (*set_new_handler(void (*handler)(void)))(void) __asm__("_ZSt15set_new_handlerPFvvE");
void install_bad_alloc_error_handler(void (*handler)(void *, const char *, bool),
                                     void *context) __asm__("_ZN4llvm31install_bad_alloc_error_handlerEPFvPvPKcbES0_");

void codegen_begin(void) {
    set_new_handler(new_refused);
    install_bad_alloc_error_handler(allocator_refused, NULL);
}
