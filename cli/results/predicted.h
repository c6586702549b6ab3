/* What mlc predict found. */
#ifndef MLC_CLI_RESULTS_PREDICTED_H
#define MLC_CLI_RESULTS_PREDICTED_H

#include "cli/results/forward.h"
#include "cli/session/inputs.h"
#include "runtime/data/dataset.h"

/* Pictures among what a network reads or makes: rows [height, width] or [1 or 3, height, width]. */
typedef struct {
    const char *name; /* of the field or output; NULL: there are none */
    DType dtype;
    int channels, height, width;
} PictureShape;

/* What --png draws. */
typedef struct {
    PictureShape read, made;
    bool numbers; /* no pictures, but predictions beside true numbers */
} Drawing;

typedef struct {
    Session session;
    const Options *options;
    Diagnostics *diag;
    bool files;    /* the rows are those of files */
    Inputs inputs; /* of files */
    Split split;
    int64_t first, count; /* rows of the split */
    int64_t shown;        /* how many of them, from the first on, a table or a picture has */
    int64_t left;         /* rows of the split that nobody asked for, and that a table leaves out */
    const int32_t *rows;  /* their numbers in the data set */
    uint32_t batch;       /* rows that are run at once */
    int height, width;    /* of a grey image of bytes; 0 if the model's data are no such images */
    Drawing drawing;      /* of --png */
    Predictions *outputs; /* of each of the model's outputs */
    uint32_t output_count;
    const Predictions *main; /* the first one that has classes, or else the first */
    FILE *out;               /* for the answer */
} Predicting;

const uint8_t *predicted_pixels(const Predicting *predicting, int64_t i);
/* The class of a row, or -1: a file may have no labels, or some that are no class of the
 * network. */
int32_t predicted_truth(const Predicting *predicting, const Predictions *output, int64_t i);
bool predicted_wrongly(const Predicting *predicting, const Predictions *output, int64_t i);
/* Rows whose class is known, and those of them that are taken for another one */
int64_t predicted_known(const Predicting *predicting, const Predictions *output);
int64_t predicted_mistakes(const Predicting *predicting, const Predictions *output);

#endif
