/*
 * queue: a durable queue of items with priorities, claimed under leases. The
 * same contract stands before two stores: files in the state directory
 * (queue_file.h), and Redis (queue_redis.c). At least once; one holder at a
 * time, known by its token; a holder whose lease was lost is refused. All times
 * are ns as clock_real has them, by the store's own clock.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include "err.h"
#include "jscan.h"
#include "state.h"

enum item_state { ITEM_READY,
	ITEM_DELAYED,
	ITEM_CLAIMED,
	ITEM_BURIED,
	ITEM_DONE,
	ITEM_STATES };

enum { ITEM_ID_SIZE = 40,
	TOKEN_SIZE = 17,
	QUEUE_NAME_SIZE = 129 };

#define QUEUE_PRIORITY_MAX INT64_C(4294967295)
#define QUEUE_BODY_MAX (INT64_C(256) << 20)
#define QUEUE_TRIES_MAX 99999
#define QUEUE_TIME_MAX (INT64_C(3650) * 86400 * NS_PER_S) /* of a delay or lease */

/*
 * An item that has been ready for so long has aged. While there is one, every QUEUE_TURN-th
 * claim begins with the one that has been ready longest, whatever its priority: behind k that
 * have been so longer, an aged item waits for at most (k + 1) * QUEUE_TURN claims.
 */
#define QUEUE_AGE (10 * 60 * NS_PER_S) /* of a queue that was not told otherwise */
enum { QUEUE_TURN = 8 };

/* "ready"; -EINVAL. */
int item_state_parse(const char *text, enum item_state *) MUST_CHECK;
const char *item_state_name(enum item_state) __attribute__((const));

/* high, normal, low, or a number; -EINVAL. */
int queue_priority_parse(const char *text, int64_t *) MUST_CHECK;

/* What is to be put; id and dup are the answer. */
struct put {
	struct span body;
	const char *key; /* NULL: none */
	int64_t priority;
	int64_t delay;	   /* ns from now */
	int64_t lease;	   /* ns */
	int64_t max_tries; /* 0: no bound */
	int64_t key_ttl;   /* ns */
	int64_t tries;	   /* it has had already */
	bool buried;

	char id[ITEM_ID_SIZE];
	bool dup; /* an item of this key was there: the id is its */
};

struct item {
	char id[ITEM_ID_SIZE];
	char token[TOKEN_SIZE]; /* of one that is claimed; else empty */
	enum item_state state;
	int64_t priority, tries, max_tries, lease;
	int64_t created, due; /* due: of a delayed one, or the end of the lease */
	char key[QUEUE_NAME_SIZE];
	struct span body; /* lent until the callback returns */
	struct span why;  /* of the last failure: a text; empty: none said */
	bool damaged;	  /* shown as far as it can be read; fsck says more */
};

typedef int item_taker(void *context, const struct item *); /* a return below 0 ends the walk */

struct claim {
	int64_t count;
	int64_t lease;	/* ns; 0: the item's own */
	const char *id; /* this one; NULL: the next */
	bool sync;
};

enum settling { SETTLE_ACK,
	SETTLE_NACK,
	SETTLE_BURY,
	SETTLE_TOUCH };

struct settle {
	const char *id, *token;
	int64_t delay;	  /* of a nack, ns; -1: by the number of tries */
	int64_t priority; /* of a nack; -1: as it is */
	int64_t lease;	  /* of a touch; 0: as it was */
	bool uncounted;	  /* of a nack: this was no try */
	const char *why;  /* NULL: not said */

	int result;    /* 0; -ENOENT: no such item; -EPERM: not the lease's token (any more) */
	bool buried;   /* it was the last try */
	int64_t tries; /* that it has had */
};

struct queue_stats {
	int64_t count[ITEM_STATES];
	int64_t oldest; /* since when the one is ready that has been so longest; 0: none is */
	int64_t age;	/* after which an item has aged; NS_FOREVER: never */
	int64_t now;	/* by the store's clock */
	int64_t next;	/* when a delay or a lease ends; NS_FOREVER: never */
	int64_t paused; /* until; NS_FOREVER; 0: it is not */
	bool draining;
};

/* fsck: what is wrong, one line each. */
typedef void queue_complaint(void *context, const char *text);

struct queue;

/*
 * What a store does. All return 0 or a count, or -errno with the err set:
 * -ETIMEDOUT (a lock was not had), -ESHUTDOWN (it drains), -ENOSPC, -ENOTCONN (Redis is
 * away) and so on.
 */
struct queue_ops {
	/* All in order; the first that fails ends it: *done have been put. */
	int (*put)(struct queue *, struct put *, size_t count, bool sync, size_t *done,
		struct err *);
	/* How many; each is given to the taker once its claim holds. */
	int64_t (*claim)(struct queue *, const struct claim *, item_taker *, void *, struct err *);
	int (*settle)(struct queue *, enum settling, struct settle *, size_t count, bool sync,
		struct err *);
	/* 1 and the item to the taker, 0: there is none. NULL: the one to be claimed next. */
	int (*get)(struct queue *, const char *id, item_taker *, void *, struct err *);
	/* All whose state is in the mask (1 << state); order: that of their ids. */
	int (*each)(struct queue *, unsigned states, item_taker *, void *, struct err *);
	int (*stats)(struct queue *, struct queue_stats *, struct err *);
	/* Makes ready: the one, or up to count; how many. */
	int64_t (*kick)(struct queue *, const char *id, int64_t count, bool reset, struct err *);
	/* Removes: the one, or all whose state is in the mask; how many. */
	int64_t (*purge)(struct queue *, const char *id, unsigned states, struct err *);
	int (*pause)(struct queue *, int64_t time, struct err *); /* ns; 0: goes on; NS_FOREVER */
	int (*drain)(struct queue *, bool on, struct err *);
	int (*age)(struct queue *, int64_t time, struct err *); /* ns; NS_FOREVER: never */
	int (*sweep)(struct queue *, struct err *);
	/* How many complaints are left. */
	int64_t (*check)(struct queue *, bool repair, queue_complaint *, void *, struct err *);
	/*
	 * A descriptor that polls readable when there may be something to claim, -1 where there is
	 * none: poll by time. heard takes in what made it readable.
	 */
	int (*watch)(struct queue *);
	void (*heard)(struct queue *);
	void (*close)(struct queue *);
};

struct queue {
	const struct queue_ops *ops;
	char name[QUEUE_NAME_SIZE];
	/* Told of each item that was buried; may be NULL. */
	void (*on_buried)(void *context, const struct queue *, const char *id, int64_t tries,
		const char *why);
	void (*on_warning)(void *context, const char *text); /* of a store that is not fit */
	void *context;
};

/* Says that an item was buried, if anybody wants to know. */
void queue_tell_buried(const struct queue *, const char *id, int64_t tries, const char *why);

/*
 * How long an item waits after its n-th try failed, where nobody says: 5 s,
 * doubled, at most 5 min, half of it at random.
 */
int64_t queue_retry_delay(int64_t tries);

/* A fresh token. */
void queue_token(char out[TOKEN_SIZE]);

#endif
