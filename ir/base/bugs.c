/* A failed assert() prints one line and exits with the status of a bug, instead of raising SIGABRT.
 * The linker redirects the calls to this function (--wrap, in CMakeLists.txt). */
#include "ir/base/diag.h"

#include <string.h>

_Noreturn void __wrap___assert_fail(const char *rule, const char *file, unsigned line,
                                    const char *function);
_Noreturn void __wrap___assert_fail(const char *rule, const char *file, unsigned line,
                                    const char *function) {
    const char *slash = strrchr(file, '/');
    diag_bug("'%s' does not hold (%s:%u, in %s)", rule, slash ? slash + 1 : file, line, function);
}
