/*
 * course: where a rollout stands and what a verdict makes of it. Nothing here looks at a clock
 * or runs anything, so that the same decisions can be simulated.
 */
#ifndef COURSE_H
#define COURSE_H

#include "judge.h"

/* The windows of a check, as far as they are added up. */
struct windows {
	struct tally sum;
	int64_t held; /* of the step, when the last one was added */
};

struct course {
	size_t step;
	int64_t held;			       /* ns of this step, watched and not paused */
	int64_t failures;		       /* of this step */
	int64_t inconclusives, errors, passes; /* in a row */
	int64_t suspicions;		       /* too */
	int64_t looks;			       /* of this step: checks that said yes or no */
	struct windows windows[CHECKS_MAX];    /* of this step, of those that tell of windows */
};

/* What a check said, as a verdict; its window is added to those of before if it can be. */
enum verdict course_judge(struct course *, const struct plan *, size_t check,
	const struct answer *, struct buf *words);

enum action {
	ACTION_WAIT,
	ACTION_ADVANCE, /* to the next step */
	ACTION_PROMOTE, /* it was the last one */
	ACTION_PAUSE,
	ACTION_ROLL_BACK,
};

/* After a round of checks, whose worst verdict this is. why: of what is not waiting. */
enum action course_take(
	struct course *, const struct plan *, enum verdict, struct buf *why) MUST_CHECK;

#endif
