/*
 * calls: the tool calls of a session, put together from their beginnings and
 * ends. Many may be open at once; one whose end never comes is handed out as
 * unfinished when its attempt is over.
 */
#ifndef CALLS_H
#define CALLS_H

#include "step.h"

struct call {
	char *id, *name, *input;
	int64_t start, end;    /* ns since the epoch; 0: unknown */
	int64_t attempt, exit; /* -1: it told no exit status */
	bool finished, ok;
	bool alone; /* no other was open when it began */
};

struct calls {
	struct call *open;
	size_t count, capacity;
	int64_t attempt, last; /* the newest attempt and time seen */
	void (*done)(void *, const struct call *);
	void *context;
};

/* Takes in one event; calls done (before it returns) with each call that is over. */
void calls_step(struct calls *, const struct step *);

/* At the end of the events: whatever is open is unfinished. */
void calls_end(struct calls *);

/* How long it took; -1 where nobody told. */
int64_t call_duration(const struct call *);

#endif
