/* libcurl, loaded only for a download. It needs thirty libraries; loading them would take every
 * command three times as long as reading its model. Private to runtime/. */
#ifndef MLC_RUNTIME_DATA_CURL_H
#define MLC_RUNTIME_DATA_CURL_H

#include "ir/base/diag.h"

#include <curl/curl.h>

/* The functions that are called: each row is a name without "curl_". */
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

/* NULL after reporting that it is not installed. */
const Curl *curl_open(Diagnostics *diag);

#endif
