/*
 * lookup: searches that are asked for over a connection that stays. A thread of
 * libuv's pool runs them while the loop goes on with the others; those of one
 * client one after the other, in the order in which they were asked for.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include "link.h"
#include "search.h"

#include <uv.h>

enum { LOOKUPS_MAX = 16, /* of one client, those that wait included */
	LOOKUP_NOTE = 16 };

/* Of one client; nothing of it moves as long as it is in use. */
struct lookups {
	struct link all; /* the first is under way */
	size_t count;
	/* How one ended: what it found, or NULL and why not. The note is whoever asked's. */
	void (*told)(struct lookups *, const char *note, const struct search *,
		const struct err *);
	void *context;
};

void lookups_init(struct lookups *,
	void (*told)(struct lookups *, const char *note, const struct search *, const struct err *),
	void *context);

/* Takes over the search; -EBUSY if too many wait. The note is cut to LOOKUP_NOTE - 1 bytes. */
int lookups_add(struct lookups *, uv_loop_t *, const struct state *, struct search *,
	struct span note, struct err *);

/* Nobody is told of any any more. */
void lookups_clear(struct lookups *);

#endif
