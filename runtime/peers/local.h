/* Processes of this machine, connected by pairs of sockets. */
#ifndef MLC_RUNTIME_PEERS_LOCAL_H
#define MLC_RUNTIME_PEERS_LOCAL_H

#include "ir/base/diag.h"
#include "runtime/peers/transport.h"

/* Starts `size` processes. In each of them, the function returns the transport of that process. In
 * the calling process, it waits until all have ended and returns NULL: *status is then the exit
 * status of the whole. Meanwhile it passes signals on, and ends processes that outlive the others.
 * The new processes inherit the handlers of SIGINT, SIGTERM and SIGHUP, and get no signal without
 * them. There must be no other threads yet. */
Transport *local_launch(int size, Status *status, Diagnostics *diag);

/* The transport of one process. sockets: [size], one to each other process. */
Transport *local_transport(int rank, int size, const int *sockets);

#endif
