/* why: what a task waits for, or what became of it. */
#include "commands.h"

#include "breaker.h"
#include "clock.h"
#include "die.h"
#include "files.h"
#include "parse.h"
#include "question.h"
#include "resource.h"
#include "view.h"

/* The needs of a task that have not ended, or that ended as they must not. */
static uint32_t say_needs(const struct view *v, uint32_t task)
{
	const struct dag *d = &v->plan.dag;
	uint32_t said = 0;

	for (uint32_t e = d->first_in[task]; e < d->first_in[task + 1]; e++) {
		uint32_t need = v->plan.edge[e].from;
		enum tstate state = view_task(v, need), otherwise;

		if (tstate_ended(state) &&
			tstate_meets(state, (enum when)v->plan.edge_when[e], &otherwise))
			continue;
		printf("  needs %s, which is %s\n", v->plan.task[need].id, tstate_name(state));
		said++;
	}
	return said;
}

static bool say_files(const struct view *v, uint32_t task)
{
	const struct plan *p = &v->plan;
	struct span files = task_get(p, &p->task[task], M_FILES);
	bool said = false;

	for (uint32_t i = 0; i < p->count; i++) {
		if (view_task(v, i) != RUNNING ||
			!files_overlap(files, task_get(p, &p->task[i], M_FILES)))
			continue;
		printf("  its files are in use by %s\n", v->plan.task[i].id);
		said = true;
	}
	return said;
}

/* Asks for what it asks for, and gives it back at once. */
static bool say_resources(const struct view *v, uint32_t task)
{
	struct plan *p = (struct plan *)(uintptr_t)&v->plan;
	struct lock *held;
	struct err e = {0};

	if (resource_take(&held, &v->state, p, &p->task[task], &e) == 0) {
		lock_release(held);
		return false;
	}
	printf("  %s\n", e.text);
	return true;
}

static bool say_breaker(const struct view *v, uint32_t task)
{
	struct plan *p = (struct plan *)(uintptr_t)&v->plan;
	const char *name = plan_text(p, task_get(p, &p->task[task], M_BREAKER));
	struct breaker_settings settings = {0};
	struct breaker_view seen;
	struct breaker b;
	struct err e = {0};

	if (!name || breaker_init(&b, &v->state, name, &settings, &e) < 0 ||
		breaker_read(&b, &seen, &e) < 0 || seen.state == BREAKER_CLOSED ||
		seen.state == BREAKER_OBSERVED)
		return false;
	printf("  its breaker %s is %s%s%s\n", name, breaker_state_name(seen.state),
		seen.why[0] ? ": " : "", seen.why);
	return true;
}

/* What a human is asked, and how it is answered. */
static bool say_gate(const struct view *v, uint32_t task)
{
	const struct task *t = &v->plan.task[task];
	AUTO_GATE struct gate g = {0};
	AUTO_BUF struct buf text = {0};
	char id[QUESTION_ID_SIZE], left[DURATION_SIZE];
	struct err e = {0};

	if (view_task(v, task) != RUNNING || !task_asks(&v->plan, t))
		return false;
	question_id(id, v->id, &v->plan, t, v->fold.task[task].attempt);
	if (gate_read(&v->state, id, &g, &e) < 0) {
		printf("  %s\n", e.text);
		return true;
	}
	buf_escape(&text, g.question, strlen(g.question));
	printf("  asks: %s\n", text.text);
	if (g.deadline)
		printf("  for %s more\n",
			format_duration(left, MAX(g.deadline - clock_real(), (int64_t)0)));
	printf("  answer it by: loop-gate %s %s\n",
		g.choices.count || g.text ? "answer" : "approve", g.id);
	return true;
}

static void say_waiting(const struct view *v, uint32_t task)
{
	bool said = say_needs(v, task) > 0;

	if (!v->alive) {
		printf("  nobody runs %s (it is %s)\n", v->id, view_state(v));
		return;
	}
	if (v->fold.paused || v->fold.cancelling) {
		printf("  the run is %s\n", view_state(v));
		said = true;
	}
	if (v->held.text[0]) {
		printf("  the run starts nothing new: %s\n", v->held.text);
		said = true;
	}
	if (!said && say_files(v, task))
		return;
	if (!said && (say_breaker(v, task) || say_resources(v, task)))
		return;
	if (!said)
		printf("  %u of %lld places are taken\n", v->count[RUNNING],
			(long long)v->fold.jobs);
}

static void say_past(const struct view *v, uint32_t task)
{
	const struct past *past = &v->fold.task[task];
	char text[DURATION_SIZE];

	if (past->attempt)
		printf("  attempt %u: %s/tasks/%s/%u.out and .err\n", past->attempt, v->path,
			v->plan.task[task].id, past->attempt);
	if (past->ms)
		printf("  took %s", format_duration(text, past->ms * NS_PER_MS));
	if (past->ms && past->status)
		printf(", status %d", past->status);
	if (past->ms)
		putchar('\n');
	if (past->state == UPSTREAM_FAILED || past->state == SKIPPED)
		say_needs(v, task);
}

int why_main(const struct args *a)
{
	struct view v;
	const struct task *t;
	uint32_t task;

	args_expect(a, 1, 2);
	view_open(&v, a->item[1]);
	t = view_find(&v, a->item[0]);
	task = plan_index(&v.plan, t);
	printf("%s is %s\n", t->id, tstate_name(view_task(&v, task)));
	if (view_task(&v, task) == PENDING || view_task(&v, task) == RETRYING)
		say_waiting(&v, task);
	else if (!say_gate(&v, task))
		say_past(&v, task);
	view_close(&v);
	return EXIT_SUCCESS;
}
