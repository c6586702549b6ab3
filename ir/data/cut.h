/* How the rows of an epoch are cut: into batches, and every batch into shares (`replicas`). */
#ifndef MLC_IR_DATA_CUT_H
#define MLC_IR_DATA_CUT_H

#include <stdbool.h>
#include <stdint.h>

/* `replicas` divides `batch`. The last batch may be smaller. Its shares are as equal as possible,
 * the larger ones first; it has fewer shares if it has fewer rows. */
typedef struct {
    int64_t rows, batch, replicas;
} Cut;

/* A share of a batch. Shares are counted over the whole epoch. */
typedef struct {
    int64_t batch;       /* its batch */
    int64_t first, rows; /* its rows, counted from the first row of the batch */
    bool ends;           /* it is the last one of its batch */
} Share;

int64_t cut_batches(const Cut *cut);
int64_t cut_shares(const Cut *cut);
int64_t cut_batch_rows(const Cut *cut, int64_t batch);
Share cut_share(const Cut *cut, int64_t number);
/* The most shares from `share` on, `count` at most, of which the last one ends a batch; `count` if none
 * of them does. */
int64_t cut_whole_batches(const Cut *cut, int64_t share, int64_t count);

/* Shares have at most three sizes: those of full batches, and the larger and the smaller ones of
 * the last batch. */
typedef enum { SHARE_FULL, SHARE_LARGER, SHARE_SMALLER, SHARE_SIZES } ShareSize;
/* The rows of a share of that size; 0: there is none, or it has the rows of an earlier size. */
int64_t cut_size_rows(const Cut *cut, ShareSize size);
ShareSize cut_share_size(const Cut *cut, int64_t number);

#endif
