/*
 * lock_ended: holds that were told of (LOCK_ACQUIRED) and have ended. The kernel
 * ends a hold and tells nobody, so the line stays, marked as told, until somebody
 * with the guard finds its byte free: whoever takes the line out tells, and as
 * only one can, it is told once; never, if that one is killed in between.
 */
#ifndef LOCK_ENDED_H
#define LOCK_ENDED_H

#include "lock.h"
#include "lock_table.h"

/* Zeroed is empty. */
struct lock_ended {
	struct lock_row *row;
	size_t count, capacity;
};

/* With the guard held: takes the lines of such holds out of the table. 0 or -errno. */
int lock_ended_collect(struct lock_ended *, struct lock_table *, int fd) MUST_CHECK;

/* Without the guard: tells of each, and forgets them. */
void lock_ended_tell(struct lock_ended *, const char *name, enum lock_seen,
	const struct lock_options *);

#endif
