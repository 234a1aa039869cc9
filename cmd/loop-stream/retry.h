/* retry: a run whose scheduler has ended is taken up again by a new one. */
#ifndef RETRY_H
#define RETRY_H

#include "err.h"
#include "state.h"

struct server;

/* Whether there is such a run, with a log. */
bool retry_possible(const struct state *, const char *run);

/*
 * Starts "loop-sched retry RUN", which outlives us; what it says goes to the
 * run's retry.log, and if it cannot do it, to an event error.occurred.
 */
int retry_start(struct server *, const char *run, struct err *) MUST_CHECK;

#endif
