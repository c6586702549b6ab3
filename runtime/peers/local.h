/* Processes of this machine, connected by pairs of sockets. */
#ifndef MLC_RUNTIME_PEERS_LOCAL_H
#define MLC_RUNTIME_PEERS_LOCAL_H

#include "ir/base/diag.h"
#include "runtime/peers/transport.h"

/* Makes `size` processes, which return with their transports. The calling process returns NULL when
 * all of them have ended: *status is the exit status of the whole. It passes signals on, and ends
 * processes that outlive the others. There must be no other threads yet. */
Transport *local_launch(int size, Status *status, Diagnostics *diag);

/* The transport of one process. sockets: [size], one to each other process. */
Transport *local_transport(int rank, int size, const int *sockets);

#endif
