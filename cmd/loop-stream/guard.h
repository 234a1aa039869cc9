/*
 * guard: who may speak to a server on loopback. A web page that the user has
 * open may send requests there too, under a name it made resolve to 127.0.0.1,
 * so each request must name the host exactly, and one that a page caused must
 * come from our own pages.
 */
#ifndef GUARD_H
#define GUARD_H

#include "request.h"

struct guard {
	struct strs hosts; /* "127.0.0.1:18790"; empty: any (a Unix socket) */
	char *token;	   /* asked of every request if open, of changes always; may be NULL */
	bool open;	   /* listens beyond loopback */
};

/* 0, or the status to refuse the request with: 401, 403 or 421. */
int guard_check(const struct guard *, const struct request *);

/* Whether the request carries the token: "Authorization: Bearer …" or "?token=…". */
bool guard_token(const struct guard *, const struct request *);

/* Whether this text is the token. */
bool guard_token_is(const struct guard *, const char *text, size_t length);

void guard_clear(struct guard *);

#endif
