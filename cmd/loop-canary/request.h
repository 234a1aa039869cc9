/*
 * request: what a rollout is asked to do from outside: a file in its folder, the newest counts.
 * Who drives the rollout takes it away before it acts on it.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "record.h"

enum request {
	REQUEST_NONE,
	REQUEST_PAUSE,
	REQUEST_RESUME,
	REQUEST_ADVANCE, /* to the next step, whatever the checks say */
	REQUEST_FULL,	 /* to the end */
	REQUEST_ABORT,
	REQUEST_RETRY, /* a rollback that failed; a step that is paused, from its beginning */
};

int request_write(const struct record *, enum request, const char *by, const char *why,
	struct err *) MUST_CHECK;

/* Takes it: words get who and why. */
enum request request_take(const struct record *, struct buf *words);

#endif
