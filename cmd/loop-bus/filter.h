/*
 * filter: which events somebody wants: by type, subject, least priority, and
 * conditions on fields ("data.success=false", "data.ms>1000").
 */
#ifndef FILTER_H
#define FILTER_H

#include "event.h"

struct condition;

/* Zeroed wants everything. */
struct filter {
	struct strs types, subjects; /* patterns; any of each, or none: all */
	enum priority least;
	struct condition *where; /* all of them */
	size_t count, capacity;
};

/* -EINVAL with the reason. */
int filter_add_type(struct filter *, const char *pattern, struct err *) MUST_CHECK;
int filter_add_subject(struct filter *, const char *pattern, struct err *) MUST_CHECK;
int filter_add_where(struct filter *, const char *condition, struct err *) MUST_CHECK;

/* A path whose value must be this JSON. */
int filter_add_equal(struct filter *, const char *path, struct span value, struct err *) MUST_CHECK;
void filter_clear(struct filter *);

bool filter_wants_all(const struct filter *);
bool filter_matches(const struct filter *, const struct event_view *, struct span line);

/* The priority that a view tells. */
enum priority view_priority(const struct event_view *);

#endif
