/*
 * lock_view: what an onlooker sees of the locks that are in use: the living
 * holders and waiters, and what is held without a line to tell by whom. Nothing
 * is changed by looking.
 */
#ifndef LOCK_VIEW_H
#define LOCK_VIEW_H

#include "err.h"
#include "lock_table.h"
#include "state.h"

struct lock_view {
	char *name;
	struct lock_head head;
	struct lock_row *row; /* the holders, then the waiters in the queue's order, if wanted */
	size_t holders, waiters;
	int64_t capacity; /* in slots: a plain lock has LOCK_CAPACITY_MAX */
	int64_t unknown;  /* slots that somebody owns whose line was lost */
};

/* Zeroed is empty. */
struct lock_views {
	struct lock_view *item;
	size_t count, capacity;
};

/* The first two do without the guard, so that thousands may look at once. */
enum lock_view_what {
	LOCK_VIEW_HOLDERS, /* of waiters only how many there seem to be, with dead ones */
	LOCK_VIEW_SEEMING, /* the waiters, too, with dead ones */
	LOCK_VIEW_USED,	   /* locks that are in use */
	LOCK_VIEW_ALL,	   /* the others' heads as well */
};

/*
 * Looks at one lock: 1, or 0 if it is not in use (only the name and, if it has a
 * table, the head are filled in then), -ENOENT if there is none of this name.
 */
int lock_view_one(struct lock_view *, const struct state *, const char *name, struct err *);
void lock_view_clear(struct lock_view *);

/* All locks, by name; no folder of locks yet is no locks. */
int lock_views_all(struct lock_views *, const struct state *, enum lock_view_what, struct err *)
	MUST_CHECK;
void lock_views_clear(struct lock_views *);

#endif
