/*
 * rebuild: the table made anew from the entries, and everything cleared up that belongs to
 * none: after somebody was killed in the middle of a change, and by gc.
 */
#ifndef REBUILD_H
#define REBUILD_H

#include "scope.h"

enum rebuild_flags {
	REBUILD_VERIFY = 1,  /* contents are read and checked as well */
	REBUILD_EXPIRED = 2, /* what has expired goes */
};

/* The scope is locked; at the end its table is open and in the middle of a change no more. */
int rebuild(struct scope *, unsigned flags, struct err *) MUST_CHECK;

/* Calls visit with each file of a folder of entries or objects, until it returns not 0. */
int each_file(const struct scope *, const char *folder,
	int (*visit)(const struct digest *, void *), void *context) MUST_CHECK;

#endif
