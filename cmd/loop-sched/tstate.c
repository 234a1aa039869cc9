#include "tstate.h"

#include <errno.h>

static const struct {
	const char *name;
	bool ended, failed;
} states[] = {
	[PENDING] = {"pending", false, false},
	[READY] = {"ready", false, false},
	[QUEUED] = {"queued", false, false},
	[RUNNING] = {"running", false, false},
	[RETRYING] = {"retrying", false, false},
	[PAUSED] = {"paused", false, false},
	[SUCCEEDED] = {"succeeded", true, false},
	[FAILED] = {"failed", true, true},
	[ERRORED] = {"errored", true, true},
	[SKIPPED] = {"skipped", true, false},
	[CANCELLED] = {"cancelled", true, false},
	[TIMED_OUT] = {"timed_out", true, true},
	[UPSTREAM_FAILED] = {"upstream_failed", true, true},
	[COMPENSATING] = {"compensating", false, false},
	[COMPENSATED] = {"compensated", true, false},
	[COMPENSATION_FAILED] = {"compensation_failed", true, true},
};

const char *tstate_name(enum tstate s)
{
	return states[s].name;
}

int tstate_parse(struct span word, enum tstate *out)
{
	for (size_t i = 0; i < countof(states); i++) {
		if (!jscan_is(word, states[i].name))
			continue;
		*out = (enum tstate)i;
		return 0;
	}
	return -EINVAL;
}

bool tstate_ended(enum tstate s)
{
	return states[s].ended;
}

bool tstate_failed(enum tstate s)
{
	return states[s].failed;
}

bool tstate_meets(enum tstate ending, enum when when, enum tstate *otherwise)
{
	bool failed = tstate_failed(ending), was_run = failed && ending != UPSTREAM_FAILED;

	*otherwise = ending == CANCELLED ? CANCELLED : failed ? UPSTREAM_FAILED
							      : SKIPPED;
	switch (when) {
	case WHEN_OK: return ending == SUCCEEDED || ending == SKIPPED;
	case WHEN_SUCCEEDED: return ending == SUCCEEDED;
	case WHEN_FAILED: return was_run;
	case WHEN_DONE: return ending == SUCCEEDED || was_run;
	case WHEN_SKIPPED: return ending == SKIPPED;
	case WHEN_ANY: break;
	}
	return true;
}
