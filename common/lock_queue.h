/*
 * lock_queue: the steps of a request that need the guard, on a table that was
 * just read.
 */
#ifndef LOCK_QUEUE_H
#define LOCK_QUEUE_H

#include "lock_request.h"

/* Finds out what the wish means here, in slots, and whether it fits the lock's capacity. */
int lock_queue_settle(struct lock_request *, struct err *) MUST_CHECK;

/*
 * 1: the lock is ours. 0: it is not, we are in the queue, and *on is the byte to
 * sleep on (0: none, poll). -EAGAIN if we are not to wait, -ECANCELED if we
 * were told to give up, or another -errno.
 */
int lock_queue_look(struct lock_request *, int64_t *on) MUST_CHECK;

/*
 * The next token, as it stands now. Another one is another holder, who may have closed
 * a cycle by becoming that: who waits under a hold then looks again within a second.
 */
void lock_queue_moved(struct lock_request *, int64_t token);

/* Whether we are in the queue. */
bool lock_queue_in(const struct lock_request *);

#endif
