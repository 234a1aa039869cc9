#include "makespan.h"

#include "heap.h"
#include "mem.h"

struct player {
	int64_t rank, end;
	uint32_t waiting;
};

struct makespan {
	const struct dag *dag;
	const bool *done;
	struct player *player;
	struct heap ready, running;
};

static bool longer_way(const void *left, const void *right)
{
	const struct player *a = left, *b = right;

	return a->rank != b->rank ? a->rank > b->rank : a < b;
}

static bool ends_first(const void *left, const void *right)
{
	const struct player *a = left, *b = right;

	return a->end != b->end ? a->end < b->end : a < b;
}

struct makespan *makespan_new(const struct dag *d, const bool *done)
{
	struct makespan *m = mem_zero(1, sizeof *m);

	m->dag = d;
	m->done = done;
	m->player = mem_zero((size_t)d->nodes + 1, sizeof *m->player);
	m->ready.before = longer_way;
	m->running.before = ends_first;
	return m;
}

void makespan_free(struct makespan *m)
{
	heap_clear(&m->ready);
	heap_clear(&m->running);
	free(m->player);
	free(m);
}

static bool is_done(const struct makespan *m, uint32_t node)
{
	return m->done && m->done[node];
}

static void begin(struct makespan *m, const int64_t *rank)
{
	const struct dag *d = m->dag;

	for (uint32_t n = 0; n < d->nodes; n++) {
		struct player *p = &m->player[n];

		*p = (struct player){.rank = rank[n]};
		for (uint32_t i = d->first_in[n]; i < d->first_in[n + 1]; i++)
			p->waiting += !is_done(m, d->in[i]);
		if (!p->waiting && !is_done(m, n))
			heap_push(&m->ready, p);
	}
}

/* What waited for this one alone is ready. */
static void end(struct makespan *m, uint32_t node)
{
	const struct dag *d = m->dag;

	for (uint32_t i = d->first_out[node]; i < d->first_out[node + 1]; i++) {
		struct player *p = &m->player[d->out[i]];

		if (!is_done(m, d->out[i]) && --p->waiting == 0)
			heap_push(&m->ready, p);
	}
}

int64_t makespan_run(
	struct makespan *m, const int64_t *cost, const int64_t *rank, uint32_t workers)
{
	int64_t now = 0;

	begin(m, rank);
	while (m->ready.count || m->running.count) {
		struct player *p;

		while (m->ready.count && m->running.count < workers) {
			p = heap_pop(&m->ready);
			p->end = now + cost[p - m->player];
			heap_push(&m->running, p);
		}
		p = heap_pop(&m->running);
		now = p->end;
		end(m, (uint32_t)(p - m->player));
	}
	return now;
}
