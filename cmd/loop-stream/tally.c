#include "tally.h"

#include "event.h"

/* A session's running sum. */
struct session {
	int64_t cost;
	char id[];
};

/* What an event of this run says of a task (NULL: of none that we know). */
struct news {
	struct tally *tally;
	struct task *task;
	const struct event_view *view;
};

int tally_open(struct tally *t, const struct state *s, struct err *e)
{
	*t = (struct tally){0};
	return journal_reader_new(&t->reader, s, JOURNAL_FROM_START, 0, e);
}

void tally_close(struct tally *t)
{
	if (t->reader)
		journal_reader_free(t->reader);
	map_each (&t->sessions, slot)
		free(slot->value);
	map_clear(&t->sessions);
	*t = (struct tally){0};
}

static struct session *session_of(struct tally *t, struct span id)
{
	struct session *s = map_get_n(&t->sessions, id.p, id.n);

	if (s)
		return s;
	s = mem_zero(1, sizeof *s + id.n + 1);
	memcpy(s->id, id.p, id.n);
	return map_add(&t->sessions, s->id, id.n, s);
}

/* Dollars as a JSON number, in millionths; false for null. */
static bool read_cost(struct span data, int64_t *micros)
{
	struct span value;
	char text[40];
	double dollars;

	if (!jscan_path(data, "cost_usd", &value) || jscan_kind(value) != '0')
		return false;
	snprintf(text, sizeof text, "%.*s", (int)value.n, value.p);
	dollars = strtod(text, NULL);
	if (!(dollars >= 0 && dollars < 1e9))
		return false;
	*micros = (int64_t)(dollars * 1e6 + 0.5);
	return true;
}

static void on_usage(const struct news *n)
{
	struct tally *t = n->tally;
	struct session *s;
	int64_t cost;

	if (!n->view->sessionid.n || !read_cost(n->view->data, &cost))
		return;
	s = session_of(t, n->view->sessionid);
	t->priced = true;
	t->cost += cost - s->cost;
	if (n->task)
		n->task->cost += cost - s->cost;
	s->cost = cost;
}

static void set_activity(struct task *t, const char *text)
{
	if (t)
		snprintf(t->activity, sizeof t->activity, "%s", text);
}

static void on_ended(const struct news *n)
{
	on_usage(n);
	set_activity(n->task, "");
}

static void on_tool(const struct news *n)
{
	AUTO_BUF struct buf name = {0};
	struct span value;

	if (jscan_path(n->view->data, "phase", &value) && jscan_is(value, "finished"))
		set_activity(n->task, "");
	else if (jscan_path(n->view->data, "name", &value) && jscan_text(value, &name) == 0)
		set_activity(n->task, name.text ? name.text : "");
}

static void on_stalled(const struct news *n)
{
	set_activity(n->task, "silent");
}

static void on_needs_human(const struct news *n)
{
	set_activity(n->task, "needs a human");
}

static bool succeeded(const struct news *n)
{
	struct span value;

	return jscan_path(n->view->data, "success", &value) && jscan_kind(value) == 't';
}

static void on_check(const struct news *n)
{
	if (!n->task)
		return;
	n->task->checks++;
	n->task->checks_failed += !succeeded(n);
	set_activity(n->task, "");
}

static void on_criterion(const struct news *n)
{
	if (n->task && n->task->met < n->task->criteria && succeeded(n))
		n->task->met++;
}

/* An attempt begins: what the one before it reached is told no more. */
static void on_task_started(const struct news *n)
{
	if (n->task)
		n->task->met = n->task->checks = n->task->checks_failed = 0;
}

static const struct {
	const char *type;
	void (*take)(const struct news *);
} kinds[] = {
	{"session.usage", on_usage},
	{"session.ended", on_ended},
	{"session.tool", on_tool},
	{"session.stalled", on_stalled},
	{"session.needs_human", on_needs_human},
	{"test.run", on_check},
	{"criterion.completed", on_criterion},
	{"task.started", on_task_started},
};

/* The task that a subject ends with: PLAN/TASK, and what stands behind it. */
static struct task *task_of(const struct run *r, struct span subject)
{
	AUTO_BUF struct buf text = {0};
	char *rest, *word;
	struct task *found = NULL;

	if (!subject.n || jscan_text(subject, &text) < 0 || !text.length)
		return NULL;
	for (rest = text.text; !found && (word = strsep(&rest, "/"));)
		found = map_get(&r->by_id, word);
	return found;
}

bool tally_take(struct tally *t, struct run *r, const char *text, size_t length)
{
	struct event_view view;
	struct news news = {.tally = t, .view = &view};

	if (event_view(text, length, &view) < 0 || !view.runid.n ||
		!jscan_is(view.runid, r->id))
		return false;
	for (size_t i = 0; i < countof(kinds); i++) {
		if (!jscan_is(view.type, kinds[i].type))
			continue;
		news.task = task_of(r, view.subject);
		kinds[i].take(&news);
		return true;
	}
	return false;
}

int tally_read(struct tally *t, struct run *r)
{
	struct journal_line line;
	bool changed = false;
	int code;

	while ((code = journal_read(t->reader, &line)) > 0)
		changed |= tally_take(t, r, line.text, line.length);
	return code < 0 ? code : changed;
}
