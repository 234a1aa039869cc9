/*
 * dag: kernels over a directed graph of numbered nodes, linear and iterative:
 * a million nodes, three million edges, chains and stars of any size. An edge
 * goes from what must be first to what waits for it. Readiness is a counter of
 * edges not yet served, never a scan.
 *
 * Sources: Kahn (1962) for the order; Topcuoglu, Hariri and Wu (HEFT, 2002)
 * for the upward rank.
 */
#ifndef DAG_H
#define DAG_H

#include "base.h"

struct dag_edge {
	uint32_t from, to;
};

/*
 * Adjacency in both directions (compressed rows). The successors of n are
 * out[first_out[n]] up to first_out[n + 1], in the order in which the edges
 * were given; out_edge holds the number of each one's edge.
 */
struct dag {
	uint32_t nodes, edges;
	uint32_t *first_out, *out, *out_edge;
	uint32_t *first_in, *in;
};

/* Every edge's ends must be below nodes. Edges given twice stay two. */
void dag_build(struct dag *, uint32_t nodes, const struct dag_edge *, uint32_t edges);
void dag_clear(struct dag *);

/* Nodes without edges behind those that are there, up to that many. */
void dag_grow(struct dag *, uint32_t nodes);

static inline uint32_t dag_in_degree(const struct dag *d, uint32_t node)
{
	return d->first_in[node + 1] - d->first_in[node];
}

/*
 * A topological order, breadth first, so that it is also sorted by level.
 * Returns how many nodes it holds: less than nodes if there is a cycle (the
 * ones left out lie on cycles or behind them).
 */
uint32_t dag_order(const struct dag *, uint32_t *order);

/* The longest way (in edges) from a source to each node; returns the number of levels. */
uint32_t dag_levels(const struct dag *, const uint32_t *order, uint32_t *level);

/* The most nodes on one level. */
uint32_t dag_width(const struct dag *, const uint32_t *level, uint32_t levels);

/* The work from the start of each node to the end of all, by the longest way; returns the longest:
 * the critical path's length. */
int64_t dag_rank(const struct dag *, const uint32_t *order, const int64_t *cost, int64_t *rank);

/* The earliest start of each node when there are workers enough. */
void dag_earliest(const struct dag *, const uint32_t *order, const int64_t *cost, int64_t *start);

/* One critical path, first to last, into path (room for all levels); returns its number of nodes.
 */
uint32_t dag_critical(const struct dag *, const int64_t *cost, const int64_t *rank, uint32_t *path);

/*
 * Marks the edges that say nothing new (another way leads there, or the same
 * edge came before). Visits at most budget edges; returns false if that did
 * not do: the marks made are right, some may be missing.
 */
bool dag_reduce(const struct dag *, const uint32_t *order, uint64_t budget, bool *redundant,
	uint32_t *marked);

#endif
