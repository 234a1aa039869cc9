/*
 * figures: what a graph tells before anything runs: levels, width, work, the
 * critical path and every task's slack. A task costs what it took before, else
 * what the plan estimates, else the mean of those that are known; where nothing
 * is known, one.
 */
#ifndef FIGURES_H
#define FIGURES_H

#include "history.h"

struct figures {
	uint32_t levels, width, path_length;
	bool timed; /* costs are nanoseconds; else tasks */
	int64_t work, critical;
	uint32_t *level, *path;
	int64_t *cost, *rank, *start;
};

/* The plan must be linked and sound; the history may be NULL. */
void figures_make(struct figures *, const struct plan *, const struct history *);
void figures_clear(struct figures *);

/* How long a task may be late without making the whole late. */
int64_t figures_slack(const struct figures *, uint32_t task);

/* What each task costs, in *cost (one a task): true if in nanoseconds. */
bool plan_costs(const struct plan *, const struct history *, int64_t *cost);

#endif
