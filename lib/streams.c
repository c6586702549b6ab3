/* The standard streams inside of libmlc.so: variables of its own, which hide those of the process.
 * Nothing that the library contains can print, or read the input of its host. The archives of
 * jansson and libjpeg need them besides: their code can only reach variables that lie near it. */
#include <stdio.h>

#undef stdin
#undef stdout
#undef stderr
FILE *stdin, *stdout, *stderr;

/* Without functions, a cookie is empty when it is read, and takes whatever is written. */
__attribute__((constructor)) static void open_streams(void) {
    const cookie_io_functions_t none = {0};
    stdin = fopencookie(NULL, "r", none);
    stdout = fopencookie(NULL, "w", none);
    stderr = fopencookie(NULL, "w", none);
}
