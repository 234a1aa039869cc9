/* show: the forms in which the graph is told. All write to stdout; names are made safe. */
#ifndef SHOW_H
#define SHOW_H

#include "graph.h"

/* What was found, with what follows from it. */
struct view {
	struct tree *tree;
	struct graph *graph;
	struct cycles cycles;
	struct groups groups; /* files, knots put together */
};

/* Figures of a view. */
struct figures {
	uint32_t languages[LANGUAGES]; /* files of each */
	uint32_t outcomes[OUTCOME_COMPUTED + 1];
	uint32_t type_edges, lazy_edges;
	uint32_t packages;
	uint32_t largest_knot;
	uint32_t levels, width;
	uint32_t *chain; /* groups on a longest chain, first what needs nothing; the caller's */
	uint32_t chain_length;
};

void figures_take(struct figures *, const struct view *);
void figures_clear(struct figures *);

void show_stats(const struct view *);
void show_json(const struct view *);
void show_dot(const struct view *);
void show_levels(const struct view *);
void show_plan(const struct view *, bool by_folder);
void show_cycles(const struct view *);
void show_external(const struct view *);
void show_unresolved(const struct view *);
void show_files(const struct view *, const bool *marked);

/* The names are the user's; "-" stands for those on stdin. */
void show_affected(const struct view *, const struct strs *names);

/* The external packages, sorted, with how many imports name each. */
struct package_use {
	const char *name;
	uint32_t imports, files, last;
};
struct package_use *packages_used(const struct tree *, uint32_t *count); /* the caller's */

/* Puts what was gathered on stdout once it is worth a write; all of it at the end. */
void show_flush(struct buf *, bool end);
extern const char *const form_names[];

#endif
