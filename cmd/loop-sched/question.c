#include "question.h"

#include "clock.h"
#include "field.h"

static char *text_of(struct span string)
{
	AUTO_BUF struct buf text = {0};

	if (!string.n)
		return NULL;
	buf_str(&text, "");
	jscan_text(string, &text);
	return buf_take(&text);
}

static void add_choices(struct gate *g, struct span choices)
{
	struct span key, value;
	struct jscan walk;

	if (!choices.n || jscan_open(&walk, choices) < 0)
		return;
	while (jscan_next(&walk, &key, &value) > 0)
		strs_take(&g->choices, text_of(value));
}

static void fill(struct gate *g, const struct question *q)
{
	*g = (struct gate){.question = text_of(q->text),
		.text = q->open,
		.fallback = text_of(q->fallback),
		.deadline = q->deadline ? clock_real() + q->deadline : 0};
	add_choices(g, q->choices);
}

bool question_read(struct plan *p, const struct task *t, struct span value)
{
	struct question q = {.text = value};
	AUTO_GATE struct gate g = {0};
	struct err e = {0};
	size_t before = p->diags.errors;

	if (jscan_kind(value) == '{') {
		q.text = (struct span){0};
		object_read(p, t, "gate", gate_fields, value, &q);
	} else if (jscan_kind(value) != '"') {
		plan_error(p, t, value, "gate: must be a question, or an object with one");
	}
	if (p->diags.errors > before)
		return false;
	fill(&g, &q);
	if (!g.question)
		plan_error(p, t, value, "gate: needs a question");
	else if (q.choices.n && q.open)
		plan_error(p, t, value, "gate: choices or text, one of them");
	else if (q.fallback.n && !q.deadline)
		plan_error(p, t, value, "gate: a default needs a deadline");
	else if (gate_check(&g, &e) < 0)
		plan_error(p, t, value, "gate: %s", e.text);
	return p->diags.errors == before;
}

bool task_asks(const struct plan *p, const struct task *t)
{
	return task_has(p, t, M_GATE) && (!t->fans || t->index);
}

/* A member of a foreach asks for its value: that stands where the question has {}. */
static void put_item(struct gate *g, const struct task *t)
{
	char *hole = strstr(g->question, "{}");
	struct span value;
	AUTO_BUF struct buf text = {0};

	if (!t->index || !hole)
		return;
	value = t->group->item[t->index - 1];
	buf_add(&text, g->question, (size_t)(hole - g->question));
	if (jscan_text(value, &text) < 0)
		buf_add(&text, value.p, value.n);
	buf_str(&text, hole + 2);
	free(g->question);
	g->question = buf_take(&text);
}

void question_make(const struct plan *p, const struct task *t, struct gate *g)
{
	struct plan *quiet = (struct plan *)(uintptr_t)p; /* it was read before: nothing is said */
	struct span value = task_get(p, t, M_GATE);
	struct question q = {.text = value};

	if (jscan_kind(value) == '{')
		object_read(quiet, t, "gate", gate_fields, value, &q);
	fill(g, &q);
	put_item(g, t);
}

char *question_id(char out[QUESTION_ID_SIZE], const char *run, const struct plan *p,
	const struct task *t, unsigned attempt)
{
	char number[16] = "";

	if (attempt > 1)
		snprintf(number, sizeof number, "@%u", attempt);
	if (strlen(run) + strlen(t->id) + strlen(number) + 1 < QUESTION_ID_SIZE)
		snprintf(out, QUESTION_ID_SIZE, "%s.%s%s", run, t->id, number);
	else
		snprintf(out, QUESTION_ID_SIZE, "%.90s.%u%s", run, plan_index(p, t), number);
	return out;
}
