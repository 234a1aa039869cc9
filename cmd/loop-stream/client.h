/*
 * client: what one asks a server of ours from outside, by HTTP/1.0: an answer
 * ends with its connection. Each read and write has the timeout for itself.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include "buf.h"
#include "err.h"

/* Whom to ask: a URL as address_connect takes it, and the token (NULL: none). Lent. */
struct client {
	const char *url, *token;
	int64_t timeout; /* ns */
};

/* Asks; the connection, on which the answer comes, or -errno. */
int client_send(const struct client *, const char *method, const char *path, struct err *)
	MUST_CHECK;

/*
 * The body of the answer to a GET or POST, added to the buffer; -ENOENT for a
 * 404, -EACCES for a 401, -EPROTO for what else is no success, -errno where
 * nothing came.
 */
int client_ask(const struct client *, const char *method, const char *path, struct buf *body,
	struct err *) MUST_CHECK;

/* What the first line of an answer says: 0 for a success, or as client_ask. */
int client_status(const struct client *, const char *line, struct err *) MUST_CHECK;

#endif
