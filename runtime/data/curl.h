/* Internal to runtime/: libcurl, opened when something is to be fetched. It brings thirty libraries
 * along, and loading them would take every command three times as long as reading its model. */
#ifndef MLC_RUNTIME_DATA_CURL_H
#define MLC_RUNTIME_DATA_CURL_H

#include "ir/base/diag.h"

#include <curl/curl.h>

/* What of it is called: a row is the name of a function behind "curl_". */
#define CURL_FUNCTIONS(ROW)                                                                        \
    ROW(global_init)                                                                               \
    ROW(global_cleanup)                                                                            \
    ROW(easy_init)                                                                                 \
    ROW(easy_reset)                                                                                \
    ROW(easy_setopt)                                                                               \
    ROW(easy_perform)                                                                              \
    ROW(easy_strerror)                                                                             \
    ROW(easy_cleanup)                                                                              \
    ROW(url)                                                                                       \
    ROW(url_set)                                                                                   \
    ROW(url_strerror)                                                                              \
    ROW(url_cleanup)

typedef struct {
#define ROW(name) __typeof__(curl_##name) *name;
    CURL_FUNCTIONS(ROW)
#undef ROW
} Curl;

/* NULL after an error: it is not there. */
const Curl *curl_open(Diagnostics *diag);

#endif
