/* The exchanges of a batch: partial sums go to their owners, and the weights of a step to all.
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
    double began = seconds_now();
    bool good = peers_exchange(spread->peers, began - spread->exchanged, where);
    spread->exchanged = seconds_now();
    spread->sent.seconds += spread->exchanged - began;
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

/* The losses and carried values of the own shares, and the partial sums in the part of the
 * owner. */
static void fill_message(Spread *spread, int64_t batch, int rank) {
    ShareRange range = spread_range(&spread->plan, batch, spread->rank);
    char *message = peers_out(spread->peers, rank, spread_range_bytes(&spread->plan, range));
    move_range(spread, range, message, true);
    for (int i = 0; i < spread->own.count; i++)
        peers_send(spread->peers, rank,
                   spread->own.items[i].values + spread_part_at(&spread->plan, rank),
                   spread_part(&spread->plan, rank) * sizeof(float));
}

static void await_message(Spread *spread, int64_t batch, int rank) {
    ShareBlock blocks[PARTIAL_SUMS_MAX];
    ShareRange range = spread_range(&spread->plan, batch, rank);
    peers_in(spread->peers, rank, spread_range_bytes(&spread->plan, range));
    for (int i = spread_blocks(&spread->plan, range, blocks); i > 0; i--)
        peers_receive(spread->peers, rank, NULL,
                      spread_part(&spread->plan, spread->rank) * sizeof(float));
}

/* Takes over the partial sums of a process in the own part. They stay where they are until the next
 * exchange. */
static void take_sums(Spread *spread, int64_t batch, int rank) {
    ShareBlock blocks[PARTIAL_SUMS_MAX];
    ShareRange range = spread_range(&spread->plan, batch, rank);
    int count = spread_blocks(&spread->plan, range, blocks);
    assert(rank != spread->rank || count == spread->own.count);
    for (int i = 0; i < count; i++)
        partial_sums_borrow(&spread->owned, blocks[i],
                            rank == spread->rank
                                ? spread->own.items[i].values + spread_part_at(&spread->plan, rank)
                                : (const float *)peers_body(spread->peers, rank, i));
}

bool spread_scatter(Spread *spread, int64_t batch) {
    for (int rank = 0; rank < spread->size; rank++) {
        if (rank == spread->rank) continue;
        fill_message(spread, batch, rank);
        await_message(spread, batch, rank);
    }
    if (!spread_exchange(spread, batch)) return false;
    for (int rank = 0; rank < spread->size; rank++) {
        take_sums(spread, batch, rank);
        if (rank != spread->rank)
            move_range(spread, spread_range(&spread->plan, batch, rank),
                       (char *)peers_content(spread->peers, rank), false);
    }
    return true;
}

void spread_keep(Spread *spread) { partial_sums_keep(&spread->owned); }

bool spread_share(Spread *spread, int64_t batch, float *vector, PlaceOfRank *at) {
    const SpreadPlan *plan = &spread->plan;
    size_t own = at(plan, spread->rank), bytes = (at(plan, spread->rank + 1) - own) * sizeof(float);
    for (int rank = 0; rank < spread->size; rank++) {
        if (rank == spread->rank) continue;
        memcpy(peers_out(spread->peers, rank, bytes), vector + own, bytes);
        peers_in(spread->peers, rank, (at(plan, rank + 1) - at(plan, rank)) * sizeof(float));
    }
    if (!spread_exchange(spread, batch)) return false;
    for (int rank = 0; rank < spread->size; rank++)
        if (rank != spread->rank)
            memcpy(vector + at(plan, rank), peers_content(spread->peers, rank),
                   (at(plan, rank + 1) - at(plan, rank)) * sizeof(float));
    return true;
}

bool spread_gather(Spread *spread, int64_t batch) {
    const SpreadPlan *plan = &spread->plan;
    for (int rank = 0; rank < spread->size; rank++) {
        if (rank == spread->rank) continue;
        peers_out(spread->peers, rank, 0);
        peers_send(spread->peers, rank, spread->weights + spread_part_at(plan, spread->rank),
                   spread_part(plan, spread->rank) * sizeof(float));
        peers_in(spread->peers, rank, 0);
        peers_receive(spread->peers, rank, spread->weights + spread_part_at(plan, rank),
                      spread_part(plan, rank) * sizeof(float));
    }
    return spread_exchange(spread, batch);
}
