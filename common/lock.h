/*
 * lock: named locks and counted resources among processes, without a daemon.
 * One file a lock, locks/NAME.lk, shows the queue as text; ownership itself is
 * open-file-description byte locks (F_OFD_SETLK), which the kernel frees with
 * the description: a crash is a release. Waiting uses the signal SIGRTMAX.
 */
#ifndef LOCK_H
#define LOCK_H

#include "err.h"
#include "state.h"

enum { LOCK_SHARED_UNITS = 1,
	LOCK_CAPACITY_MAX = 4096 };

/* One name that is wanted. */
struct lock_want {
	const char *name;
	int64_t units;	  /* 1 for a plain lock */
	int64_t capacity; /* 1 for a plain lock; 0: as the file says, else 1 */
	bool shared;	  /* of a plain lock: beside others that share it */
};

/*
 * What may be worth an event: only of those who waited a second or more, so that
 * a lock which is free costs nothing but itself. LOCK_RELEASED is told of holds of
 * other processes, too, and at most once of each.
 */
enum lock_news_kind {
	LOCK_WAITING,  /* the text says who holds */
	LOCK_ACQUIRED, /* after LOCK_WAITING was told */
	LOCK_DEADLOCK, /* we give up; the text tells the cycle */
	LOCK_RELEASED, /* a hold of which LOCK_ACQUIRED was told has ended */
};

/* Who saw that a hold had ended. */
enum lock_seen {
	LOCK_SEEN_HOLDER, /* who let go, just now */
	LOCK_SEEN_WAITER, /* one who waited for it, just now */
	LOCK_SEEN_NEXT,	  /* the next to come: it may have ended long before */
};

struct lock_news {
	enum lock_news_kind kind;
	const char *name, *text;
	pid_t pid; /* who waits, holds or held, as the table says */
	int64_t token, waited;
	const char *since;   /* of LOCK_RELEASED: from when on it was held, RFC 3339 */
	enum lock_seen seen; /* of LOCK_RELEASED */
};

struct lock_options {
	int64_t timeout;   /* ns; 0: do not wait; NS_FOREVER */
	int priority;	   /* 0 to 100, as events' */
	const char *label; /* shown in list; may be NULL */
	pid_t pid;	   /* who is said to hold; 0: this process */

	/* The caller's description, open on the file of its one want, that shall hold; 0: ours. */
	int fd;

	void (*tell)(const struct lock_news *, void *context); /* may be NULL */
	void *context;
};

struct lock; /* everything that one call acquired */

/*
 * All of these or none, taken in the order of their names. 0, or -EAGAIN (held
 * by others and no waiting), -ETIMEDOUT, -EDEADLK (chosen as a deadlock's
 * victim; the err tells the cycle), -ECANCELED, -EINTR (a signal whose handler
 * has no SA_RESTART), -EBUSY (thousands queue already), or another -errno. On -EAGAIN and
 * -ETIMEDOUT the err names the holder. Descriptors are close-on-exec.
 */
int lock_acquire(struct lock **, const struct state *, const struct lock_want *, size_t count,
	const struct lock_options *, struct err *) MUST_CHECK;

/* What the caller's own descriptor holds stays held. */
void lock_release(struct lock *);

/*
 * Of the i-th want: its fencing token, which only grows, and the slot (0 up) of
 * its n-th unit, -1 behind the last. An exclusive or shared hold counts as one unit.
 */
int64_t lock_token(const struct lock *, size_t i);
int64_t lock_slot(const struct lock *, size_t i, int64_t n);

/* Whether LOCK_ACQUIRED was told of the i-th, so that its end is to be told as well. */
bool lock_told(const struct lock *, size_t i);

/* Tells LOCK_RELEASED, by the options' tell, of holds of this name that have ended. 0 or -errno. */
int lock_tell_ended(const struct state *, const char *name, enum lock_seen,
	const struct lock_options *);

/* Whether exec'd children inherit the hold: it then lasts until the last of them is gone. */
int lock_inherit(struct lock *, bool on);

#endif
