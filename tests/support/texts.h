/* Graphs and messages as text, as they are printed. */
#ifndef MLC_TESTS_TEXTS_H
#define MLC_TESTS_TEXTS_H

#include "ir/ir.h"

/* The caller frees. */
char *graph_text(const Graph *graph);
char *graph_dot_text(const Graph *graph);
char *diag_text(const Diagnostics *diag);

/* Checks the status, and that the messages contain `part`; then clears them. For cmocka. */
void expect_messages(Diagnostics *diag, Status status, const char *part);

#endif
