/*
 * owners: the processes that have a lock's hold open, however they came by it:
 * what the kernel says (/proc/PID/fdinfo, proc(5)), not the table.
 */
#ifndef OWNERS_H
#define OWNERS_H

#include "state.h"

struct lock_owner {
	pid_t pid;
	int pidfd; /* of that very process */
};

struct owners {
	struct lock_owner *item;
	size_t count, capacity;
};

/* Those of the hold with this ticket (0: of any), ourselves excepted; or -errno. */
int owners_find(struct owners *, const struct state *, const char *name, int64_t ticket);
void owners_signal(const struct owners *, int signal);
void owners_clear(struct owners *);

/* Whether this descriptor of ours holds a lock. */
bool descriptor_holds(int fd);

#endif
