/* What is printed, as text: graphs and messages. */
#ifndef MLC_TESTS_TEXTS_H
#define MLC_TESTS_TEXTS_H

#include "ir/ir.h"

/* The caller frees. */
char *graph_text(const Graph *graph);
char *graph_dot_text(const Graph *graph);
char *diag_text(const Diagnostics *diag);

/* The status is that, and `part` stands in the messages, which are cleared. For cmocka. */
void expect_messages(Diagnostics *diag, Status status, const char *part);

#endif
