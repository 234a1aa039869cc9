/* address: where the bus's socket is, and how to reach it. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include "err.h"
#include "state.h"

#include <sys/un.h>

#define SOCKET_NAME "bus.sock"

/* By way of the state directory's descriptor: its path may be longer than an address. */
void socket_address(struct sockaddr_un *, const struct state *);

/* A connected descriptor; -ECONNREFUSED or -ENOENT where no bus runs. */
int socket_connect(const struct state *) MUST_CHECK;

#endif
