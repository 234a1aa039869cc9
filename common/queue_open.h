/*
 * queue_open: a queue by the name of its store: "file", or a URL of Redis.
 */
#ifndef QUEUE_OPEN_H
#define QUEUE_OPEN_H

#include "queue.h"

/*
 * state is lent, and needed for files only. make: a queue that is not there, else -ENOENT
 * (in Redis a queue without items is there). patience: how long a store that is away is
 * tried again before -ENOTCONN. warning: told of a store that is not fit.
 */
int queue_open(struct queue **, const char *store, const struct state *, const char *name,
	bool make, int64_t patience, void (*warning)(void *context, const char *text), struct err *)
	MUST_CHECK;

#endif
