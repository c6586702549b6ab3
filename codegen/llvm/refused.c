/* Ends the process with a message and a documented status if LLVM gets no memory or has a fatal
 * error. LLVM itself calls abort(), in three places: `operator new` of C++, its allocator, and
 * fatal errors. Its C interface can replace the last one only. The handlers of the others are set
 * by their mangled names. */
#include "codegen/codegen.h"
#include "ir/base/memory.h"

#include <llvm-c/ErrorHandling.h>
#include <string.h>

static const char compiler[] = "compiling";

static void new_refused(void) { memory_exhausted(0, compiler); }

static void allocator_refused(void *context, const char *reason, bool crash_report) {
    (void)context, (void)reason, (void)crash_report;
    memory_exhausted(0, compiler);
}

/* LLVM says "Unable to allocate section memory!" where code is put into memory. */
static void cannot_go_on(const char *reason) {
    if (strstr(reason, "allocate") || strstr(reason, "memory")) memory_exhausted(0, compiler);
    diag_bug("LLVM cannot go on: %s", reason);
}

/* std::set_new_handler, and llvm::install_bad_alloc_error_handler (llvm/Support/ErrorHandling.h) */
void (*set_new_handler(void (*handler)(void)))(void) __asm__("_ZSt15set_new_handlerPFvvE");
void install_bad_alloc_error_handler(
    void (*handler)(void *, const char *, bool),
    void *context) __asm__("_ZN4llvm31install_bad_alloc_error_handlerEPFvPvPKcbES0_");

void codegen_begin_inside(void) {
    install_bad_alloc_error_handler(allocator_refused, NULL);
    LLVMInstallFatalErrorHandler(cannot_go_on);
}

void codegen_begin(void) {
    set_new_handler(new_refused);
    codegen_begin_inside();
}
