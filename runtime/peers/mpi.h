/* Processes that mpirun or srun has started, connected by MPI. */
#ifndef MLC_RUNTIME_PEERS_MPI_H
#define MLC_RUNTIME_PEERS_MPI_H

#include "ir/base/diag.h"
#include "runtime/peers/transport.h"

/* How many processes a launcher says there are, by the environment alone; 1: no launcher, or one
 * process. */
int mpi_launched(void);
/* Opens the plugin of the launcher's MPI and connects the processes. NULL after reporting errors.
 * patience: see TransportMaker. */
Transport *mpi_transport(double patience, Diagnostics *diag);

#endif
