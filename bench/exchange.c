/* The price of a fixed order: the exchange of gradients by which mlc adds them, beside
 * MPI_Allreduce of the same bytes, measured in turn.
 *
 *   mpicc.mpich -O2 -I. bench/exchange.c runtime/peers/mpi/plugin.c build/release/libmlc_{runtime,ir}.a -lm -lpthread -o exchange
 *   mpirun.mpich -n 2 ./exchange 186090
 *
 * The argument is the number of weights. It does what runtime/train/spread_exchange.c does in a
 * step in which every process has one share: partial sums go to their owners, which add them in the
 * order of the shares and send the sum to all. Prints the least and the median time. */
#include "runtime/peers/peers.h"
#include "runtime/train/partial_sums.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TransportMaker mlc_transport_mpi;
enum { ROUNDS = 200, UNIT = TRANSPORT_UNIT / sizeof(float) };

typedef struct {
    Peers *peers;
    int rank, size;
    size_t elements; /* a multiple of UNIT times the number of processes */
    float *values, *sum;
    PartialSums owned;
} Exchange;

static size_t part(const Exchange *e) { return e->elements / (size_t)e->size; }
static size_t part_at(const Exchange *e, int rank) { return (size_t)rank * part(e); }

static void exchange_all(Exchange *e) {
    if (!peers_exchange(e->peers, 0, "")) exit(8);
}

static void add_in_order(Exchange *e) {
    size_t bytes = part(e) * sizeof(float);
    for (int rank = 0; rank < e->size; rank++) {
        if (rank == e->rank) continue;
        peers_out(e->peers, rank, sizeof(float));
        peers_send(e->peers, rank, e->values + part_at(e, rank), bytes);
        peers_in(e->peers, rank, sizeof(float));
        peers_receive(e->peers, rank, NULL, bytes);
    }
    exchange_all(e);
    for (int rank = 0; rank < e->size; rank++)
        partial_sums_borrow(&e->owned, (ShareBlock){rank, 1},
                            rank == e->rank ? e->values + part_at(e, rank)
                                            : (const float *)peers_body(e->peers, rank, 0));
    float *own = e->sum + part_at(e, e->rank);
    partial_sums_finish(&e->owned, own);
    for (int rank = 0; rank < e->size; rank++) {
        if (rank == e->rank) continue;
        peers_out(e->peers, rank, 0);
        peers_send(e->peers, rank, own, bytes);
        peers_in(e->peers, rank, 0);
        peers_receive(e->peers, rank, e->sum + part_at(e, rank), bytes);
    }
    exchange_all(e);
}

static void add_by_mpi(Exchange *e) {
    MPI_Allreduce(e->values, e->sum, (int)e->elements, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
}

static double time_of(Exchange *e, void (*add)(Exchange *)) {
    MPI_Barrier(MPI_COMM_WORLD);
    double begin = MPI_Wtime(), took, longest;
    add(e);
    took = MPI_Wtime() - begin;
    MPI_Allreduce(&took, &longest, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    return longest;
}

static int compare(const void *a, const void *b) {
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

int main(int argc, char **argv) {
    char reason[TRANSPORT_REASON];
    Transport *transport = mlc_transport_mpi(60, reason);
    if (!transport || argc != 2) return fputs("usage: exchange WEIGHTS\n", stderr), 2;
    Threads *threads = threads_new(1);
    Diagnostics *diag = diag_new();
    PeerOptions options = {.patience = 60};
    Exchange e = {.rank = transport->rank, .size = transport->size};
    size_t step = UNIT * (size_t)e.size;
    e.peers = peers_open(transport, &options, diag);
    e.elements = (strtoul(argv[1], NULL, 10) + step - 1) / step * step;
    e.owned = partial_sums_new(part(&e), threads);
    e.values = calloc(e.elements, sizeof(float));
    e.sum = calloc(e.elements, sizeof(float));
    for (size_t i = 0; i < e.elements; i++) e.values[i] = (float)(i % 97) + (float)e.rank;
    static double ours[ROUNDS], theirs[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        ours[round] = time_of(&e, add_in_order);
        theirs[round] = time_of(&e, add_by_mpi);
    }
    qsort(ours, ROUNDS, sizeof *ours, compare);
    qsort(theirs, ROUNDS, sizeof *theirs, compare);
    if (e.rank == 0)
        printf(
            "%zu weights, %d processes: in order %.3f ms (median %.3f), MPI_Allreduce %.3f ms (median %.3f)\n",
            e.elements, e.size, 1e3 * ours[0], 1e3 * ours[ROUNDS / 2], 1e3 * theirs[0],
            1e3 * theirs[ROUNDS / 2]);
    peers_close(e.peers, STATUS_OK);
    partial_sums_free(&e.owned);
    threads_free(threads);
    diag_free(diag);
    free(e.values);
    free(e.sum);
    return 0;
}
