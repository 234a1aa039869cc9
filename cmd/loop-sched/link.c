/* Names become edges, and the graph is asked whether it can be run at all. */
#include "plan.h"

#include "cycle.h"
#include "parse.h"

enum { CYCLE_SHOWN = 12, /* nodes of a cycle that are told one by one */
	NEAREST_AMONG = 20000 /* ids that a misspelt one is compared with */ };

static void add_edge(struct plan *p, uint32_t from, uint32_t to, enum when when)
{
	p->edge = mem_grow(p->edge, p->edges, &p->edge_capacity, sizeof *p->edge);
	p->edge_when = mem_grow(p->edge_when, p->edges, &p->when_capacity, 1);
	p->edge[p->edges] = (struct dag_edge){from, to};
	p->edge_when[p->edges++] = (uint8_t)when;
}

static void unknown_need(struct plan *p, const struct task *t, struct span name)
{
	AUTO_BUF struct buf id = {0};
	struct nearest near = {0};

	jscan_text(name, &id);
	near.word = id.text;
	for (uint32_t i = 0; i < MIN(p->count, (uint32_t)NEAREST_AMONG) && !p->unsaid; i++)
		if (&p->task[i] != t)
			nearest_try(&near, p->task[i].id);
	if (near.best)
		plan_error(p, t, name, "'%s' needs '%s', which is not there; did you mean '%s'?",
			t->id, id.text, near.best);
	else
		plan_error(p, t, name, "'%s' needs '%s', which is not there", t->id, id.text);
}

/* What a task fans over is a need of it, and must be one task. */
static void link_source(struct plan *p, struct task *t)
{
	const char *path;
	struct span name = plan_fans_from(p, t, &path);
	const struct task *source = map_get_n(&p->by_id, name.p + 1, name.n - 2);

	if (source)
		add_edge(p, plan_index(p, source), plan_index(p, t), WHEN_SUCCEEDED);
	else if (map_get_n(&p->groups, name.p + 1, name.n - 2))
		plan_error(p, t, name, "foreach: %.*s is many tasks, not one", (int)name.n, name.p);
	else
		unknown_need(p, t, name);
}

/* Ids hold no escapes, so what stands between the quotes is what the map knows. */
static void link_task(struct plan *p, struct task *t)
{
	struct span key, value, name;
	struct jscan walk;
	enum when when;

	if (t->fans)
		link_source(p, t);
	if (task_joined(t) || !t->needs.n || jscan_open(&walk, t->needs) < 0)
		return;
	while (jscan_next(&walk, &key, &value) > 0) {
		struct group needed;

		if (need_read(value, &name, &when) < 0)
			continue;
		if (!plan_named(p, name, &needed)) {
			unknown_need(p, t, name);
			continue;
		}
		for (uint32_t i = 0; i < needed.count; i++)
			add_edge(p, needed.first + i, plan_index(p, t), when);
	}
}

/* Whether a need names a task, or the group that it is in: "ID" for "ID.3". */
static bool names_it(struct span name, const char *id)
{
	const char *dot = strrchr(id, '.');
	size_t n = dot ? (size_t)(dot - id) : 0;

	return jscan_is(name, id) || (n && name.n - 2 == n && memcmp(name.p + 1, id, n) == 0);
}

/* The name, in a task's needs, of the task that is needed. */
static struct span need_of(const struct task *t, const char *id)
{
	struct span key, value, name;
	struct jscan walk;
	enum when when;

	if (t->needs.n && jscan_open(&walk, t->needs) == 0)
		while (jscan_next(&walk, &key, &value) > 0)
			if (need_read(value, &name, &when) == 0 && names_it(name, id))
				return name;
	return t->text;
}

/* A cycle as people read it: a needs c, c needs b, b needs a; edges go the other way. */
static void say_cycle(struct plan *p, const struct cycle *c)
{
	uint32_t last = c->count - 1, shown = MIN(c->count, (uint32_t)CYCLE_SHOWN);
	const struct task *first = &p->task[c->node[last]];
	AUTO_BUF struct buf path = {0};

	buf_str(&path, "");
	for (uint32_t i = 0; i < shown; i++)
		buf_format(&path, "%s -> ", p->task[c->node[last - i]].id);
	if (shown < c->count)
		buf_format(&path, "(%u more) -> ", c->count - shown);
	plan_error(p, first, need_of(first, p->task[c->node[c->count > 1 ? last - 1 : 0]].id),
		"the needs go round in a circle: %s%s", path.text, first->id);
	for (uint32_t i = 0; i < shown && c->count > 1; i++) {
		const struct task *t = &p->task[c->node[last - i]];
		const struct task *needed = &p->task[c->node[i == last ? last : last - i - 1]];

		plan_note(p, t, need_of(t, needed->id), "'%s' needs '%s'", t->id, needed->id);
	}
	if (c->knot > c->count)
		plan_note(p, first, first->text, "tasks tied into the same knot besides: %u",
			c->knot - c->count);
}

static void say_cycles(struct plan *p, uint32_t ordered)
{
	struct cycles found = {0};
	uint32_t tied = 0;

	cycles_find(&found, &p->dag);
	for (size_t i = 0; i < found.count; i++) {
		say_cycle(p, &found.item[i]);
		tied += found.item[i].knot;
	}
	if (p->count - ordered > tied)
		plan_note(p, NULL, (struct span){p->text.p, 0},
			"tasks that wait for these circles and can never run: %u",
			p->count - ordered - tied);
	cycles_clear(&found);
}

void plan_link(struct plan *p)
{
	uint32_t ordered;

	for (uint32_t i = 0; i < p->count; i++)
		link_task(p, &p->task[i]);
	dag_build(&p->dag, p->count, p->edge, p->edges);
	p->order = mem_zero((size_t)p->count + 1, sizeof *p->order);
	ordered = dag_order(&p->dag, p->order);
	if (ordered < p->count)
		say_cycles(p, ordered);
}
