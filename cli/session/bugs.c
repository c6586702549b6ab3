/* What assert() does where a rule of the program's own does not hold: one line and the exit status
 * of a bug, not the signal that would end the process otherwise. The linker leads the calls here
 * (--wrap, in CMakeLists.txt). */
#include "ir/base/diag.h"

#include <string.h>

_Noreturn void __wrap___assert_fail(const char *rule, const char *file, unsigned line,
                                    const char *function);
_Noreturn void __wrap___assert_fail(const char *rule, const char *file, unsigned line,
                                    const char *function) {
    const char *slash = strrchr(file, '/');
    diag_bug("'%s' does not hold (%s:%u, in %s)", rule, slash ? slash + 1 : file, line, function);
}
