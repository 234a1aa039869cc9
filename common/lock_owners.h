/*
 * lock_owners: the processes that have a lock's hold open, however they came by it:
 * what the kernel says (/proc/PID/fdinfo, proc(5)), not the table.
 */
#ifndef LOCK_OWNERS_H
#define LOCK_OWNERS_H

#include "lock_bytes.h"

#include <sys/types.h>

struct lock_owner {
	pid_t pid;
	int pidfd; /* of that very process */
};

struct lock_owners {
	struct lock_owner *item;
	size_t count, capacity;
};

/*
 * Those that have a description open which owns one of these bytes of the file that fd is
 * open on, ourselves excepted; or -errno.
 */
int lock_owners_find(struct lock_owners *, int fd, struct lock_range) MUST_CHECK;
void lock_owners_signal(const struct lock_owners *, int signal);
void lock_owners_clear(struct lock_owners *);

/* The byte by which this descriptor of ours holds a lock, here or in Redis; 0: it holds none. */
int64_t lock_descriptor_holds(int fd);

#endif
