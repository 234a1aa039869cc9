/*
 * feed_walk: the events from a place on, for those who are sent a copy: from the
 * feed's ring where it reaches back so far, else from the journal.
 */
#ifndef FEED_WALK_H
#define FEED_WALK_H

#include "feed.h"

/* One event that the filter wants; false: this was the last for now. */
typedef bool feed_visit(void *context, const struct topic *, struct span line);

/*
 * Visits what there is, at most so much as others can wait for; the position
 * moves behind what was looked at. -errno where the journal has no such place.
 */
int feed_walk(const struct feed *, const struct filter *, int64_t *position, feed_visit *,
	void *context) MUST_CHECK;

#endif
