#include "chain.h"

#define NONE UINT32_MAX

/* What a task may have besides its needs and still be merged. */
static const uint32_t harmless = 1U << M_RUN | 1U << M_TITLE | 1U << M_AT;

static bool is_plain(const struct plan *p, const struct task *t)
{
	return !(t->has & ~harmless) && task_has(p, t, M_RUN) && !task_has(p, t, M_VERIFY) &&
		!task_has(p, t, M_UNDO) && t->recipe == &p->defaults &&
		t->recipe->retry.attempts == 1 && !t->group && !t->fans && !t->final && !t->pivot &&
		!t->done;
}

static bool is_trivial(const struct plan *p, const struct chains *c, uint32_t i, int64_t trivial)
{
	return is_plain(p, &p->task[i]) && c->cost[i] > 0 && c->cost[i] <= trivial;
}

/* The only edge to a task among those that are not hidden, or NONE. */
static uint32_t only_in(const struct plan *p, const bool *hidden, uint32_t i)
{
	uint32_t only = NONE;

	for (uint32_t e = p->dag.first_in[i]; e < p->dag.first_in[i + 1]; e++) {
		if (hidden[e])
			continue;
		if (only != NONE)
			return NONE;
		only = e; /* a task's edges lie side by side, in their rows' order */
	}
	return only;
}

static bool has_one_out(const struct plan *p, const bool *hidden, uint32_t i)
{
	uint32_t count = 0;

	for (uint32_t k = p->dag.first_out[i]; k < p->dag.first_out[i + 1] && count < 2; k++)
		count += !hidden[p->dag.out_edge[k]];
	return count == 1;
}

/* The one task that this one needs, if it is also the only one that needs that. */
static uint32_t only_need(const struct plan *p, const bool *hidden, uint32_t i)
{
	uint32_t edge = only_in(p, hidden, i);

	if (edge == NONE || p->edge_when[edge] != WHEN_OK)
		return NONE;
	return has_one_out(p, hidden, p->edge[edge].from) ? p->edge[edge].from : NONE;
}

static uint32_t *filled(uint32_t count)
{
	uint32_t *array = mem_zero((size_t)count + 1, sizeof *array);

	memset(array, 0xff, count * sizeof *array);
	return array;
}

void chains_find(struct chains *c, const struct plan *p, const bool *hidden,
	const struct history *h, int64_t trivial)
{
	*c = (struct chains){.next = filled(p->count),
		.previous = filled(p->count),
		.cost = mem_zero((size_t)p->count + 1, sizeof *c->cost)};
	for (uint32_t i = 0; i < p->count; i++) {
		int64_t before = h->first ? history_median(h, i) : 0;

		c->cost[i] = before ? before : p->task[i].estimate;
	}
	for (uint32_t i = 0; i < p->count; i++) {
		uint32_t need = only_need(p, hidden, i);

		if (need == NONE || !is_trivial(p, c, i, trivial) ||
			!is_trivial(p, c, need, trivial) ||
			p->task[i].priority != p->task[need].priority)
			continue;
		c->next[need] = i;
		c->previous[i] = need;
		c->merged++;
	}
}

void chains_clear(struct chains *c)
{
	free(c->next);
	free(c->previous);
	free(c->cost);
	*c = (struct chains){0};
}

uint32_t chain_first(const struct chains *c, uint32_t last)
{
	while (c->previous[last] != NONE)
		last = c->previous[last];
	return last;
}

/* The command as one for a shell. */
static void add_command(struct buf *b, struct span run)
{
	struct span key, value;
	struct jscan walk;

	if (jscan_kind(run) == '"') {
		buf_str(b, "(\n");
		jscan_text(run, b);
		buf_str(b, "\n)");
		return;
	}
	jscan_open(&walk, run);
	for (const char *blank = ""; jscan_next(&walk, &key, &value) > 0; blank = " ") {
		AUTO_BUF struct buf word = {0};

		buf_add(&word, "", 0);
		jscan_text(value, &word);
		buf_str(b, blank);
		buf_shell(b, word.text);
	}
}

static void add_title(struct buf *b, const struct plan *p, const struct task *t)
{
	if (jscan_text(task_get(p, t, M_TITLE), b) < 0)
		buf_str(b, t->id);
}

void chain_emit(struct buf *b, const struct plan *p, const struct chains *c, uint32_t last)
{
	AUTO_BUF struct buf run = {0}, title = {0};
	int64_t total = 0;

	for (uint32_t i = chain_first(c, last); i != NONE; i = c->next[i]) {
		buf_str(&run, run.length ? " && " : "");
		buf_str(&title, title.length ? "; " : "");
		add_command(&run, task_get(p, &p->task[i], M_RUN));
		add_title(&title, p, &p->task[i]);
		total += c->cost[i];
	}
	buf_format(b, "{\"id\":\"%s\",\"title\":", p->task[last].id);
	buf_json(b, title.text, title.length);
	buf_str(b, ",\"run\":");
	buf_json(b, run.text, run.length);
	buf_format(b, ",\"estimate\":%.3f", (double)total / 1e9);
	if (p->task[last].priority != PRIORITY_NONE)
		buf_format(b, ",\"priority\":%d", p->task[last].priority);
}
