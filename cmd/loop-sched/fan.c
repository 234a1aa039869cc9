/*
 * A task whose "foreach" names another one: when it starts, the values are read
 * from that one's output, and a task a value joins the run. It has ended when
 * all of them have. The plan on the disk is told first, so that a run that is
 * killed goes on with the same tasks.
 */
#include "run.h"

#include "clock.h"
#include "die.h"
#include "io.h"

/* Nodes are known by their addresses, and the array of them moves. */
static void move_heap(struct heap *h, const struct node *before, struct node *now)
{
	for (size_t i = 0; i < h->count; i++)
		h->item[i] = now + ((const struct node *)h->item[i] - before);
}

static void grow_nodes(struct run *r, uint32_t first)
{
	struct node *before = r->node, *now;
	const uint32_t owner = r->plan.task[first].group->owner;

	now = mem_zero((size_t)r->plan.count + 1, sizeof *now);
	memcpy(now, before, first * sizeof *now);
	for (uint32_t i = first; i < r->plan.count; i++)
		now[i] = (struct node){.rank = before[owner].rank,
			.priority = before[owner].priority,
			.give_up = NS_FOREVER};
	move_heap(&r->ready, before, now);
	move_heap(&r->delayed, before, now);
	move_heap(&r->starved, before, now);
	r->node = now;
	free(before);
}

static struct span trimmed(struct span s)
{
	size_t blank = strspn(s.p, " \t\r\n");

	s = (struct span){s.p + blank, s.n - blank};
	while (s.n && strchr(" \t\r\n", s.p[s.n - 1]))
		s.n--;
	return s;
}

/* The array in what the named task left, copied to stay; or words for why there is none. */
static const char *read_values(struct run *r, uint32_t task, struct span *values)
{
	struct plan *p = &r->plan;
	const char *path, *what;
	struct span name = plan_fans_from(p, &p->task[task], &path);
	struct task *source = map_get_n(&p->by_id, name.p + 1, name.n - 2);
	AUTO_BUF struct buf text = {0};
	char file[300];
	size_t at;

	snprintf(file, sizeof file, "%s/%u/output.json", source->id,
		r->node[plan_index(p, source)].done_by);
	if (io_read_file(r->tasks, file, 1 << 24, &text) < 0)
		return "what its foreach names left no output";
	if (jscan_check(text.text, text.length, &at, &what) < 0)
		return "what its foreach names left no JSON";
	*values = trimmed((struct span){text.text, text.length});
	if (path && (jscan_kind(*values) != '{' || !jscan_path(*values, path, values)))
		return "the output of what its foreach names has no such path";
	if (jscan_kind(*values) != '[')
		return "the output of what its foreach names is no array";
	values->p = arena_substring(&p->arena, values->p, values->n);
	return NULL;
}

static bool same_values(struct span a, struct span b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

/* The tasks join the plan, here and on the disk. */
static const char *join(struct run *r, uint32_t task, struct span values)
{
	const struct group *g = r->plan.task[task].group;
	uint32_t first = r->plan.count;

	if (g)
		return same_values(g->values, values)
			? NULL
			: "its tasks are there already, made of another output";
	if (!plan_join(&r->plan, task, values))
		return "a task that it makes has the id of another";
	if (r->plan.count == first)
		return NULL;
	grow_nodes(r, first);
	run_write_plan(r);
	r->left += r->plan.count - first;
	r->finals += r->plan.task[task].final ? r->plan.count - first : 0;
	return NULL;
}

/* Whether a task makes others; those that are to run then do. */
bool fan_out(struct run *r, uint32_t task)
{
	struct span values = {0};
	const char *why;
	const struct group *g;
	uint32_t first = r->plan.count;
	AUTO_BUF struct buf b = {0};

	if (!r->plan.task[task].fans)
		return false;
	why = read_values(r, task, &values);
	if (!why)
		why = join(r, task, values);
	if (why) {
		warn("%s: %s", r->plan.task[task].id, why);
		settle(r, task, ERRORED, why);
		return true;
	}
	g = r->plan.task[task].group;
	r->node[task].state = RUNNING;
	buf_format(&b, ",\"members\":%u", g->count);
	log_task(r, task, b.text);
	for (uint32_t i = g->first; i < g->first + g->count; i++) {
		r->node[task].waiting += !tstate_ended((enum tstate)r->node[i].state);
		if (i >= first)
			make_ready(r, i);
	}
	if (!r->node[task].waiting)
		settle(r, task, fan_state(r, task), NULL);
	return true;
}

enum tstate fan_state(const struct run *r, uint32_t task)
{
	const struct group *g = r->plan.task[task].group;
	enum tstate worst = SUCCEEDED;

	for (uint32_t i = g->first; i < g->first + g->count; i++) {
		if (tstate_failed((enum tstate)r->node[i].state))
			return FAILED;
		if (r->node[i].state == CANCELLED)
			worst = CANCELLED;
	}
	return worst;
}
