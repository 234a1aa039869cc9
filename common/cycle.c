#include "cycle.h"

#include "mem.h"

/* Knots up to this size are searched from every node; larger ones from the first alone. */
enum { KNOT_SEARCHED_WHOLE = 512 };

#define NONE UINT32_MAX

struct tarjan {
	const struct dag *d;
	uint32_t *index, *low; /* index 0: not visited; NONE: its knot is closed */
	uint32_t *next;	       /* the place of the edge to look at next */
	uint32_t *stack, *path;
	uint32_t stacked, depth, counter;
	struct cycles *cycles; /* NULL: not asked for */
	uint32_t *knot;	       /* each node's, likewise */
	uint32_t knots;
	uint32_t *parent; /* of the breadth-first search; NONE: not reached */
	bool *inside;	  /* of the knot that is searched */
};

static void enter(struct tarjan *t, uint32_t n)
{
	t->index[n] = t->low[n] = ++t->counter;
	t->next[n] = t->d->first_out[n];
	t->stack[t->stacked++] = n;
	t->path[t->depth++] = n;
}

/* Finds a shortest way from a node back to itself inside the knot, shorter than limit; its last
 * node, or NONE. */
static uint32_t way_back(struct tarjan *t, const uint32_t *knot, uint32_t size, uint32_t from,
	uint32_t limit, uint32_t *length)
{
	const struct dag *d = t->d;
	uint32_t head = 0, tail = 0, row_end = 1, steps = 1;
	uint32_t *queue = t->path + t->depth; /* free room: the path never holds a knot twice */

	for (uint32_t i = 0; i < size; i++)
		t->parent[knot[i]] = NONE;
	queue[tail++] = from;
	while (head < tail && steps < limit) {
		uint32_t n = queue[head++];

		for (uint32_t i = d->first_out[n]; i < d->first_out[n + 1]; i++) {
			uint32_t next = d->out[i];

			if (next == from) {
				*length = steps;
				return n;
			}
			if (!t->inside[next] || t->parent[next] != NONE)
				continue;
			t->parent[next] = n;
			queue[tail++] = next;
		}
		if (head == row_end) {
			row_end = tail;
			steps++;
		}
	}
	return NONE;
}

/* Keeps the way from..last as a cycle. */
static void keep(struct tarjan *t, struct cycle *c, uint32_t from, uint32_t last, uint32_t n)
{
	free(c->node);
	c->node = mem_zero(n, sizeof *c->node);
	c->count = n;
	for (uint32_t at = last; n--; at = t->parent[at])
		c->node[n] = at;
	c->node[0] = from;
}

static void search_knot(struct tarjan *t, const uint32_t *knot, uint32_t size)
{
	struct cycles *all = t->cycles;
	struct cycle cycle = {.knot = size};
	uint32_t starts = size > KNOT_SEARCHED_WHOLE ? 1 : size, best = NONE;

	for (uint32_t i = 0; i < size; i++)
		t->inside[knot[i]] = true;
	for (uint32_t i = 0; i < starts; i++) {
		/* The stack holds a knot's first node first: it is the one told first. */
		uint32_t length, last = way_back(t, knot, size, knot[i], best, &length);

		if (last == NONE)
			continue;
		best = length;
		keep(t, &cycle, knot[i], last, length);
	}
	for (uint32_t i = 0; i < size; i++)
		t->inside[knot[i]] = false;
	all->item = mem_grow(all->item, all->count, &all->capacity, sizeof *all->item);
	all->item[all->count++] = cycle;
}

static bool leads_to_itself(const struct dag *d, uint32_t n)
{
	for (uint32_t i = d->first_out[n]; i < d->first_out[n + 1]; i++)
		if (d->out[i] == n)
			return true;
	return false;
}

/* All edges of the node on top of the path were followed: if it opens a knot, that is closed. */
static void leave(struct tarjan *t, uint32_t n)
{
	uint32_t first = t->stacked;

	t->depth--;
	if (t->depth) {
		uint32_t up = t->path[t->depth - 1];

		t->low[up] = MIN(t->low[up], t->low[n]);
	}
	if (t->low[n] != t->index[n])
		return;
	do {
		t->index[t->stack[--first]] = NONE;
		if (t->knot)
			t->knot[t->stack[first]] = t->knots;
	} while (t->stack[first] != n);
	t->knots++;
	if (t->cycles && (t->stacked - first > 1 || leads_to_itself(t->d, n)))
		search_knot(t, t->stack + first, t->stacked - first);
	t->stacked = first;
}

static void step(struct tarjan *t)
{
	uint32_t n = t->path[t->depth - 1], next;

	if (t->next[n] == t->d->first_out[n + 1]) {
		leave(t, n);
		return;
	}
	next = t->d->out[t->next[n]++];
	if (t->index[next] == 0)
		enter(t, next);
	else if (t->index[next] != NONE)
		t->low[n] = MIN(t->low[n], t->index[next]);
}

static uint32_t *numbers(size_t count)
{
	return mem_zero(count + 1, sizeof(uint32_t));
}

/* Visits every node; cycles and knots are filled in where they are asked for. */
static void visit_all(struct tarjan *t)
{
	uint32_t nodes = t->d->nodes;
	AUTO_FREE uint32_t *index = numbers(nodes), *low = numbers(nodes);
	AUTO_FREE uint32_t *next = numbers(nodes), *stack = numbers(nodes);
	AUTO_FREE uint32_t *path = numbers((size_t)nodes * 2), *parent = numbers(nodes);
	AUTO_FREE bool *inside = mem_zero((size_t)nodes + 1, sizeof *inside);

	t->index = index;
	t->low = low;
	t->next = next;
	t->stack = stack;
	t->path = path;
	t->parent = parent;
	t->inside = inside;
	for (uint32_t n = 0; n < nodes; n++) {
		if (t->index[n])
			continue;
		enter(t, n);
		while (t->depth)
			step(t);
	}
}

void cycles_find(struct cycles *out, const struct dag *d)
{
	struct tarjan t = {.d = d, .cycles = out};

	visit_all(&t);
}

uint32_t knots_find(const struct dag *d, uint32_t *knot)
{
	struct tarjan t = {.d = d, .knot = knot};

	visit_all(&t);
	return t.knots;
}

void cycles_clear(struct cycles *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->item[i].node);
	free(c->item);
	*c = (struct cycles){0};
}
