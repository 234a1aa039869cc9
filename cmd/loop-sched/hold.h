/*
 * hold: a run for which there is no room starts nothing more, and goes on by itself
 * when there is room again. What could not be written is kept until then, and an attempt
 * that failed meanwhile does not count.
 */
#ifndef HOLD_H
#define HOLD_H

#include "room.h"

struct run;

struct hold {
	struct room least;
	int64_t next;	 /* when it is looked at again (clock_now) */
	bool on;	 /* that has been said */
	bool start;	 /* something could not be started: only a start ends it */
	bool trial;	 /* and there is room to try one, until next */
	bool closing;	 /* the run ends: nothing more is written of it */
	uint32_t untold; /* tasks whose passing could not be written into the user's plan */
};

/* Whether nothing may be started now: asked before each start, and when next has come. */
bool run_held(struct run *);

/* Whether this -errno says that there is no room; then the run is held, for that reason. */
bool hold_refused(struct run *, int code, const char *why);

/* Something could not be started for want of room, or was started. */
void hold_not_started(struct run *);
void hold_started(struct run *);

/* Whether an attempt that ends now may have failed for want of room. */
bool hold_spares(struct run *, uint32_t task);

/* Whether something was said, and could not be written yet. */
bool hold_unwritten(const struct run *);

#endif
