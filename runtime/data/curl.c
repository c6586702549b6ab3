/* Loads libcurl (see curl.h). */
#include "runtime/data/curl.h"

#include <dlfcn.h>

#define LIBRARY "libcurl.so.4"

static bool find(void *library, const char *name, void *function) {
    return (*(void **)function = dlsym(library, name)) != NULL;
}

const Curl *curl_open(Diagnostics *diag) {
    static Curl curl;
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    bool good = library != NULL;
#define ROW(name) good = good && find(library, "curl_" #name, &curl.name);
    CURL_FUNCTIONS(ROW)
#undef ROW
    if (good) return &curl;
    diag_error(diag, STATUS_DATA, (Span){0},
               "cannot download data: the library " LIBRARY " is not installed");
    diag_help(diag, "install it (Debian: apt-get install libcurl4)");
    return NULL;
}
