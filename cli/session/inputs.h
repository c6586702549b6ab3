/* New rows for a trained network, from files: pictures, tables of text, arrays of NumPy. */
#ifndef MLC_CLI_SESSION_INPUTS_H
#define MLC_CLI_SESSION_INPUTS_H

#include "cli/session/session.h"

/* What the rows are called: of images, the file. */
typedef struct {
    const char *const *names; /* [rows], or NULL: they are counted */
    bool images;
} Inputs;

/* Makes the session's data set from the files and folders of pictures, which are all of one kind,
 * told by their names, and pictures by their content. It holds what the network reads, of
 * GRAPH_EVAL with the labels. Says on stderr what was done to bring them to what the model reads.
 * false after reporting errors. */
bool inputs_open(Session *session, GraphKind kind, char *const *files, int count, Inputs *inputs);

#endif
