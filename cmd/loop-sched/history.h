/*
 * history: how long the tasks of a plan took before, from the records of the
 * newest runs of that plan. Nothing but the runs' own files is kept.
 */
#ifndef HISTORY_H
#define HISTORY_H

#include "plan.h"
#include "state.h"

struct history {
	uint32_t *first; /* of each task's samples; first[count] is the number of all */
	int64_t *ns;
};

/* The runs of plans with this plan's name, but for the one named except (may be NULL). */
void history_load(struct history *, const struct state *, const struct plan *, const char *except);
void history_clear(struct history *);

/* The same, of the state directory that is found from here; false where there is none. */
bool history_find(struct history *, const struct plan *);

/* Every line of the records that history_load would read, newest run first. */
void history_lines(const struct state *, const struct plan *, const char *except,
	void (*see)(void *context, struct span line, bool first), void *context);

/* The median of a task's durations; 0 if there is none. */
int64_t history_median(const struct history *, uint32_t task);

#endif
