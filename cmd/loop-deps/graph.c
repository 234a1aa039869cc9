#include "graph.h"

static bool passes(const struct import *import, enum edge_filter filter)
{
	if (filter != EDGES_ALL && (import->flags & IMPORT_TYPE))
		return false;
	return filter != EDGES_LOAD || !(import->flags & IMPORT_LAZY);
}

/* The edges of one importer; seen[n] is the number, plus one, of the edge to n. */
static void add_edges(struct graph *g, uint32_t importer, uint32_t *seen, enum edge_filter filter)
{
	const struct file *file = &g->tree->file[importer];
	uint32_t before = g->edges;

	for (uint32_t i = file->first; i < file->first + file->count; i++) {
		const struct reference *r = &g->tree->reference[i];

		if (r->outcome != OUTCOME_FILE || r->to == importer || !passes(&r->import, filter))
			continue;
		if (seen[r->to] > before) {
			g->edge[seen[r->to] - 1].flags &= r->import.flags;
			continue;
		}
		g->edge = mem_grow(g->edge, g->edges, &g->capacity, sizeof *g->edge);
		g->edge[g->edges++] = (struct edge){importer, r->to, i, r->import.flags};
		seen[r->to] = g->edges;
	}
}

void graph_build(struct graph *g, const struct tree *t, enum edge_filter filter)
{
	AUTO_FREE uint32_t *seen = mem_zero((size_t)t->files + 1, sizeof *seen);
	struct dag_edge *ends;

	*g = (struct graph){.tree = t};
	for (uint32_t i = 0; i < t->files; i++)
		add_edges(g, i, seen, filter);
	ends = mem_zero((size_t)g->edges + 1, sizeof *ends);
	for (uint32_t i = 0; i < g->edges; i++)
		ends[i] = (struct dag_edge){g->edge[i].imported, g->edge[i].importer};
	dag_build(&g->dag, t->files, ends, g->edges);
	free(ends);
}

const struct edge *graph_edge(const struct graph *g, uint32_t importer, uint32_t imported)
{
	const struct dag *d = &g->dag;

	for (uint32_t i = d->first_out[imported]; i < d->first_out[imported + 1]; i++)
		if (d->out[i] == importer)
			return &g->edge[d->out_edge[i]];
	return NULL;
}

void graph_affected(const struct graph *g, bool *marked)
{
	const struct dag *d = &g->dag;
	AUTO_FREE uint32_t *queue = mem_zero((size_t)d->nodes + 1, sizeof *queue);
	uint32_t head = 0, tail = 0;

	for (uint32_t n = 0; n < d->nodes; n++)
		if (marked[n])
			queue[tail++] = n;
	while (head < tail) {
		uint32_t n = queue[head++];

		for (uint32_t i = d->first_out[n]; i < d->first_out[n + 1]; i++) {
			if (marked[d->out[i]])
				continue;
			marked[d->out[i]] = true;
			queue[tail++] = d->out[i];
		}
	}
}

/* A graph between classes: no edge twice, none from a class to itself. */
static void class_dag(
	struct dag *out, const struct graph *g, const uint32_t *class, uint32_t classes)
{
	struct dag whole;
	struct dag_edge *ends = mem_zero((size_t)g->edges + 1, sizeof *ends);
	AUTO_FREE uint32_t *seen = mem_zero((size_t)classes + 1, sizeof *seen);
	uint32_t kept = 0;

	for (uint32_t i = 0; i < g->edges; i++)
		ends[i] = (struct dag_edge){class[g->edge[i].imported], class[g->edge[i].importer]};
	dag_build(&whole, classes, ends, g->edges);
	for (uint32_t n = 0; n < classes; n++) {
		for (uint32_t i = whole.first_out[n]; i < whole.first_out[n + 1]; i++) {
			if (whole.out[i] == n || seen[whole.out[i]] == n + 1)
				continue;
			seen[whole.out[i]] = n + 1;
			ends[kept++] = (struct dag_edge){n, whole.out[i]};
		}
	}
	dag_clear(&whole);
	dag_build(out, classes, ends, kept);
	free(ends);
}

/* Numbers the groups in the order of their first files, and lists their files. */
static void number_groups(struct groups *g, uint32_t files, const uint32_t *class, uint32_t *knot,
	uint32_t knots)
{
	AUTO_FREE uint32_t *number = mem_zero((size_t)knots + 1, sizeof *number);

	for (uint32_t n = 0; n < files; n++) {
		uint32_t *of = &number[knot[class[n]]];

		if (!*of)
			*of = ++g->count;
		g->of[n] = *of - 1;
		g->first[*of]++;
	}
	for (uint32_t i = 0; i < g->count; i++)
		g->first[i + 1] += g->first[i];
	for (uint32_t n = files; n--;)
		g->member[--g->first[g->of[n] + 1]] = n;
	/* Counting down has moved each group's end to its start: shift them back. */
	memmove(g->first, g->first + 1, g->count * sizeof *g->first);
	g->first[g->count] = files;
}

void groups_build(
	struct groups *out, const struct graph *g, const uint32_t *class, uint32_t classes)
{
	uint32_t files = g->tree->files, knots;
	AUTO_FREE uint32_t *single = mem_zero((size_t)files + 1, sizeof *single), *knot;
	struct dag between;

	for (uint32_t i = 0; i < files; i++)
		single[i] = i;
	if (!class)
		classes = files;
	*out = (struct groups){.of = mem_zero((size_t)files + 1, sizeof *out->of),
		.member = mem_zero((size_t)files + 1, sizeof *out->member),
		.first = mem_zero((size_t)files + 2, sizeof *out->first),
		.order = mem_zero((size_t)files + 1, sizeof *out->order)};
	class_dag(&between, g, class ? class : single, classes);
	knot = mem_zero((size_t)classes + 1, sizeof *knot);
	knots = knots_find(&between, knot);
	dag_clear(&between);
	number_groups(out, files, class ? class : single, knot, knots);
	class_dag(&out->dag, g, out->of, out->count);
	dag_order(&out->dag, out->order);
}

void groups_clear(struct groups *g)
{
	free(g->of);
	free(g->member);
	free(g->first);
	free(g->order);
	dag_clear(&g->dag);
}
