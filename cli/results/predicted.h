/* The state of mlc predict: the rows, the predictions and how they are displayed. */
#ifndef MLC_CLI_RESULTS_PREDICTED_H
#define MLC_CLI_RESULTS_PREDICTED_H

#include "cli/results/forward.h"
#include "cli/session/inputs.h"
#include "runtime/data/dataset.h"

/* Images that a network reads or generates: rows [height, width] or [1 or 3, height, width]. */
typedef struct {
    const char *name; /* the name of the field or output; NULL if there are no images */
    DType dtype;
    int channels, height, width;
} PictureShape;

/* What --png draws. */
typedef struct {
    PictureShape read, made;
    bool numbers; /* draws predicted over true numbers, because there are no images */
} Drawing;

typedef struct {
    Session session;
    const Options *options; /* the options of one run, if several are averaged */
    Diagnostics *diag;
    bool files;    /* the rows are those of new files */
    Inputs inputs; /* of files */
    Split split;
    int64_t first, count; /* the rows of the split that are predicted */
    int64_t displayed;    /* how many of them a table or a picture shows */
    int64_t omitted;      /* rows of the split beyond those of a table without --index and --all */
    const int32_t *rows;  /* [count]: row numbers in the data set */
    uint32_t batch;       /* rows in one step of the program */
    int height, width;    /* the size of a grey image of bytes; 0 if the data are not such images */
    Drawing drawing;      /* of --png */
    Predictions *outputs; /* [output_count] */
    uint32_t output_count;
    const Predictions *main; /* the first output with classes, or else the first output */
    FILE *out;               /* the stream of the answer */
} Predicting;

const uint8_t *predicted_pixels(const Predicting *predicting, int64_t i);
/* The true class of a row, or -1 if it is unknown: a file may lack labels, or have labels that are
 * not a class of the network. */
int32_t predicted_truth(const Predicting *predicting, const Predictions *output, int64_t i);
bool predicted_wrongly(const Predicting *predicting, const Predictions *output, int64_t i);
/* The number of rows with a known class, and of those whose predicted class is another. */
int64_t predicted_known(const Predicting *predicting, const Predictions *output);
int64_t predicted_mistakes(const Predicting *predicting, const Predictions *output);

#endif
