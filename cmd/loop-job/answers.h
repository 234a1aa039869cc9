/*
 * answers: what came of the jobs of a queue, beside the queue in its store. An
 * answer is taken only from the worker that holds the job's lease, by its token:
 * one that lost it is refused, however late it comes. So a job has one answer.
 */
#ifndef ANSWERS_H
#define ANSWERS_H

#include "buf.h"
#include "queue.h"

/* How long an answer is kept that nobody takes, and a job of the same name is put once. */
#define ANSWERS_KEPT (INT64_C(7) * 86400 * NS_PER_S)

/* Who answers: the item, and the token it is leased under. */
struct holder {
	const char *id, *token;
};

struct answers;

struct answers_ops {
	/* 1: taken; 0: the lease is somebody else's. */
	int (*give)(struct answers *, const struct holder *, const char *job, struct span answer,
		struct err *);
	/* How far it is (empty: as before). How long the lease still holds, ns; 0: it does not. */
	int64_t (*note)(struct answers *, const struct holder *, const char *job, struct span text,
		struct err *);
	/* 1 and the answer, or 0 and the note. */
	int (*ask)(struct answers *, const char *job, struct buf *, struct err *);
	int (*drop)(struct answers *, const char *job, struct err *);
	/* A descriptor that polls readable when there may be something new; -1: ask by time. */
	int (*watch)(struct answers *);
	void (*heard)(struct answers *);
	void (*close)(struct answers *);
};

struct answers {
	const struct answers_ops *ops;
};

/*
 * Of this queue, in the store that is named as for queue_open ("file", or a URL). In files,
 * the queue is asked who holds the lease; both are lent.
 */
int answers_open(struct answers **, const char *store, const struct state *, struct queue *,
	int64_t patience, struct err *) MUST_CHECK;

/* In Redis. */
int answers_redis_open(struct answers **, const char *url, const char *queue, int64_t patience,
	struct err *) MUST_CHECK;

#endif
