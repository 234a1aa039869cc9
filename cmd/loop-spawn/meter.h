/*
 * meter: what an attempt has used by the agent's own files, where its stream
 * tells it late, or not at all because it was killed. It is a script of the
 * agent's folder, run beside the agent now and then, and once at its end if
 * there was no result; what it prints are neutral events.
 */
#ifndef METER_H
#define METER_H

#include "lines.h"
#include "proc.h"
#include "session.h"

struct meter {
	struct child child;
	int out; /* -1: it is not running */
	struct lines lines;
	int64_t next; /* when it is run again (clock_now) */
	bool again;   /* it was asked for while it ran */
};

void meter_init(struct meter *, const struct agent *);

/* Starts it, unless it still runs or the agent has none. What cannot be started tells nothing. */
void meter_start(struct meter *, struct session *);

/* Runs it soon, out of its turn: the agent has had an answer. Not if it is never run by itself. */
void meter_hurry(struct meter *);

/* When out can be read: false once it has ended. */
bool meter_read(struct meter *);

/* Ends it if it runs. */
void meter_clear(struct meter *);

#endif
