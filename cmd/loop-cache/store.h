/*
 * store: entries put in, found and taken out. An entry is in place or not, by one rename or
 * one unlink; its objects come before it and go after it.
 */
#ifndef STORE_H
#define STORE_H

#include "entry.h"
#include "scope.h"

/* Reads an entry's file: -ENOENT, -EINVAL for a damaged one, -ETIME for one that has expired. */
int entry_read(const struct scope *, const struct digest *key, struct entry *) MUST_CHECK;

/*
 * Keeps it, making room first; the contents of its parts are in their fds. -EFBIG if it alone
 * is over the bound. Takes the lock.
 */
int store_put(struct scope *, struct entry *, struct err *) MUST_CHECK;

/* 1: it is gone; 0: there was none. Takes the lock. */
int store_remove(struct scope *, const struct digest *key, struct err *) MUST_CHECK;

/* The same of a locked scope in the middle of a change; -ESTALE if that made the table anew. */
int store_drop(struct scope *, const struct digest *key, struct err *) MUST_CHECK;

/* What a search found out. */
enum found {
	FOUND_HIT,
	FOUND_NONE,
	FOUND_EXPIRED,
	FOUND_DAMAGED,
	FOUND_OLD, /* older than was asked for */
};

/* Which results of a search are counted. */
enum counting { COUNT_NONE,
	COUNT_HITS,
	COUNT_ALL };

/*
 * Looks for a key in a scope and those it inherits from, and hands each entry that is good so
 * far to use, with the scope that has it: that returns 0 and it is a hit, -ENOENT or -EINVAL
 * if one of its objects is missing or damaged, and the entry is removed. *error is what else
 * went wrong, which is a miss too.
 */
struct search {
	const char *key;
	int64_t min_created; /* 0: of any age */
	enum counting counting;
	int (*use)(struct scope *, struct entry *, void *);
	void *context;
};
enum found store_search(struct scope *, const struct search *, struct err *error);

#endif
