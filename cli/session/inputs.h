/* New rows for a trained network, read from files: pictures, csv tables, NumPy arrays. */
#ifndef MLC_CLI_SESSION_INPUTS_H
#define MLC_CLI_SESSION_INPUTS_H

#include "cli/session/build.h"

/* How the rows are named: an image by its file. */
typedef struct {
    const char *const *names; /* [rows]; NULL: rows have only numbers */
    bool images;
} Inputs;

/* Makes the session's data set from files of one kind, or from folders of pictures. The name tells
 * the kind of a file; pictures are also recognized by content. The data set holds what the network
 * reads, with the labels for GRAPH_EVAL. Conversions of pictures are noted on stderr. false after
 * reporting errors. */
bool inputs_open(Session *session, GraphKind kind, char *const *files, int count, Inputs *inputs);

/* Whether pictures are cropped to their strokes and centred, as those of MNIST are: by --fit, or
 * because the data are like that. row: the shape that the network reads. */
bool inputs_centre_strokes(const Build *build, Shape row);

#endif
