/*
 * again_on: the lists of endings after which a task is tried again, or never:
 * exit statuses, signals, and words.
 */
#ifndef AGAIN_ON_H
#define AGAIN_ON_H

#include "tstate.h"

struct ended {
	int status; /* 128 + N for a signal */
	enum tstate state;
	bool stalled; /* ended because it was silent */
};

/* Whether any entry of a JSON array fits; an empty span fits nothing. */
bool endings_fit(struct span list, const struct ended *);

#endif
