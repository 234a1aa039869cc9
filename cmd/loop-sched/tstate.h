/*
 * tstate: the states of a task, one word each, as run.jsonl and the journal
 * name them.
 */
#ifndef TSTATE_H
#define TSTATE_H

#include "plan.h"

enum tstate {
	PENDING,
	READY,
	QUEUED, /* about to be started: said before it is */
	RUNNING,
	RETRYING, /* waiting to be started again */
	PAUSED,
	SUCCEEDED,
	FAILED,	 /* the command said no */
	ERRORED, /* it could not be run */
	SKIPPED,
	CANCELLED,
	TIMED_OUT,
	UPSTREAM_FAILED, /* a need can no longer be met, because of a failure */
	COMPENSATING,
	COMPENSATED,
	COMPENSATION_FAILED,
	TSTATES
};

const char *tstate_name(enum tstate);
int tstate_parse(struct span word, enum tstate *) MUST_CHECK; /* with its quotes; -EINVAL */
bool tstate_ended(enum tstate);
bool tstate_failed(enum tstate); /* failed, errored, timed_out, upstream_failed */

/* Whether a need under this condition is met by that ending; where not, what becomes of the task
 * that has the need. */
bool tstate_meets(enum tstate ending, enum when, enum tstate *otherwise);

#endif
