/* mlc.h: networks of mlc inside of a program in C or C++: load, predict, train on, save.
 *
 *     mlc_network *network;
 *     if (mlc_open("runs/1", NULL, &network) != MLC_OK) puts(mlc_message(network));
 *     const void *inputs[] = {image};
 *     float scores[10], *outputs[] = {scores};
 *     mlc_predict(network, 1, inputs, outputs);
 *     mlc_close(network);
 *
 * No function ends the process, prints, handles signals, or keeps state outside of its network:
 * docs/c-interface.md names the one exception. An error is a status; mlc_message has its text.
 * Networks are independent of each other. One network is used by one thread at a time, and
 * different ones by different threads at once. */
#ifndef MLC_H
#define MLC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif
#ifdef __cplusplus
extern "C" {
#endif

/* The numbers up to 6 are the exit statuses of the program mlc. */
typedef enum {
    MLC_OK = 0,
    MLC_BUG = 1,        /* an error in mlc itself */
    MLC_USAGE = 2,      /* a wrong argument or option */
    MLC_MODEL = 3,      /* an error in the model file */
    MLC_DATA = 4,       /* the rows, or the data of the model */
    MLC_FILE = 5,       /* a file that is missing, damaged or cannot be written */
    MLC_NOT_FINITE = 6, /* an output, a loss or a weight is NaN or infinite */
    MLC_NO_MEMORY = 100 /* for which the program ends with 5 */
} mlc_status;

typedef struct mlc_network mlc_network;

/* How a network is opened. Members that are 0 mean the default. */
typedef struct {
    size_t size;                 /* sizeof(mlc_options) */
    int rows;                    /* rows that are computed at once; default 1 */
    int threads;                 /* of the network, with the caller's; default 1 */
    int training;                /* not 0: mlc_step may be called */
    int64_t epoch_rows;          /* rows of an epoch; default: as many as the model's data */
    int best;                    /* not 0: the weights of the best epoch, not of the last one */
    int no_cache;                /* not 0: compiled code is neither read from a file nor stored */
    const char *const *settings; /* as --set: "train.batch=32" */
    int setting_count;
} mlc_options;

typedef enum { MLC_U8 = 1, MLC_I32 = 2, MLC_F32 = 3, MLC_F64 = 4 } mlc_type;
enum { MLC_MAX_RANK = 6 };

/* An input, an output or a weight. Belongs to the network. */
typedef struct {
    const char *name;
    mlc_type type;
    int rank;                    /* of a row of an input or output; of the whole weight */
    int64_t shape[MLC_MAX_RANK]; /* [rank] */
    int64_t elements;            /* the product of the shape */
    /* Text is passed as the number of its category, or -1 for none; an output of a classifier has a
     * number for each class. Else NULL and 0. */
    const char *const *classes;
    int class_count;
    int for_training; /* of an input: only mlc_step reads it; of a weight: training changes it */
} mlc_tensor;

/* Opens the folder of a run, or an untrained model file (.mdl). *network is NULL only if there is
 * no memory for it. After any other error it holds the message, and must be closed. options: may be
 * NULL. */
mlc_status mlc_open(const char *path, const mlc_options *options, mlc_network **network);
void mlc_close(mlc_network *network); /* NULL is allowed */

/* What the last call of a function with this network said: errors, or else warnings; "" for
 * nothing. The lines end in '\n'. NULL: a text for a lack of memory. */
const char *mlc_message(const mlc_network *network);
const char *mlc_version(void); /* "0.1.0" */

/* The inputs that mlc_predict reads come first, then those that only mlc_step reads. */
int mlc_input_count(const mlc_network *network);
const mlc_tensor *mlc_input(const mlc_network *network, int index); /* NULL: no such input */
int mlc_output_count(const mlc_network *network);
const mlc_tensor *mlc_output(const mlc_network *network, int index);

/* Computes the outputs of any number of rows. inputs[i]: [rows][elements of input i], in its type;
 * outputs[i]: [rows][elements of output i], NULL if it is not wanted. MLC_NOT_FINITE: an output is
 * NaN or infinite, and all outputs are written. After other errors some rows may lack them. */
mlc_status mlc_predict(mlc_network *network, int64_t rows, const void *const *inputs,
                       float *const *outputs);
/* The class of each row, and the probabilities of all classes, for an output that has classes.
 * values: what mlc_predict has written. classes: [rows]. probabilities: [rows][classes]; may be
 * NULL. */
mlc_status mlc_classify(mlc_network *network, int output, int64_t rows, const float *values,
                        int32_t *classes, float *probabilities);

/* One step of the training on the next batch of the epoch. rows: as many as mlc_batch says. loss:
 * the mean over the rows, before the step; may be NULL. MLC_NOT_FINITE: the loss is NaN or
 * infinite, and the weights are of no use any more. */
int64_t mlc_batch(const mlc_network *network); /* 0: opened without options.training */
mlc_status mlc_step(mlc_network *network, int64_t rows, const void *const *inputs, float *loss);
/* Steps done so far, and whole epochs. */
int64_t mlc_steps(const mlc_network *network);
int64_t mlc_epochs(const mlc_network *network);

/* Weights and what else the network keeps, such as moments of the optimizer, in row-major order. */
int mlc_weight_count(const mlc_network *network);
const mlc_tensor *mlc_weight(const mlc_network *network, int index);
mlc_status mlc_get_weight(mlc_network *network, int index, void *values);
mlc_status mlc_set_weight(mlc_network *network, int index, const void *values);
/* Writes a checkpoint into PATH.safetensors, or a run into a folder that is new, empty or a run. */
mlc_status mlc_save(mlc_network *network, const char *path);

#ifdef __cplusplus
}
#endif
#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#endif
