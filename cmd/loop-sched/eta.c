#include "eta.h"

#include "clock.h"
#include "figures.h"
#include "makespan.h"

enum { PLAYS = 100,
	VISITS = 5000000, /* nodes and edges, over all plays */
	SAMPLES_LEAST = 2,
	SHRINK = 8 /* how many tasks' worth of doubt about this run's own pace */ };

struct eta {
	const struct view *v;
	int64_t *pool; /* what any task of the plan took, here or before */
	size_t pool_count, pool_capacity;
	bool *done;
	double pace; /* of this run, against what was expected */
	uint64_t random;
};

static uint32_t draw(struct eta *e, uint32_t below)
{
	e->random = e->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((e->random >> 33) % below);
}

static void add_sample(struct eta *e, int64_t ns)
{
	e->pool = mem_grow(e->pool, e->pool_count, &e->pool_capacity, sizeof *e->pool);
	e->pool[e->pool_count++] = ns;
}

/* What is done, all that is known of durations, and how this run goes by them. */
static void look(struct eta *e)
{
	const struct view *v = e->v;
	double ratios = SHRINK, compared = SHRINK;

	for (uint32_t i = 0; i < v->history.first[v->plan.count]; i++)
		add_sample(e, v->history.ns[i]);
	for (uint32_t i = 0; i < v->plan.count; i++) {
		int64_t took = v->fold.task[i].ms * NS_PER_MS;
		int64_t before = history_median(&v->history, i);

		e->done[i] = tstate_ended(view_task(v, i));
		if (view_task(v, i) != SUCCEEDED)
			continue;
		add_sample(e, MAX(took, NS_PER_MS));
		if (before) {
			ratios += (double)took / (double)before;
			compared++;
		}
	}
	e->pace = ratios / compared;
}

/* A duration for a task: one of its own, else its estimate, else anybody's. */
static int64_t sample(struct eta *e, uint32_t task)
{
	const struct history *h = &e->v->history;
	uint32_t n = h->first[task + 1] - h->first[task];
	int64_t ns = n ? h->ns[h->first[task] + draw(e, n)] : e->v->plan.task[task].estimate;

	if (!ns)
		ns = e->pool[draw(e, (uint32_t)e->pool_count)];
	return (int64_t)((double)ns * e->pace);
}

/* What is left of one that runs: of the durations longer than it has run already. */
static int64_t sample_left(struct eta *e, uint32_t task, int64_t elapsed)
{
	for (int tries = 0; tries < 20; tries++) {
		int64_t ns = sample(e, task);

		if (ns > elapsed)
			return ns - elapsed;
	}
	return elapsed / 4; /* longer than any before: nobody knows */
}

static int64_t play(struct eta *e, struct makespan *m, int64_t *cost, int64_t *rank)
{
	const struct view *v = e->v;

	for (uint32_t i = 0; i < v->plan.count; i++) {
		if (e->done[i])
			cost[i] = 0;
		else if (view_task(v, i) == RUNNING)
			cost[i] = sample_left(e, i, clock_real() - v->fold.task[i].since);
		else
			cost[i] = sample(e, i);
	}
	dag_rank(&v->plan.dag, v->plan.order, cost, rank);
	for (uint32_t i = 0; i < v->plan.count; i++)
		if (view_task(v, i) == RUNNING)
			rank[i] = INT64_MAX; /* has its worker */
	return makespan_run(m, cost, rank, (uint32_t)MAX(v->fold.jobs, (int64_t)1));
}

static int by_length(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

static void play_all(struct eta *e, struct range *r)
{
	uint32_t count = e->v->plan.count;
	AUTO_FREE int64_t *cost = mem_zero((size_t)count + 1, sizeof *cost);
	AUTO_FREE int64_t *rank = mem_zero((size_t)count + 1, sizeof *rank);
	struct makespan *m = makespan_new(&e->v->plan.dag, e->done);
	int64_t span[PLAYS];
	size_t plays = VISITS / (count + e->v->plan.edges + 1);

	plays = MAX(MIN(plays, (size_t)PLAYS), (size_t)1);
	for (size_t i = 0; i < plays; i++)
		span[i] = play(e, m, cost, rank);
	makespan_free(m);
	qsort(span, plays, sizeof *span, by_length);
	/* A band of nine tenths covers less than that in practice: it is taken a little wider. */
	r->low = span[plays * 4 / 100];
	r->mid = span[plays / 2];
	r->high = span[plays - 1 - plays * 4 / 100];
}

bool eta_range(const struct view *v, struct range *r)
{
	struct eta e = {.v = v, .random = 88172645463325252U};
	bool known;

	if (!v->alive || !v->plan.count)
		return false;
	e.done = mem_zero((size_t)v->plan.count + 1, sizeof *e.done);
	look(&e);
	known = e.pool_count >= SAMPLES_LEAST;
	if (known)
		play_all(&e, r);
	free(e.done);
	free(e.pool);
	return known;
}
