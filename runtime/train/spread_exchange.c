/* The exchanges of a batch: partial sums go to their owners, and the sum of a step to all.
 * spread_plan.h has the sizes of the messages. */
#include "ir/base/clock.h"
#include "runtime/train/spreading.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

bool spread_exchange(Spread *spread, int64_t batch) {
    char where[64];
    snprintf(where, sizeof where, " in batch %lld of epoch %llu", (long long)batch + 1,
             (unsigned long long)spread->trainer->info.epoch + 1);
    double busy = seconds_now() - spread->exchanged;
    bool good = peers_exchange(spread->peers, busy, where);
    spread->exchanged = seconds_now();
    return good;
}

static char *move_bytes(char *message, void *ours, size_t bytes, bool out) {
    memcpy(out ? message : ours, out ? ours : message, bytes);
    return message + bytes;
}

/* Copies losses and carried values of a range into a message, or out of it. */
static void move_range(Spread *spread, ShareRange range, char *message, bool out) {
    for (int64_t share = range.first; share < range.end; share++) {
        float *loss = &spread->losses[share % spread->plan.cut.replicas];
        message = move_bytes(message, loss, sizeof *loss, out);
        size_t bytes = spread->plan.carried_bytes[cut_share_size(&spread->plan.cut, share)];
        message = move_bytes(message, spread_values(spread, share), bytes, out);
    }
}

/* Message: the partial sums, in the part of the owner; then losses and carried values. */
static void fill_message(Spread *spread, int64_t batch, int rank) {
    ShareRange range = spread_range(&spread->plan, batch, spread->rank);
    size_t part = spread_part(&spread->plan, rank) * sizeof(float);
    char *message =
        peers_out(spread->peers, rank,
                  (size_t)spread->own.count * part + spread_range_bytes(&spread->plan, range));
    for (int i = 0; i < spread->own.count; i++, message += part)
        memcpy(message, spread->own.items[i].values + spread_part_at(&spread->plan, rank), part);
    move_range(spread, range, message, true);
}

/* Takes over the partial sums of a process in the own part. message: NULL: they are its own. */
static void take_sums(Spread *spread, int64_t batch, int rank, const char *message) {
    ShareBlock blocks[PARTIAL_SUMS_MAX];
    ShareRange range = spread_range(&spread->plan, batch, rank);
    size_t part = spread_part(&spread->plan, spread->rank);
    int count = spread_blocks(&spread->plan, range, blocks);
    assert(message || count == spread->own.count);
    for (int i = 0; i < count; i++) {
        const float *from =
            message ? (const float *)(const void *)message + (size_t)i * part
                    : spread->own.items[i].values + spread_part_at(&spread->plan, spread->rank);
        partial_sums_push(&spread->owned, blocks[i], &(SumSegment){from, 0, part}, 1);
    }
}

bool spread_scatter(Spread *spread, int64_t batch, char **messages) {
    for (int rank = 0; rank < spread->size; rank++) {
        messages[rank] = NULL;
        if (rank == spread->rank) continue;
        fill_message(spread, batch, rank);
        messages[rank] = peers_in(spread->peers, rank,
                                  spread_sums_bytes(&spread->plan, batch, rank, spread->rank));
    }
    if (!spread_exchange(spread, batch)) return false;
    for (int rank = 0; rank < spread->size; rank++) {
        take_sums(spread, batch, rank, messages[rank]);
        if (!messages[rank]) continue;
        ShareRange range = spread_range(&spread->plan, batch, rank);
        move_range(spread, range,
                   messages[rank] + spread_sums_bytes(&spread->plan, batch, rank, spread->rank) -
                       spread_range_bytes(&spread->plan, range),
                   false);
    }
    return true;
}

bool spread_gather(Spread *spread, int64_t batch, char **messages) {
    size_t own = spread_part(&spread->plan, spread->rank) * sizeof(float);
    memcpy(spread->sum + spread_part_at(&spread->plan, spread->rank),
           partial_sums_finish(&spread->owned), own);
    for (int rank = 0; rank < spread->size; rank++) {
        if (rank == spread->rank) continue;
        memcpy(peers_out(spread->peers, rank, own),
               spread->sum + spread_part_at(&spread->plan, spread->rank), own);
        messages[rank] =
            peers_in(spread->peers, rank, spread_part(&spread->plan, rank) * sizeof(float));
    }
    if (!spread_exchange(spread, batch)) return false;
    for (int rank = 0; rank < spread->size; rank++)
        if (rank != spread->rank)
            memcpy(spread->sum + spread_part_at(&spread->plan, rank), messages[rank],
                   spread_part(&spread->plan, rank) * sizeof(float));
    return true;
}
