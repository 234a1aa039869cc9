/*
 * cycle: the cycles of a graph, for people: one a knot (a strongly connected
 * component of more than one node, or a node that leads to itself), a shortest
 * one where the knot is small, else a shortest through one of its nodes.
 * Linear but for the search in small knots; nothing recurses.
 *
 * Source: Tarjan, "Depth-first search and linear graph algorithms" (1972).
 */
#ifndef CYCLE_H
#define CYCLE_H

#include "dag.h"

struct cycle {
	uint32_t *node; /* each one's edge leads to the next, the last one's to the first */
	uint32_t count;
	uint32_t knot; /* nodes of the knot it was found in */
};

/* Zeroed is empty. */
struct cycles {
	struct cycle *item;
	size_t count, capacity;
};

void cycles_find(struct cycles *, const struct dag *);
void cycles_clear(struct cycles *);

/*
 * Numbers the knots, a node on no cycle being one by itself: each node's number to
 * knot, in an order in which no knot leads to one with a greater number. Returns how
 * many there are.
 */
uint32_t knots_find(const struct dag *, uint32_t *knot);

#endif
