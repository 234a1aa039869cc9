#include "emit.h"

enum { REDUCE_VISITS = 200000000 };

/* Whether all edges that a need became are hidden; *edge moves on behind them. */
static bool need_hidden(const struct plan *p, struct span need, const bool *hidden, uint32_t *edge)
{
	struct group named = {0};
	bool all = true;
	struct span name;
	enum when when;

	if (need_read(need, &name, &when) < 0 || !plan_named(p, name, &named))
		return false;
	for (uint32_t i = 0; i < named.count; i++)
		all &= hidden[(*edge)++];
	return all && named.count;
}

/* A task's text with some of its needs left out. The edges of its row are in their order. */
static void emit_task(struct buf *b, const struct plan *p, const struct task *t, const bool *hidden)
{
	uint32_t edge = p->dag.first_in[plan_index(p, t)];
	const char *comma = "", *end = t->text.p + t->text.n;
	struct span key, value;
	struct jscan walk;

	buf_add(b, t->text.p, (size_t)(t->needs.p - t->text.p));
	buf_char(b, '[');
	jscan_open(&walk, t->needs);
	while (jscan_next(&walk, &key, &value) > 0) {
		if (need_hidden(p, value, hidden, &edge))
			continue;
		buf_str(b, comma);
		buf_add(b, value.p, value.n);
		comma = ",";
	}
	buf_char(b, ']');
	buf_add(b, t->needs.p + t->needs.n, (size_t)(end - t->needs.p) - t->needs.n);
}

/* A task that has made others, with what it made them of. */
static void emit_fanned(struct buf *b, const struct task *t)
{
	struct span values = t->group->values, before;

	if (jscan_get(t->text, "items", &before)) {
		buf_add(b, t->text.p, t->text.n);
		return;
	}
	buf_add(b, t->text.p, t->text.n - 1); /* all but its closing brace */
	buf_str(b, ",\"items\":");
	buf_add(b, values.p, values.n);
	buf_char(b, '}');
}

static bool loses_needs(const struct plan *p, uint32_t task, const bool *hidden)
{
	for (uint32_t e = p->dag.first_in[task]; hidden && e < p->dag.first_in[task + 1]; e++)
		if (hidden[e])
			return true;
	return false;
}

static void emit_head(struct buf *b, const struct plan *p, const char *source)
{
	static const char *const kept[] = {"description", "branch", "defaults", "resources",
		"breakers", "other"};
	struct span value;

	buf_str(b, "{\"name\":");
	buf_json(b, p->name, strlen(p->name));
	if (source) {
		buf_str(b, ",\"source\":");
		buf_json(b, source, strlen(source));
	}
	for (size_t i = 0; p->whole && i < countof(kept); i++)
		if (jscan_get(p->text, kept[i], &value))
			buf_format(b, ",\"%s\":%.*s", kept[i], (int)value.n, value.p);
}

void plan_emit(struct buf *b, const struct plan *p, const char *source, const bool *hidden)
{
	emit_head(b, p, source);
	buf_str(b, ",\"tasks\":[\n");
	for (uint32_t i = 0; i < p->count; i++) {
		if (p->task[i].index > 1 || task_joined(&p->task[i]))
			continue; /* written with the first of its group, or what made it */
		buf_str(b, i ? ",\n" : "");
		if (p->task[i].fans && p->task[i].group)
			emit_fanned(b, &p->task[i]);
		else if (loses_needs(p, i, hidden))
			emit_task(b, p, &p->task[i], hidden);
		else
			buf_add(b, p->task[i].text.p, p->task[i].text.n);
	}
	map_each (&p->groups, s) {
		const struct group *g = s->value;

		if (g->count)
			continue;
		buf_str(b, p->count ? ",\n" : ""); /* a group of none is still a name */
		buf_add(b, g->text.p, g->text.n);
	}
	buf_str(b, "\n]}\n");
}

bool plan_reduce(const struct plan *p, bool *hidden)
{
	AUTO_FREE struct dag_edge *plain = mem_zero((size_t)p->edges + 1, sizeof *plain);
	AUTO_FREE uint32_t *number = mem_zero((size_t)p->edges + 1, sizeof *number);
	AUTO_FREE bool *marks = mem_zero((size_t)p->edges + 1, sizeof *marks);
	uint32_t count = 0, marked;
	struct dag d;
	bool whole;

	for (uint32_t i = 0; i < p->edges; i++) {
		/* A task that is done already is no way: it does not wait for its needs. */
		if (p->edge_when[i] != WHEN_OK || p->task[p->edge[i].to].done)
			continue;
		plain[count] = p->edge[i];
		number[count++] = i;
	}
	dag_build(&d, p->count, plain, count);
	whole = dag_reduce(&d, p->order, REDUCE_VISITS, marks, &marked);
	for (uint32_t i = 0; i < count; i++)
		hidden[number[i]] = marks[i];
	dag_clear(&d);
	return whole;
}
