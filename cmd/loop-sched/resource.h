/*
 * resource: what a task asks for, held through loop-lock while it runs: all of
 * it or nothing, so that no two tasks wait for each other.
 */
#ifndef RESOURCE_H
#define RESOURCE_H

#include "lock.h"
#include "plan.h"

/* What it asks for. The array is the caller's to free; names are the plan's. */
struct lock_want *resource_wants(struct plan *, const struct task *, size_t *count) MUST_CHECK;

/*
 * Takes what a task asks for, without waiting. 0 (*held is NULL if it asks for
 * nothing), -EAGAIN with the holder in the err, or another -errno.
 */
int resource_take(struct lock **held, const struct state *, struct plan *, const struct task *,
	struct err *) MUST_CHECK;

#endif
