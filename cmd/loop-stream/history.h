/*
 * history: what the journal holds, as JSON: what was, and long polling for
 * what comes.
 */
#ifndef HISTORY_H
#define HISTORY_H

#include "resume.h"

struct conn;

/* GET /history: the newest events that fit, oldest first; or those from a place on. */
void history_answer(struct conn *);

/* The same asked for by a JSON object's members: adds "events":[…],"next":…} */
int history_json(const struct feed *, struct span object, struct buf *, struct err *) MUST_CHECK;

/* The place that a JSON object's "from" and "after" name. */
int history_place(struct resume *, const struct feed *, struct span object, struct err *)
	MUST_CHECK;

/* GET /poll: the events behind a place, as soon as there are any. */
void poll_open(struct conn *);

#endif
