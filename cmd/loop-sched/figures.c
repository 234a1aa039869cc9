#include "figures.h"

static int64_t known_cost(const struct plan *p, const struct history *h, uint32_t task)
{
	int64_t before = h ? history_median(h, task) : 0;

	return before ? before : p->task[task].estimate;
}

bool plan_costs(const struct plan *p, const struct history *h, int64_t *cost)
{
	int64_t total = 0, mean = 1;
	uint32_t known = 0;

	for (uint32_t i = 0; i < p->count; i++) {
		cost[i] = known_cost(p, h, i);
		total += cost[i];
		known += cost[i] > 0;
	}
	if (known)
		mean = MAX(total / known, (int64_t)1);
	for (uint32_t i = 0; i < p->count; i++)
		cost[i] = p->task[i].done || p->task[i].fans ? 0
			: cost[i]			     ? cost[i]
							     : mean;
	return known > 0;
}

static void *numbers(uint32_t count, size_t size)
{
	return mem_zero((size_t)count + 1, size);
}

void figures_make(struct figures *f, const struct plan *p, const struct history *h)
{
	const struct dag *d = &p->dag;

	*f = (struct figures){.level = numbers(p->count, sizeof *f->level),
		.path = numbers(p->count, sizeof *f->path),
		.cost = numbers(p->count, sizeof *f->cost),
		.rank = numbers(p->count, sizeof *f->rank),
		.start = numbers(p->count, sizeof *f->start)};
	f->timed = plan_costs(p, h, f->cost);
	for (uint32_t i = 0; i < p->count; i++)
		f->work += f->cost[i];
	f->levels = dag_levels(d, p->order, f->level);
	f->width = dag_width(d, f->level, f->levels);
	f->critical = dag_rank(d, p->order, f->cost, f->rank);
	dag_earliest(d, p->order, f->cost, f->start);
	f->path_length = dag_critical(d, f->cost, f->rank, f->path);
}

void figures_clear(struct figures *f)
{
	free(f->level);
	free(f->path);
	free(f->cost);
	free(f->rank);
	free(f->start);
}

int64_t figures_slack(const struct figures *f, uint32_t task)
{
	return f->critical - f->start[task] - f->rank[task];
}
