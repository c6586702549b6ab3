/* The price of a fixed order: the exchange of gradients by which mlc adds them, beside MPI_Allreduce of the same bytes, measured in turn.
 *
 *   mpicc.mpich -O2 -I. bench/exchange.c runtime/peers/mpi/plugin.c -o exchange && mpirun.mpich -n 2 ./exchange 186090
 *
 * The argument is the number of weights. Every process sends each owner its part, the owner adds the parts in the order of the ranks, and
 * sends the sum to all. Prints the least and the median time of both. */
#include "runtime/peers/transport.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TransportMaker mlc_transport_mpi;
enum { ROUNDS = 200, UNIT = TRANSPORT_UNIT / sizeof(float) };

typedef struct {
    Transport *transport;
    size_t elements; /* a multiple of UNIT times the number of processes */
    float *values, *sum, *parts;
    Message *messages;
} Exchange;

static void move(Exchange *e, float *(*out)(Exchange *, int), float *(*in)(Exchange *, int)) {
    size_t bytes = e->elements / (size_t)e->transport->size * sizeof(float);
    int count = 0;
    for (int rank = 0; rank < e->transport->size; rank++) {
        if (rank == e->transport->rank) continue;
        e->messages[count++] =
            (Message){.rank = rank, .sends = true, .data = out(e, rank), .bytes = bytes};
        e->messages[count++] = (Message){.rank = rank, .data = in(e, rank), .bytes = bytes};
    }
    e->transport->begin(e->transport, e->messages, count);
    while (!e->transport->wait(e->transport, 1)) continue;
}

static size_t part(const Exchange *e) { return e->elements / (size_t)e->transport->size; }
static float *values_of(Exchange *e, int rank) { return e->values + (size_t)rank * part(e); }
static float *parts_of(Exchange *e, int rank) { return e->parts + (size_t)rank * part(e); }
static float *own_sum(Exchange *e, int rank) {
    return (void)rank, e->sum + (size_t)e->transport->rank * part(e);
}
static float *sum_of(Exchange *e, int rank) { return e->sum + (size_t)rank * part(e); }

static void add_in_order(Exchange *e) {
    float *sum = own_sum(e, 0);
    move(e, values_of, parts_of);
    memcpy(parts_of(e, e->transport->rank), values_of(e, e->transport->rank),
           part(e) * sizeof *sum);
    memcpy(sum, e->parts, part(e) * sizeof *sum);
    for (int rank = 1; rank < e->transport->size; rank++)
        for (size_t i = 0; i < part(e); i++) sum[i] += parts_of(e, rank)[i];
    move(e, own_sum, sum_of);
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
    Exchange e = {.transport = mlc_transport_mpi(reason)};
    if (!e.transport || argc != 2) return fputs("usage: exchange WEIGHTS\n", stderr), 2;
    size_t step = UNIT * (size_t)e.transport->size;
    e.elements = (strtoul(argv[1], NULL, 10) + step - 1) / step * step;
    e.values = calloc(e.elements, sizeof(float));
    e.sum = calloc(e.elements, sizeof(float));
    e.parts = calloc(e.elements, sizeof(float));
    e.messages = calloc(2 * (size_t)e.transport->size, sizeof *e.messages);
    for (size_t i = 0; i < e.elements; i++)
        e.values[i] = (float)(i % 97) + (float)e.transport->rank;
    static double ours[ROUNDS], theirs[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        ours[round] = time_of(&e, add_in_order);
        theirs[round] = time_of(&e, add_by_mpi);
    }
    qsort(ours, ROUNDS, sizeof *ours, compare);
    qsort(theirs, ROUNDS, sizeof *theirs, compare);
    if (e.transport->rank == 0)
        printf(
            "%zu weights, %d processes: in order %.3f ms (median %.3f), MPI_Allreduce %.3f ms (median %.3f)\n",
            e.elements, e.transport->size, 1e3 * ours[0], 1e3 * ours[ROUNDS / 2], 1e3 * theirs[0],
            1e3 * theirs[ROUNDS / 2]);
    e.transport->close(e.transport);
    return 0;
}
