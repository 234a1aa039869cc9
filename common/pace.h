/*
 * pace: how many tasks at once, when the machine and the agents' providers are
 * to decide: one more each second in which work waits and the machine has room,
 * half as many when memory is short or a rate limit was hit.
 *
 * Source: Documentation/accounting/psi.rst; additive increase, multiplicative
 * decrease as in Chiu and Jain (1989).
 */
#ifndef PACE_H
#define PACE_H

#include "base.h"

struct pace {
	int64_t min, max, now;
	int64_t next;	      /* when it is looked at again (clock_now); NS_FOREVER: never */
	int64_t halved;	      /* when it last was */
	const char *pressure; /* where the kernel tells it: /proc/pressure */
};

/* min 0: always max. */
void pace_init(struct pace *, int64_t min, int64_t max);

/* A look at the machine, when next has come; whether work waits for a place. */
void pace_tick(struct pace *, bool waiting);

/* A task ended with this status: loop-spawn's quota and transient tell of a provider's limit. */
void pace_status(struct pace *, int status);

#endif
