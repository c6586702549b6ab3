/* The exchange of a step on simulated machines: SimGrid's SMPI runs this program, bench/simulate.sh
 * builds and starts it.
 *
 *   smpirun ... ./simulate WEIGHTS REPLICAS SECONDS LATENCY RATE POST
 *
 * WEIGHTS and REPLICAS are of a model, SECONDS is what a step takes on one process, and LATENCY,
 * RATE and POST describe a NetworkLink (runtime/train/spread_plan.h). The processes send the
 * messages of the plan (spread_plan.c), of the sizes that peers.c gives them, without content, and
 * compute for their shares. Prints the simulated time of a step and the predicted one. */
#include "runtime/train/spread_plan.h"

#include "runtime/peers/peers.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 2, PER_PEER = PARTIAL_SUMS_MAX + 2 };
#define FLOPS 1e9 /* of a host of the platform, in a second */

typedef struct {
    SpreadPlan plan;
    int rank;
    char *memory; /* shared by all processes */
    MPI_Request *requests;
    int count;
} Simulation;

static void post(Simulation *s, int rank, bool sends, size_t bytes) {
    MPI_Request *request = &s->requests[s->count++];
    if (sends)
        MPI_Isend(s->memory, (int)bytes, MPI_BYTE, rank, 0, MPI_COMM_WORLD, request);
    else
        MPI_Irecv(s->memory, (int)bytes, MPI_BYTE, rank, 0, MPI_COMM_WORLD, request);
}

/* The messages of a content and bodies of equal size: the bodies are messages of their own if there
 * is more than one message. */
static void post_all(Simulation *s, int rank, bool sends, size_t content, size_t body, int bodies) {
    PeerTraffic traffic = peers_traffic(content, body, bodies);
    size_t apart = traffic.messages > 1 ? (size_t)bodies * body : 0;
    post(s, rank, sends, (size_t)traffic.bytes - apart);
    for (int i = 0; apart && i < bodies; i++) post(s, rank, sends, body);
}

static void exchange(Simulation *s) {
    MPI_Waitall(s->count, s->requests, MPI_STATUSES_IGNORE);
    s->count = 0;
}

static void post_sums(Simulation *s, int from, int owner, bool sends) {
    ShareBlock blocks[PARTIAL_SUMS_MAX];
    ShareRange range = spread_range(&s->plan, 0, from);
    post_all(s, sends ? owner : from, sends, spread_range_bytes(&s->plan, range),
             spread_part(&s->plan, owner) * sizeof(float), spread_blocks(&s->plan, range, blocks));
}

/* Process r begins with r + 1, as all of them would else send to the first one at once. */
static void step(Simulation *s, double seconds) {
    int size = s->plan.parts.processes;
    ShareRange own = spread_range(&s->plan, 0, s->rank);
    smpi_execute_flops(FLOPS * seconds * (double)(own.end - own.first) /
                       (double)s->plan.cut.replicas);
    for (int i = 1; i < size; i++) post_sums(s, (s->rank + size - i) % size, s->rank, false);
    for (int i = 1; i < size; i++) post_sums(s, s->rank, (s->rank + i) % size, true);
    exchange(s);
    for (int i = 1; i < size; i++) {
        int from = (s->rank + size - i) % size;
        post_all(s, from, false, 0, spread_part(&s->plan, from) * sizeof(float), 1);
    }
    for (int i = 1; i < size; i++)
        post_all(s, (s->rank + i) % size, true, 0, spread_part(&s->plan, s->rank) * sizeof(float),
                 1);
    exchange(s);
}

int main(int argc, char **argv) {
    int size;
    Simulation s = {0};
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &s.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (argc != 7) return 2;
    size_t weights = strtoul(argv[1], NULL, 10);
    int64_t replicas = strtol(argv[2], NULL, 10);
    double seconds = strtod(argv[3], NULL);
    NetworkLink link = {"", strtod(argv[4], NULL), strtod(argv[5], NULL), strtod(argv[6], NULL)};
    s.plan = (SpreadPlan){
        .cut = {replicas, replicas, replicas},
        .accumulate = 1,
        .parts = {.elements = (int64_t)(weights + PART_UNIT - 1) / PART_UNIT * PART_UNIT,
                  .processes = size}};
    s.memory = SMPI_SHARED_MALLOC(8 * weights + (1 << 20));
    s.requests = malloc((size_t)size * 2 * PER_PEER * sizeof(MPI_Request));
    MPI_Barrier(MPI_COMM_WORLD);
    double begin = MPI_Wtime();
    for (int i = 0; i < STEPS; i++) step(&s, seconds);
    MPI_Barrier(MPI_COMM_WORLD);
    double took = (MPI_Wtime() - begin) / STEPS;
    if (s.rank == 0) {
        SpreadTraffic traffic = spread_largest_traffic(&s.plan);
        double most = (double)((replicas + size - 1) / size) / (double)replicas,
               predicted = seconds * most + spread_seconds(&link, &traffic);
        printf("%d %.4f %.4f %.2f %.2f %.1f\n", size, 1e3 * took, 1e3 * predicted, seconds / took,
               seconds / predicted, 100 * (took / predicted - 1));
    }
    SMPI_SHARED_FREE(s.memory);
    MPI_Finalize();
    return 0;
}
