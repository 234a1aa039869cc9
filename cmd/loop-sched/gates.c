#include "run.h"

#include "clock.h"
#include "die.h"
#include "io.h"
#include "question.h"
#include "watch.h"

#include <errno.h>

#define POLL_TIME NS_PER_S /* where there is no inotify left */

bool gates_take(struct run *r, uint32_t task)
{
	struct gates *g = &r->gates;

	if (!task_asks(&r->plan, &r->plan.task[task]) || first_purpose(r, task) != TO_RUN)
		return false;
	g->task = mem_grow(g->task, g->count, &g->capacity, sizeof *g->task);
	g->task[g->count++] = task;
	return true;
}

/* Whether it is still to be asked, now that perhaps only final tasks are. */
static bool is_wanted(const struct run *r, uint32_t task)
{
	return r->node[task].state == READY && (!r->finishing || r->plan.task[task].final);
}

/* Those that have ended are forgotten. */
static void forget(struct run *r)
{
	struct gates *g = &r->gates;
	size_t kept = 0;

	for (size_t i = 0; i < g->count; i++)
		if (r->node[g->task[i]].state == RUNNING || is_wanted(r, g->task[i]))
			g->task[kept++] = g->task[i];
	g->count = kept;
}

/* Before anything is asked, so that no answer is missed. */
static void watch(struct run *r)
{
	AUTO_FREE char *path = mem_format("%s/gates", r->state.path);
	AUTO_CLOSE int folder = -1;

	if (r->gates.watched)
		return;
	r->gates.watched = true;
	folder = state_folder(&r->state, "gates");
	r->gates.watch = watch_folder(path);
}

static char *id_of(const struct run *r, uint32_t task, char out[QUESTION_ID_SIZE])
{
	return question_id(out, r->id, &r->plan, &r->plan.task[task], r->node[task].attempt);
}

static void make_gate(const struct run *r, uint32_t task, struct gate *g)
{
	const struct task *t = &r->plan.task[task];

	question_make(&r->plan, t, g);
	id_of(r, task, g->id);
	g->run = mem_string(r->id);
	g->subject = mem_format("%s/%s", r->subject, t->id);
	if (owner_self(&g->asker) < 0)
		g->asker = (struct owner){0};
}

/* The answer as JSON, for the tasks that need it. */
static int write_answer(struct run *r, uint32_t task, const struct gate *g)
{
	static const char *const names[] = {"answer", "by", "why"};
	const char *const texts[] = {g->answer, g->by, g->why};
	AUTO_BUF struct buf b = {0};
	char path[300];

	buf_format(&b, "{\"state\":\"%s\"", gate_state_name(g->state));
	for (size_t i = 0; i < countof(names); i++) {
		if (!texts[i])
			continue;
		buf_format(&b, ",\"%s\":", names[i]);
		buf_json(&b, texts[i], strlen(texts[i]));
	}
	buf_str(&b, "}\n");
	snprintf(path, sizeof path, "%s/%u/output.json", r->plan.task[task].id,
		r->node[task].attempt);
	return io_replace(r->tasks, path, b.text, b.length, 0600);
}

/* "approved by ann: seen it on staging" */
static void say(struct buf *b, const struct gate *g)
{
	buf_format(b, "%s by %s", gate_state_name(g->state), g->by ? g->by : "somebody");
	if (g->answer)
		buf_format(b, ": %s", g->answer);
	if (g->why)
		buf_format(b, " (%s)", g->why);
}

static void answered(struct run *r, uint32_t task, const struct gate *g)
{
	static const struct {
		enum tstate state;
		int status;
	} ends[] = {
		[GATE_APPROVED] = {SUCCEEDED, EXIT_SUCCESS},
		[GATE_ANSWERED] = {SUCCEEDED, EXIT_SUCCESS},
		[GATE_REJECTED] = {FAILED, EXIT_NO},
		[GATE_TIMED_OUT] = {TIMED_OUT, EXIT_TIMEDOUT},
	};
	int64_t ms = MAX(g->resolved - g->raised, INT64_C(0)) / NS_PER_MS;
	AUTO_BUF struct buf reason = {0};
	int code = write_answer(r, task, g);

	say(&reason, g);
	if (code < 0)
		conclude(r, task, ERRORED, EXIT_OWN, strerror(-code), ms);
	else
		conclude(r, task, ends[g->state].state, ends[g->state].status, reason.text, ms);
}

/* When a gate without an answer is to be looked at again. */
static int64_t next_look(const struct run *r, const struct gate *g)
{
	int64_t due = g->deadline ? clock_after(MAX(g->deadline - clock_real(), INT64_C(0)))
				  : NS_FOREVER;

	return r->gates.watch < 0 ? MIN(due, clock_after(POLL_TIME)) : due;
}

static void begin(struct run *r, uint32_t task, const struct gate *g)
{
	AUTO_BUF struct buf b = {0};

	r->node[task].state = RUNNING;
	r->node[task].due = next_look(r, g);
	buf_format(&b, ",\"gate\":\"%s\"", g->id);
	log_task(r, task, b.text);
	event_started(r, task);
	hold_started(r);
	if (g->state != GATE_PENDING)
		answered(r, task, g);
}

/*
 * One that somebody else has asked under this name is not ours, whatever its
 * answer: then the next attempt asks. 1: asked; 0: taken; -errno.
 */
static int raise_gate(struct run *r, uint32_t task, struct gate *g, struct err *e)
{
	const struct task *t = &r->plan.task[task];
	bool reopened = r->node[task].reopened;
	int code;

	if (!announce(r, task, TO_RUN))
		return r->broken ? -ECANCELED : err_set(e, -ENOSPC, "%s", strerror(ENOSPC));
	r->node[task].asked = NOT_ASKED;
	r->node[task].reopened = false;
	code = attempt_folder(r, t, r->node[task].attempt, e);
	if (code < 0)
		return code;
	make_gate(r, task, g);
	code = gate_raise(&r->state, g, e);
	if (code == -EEXIST)
		return 0;
	return code == 0 && reopened ? 1 : code;
}

/* Either it waits for room, as any task does, or that is its end. */
static void not_asked(
	struct run *r, uint32_t task, int code, const struct node *before, const struct err *e)
{
	if (!hold_refused(r, code, e->text)) {
		conclude(r, task, ERRORED, EXIT_OWN, e->text, 0);
		return;
	}
	hold_not_started(r);
	retract(r, task, before);
}

static void ask(struct run *r, uint32_t task)
{
	int code;

	do {
		const struct node before = r->node[task];
		AUTO_GATE struct gate g = {0};
		struct err e = {0};

		code = raise_gate(r, task, &g, &e);
		if (code > 0)
			begin(r, task, &g);
		else if (code < 0 && !r->broken)
			not_asked(r, task, code, &before, &e);
	} while (code == 0);
}

void gates_ask(struct run *r)
{
	size_t count = r->gates.count;

	for (size_t i = 0; i < count && may_start(r) && !run_held(r); i++) {
		uint32_t task = r->gates.task[i];

		if (!is_wanted(r, task))
			continue;
		watch(r);
		ask(r, task);
	}
	if (count)
		forget(r);
}

static void look(struct run *r, uint32_t task)
{
	AUTO_GATE struct gate g = {0};
	char id[QUESTION_ID_SIZE];
	struct err e = {0};
	int code = gate_read(&r->state, id_of(r, task, id), &g, &e);

	if (code == -EAGAIN)
		r->node[task].due = clock_after(POLL_TIME); /* its lock is held */
	else if (code < 0)
		conclude(r, task, ERRORED, EXIT_OWN, e.text, 0);
	else if (g.state == GATE_PENDING)
		r->node[task].due = next_look(r, &g);
	else
		answered(r, task, &g);
}

void gates_look(struct run *r, bool changed)
{
	size_t count = r->gates.count;
	int64_t now = clock_now();

	changed = changed && watch_drain(r->gates.watch, "");
	for (size_t i = 0; i < count; i++) {
		const struct node *n = &r->node[r->gates.task[i]];

		if (n->state == RUNNING && (changed || now >= n->due))
			look(r, r->gates.task[i]);
	}
	if (count)
		forget(r);
}

int64_t gates_due(const struct run *r)
{
	int64_t due = NS_FOREVER;

	for (size_t i = 0; i < r->gates.count; i++)
		if (r->node[r->gates.task[i]].state == RUNNING)
			due = MIN(due, r->node[r->gates.task[i]].due);
	return due;
}

void gate_withdraw(struct run *r, uint32_t task)
{
	AUTO_GATE struct gate g = {0};
	char id[QUESTION_ID_SIZE];
	struct err e = {0};

	if (gate_resolve(&r->state, id_of(r, task, id),
		    &(struct gate_answer){.state = GATE_REJECTED,
			    .by = "loop-sched",
			    .why = "nobody waits for the answer any more"},
		    &g, &e) < 0)
		warn("%s", e.text);
	settle(r, task, CANCELLED, "cancelled");
}

void gates_withdraw(struct run *r)
{
	for (size_t i = 0; i < r->gates.count; i++)
		if (r->node[r->gates.task[i]].state == RUNNING)
			gate_withdraw(r, r->gates.task[i]);
	forget(r);
}
