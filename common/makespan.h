/*
 * makespan: how long a graph of tasks takes on some workers when whoever is
 * free takes the ready task of the highest rank (list scheduling), by playing
 * it through: O((n + m) + n log n). It is never longer than Graham's bound,
 * work / workers + (1 - 1 / workers) * critical path.
 */
#ifndef MAKESPAN_H
#define MAKESPAN_H

#include "dag.h"

struct makespan;

/* For any number of simulations of one graph; done tasks (NULL: none) are not in it. */
struct makespan *makespan_new(const struct dag *, const bool *done);
void makespan_free(struct makespan *);

/* One simulation; cost and rank are given a node. */
int64_t makespan_run(
	struct makespan *, const int64_t *cost, const int64_t *rank, uint32_t workers);

#endif
