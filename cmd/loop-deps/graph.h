/*
 * graph: which file imports which, and what follows from it: knots, levels, the
 * longest chain, what a change reaches.
 */
#ifndef GRAPH_H
#define GRAPH_H

#include "cycle.h"
#include "tree.h"

/* Which imports count. */
enum edge_filter {
	EDGES_ALL,
	EDGES_RUNTIME, /* not those for the type checker alone */
	EDGES_LOAD,    /* of these, those that happen when the file is loaded */
};

/* A file imports another; the flags of all its imports that agree. */
struct edge {
	uint32_t importer, imported;
	uint32_t reference; /* the first of them */
	uint8_t flags;
};

/* An edge of the dag goes from what is imported to what imports it, under the same number. */
struct graph {
	const struct tree *tree;
	struct edge *edge; /* by importer, then by place */
	uint32_t edges;
	size_t capacity;
	struct dag dag;
};

/*
 * Nodes put together: those of one class, and classes that lie on a cycle, are
 * one group. Groups are numbered by their first file; their dag has no cycles,
 * no edge twice, and every edge goes from what is needed to what needs it.
 */
struct groups {
	uint32_t count;
	uint32_t *of;	  /* each file's */
	uint32_t *member; /* files, by group */
	uint32_t *first;  /* each group's first member; count + 1 of them */
	struct dag dag;
	uint32_t *order; /* topological */
};

void graph_build(struct graph *, const struct tree *, enum edge_filter);

/* class[n] below classes for every file; NULL: every file is a class of its own. */
void groups_build(struct groups *, const struct graph *, const uint32_t *class, uint32_t classes);
void groups_clear(struct groups *);

static inline uint32_t group_size(const struct groups *g, uint32_t group)
{
	return g->first[group + 1] - g->first[group];
}

/* Marks the files, and all that import them over whatever way. */
void graph_affected(const struct graph *, bool *marked);

/* The edge by which one file imports another. */
const struct edge *graph_edge(const struct graph *, uint32_t importer, uint32_t imported);

#endif
