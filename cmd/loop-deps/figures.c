#include "show.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct package_use *)a)->name, ((const struct package_use *)b)->name);
}

struct package_use *packages_used(const struct tree *t, uint32_t *count)
{
	struct package_use *use = NULL;
	struct map known = {0};
	size_t capacity = 0;

	*count = 0;
	for (uint32_t i = 0; i < t->references; i++) {
		const struct reference *r = &t->reference[i];
		uintptr_t number;

		if (r->outcome != OUTCOME_EXTERNAL)
			continue;
		number = (uintptr_t)map_add(&known, r->package, strlen(r->package),
			(void *)((uintptr_t)*count + 1));
		if (number > *count) {
			use = mem_grow(use, *count, &capacity, sizeof *use);
			use[(*count)++] = (struct package_use){.name = r->package, .last = NO_FILE};
		}
		use[number - 1].imports++;
		use[number - 1].files += use[number - 1].last != r->from;
		use[number - 1].last = r->from;
	}
	map_clear(&known);
	if (use)
		qsort(use, *count, sizeof *use, by_name);
	return use;
}

static void take_chain(struct figures *f, const struct groups *g)
{
	AUTO_FREE uint32_t *level = mem_zero((size_t)g->count + 1, sizeof *level);
	AUTO_FREE int64_t *cost = mem_zero((size_t)g->count + 1, sizeof *cost);
	AUTO_FREE int64_t *rank = mem_zero((size_t)g->count + 1, sizeof *rank);

	for (uint32_t i = 0; i < g->count; i++)
		cost[i] = 1;
	f->levels = dag_levels(&g->dag, g->order, level);
	f->width = dag_width(&g->dag, level, f->levels);
	f->chain = mem_zero((size_t)f->levels + 1, sizeof *f->chain);
	dag_rank(&g->dag, g->order, cost, rank);
	f->chain_length = dag_critical(&g->dag, cost, rank, f->chain);
}

void figures_take(struct figures *f, const struct view *v)
{
	const struct tree *t = v->tree;

	*f = (struct figures){0};
	for (uint32_t i = 0; i < t->files; i++)
		f->languages[t->file[i].language]++;
	for (uint32_t i = 0; i < t->references; i++)
		f->outcomes[t->reference[i].outcome]++;
	for (uint32_t i = 0; i < v->graph->edges; i++) {
		f->type_edges += (v->graph->edge[i].flags & IMPORT_TYPE) != 0;
		f->lazy_edges += (v->graph->edge[i].flags & IMPORT_LAZY) != 0;
	}
	for (size_t i = 0; i < v->cycles.count; i++)
		f->largest_knot = MAX(f->largest_knot, v->cycles.item[i].knot);
	free(packages_used(t, &f->packages));
	if (v->groups.count)
		take_chain(f, &v->groups);
}

void figures_clear(struct figures *f)
{
	free(f->chain);
}
