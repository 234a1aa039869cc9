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

/* The median of a task's durations; 0 if there is none. */
int64_t history_median(const struct history *, uint32_t task);

#endif
