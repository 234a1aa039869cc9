/*
 * view: a run looked at from outside, by its files alone, while it runs or
 * after whatever ended it.
 */
#ifndef VIEW_H
#define VIEW_H

#include "history.h"
#include "run.h"

struct view {
	struct state state;
	char id[129];
	char *path; /* of its folder */
	struct plan plan;
	struct fold fold;
	struct history history; /* once it is remembered */
	bool alive;		/* the process that runs it */
	struct err held;	/* why nothing new is started while it lives; else empty */
	uint32_t count[TSTATES];
};

/* By id, the beginning of one, or NULL for the newest; ends the program if there is none. */
void view_open(struct view *, const char *name);

/* The same in a state directory that is open; -errno if the run's files cannot be read. */
int view_read(struct view *, const char *id, struct err *) MUST_CHECK;
/* Reads what the tasks took in other runs of the plan. */
void view_remember(struct view *);
void view_clear(struct view *);
void view_close(struct view *); /* and the state directory */

/* "running", "held", "paused", "cancelling", "interrupted", or how it ended. */
const char *view_state(const struct view *);

/* The task of this id; ends the program if the run has none. */
struct task *view_find(const struct view *, const char *id);

/* From the start to the end, or to now while it runs; ns. */
int64_t view_elapsed(const struct view *);

/* The text of a task's member, NULL if it has none; the plan's own. */
const char *view_text(const struct view *, const struct task *, enum member);

/* A task's state; what a dead process left running is interrupted, and shown as pending. */
enum tstate view_task(const struct view *, uint32_t task);

#endif
