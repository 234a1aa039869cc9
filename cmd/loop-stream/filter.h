/*
 * filter: which events a client wants.
 */
#ifndef FILTER_H
#define FILTER_H

#include "err.h"
#include "text.h"

/* Members that are empty want all. */
struct filter {
	struct strs types, subjects; /* patterns, any of which will do */
	struct strs rooms;	     /* subjects, or runs' ids: what is under any of them */
	char *run;
};

/*
 * What an event is about, lent from its line: JSON strings with their quotes, empty where there is
 * none. Filters look at the first three.
 */
struct topic {
	struct span type, subject, run, session;
	bool folds; /* of low priority: a newer one of the same topic stands for it */
};

/* -EINVAL for a line that is no event. */
int topic_of(struct topic *, const char *line, size_t length) MUST_CHECK;

/*
 * Of types=, subject= and run= in a query; *out is NULL where there is none of
 * them. -EINVAL with the reason for what is no pattern.
 */
int filter_new(struct filter **out, struct span query, struct err *) MUST_CHECK;

/* The same of a JSON object's members; types and subject are a list or an array of patterns. */
int filter_from_json(struct filter **out, struct span object, struct err *) MUST_CHECK;
void filter_free(struct filter *);

/* Puts a room in or out, of a filter that may not be there yet. -EINVAL for what is no room. */
int filter_room(struct filter **, const char *room, bool in, struct err *);

/* NULL wants all. */
bool filter_wants(const struct filter *, const struct topic *);

#endif
