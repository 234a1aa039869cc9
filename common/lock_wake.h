/*
 * lock_wake: what wakes the first in the queue of a resource of which several
 * hold units, so that there is no one byte to sleep on: the end of a process that
 * holds (pidfd_open(2)), and a bell that a process rings which lets go and lives
 * on: a datagram to an abstract address (unix(7)) made of the file's number, which
 * nobody has to clean up. Neither is needed for the lock to work: a hold that ends
 * with something else, as with a child that inherited it, is found by polling.
 */
#ifndef LOCK_WAKE_H
#define LOCK_WAKE_H

#include "lock_table.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { LOCK_WAKE_PIDS = 63 };

struct lock_wake {
	struct pollfd source[1 + LOCK_WAKE_PIDS]; /* the bell, then the holders */
	size_t count;				  /* 0: not armed */
	bool watches;				  /* the holders, too */
};

/*
 * These come before the look whose outcome is slept on: the bell, which is enough for
 * most waits, and the holders, which is worth it for one that is not over at once.
 */
void lock_wake_arm(struct lock_wake *, int fd);
void lock_wake_watch(struct lock_wake *, const struct lock_table *);
void lock_wake_disarm(struct lock_wake *);

/* Sleeps until there is something to see, at most so long (ns): 0, or -EINTR. */
int lock_wake_sleep(struct lock_wake *, int64_t pause) MUST_CHECK;

/* For whoever lets go of a unit of this file without ending: asked before, rung after. */
struct lock_bell {
	struct sockaddr_un address;
	socklen_t length;
};
struct lock_bell lock_bell_of(int fd);
void lock_bell_ring(const struct lock_bell *);

#endif
