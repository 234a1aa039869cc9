#include "todo.h"

/* The three states that agents' lists know. */
static const char *todo_word(enum tstate s)
{
	if (s == SUCCEEDED || s == SKIPPED)
		return "completed";
	return s == RUNNING || s == RETRYING || s == QUEUED ? "in_progress" : "pending";
}

static void add_item(struct buf *b, const struct view *v, uint32_t i)
{
	const struct task *t = &v->plan.task[i];
	const char *title = view_text(v, t, M_TITLE);
	enum tstate s = view_task(v, i);

	buf_format(b, "- [%c] %s", s == SUCCEEDED || s == SKIPPED ? 'x' : ' ', t->id);
	if (title && strcmp(title, t->id) != 0) {
		buf_char(b, ' ');
		buf_escape(b, title, strlen(title));
	}
	if (s != SUCCEEDED && s != PENDING && !(s == SKIPPED && t->done))
		buf_format(b, " (%s)", tstate_name(s));
	buf_char(b, '\n');
}

/* The phases in the order in which they are first named; tasks without one come first. */
static void add_markdown(struct buf *b, const struct view *v)
{
	AUTO_FREE bool *done = mem_zero((size_t)v->plan.count + 1, sizeof *done);

	for (uint32_t i = 0; i < v->plan.count; i++)
		if (!task_has(&v->plan, &v->plan.task[i], M_PHASE))
			add_item(b, v, i);
	for (uint32_t i = 0; i < v->plan.count; i++) {
		const char *phase = view_text(v, &v->plan.task[i], M_PHASE);

		if (!phase || done[i])
			continue;
		buf_str(b, b->length ? "\n## " : "## ");
		buf_escape(b, phase, strlen(phase));
		buf_str(b, "\n");
		for (uint32_t k = i; k < v->plan.count; k++) {
			struct span other = task_get(&v->plan, &v->plan.task[k], M_PHASE);

			if (done[k] || !jscan_is(other, phase))
				continue;
			done[k] = true;
			add_item(b, v, k);
		}
	}
}

void todo_add(struct buf *b, const struct view *v, bool json)
{
	if (!json) {
		add_markdown(b, v);
		return;
	}
	for (uint32_t i = 0; i < v->plan.count; i++) {
		const struct task *t = &v->plan.task[i];
		const char *title = view_text(v, t, M_TITLE);

		buf_format(b, "%s{\"id\":\"%s\",\"content\":", i ? ",\n" : "[", t->id);
		buf_json(b, title ? title : t->id, strlen(title ? title : t->id));
		buf_format(b, ",\"status\":\"%s\"}", todo_word(view_task(v, i)));
	}
	buf_str(b, "]\n");
}
