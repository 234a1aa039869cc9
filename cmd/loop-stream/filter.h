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
	char *run;
};

/* What a filter looks at, lent from an event's line: JSON strings with their quotes. */
struct topic {
	struct span type, subject, run;
};

/*
 * Of types=, subject= and run= in a query; *out is NULL where there is none of
 * them. -EINVAL with the reason for what is no pattern.
 */
int filter_new(struct filter **out, struct span query, struct err *) MUST_CHECK;

/* The same of a JSON object's members; types and subject are a list or an array of patterns. */
int filter_from_json(struct filter **out, struct span object, struct err *) MUST_CHECK;
void filter_free(struct filter *);

/* NULL wants all. */
bool filter_wants(const struct filter *, const struct topic *);

#endif
