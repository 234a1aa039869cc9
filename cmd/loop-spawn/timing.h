/*
 * timing: the clocks of an attempt. One of them runs at a time besides the
 * whole attempt's, by what the agent is thought to be doing; a step table, not
 * a heuristic. None runs while nobody could listen: the monotonic clock stands
 * still while the machine sleeps, and the time in which we were stopped is
 * taken out by timing_woke.
 */
#ifndef TIMING_H
#define TIMING_H

#include "agent.h"

enum step { STEP_START, /* nothing was heard yet */
	STEP_MODEL,	/* the model works */
	STEP_TOOL,	/* a tool or background work is under way */
	STEP_LINGER };	/* the result is there and nothing is under way */

struct timing {
	struct clocks limits;
	int64_t began, last; /* clock_now at the start, and when something was last heard */
	int64_t allowance;   /* added to the running clock: a retry's delay, CPU time seen */
	enum step step;
	int64_t mark_time, mark_cpu; /* the tree's CPU time in the middle of a silence */
	int extensions;
};

const char *step_name(enum step) __attribute__((const));

void timing_start(struct timing *, const struct clocks *);

/* Something was heard: the running clock starts anew. */
void timing_heard(struct timing *);

/* What is being done now; a change of it starts its clock anew. */
void timing_step(struct timing *, enum step);

/* The next moment at which something is to be looked at. */
int64_t timing_next(const struct timing *);

enum expired { NOT_EXPIRED,
	EXPIRED_SILENCE, /* a stall: start, model or tool */
	EXPIRED_LINGER,
	EXPIRED_ATTEMPT };

/*
 * Which clock has run out. cpu tells the CPU time of the agent's tree (ns) and
 * is asked in the middle of a silence and at its end: a tree that computes is
 * given more time, six times at most.
 */
enum expired timing_expired(struct timing *, int64_t (*cpu)(void *), void *context);

/* We have not run for this long: what was not heard meanwhile was not silence. */
void timing_woke(struct timing *, int64_t gap);

/* How long nothing has been heard. */
int64_t timing_silent(const struct timing *);

#endif
