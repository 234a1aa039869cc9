/*
 * narrate: events as plain lines for people, as they come: when (since the
 * session began; by number where nobody kept the time) and what.
 */
#ifndef NARRATE_H
#define NARRATE_H

#include "calls.h"

struct narrator {
	struct calls calls;
	int64_t start; /* ns since the epoch; 0: the first event's time */
	int64_t count;
	bool json; /* the events as they stand instead */
	struct buf out;
};

/* As a source's take: context is the narrator, which begins zeroed. Writes to stdout. */
void narrate_step(void *narrator, const struct step *);
void narrate_end(struct narrator *);

#endif
