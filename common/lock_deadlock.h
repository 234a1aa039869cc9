/*
 * lock_deadlock: finds out whether a waiter can ever come to its turn.
 *
 * A hold ends when nobody who belongs to it waits any more: a waiter belongs to
 * a hold if the holder is the waiter's process or an ancestor of it. So the
 * graph is reduced: a waiter who can have its units, with all ahead of it gone,
 * is taken out, and so are the holds that only waited for it. Who is left waits
 * for ever. (A cycle alone says little: with counted resources a cycle need not
 * be stuck, and what is stuck need not be one simple cycle.)
 *
 * The tables are read twice, and only what stands in both counts: between the
 * readings all of that was true at once, and what is stuck stays stuck. That holds
 * without the guard, too: nobody waits or holds twice with one ticket. So at first
 * it is not asked who of the waiters is dead: they may seem to be in the way, but if
 * nothing seems stuck, nothing is. Thousands can look in this way at once.
 */
#ifndef LOCK_DEADLOCK_H
#define LOCK_DEADLOCK_H

#include "err.h"
#include "state.h"

struct lock_victim {
	char name[129]; /* of the lock it waits for */
	int64_t ticket;
};

/*
 * What we, who wait, hold or an ancestor does. Most waiters hold nothing: they close no
 * cycle. No more does one whose holds nobody waits for. Those who close one look for
 * themselves.
 */
enum lock_above {
	LOCK_ABOVE_NONE,
	LOCK_ABOVE_UNWANTED,
	LOCK_ABOVE_WANTED,
};
enum lock_above lock_deadlock_above(const struct state *) MUST_CHECK;

/*
 * 1 if our own wait, of this lock and ticket, is stuck in a cycle: that cycle, in
 * words, and who of it has to give up: the lowest priority, then the youngest wait.
 * Of several cycles it is one in which we have to, if there is such. 0 if it is in
 * none. *court is then a descriptor; while it is open, nobody else gets such an answer
 * but -EAGAIN: one who gives up closes it when its wait is over, so that of cycles that
 * share a member no two have a victim where one is enough.
 */
int lock_deadlock_look(const struct state *, const char *name, int64_t ticket,
	struct lock_victim *, struct err *cycle, int *court) MUST_CHECK;

#endif
