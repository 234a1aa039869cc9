/*
 * fuse: a task's circuit breaker, asked before it starts and told how it ended.
 * An open one delays the task and burns no attempt of it.
 */
#ifndef FUSE_H
#define FUSE_H

#include "breaker.h"
#include "plan.h"

/* The permit of one attempt; unused where the task names no breaker. */
struct fuse {
	struct breaker breaker;
	struct permit permit;
	bool used;
	int64_t renew; /* when a probe is renewed (clock_now); NS_FOREVER: it is none */
};

/*
 * 1: go ahead; 0: not before again (clock_now); -errno. redis: where hosts share the
 * breaker, NULL: it is this machine's.
 */
int fuse_ask(struct fuse *, const struct state *, const char *redis, struct plan *,
	const struct task *, int64_t *again, struct err *) MUST_CHECK;
void fuse_renew(struct fuse *);
void fuse_tell(struct fuse *, enum outcome, int64_t hint);

#endif
