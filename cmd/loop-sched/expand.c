/*
 * foreach: one task a value. Where the values stand in the plan, the tasks are
 * there from the start and take the place of their model. Where another task is
 * to say them, the model is a task of its own, and they join when they are known.
 */
#include "plan.h"

#include "parse.h"

enum { MODEL_ID_MAX = 118 }; /* room for a dot and a number behind it */

static struct span *list_items(struct plan *p, struct span array, uint32_t *count)
{
	struct span key, value, *item;
	struct jscan walk;

	*count = 0;
	jscan_open(&walk, array);
	while (jscan_next(&walk, &key, &value) > 0)
		++*count;
	item = arena_new(&p->arena, (*count + 1) * sizeof *item);
	*count = 0;
	jscan_open(&walk, array);
	while (jscan_next(&walk, &key, &value) > 0)
		item[(*count)++] = value;
	return item;
}

static struct group *group_new(struct plan *p, const struct task *model, struct span values)
{
	struct group *g = arena_new(&p->arena, sizeof *g);

	*g = (struct group){.first = p->count, .text = model->text};
	g->item = list_items(p, values, &g->count);
	return g;
}

/* The model is a copy: the array of tasks moves. */
static void add_members(struct plan *p, struct task model, struct group *g)
{
	model.group = g;
	model.fans = false;
	g->count = MIN(g->count, (uint32_t)PLAN_TASKS - p->count);
	for (uint32_t i = 1; i <= g->count; i++) {
		char id[160];

		snprintf(id, sizeof id, "%s.%u", model.id, i);
		model.index = i;
		p->task = mem_grow(p->task, p->count, &p->capacity, sizeof *p->task);
		p->task[p->count] = model;
		p->task[p->count++].id = arena_substring(&p->arena, id, strlen(id));
	}
}

static void check_id(struct plan *p, const struct task *model)
{
	if (!name_valid(model->id) || strlen(model->id) > MODEL_ID_MAX)
		plan_error(p, model, model->text, "the id of a task with foreach is too long");
}

void plan_expand(struct plan *p, struct task model)
{
	struct group *g = group_new(p, &model, task_get(p, &model, M_FOREACH));

	if (map_add(&p->groups, model.id, strlen(model.id), g) != g)
		plan_error(p, &model, model.text, "the id '%s' is there already", model.id);
	add_members(p, model, g);
	check_id(p, &model);
}

void plan_fan(struct plan *p, uint32_t task, struct span values)
{
	struct group *g = group_new(p, &p->task[task], values);

	g->fanned = true;
	g->owner = task;
	g->values = values;
	check_id(p, &p->task[task]);
	p->task[task].group = g;
	add_members(p, p->task[task], g);
}

struct span plan_fans_from(struct plan *p, const struct task *t, const char **path)
{
	struct span from = task_get(p, t, M_FOREACH), name = from, value;

	*path = NULL;
	if (jscan_kind(from) == '"')
		return name;
	jscan_get(from, "task", &name);
	if (jscan_get(from, "path", &value))
		*path = plan_text(p, value);
	return name;
}

/* Ids that were known to name a task still do when the array of tasks has moved. */
static void rename_tasks(struct plan *p, const struct task *before)
{
	map_each (&p->by_id, s)
		s->value = p->task + ((const struct task *)s->value - before);
}

bool plan_join(struct plan *p, uint32_t task, struct span values)
{
	const struct task *before = p->task;
	uint32_t first = p->count;

	plan_fan(p, task, values);
	if (p->task != before)
		rename_tasks(p, before);
	for (uint32_t i = first; i < p->count; i++) {
		struct task *t = &p->task[i];

		if (map_add(&p->by_id, t->id, strlen(t->id), t) != t || map_get(&p->groups, t->id))
			return false;
	}
	dag_grow(&p->dag, p->count);
	p->order = mem_resize(p->order, (size_t)p->count + 1, sizeof *p->order);
	for (uint32_t i = first; i < p->count; i++)
		p->order[i] = i;
	return true;
}
