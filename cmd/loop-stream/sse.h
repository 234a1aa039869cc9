/*
 * sse: server-sent events. A client is a position in the journal and an offset
 * into the event that stands there; nothing is queued for it. What it has not
 * been sent yet comes from the feed's ring, or from the journal where the ring
 * does not reach back.
 */
#ifndef SSE_H
#define SSE_H

#include "base.h"

struct conn;
struct filter;
struct server;

struct sse {
	int64_t position; /* in the journal: where the next event to be sent stands, or behind it */
	size_t offset;	  /* bytes of that event that were sent already */
	int64_t last;	  /* clock_now of the last bytes */
	struct filter *filter;
	bool behind; /* sends as the kernel makes room, apart from the others */
};

/* The handler of GET /events. */
void sse_open(struct conn *);

/* New events are in the feed, or there is room again. */
void sse_flush(struct conn *);

/* A comment, if nothing was sent for the server's keep-alive time. */
void sse_keep_alive(struct conn *, int64_t now);

/* The journal was replaced: the client is told, and goes on with the new one. */
void sse_rewind(struct conn *);

void sse_close(struct conn *);

#endif
