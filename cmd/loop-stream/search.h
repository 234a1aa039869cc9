/*
 * search: what the journal holds, looked for from a place on, or backwards. It
 * is planned in the loop, where the feed stands still, and may then be run in
 * any thread: it looks at the journal's files alone.
 */
#ifndef SEARCH_H
#define SEARCH_H

#include "resume.h"

/* What is looked for, and what was found. */
struct search {
	struct filter *filter;
	bool back;   /* from a place backwards: */
	bool before; /* one that was named */
	int64_t position, next;
	bool more;     /* it stopped before it had seen all there is: */
	int64_t older; /* where it goes on backwards */
	size_t max;
	struct buf text; /* the events with commas between them */
	size_t found;
};

/*
 * By limit, before, after, from, types, subject and run of a query, or by a
 * JSON object's members of these names. NULL with the reason for what cannot be
 * looked for.
 */
struct search *search_of_query(const struct feed *, struct span query, struct err *);
struct search *search_of_json(const struct feed *, struct span object, struct err *);
void search_free(struct search *);

/* Fails with the reason, for people. */
int search_run(struct search *, const struct state *, struct err *) MUST_CHECK;

/* Another event was found; whether there is room for more. */
bool search_take(struct search *, struct span line);

/*
 * Adds "events":[…],"next":…}: what was found, and where later events will begin. If it stopped
 * early, also "more" with the parameter of the request that goes on.
 */
void search_found(const struct search *, int64_t next, struct buf *);

/* The place that a JSON object's "from" and "after" name. */
int search_place(struct resume *, const struct feed *, struct span object, struct err *)
	MUST_CHECK;

#endif
