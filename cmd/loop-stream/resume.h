/*
 * resume: where in the journal a client goes on.
 */
#ifndef RESUME_H
#define RESUME_H

#include "feed.h"
#include "request.h"

struct resume {
	int64_t position; /* of the first event to be sent */
	bool gap;	  /* what was asked for is not in this journal, or not any more */
	int64_t wanted;	  /* then: the place asked for */
};

/*
 * By Last-Event-ID or after=ID (behind that event), from=ID (with it),
 * from=start or from=now; now where nothing is said. -EINVAL with the reason
 * for what is no place.
 */
int resume_find(struct resume *, const struct feed *, const struct request *, struct err *)
	MUST_CHECK;

/* By two texts, either of which may be empty. */
int resume_at(struct resume *, const struct feed *, const char *after, const char *from,
	struct err *) MUST_CHECK;

#endif
