/*
 * record: a rollout on disk. rollouts/NAME/rollout.json is its plan, as it was given;
 * state.json where it stands, replaced whole before and after every step; request what it was
 * asked to do; lock is held by who drives it. rollouts/.TARGET names the rollout that has a
 * target.
 */
#ifndef RECORD_H
#define RECORD_H

#include "course.h"
#include "err.h"
#include "state.h"

enum stage {
	STAGE_APPLYING, /* the weight of the step is being set, perhaps is already */
	STAGE_WATCHING,
	STAGE_PAUSED,
	STAGE_PROMOTING,
	STAGE_ROLLING_BACK,
	STAGE_PROMOTED, /* these are ends */
	STAGE_ROLLED_BACK,
	STAGE_ROLLBACK_FAILED, /* but its target stays taken: nobody knows what it is set to */
};

struct record {
	char name[129];
	const struct state *state; /* lent */
	int dir, lock;		   /* -1: not open */
	char *text;		   /* the plan's */
	size_t length;
	struct plan plan;
	enum stage stage;
	struct course course;
	int64_t weight;		     /* that was set, or was about to be */
	int64_t started, step_began; /* clock_real */
	int64_t paused_ns;	     /* in all */
	struct buf why;		     /* of a pause, of going back */
	struct buf last;	     /* what the checks said last */
};

#define AUTO_RECORD AUTO(record_close)
#define RECORD_NONE                   \
	{                             \
		.dir = -1, .lock = -1 \
	}

/* -ENOENT if there is none of this name. Reads plan and state. */
int record_open(struct record *, const struct state *, const char *name, struct err *) MUST_CHECK;

/*
 * The one of the name and text of a plan, or a new one; again: a new one if that has ended.
 * It is locked. -EBUSY if somebody drives it, if another has the target, or if one of this
 * name with another text goes on.
 */
int record_make(struct record *, const struct state *, const char *text, size_t length,
	bool again, struct err *) MUST_CHECK;
void record_close(struct record *);

/* Who holds it drives it: 1; 0 if somebody else does. */
int record_lock(struct record *) MUST_CHECK;

int record_load(struct record *, struct err *) MUST_CHECK;
int record_save(const struct record *, struct err *) MUST_CHECK;
void record_format(const struct record *, struct buf *); /* state.json */

bool stage_ended(enum stage) __attribute__((const));
const char *stage_name(enum stage) __attribute__((const));

/* Frees the target for another. */
int record_release_target(const struct record *, struct err *) MUST_CHECK;

/* All there are, by name. */
int records_list(const struct state *, struct strs *) MUST_CHECK;

#endif
