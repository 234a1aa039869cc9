/*
 * count: failures by subject. Every change is a line of counts/NAME.jsonl with the id of the event
 * that made it: whoever goes on behind a cursor begins with the counts as of that event, and what
 * was counted behind it is counted again.
 */
#ifndef COUNT_H
#define COUNT_H

#include "map.h"
#include "state.h"

struct counts {
	struct map by_subject;
	const struct state *state; /* lent */
	char *path;
	int fd;
	size_t lines, lines_max; /* in the file; when there are more it is written anew */
};

/* The failures of a subject; 0 for one that is not known. */
int64_t counts_get(const struct counts *, const char *subject);

/* False where so many subjects are remembered that no further one is. */
bool counts_set(struct counts *, const char *subject, int64_t failures);

/* Opens the file and takes its counts as of an id; what it says of later events is dropped. */
int counts_load(struct counts *, const struct state *, const char *name, int64_t as_of) MUST_CHECK;

/* Writes a change down; behind is how far the handler has finished. */
int counts_note(struct counts *, const char *subject, int64_t id, int64_t behind) MUST_CHECK;
void counts_clear(struct counts *);

#endif
