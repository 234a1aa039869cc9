/*
 * client: what one asks a server of ours from outside, by HTTP/1.0: an answer
 * ends with its connection. llhttp reads the answers.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include "buf.h"
#include "err.h"

#include <llhttp.h>

/* Whom to ask: a URL as address_connect takes it, and the token (NULL: none). Lent. */
struct client {
	const char *url, *token;
	int64_t timeout; /* ns, of each read and write */
};

/* An answer as it comes: what its body brings is added to a buffer, which whoever reads empties. */
struct answer {
	const char *url; /* lent */
	llhttp_t parser;
	struct buf body;
	bool headed;  /* its head is there */
	bool refused; /* which tells of no success */
};

/* Asks; the connection, on which the answer comes, or -errno. */
int client_send(const struct client *, const char *method, const char *path, struct err *)
	MUST_CHECK;

void answer_begin(struct answer *, const struct client *);
void answer_clear(struct answer *);

/*
 * Takes in what has come of it, nothing at the connection's end: 0; -ENOENT for
 * a 404, -EPROTO for what else is no success or no HTTP.
 */
int answer_take(struct answer *, const char *bytes, size_t length, struct err *) MUST_CHECK;

/* The body of the answer to a GET or POST, added to the buffer; or as answer_take, or -errno. */
int client_ask(const struct client *, const char *method, const char *path, struct buf *body,
	struct err *) MUST_CHECK;

#endif
