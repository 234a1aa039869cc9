#include "dag.h"

#include "mem.h"

/* Turns counts per row into the rows' first places; the last is the total. */
static void sum_up(uint32_t *first, uint32_t rows)
{
	uint32_t total = 0;

	for (uint32_t i = 0; i <= rows; i++) {
		uint32_t n = first[i];

		first[i] = total;
		total += n;
	}
}

static uint32_t *counts(uint32_t nodes)
{
	return mem_zero((size_t)nodes + 1, sizeof(uint32_t));
}

/* Fills the rows in the order of the edges; a row's place moves on and is set back at the end. */
static void fill(struct dag *d, const struct dag_edge *edge)
{
	for (uint32_t i = 0; i < d->edges; i++) {
		uint32_t at = d->first_out[edge[i].from]++;

		d->out[at] = edge[i].to;
		d->out_edge[at] = i;
		d->in[d->first_in[edge[i].to]++] = edge[i].from;
	}
	for (uint32_t n = d->nodes; n; n--) {
		d->first_out[n] = d->first_out[n - 1];
		d->first_in[n] = d->first_in[n - 1];
	}
	d->first_out[0] = d->first_in[0] = 0;
}

void dag_build(struct dag *d, uint32_t nodes, const struct dag_edge *edge, uint32_t edges)
{
	*d = (struct dag){.nodes = nodes,
		.edges = edges,
		.first_out = counts(nodes),
		.first_in = counts(nodes),
		.out = mem_zero(edges, sizeof(uint32_t)),
		.out_edge = mem_zero(edges, sizeof(uint32_t)),
		.in = mem_zero(edges, sizeof(uint32_t))};
	for (uint32_t i = 0; i < edges; i++) {
		d->first_out[edge[i].from]++;
		d->first_in[edge[i].to]++;
	}
	sum_up(d->first_out, nodes);
	sum_up(d->first_in, nodes);
	fill(d, edge);
}

void dag_clear(struct dag *d)
{
	free(d->first_out);
	free(d->first_in);
	free(d->out);
	free(d->out_edge);
	free(d->in);
	*d = (struct dag){0};
}

static uint32_t *grow_rows(uint32_t *first, uint32_t from, uint32_t to)
{
	first = mem_resize(first, (size_t)to + 1, sizeof *first);
	for (uint32_t n = from + 1; n <= to; n++)
		first[n] = first[from];
	return first;
}

void dag_grow(struct dag *d, uint32_t nodes)
{
	d->first_out = grow_rows(d->first_out, d->nodes, nodes);
	d->first_in = grow_rows(d->first_in, d->nodes, nodes);
	d->nodes = nodes;
}

uint32_t dag_order(const struct dag *d, uint32_t *order)
{
	AUTO_FREE uint32_t *waiting = counts(d->nodes);
	uint32_t done = 0, count = 0;

	for (uint32_t n = 0; n < d->nodes; n++) {
		waiting[n] = dag_in_degree(d, n);
		if (!waiting[n])
			order[count++] = n;
	}
	while (done < count) {
		uint32_t n = order[done++];

		for (uint32_t i = d->first_out[n]; i < d->first_out[n + 1]; i++)
			if (--waiting[d->out[i]] == 0)
				order[count++] = d->out[i];
	}
	return count;
}

uint32_t dag_levels(const struct dag *d, const uint32_t *order, uint32_t *level)
{
	uint32_t deepest = 0;

	memset(level, 0, d->nodes * sizeof *level);
	for (uint32_t k = 0; k < d->nodes; k++) {
		uint32_t n = order[k], next = level[n] + 1;

		deepest = MAX(deepest, next);
		for (uint32_t i = d->first_out[n]; i < d->first_out[n + 1]; i++)
			level[d->out[i]] = MAX(level[d->out[i]], next);
	}
	return deepest;
}

uint32_t dag_width(const struct dag *d, const uint32_t *level, uint32_t levels)
{
	AUTO_FREE uint32_t *on = counts(levels);
	uint32_t most = 0;

	for (uint32_t n = 0; n < d->nodes; n++) {
		on[level[n]]++;
		most = MAX(most, on[level[n]]);
	}
	return most;
}

int64_t dag_rank(const struct dag *d, const uint32_t *order, const int64_t *cost, int64_t *rank)
{
	int64_t longest = 0;

	for (uint32_t k = d->nodes; k--;) {
		uint32_t n = order[k];
		int64_t behind = 0;

		for (uint32_t i = d->first_out[n]; i < d->first_out[n + 1]; i++)
			behind = MAX(behind, rank[d->out[i]]);
		rank[n] = cost[n] + behind;
		longest = MAX(longest, rank[n]);
	}
	return longest;
}

void dag_earliest(const struct dag *d, const uint32_t *order, const int64_t *cost, int64_t *start)
{
	memset(start, 0, d->nodes * sizeof *start);
	for (uint32_t k = 0; k < d->nodes; k++) {
		uint32_t n = order[k];
		int64_t end = start[n] + cost[n];

		for (uint32_t i = d->first_out[n]; i < d->first_out[n + 1]; i++)
			start[d->out[i]] = MAX(start[d->out[i]], end);
	}
}

uint32_t dag_critical(const struct dag *d, const int64_t *cost, const int64_t *rank, uint32_t *path)
{
	uint32_t at = 0, count = 0;

	for (uint32_t n = 1; n < d->nodes; n++)
		if (rank[n] > rank[at])
			at = n;
	while (count < d->nodes) {
		int64_t behind = rank[at] - cost[at];
		uint32_t i = d->first_out[at], end = d->first_out[at + 1];

		path[count++] = at;
		while (i < end && rank[d->out[i]] != behind)
			i++;
		if (i == end)
			break;
		at = d->out[i];
	}
	return count;
}

/* One depth-first search of dag_reduce: what is reached is marked with the searcher's number. */
struct search {
	const struct dag *d;
	const uint32_t *place; /* of each node in the order */
	uint32_t *seen, *stack;
	uint64_t left; /* edges that may still be visited */
};

/* Marks all that can be reached from a node and lies before limit in the order; false if out of
 * budget. */
static bool reach(struct search *s, uint32_t from, uint32_t mark, uint32_t limit)
{
	uint32_t depth = 0;

	s->stack[depth++] = from;
	while (depth) {
		uint32_t n = s->stack[--depth];

		for (uint32_t i = s->d->first_out[n]; i < s->d->first_out[n + 1]; i++) {
			uint32_t next = s->d->out[i];

			if (!s->left)
				return false;
			s->left--;
			if (s->seen[next] == mark || s->place[next] > limit)
				continue;
			s->seen[next] = mark;
			s->stack[depth++] = next;
		}
	}
	return true;
}

/* The edges of one node: whatever a successor reaches needs no edge of its own. */
static bool reduce_node(struct search *s, uint32_t n, bool *redundant, uint32_t *marked)
{
	const struct dag *d = s->d;
	uint32_t first = d->first_out[n], end = d->first_out[n + 1], mark = n + 1, limit = 0;
	bool whole = true;

	for (uint32_t i = first; i < end; i++)
		limit = MAX(limit, s->place[d->out[i]]);
	for (uint32_t i = first; i < end && whole && end - first > 1; i++)
		if (s->seen[d->out[i]] != mark)
			whole = reach(s, d->out[i], mark, limit);
	for (uint32_t i = first; i < end; i++) {
		uint32_t next = d->out[i];

		if (s->seen[next] == mark) {
			redundant[d->out_edge[i]] = true;
			++*marked;
		}
		s->seen[next] = mark; /* the same edge once more is redundant too */
	}
	return whole;
}

bool dag_reduce(const struct dag *d, const uint32_t *order, uint64_t budget, bool *redundant,
	uint32_t *marked)
{
	AUTO_FREE uint32_t *place = counts(d->nodes), *seen = counts(d->nodes);
	AUTO_FREE uint32_t *stack = mem_zero((size_t)d->nodes + 1, sizeof *stack);
	struct search s = {.d = d, .place = place, .seen = seen, .stack = stack, .left = budget};

	*marked = 0;
	memset(redundant, 0, d->edges * sizeof *redundant);
	for (uint32_t k = 0; k < d->nodes; k++)
		place[order[k]] = k;
	for (uint32_t k = d->nodes; k--;)
		if (!reduce_node(&s, order[k], redundant, marked))
			return false;
	return true;
}
