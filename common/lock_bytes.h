/*
 * lock_bytes: the kernel's side of a lock: open-file-description byte locks
 * (fcntl(2), F_OFD_SETLK) on bytes of the lock's file that lie far beyond its
 * text. They belong to the open file description and go with it, so whoever
 * owns a byte lives, and what is owned here is true whatever the text says.
 *
 *	guard		owned for the short moments in which the table is read or changed
 *	wait + ticket	"I wait"; whoever stands behind sleeps on it
 *	hold + ticket	"I hold"; the first in the queue sleeps on it
 *	slot + n	a unit: the kernel itself refuses to give one away twice
 *	lease + token	"I have it open": a script's, whose lock is in Redis
 *	keeper + token	"I renew it": whoever does so for that script
 *
 * Owners own for writing and everybody else asks or sleeps with a read lock, so
 * that two sleepers never see each other.
 */
#ifndef LOCK_BYTES_H
#define LOCK_BYTES_H

#include "base.h"

#define LOCK_GUARD (INT64_C(1) << 40)
#define LOCK_WAIT (INT64_C(1) << 41)
#define LOCK_HOLD (INT64_C(1) << 42)
#define LOCK_SLOT (INT64_C(1) << 43)
#define LOCK_LEASE (INT64_C(1) << 44)
#define LOCK_KEEPER (INT64_C(1) << 45)

struct lock_range {
	int64_t at, count;
};

/* Makes bytes ours: 0, -EAGAIN if somebody else owns one of them, or another -errno. */
int lock_bytes_own(int fd, int64_t at, int64_t count) MUST_CHECK;

/* The same for the guard, but sleeps until it is free: also -EINTR. */
int lock_bytes_guard(int fd) MUST_CHECK;

int lock_bytes_free(int fd, int64_t at, int64_t count);

/* Sleeps until nobody owns this byte: 0 or -EINTR. */
int lock_bytes_sleep(int fd, int64_t at) MUST_CHECK;

/* Whether somebody else owns any of these bytes: 1 and one such range, 0, or -errno. */
int lock_bytes_owned(int fd, int64_t at, int64_t count, struct lock_range *owned) MUST_CHECK;

/* Units, as runs of slots. Zeroed is none. */
struct lock_slots {
	struct lock_range *run;
	size_t count, capacity;
	int64_t units;
};

/*
 * Makes the lowest free slots of 0 to capacity - 1 ours: 1, or 0 if there are
 * not as many as units free (none is ours then), or -errno. The guard must be ours.
 */
int lock_slots_own(int fd, int64_t capacity, int64_t units, struct lock_slots *) MUST_CHECK;

/* How many are free, counted up to most; or -errno. */
int64_t lock_slots_free(int fd, int64_t capacity, int64_t most) MUST_CHECK;

void lock_slots_clear(struct lock_slots *); /* the memory; the slots stay owned */

#endif
