/*
 * delivery: what a client still has to be sent. It is a position in the journal
 * and an offset into the event that stands there; nothing is queued. What was
 * not sent yet comes from the feed's ring, or from the journal where the ring
 * does not reach back.
 */
#ifndef DELIVERY_H
#define DELIVERY_H

#include "base.h"

#include <sys/types.h>

struct batch;
struct conn;
struct filter;

#define DELIVERY_NOTHING INT64_MAX /* the position of one who has asked for none */

struct delivery {
	int64_t position; /* where the next event to be sent stands, or behind it */
	size_t offset;	  /* bytes of that event that were sent already */
	int64_t last;	  /* clock_now of the last bytes */
	struct filter *filter;
	bool behind; /* sends as the kernel makes room, apart from the others */
};

/* New events are in the feed, or there is room again. */
void delivery_flush(struct conn *);

/*
 * The same in three steps, for many at once: whether all it is to be sent are
 * events of the ring; which; and how many bytes of them the kernel took, or
 * -errno. The second may be shared by those at the same place without a filter.
 */
bool delivery_plain(const struct conn *);
void delivery_gather(const struct conn *, struct batch *);
void delivery_settle(struct conn *, const struct batch *, ssize_t n);

/* A sign of life, if nothing was sent for the server's keep-alive time. */
void delivery_keep_alive(struct conn *, int64_t now);

/* The journal was replaced: the client is told, and goes on with the new one. */
void delivery_rewind(struct conn *);

/* The events between two places are not to be had: the client is told, and goes on with those. */
void delivery_tell_gap(struct conn *, int64_t from, int64_t to);

void delivery_close(struct conn *);

#endif
