/* How the rows of an epoch are cut into batches and shares. */
#include "ir/data/cut.h"
#include "ir/base/integers.h"

int64_t cut_batches(const Cut *cut) { return divide_up(cut->rows, cut->batch); }

int64_t cut_batch_rows(const Cut *cut, int64_t batch) {
    return min_i64(cut->batch, cut->rows - batch * cut->batch);
}

static int64_t shares_of(const Cut *cut, int64_t batch_rows) {
    return min_i64(cut->replicas, batch_rows);
}

int64_t cut_shares(const Cut *cut) {
    int64_t whole = cut->rows / cut->batch;
    return whole * cut->replicas + shares_of(cut, cut->rows % cut->batch);
}

/* Of n rows in s shares, the first n mod s shares have one row more than the others. */
Share cut_share(const Cut *cut, int64_t number) {
    int64_t batch = number / cut->replicas, index = number % cut->replicas,
            rows = cut_batch_rows(cut, batch), shares = shares_of(cut, rows);
    int64_t each = rows / shares, larger = rows % shares;
    return (Share){.batch = batch,
                   .first = index * each + min_i64(index, larger),
                   .rows = each + (index < larger),
                   .ends = index + 1 == shares};
}

int64_t cut_size_rows(const Cut *cut, ShareSize size) {
    int64_t full = cut->rows >= cut->batch ? cut->batch / cut->replicas : 0,
            last = cut->rows % cut->batch, shares = shares_of(cut, last);
    int64_t larger = last ? divide_up(last, shares) : 0, smaller = last ? last / shares : 0;
    switch (size) {
    case SHARE_FULL: return full;
    case SHARE_LARGER: return larger == full ? 0 : larger;
    default: return smaller == full || smaller == larger ? 0 : smaller;
    }
}

ShareSize cut_share_size(const Cut *cut, int64_t number) {
    int64_t rows = cut_share(cut, number).rows;
    ShareSize size = SHARE_FULL;
    while (cut_size_rows(cut, size) != rows) size++;
    return size;
}

int64_t cut_whole_batches(const Cut *cut, int64_t share, int64_t count) {
    for (int64_t whole = count; whole > 0; whole--)
        if (cut_share(cut, share + whole - 1).ends) return whole;
    return count;
}
