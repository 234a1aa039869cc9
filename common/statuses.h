/*
 * statuses: a set of exit statuses, as a list on a command line names them: "75,110-114",
 * with words for some: timeout, signal (of which one may end a command), and the reasons of
 * sessions that ending knows.
 */
#ifndef STATUSES_H
#define STATUSES_H

#include "base.h"

/* Zeroed is empty. */
struct statuses {
	uint64_t bits[4];
};

bool statuses_has(const struct statuses *, int status) __attribute__((pure));

/* Adds those of the list; -EINVAL: it is none, or has a number below the least. */
int statuses_add(struct statuses *, const char *list, int least) MUST_CHECK;

/* Takes out those that are in the other set too. */
void statuses_subtract(struct statuses *, const struct statuses *);

#endif
