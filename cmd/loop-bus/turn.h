/*
 * turn: the handlers of several processes begin an event by their priority.
 * Each has a line in the file "handlers", locked for as long as it lives: its
 * priority, how far it has looked, and whether it has a job free. An
 * event waits until those of higher priority that are free have looked at it,
 * but not long: whoever is stopped or far behind is waited for once.
 */
#ifndef TURN_H
#define TURN_H

#include "event.h"
#include "state.h"

enum { TURNS = 1024 };

struct turn {
	int fd;
	size_t place; /* which line is ours */
	enum priority priority;
	int64_t asked, since; /* the event that waits, and since when (clock_now) */
	bool given_up[TURNS]; /* of whom we wait no more until he has come up with us */
};

/* Everything before the position has been looked at. -EBUSY if there are TURNS already. */
int turn_open(struct turn *, const struct state *, enum priority, int64_t position, struct err *)
	MUST_CHECK;
void turn_close(struct turn *);

/* What the others see of us: how far we have looked, and whether we could begin another one. */
void turn_tell(const struct turn *, int64_t position, bool free);

/* Whether an event may begin now; where not, it is to be asked again soon. */
bool turn_has_come(struct turn *, int64_t id);

#endif
