/*
 * address: where the server listens: "127.0.0.1:18790", "[::1]:0",
 * "localhost:8080" or "unix:PATH".
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include "buf.h"
#include "err.h"

/* A listening, non-blocking socket, or -errno. A dead Unix socket in the way is removed. */
int address_listen(const char *address, struct err *) MUST_CHECK;

/* Of a listening socket: the URL it answers at ("http://127.0.0.1:18790/", "unix:PATH"). */
int address_url(int fd, struct buf *, struct err *) MUST_CHECK;

/* Its port; 0 for a Unix socket. */
int address_port(int fd);

/* Whether only this machine reaches it. */
bool address_local(int fd);

/* A connection to such a URL, with a deadline for every read and write; or -errno. */
int address_connect(const char *url, int64_t timeout, struct err *) MUST_CHECK;

#endif
