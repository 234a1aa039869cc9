#include "view.h"

#include "clock.h"
#include "die.h"
#include "io.h"
#include "runs.h"

#include <errno.h>
#include <fcntl.h>

static int read_fold(struct view *v, struct err *e)
{
	AUTO_FREE char *path = mem_format("%s/run.jsonl", v->path);
	AUTO_CLOSE int log = io_open(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW, 0);

	return log < 0 ? err_sys(e, log, "%s", path) : fold_read(&v->fold, &v->plan, log, e);
}

static int read_plan(struct view *v, struct err *e)
{
	AUTO_FREE char *path = mem_format("%s/plan.json", v->path);
	int r = plan_load(&v->plan, path, e);

	if (r < 0)
		return r;
	if (!v->plan.diags.errors)
		plan_link(&v->plan);
	if (v->plan.diags.errors)
		return err_set(e, -EINVAL, "%s: not as it was written", path);
	v->plan.file = "plan.json";
	return 0;
}

/* A disk that is full takes no line that says so: it is looked at, too. */
static void look_for_room(struct view *v)
{
	AUTO_FREE char *path = mem_format("%s/run.json", v->path);
	AUTO_BUF struct buf text = {0};
	const char *folders[] = {v->path, NULL, NULL}, *what;
	struct span options, dir;
	struct room least;
	size_t at;

	if (v->fold.held[0]) {
		err_set(&v->held, 0, "%s", v->fold.held);
		return;
	}
	if (io_read_file(AT_FDCWD, path, 1 << 20, &text) < 0 ||
		jscan_check(text.text, text.length, &at, &what) < 0)
		return;
	options = (struct span){text.text, text.length};
	least = run_least(options);
	if (jscan_get(options, "dir", &dir))
		folders[1] = plan_text(&v->plan, dir);
	room_short(&least, folders, &v->held);
}

int view_read(struct view *v, const char *id, struct err *e)
{
	int r;

	snprintf(v->id, sizeof v->id, "%s", id);
	v->path = mem_format("%s/runs/%s", v->state.path, id);
	r = read_plan(v, e);
	if (r == 0)
		r = read_fold(v, e);
	if (r < 0)
		return r;
	v->alive = !v->fold.ended && v->fold.runner.pid && owner_alive(&v->fold.runner);
	if (v->alive)
		look_for_room(v);
	for (uint32_t i = 0; i < v->plan.count; i++)
		v->count[view_task(v, i)]++;
	return 0;
}

void view_open(struct view *v, const char *name)
{
	struct err e = {0};
	char id[RUN_ID_SIZE];
	int r;

	*v = (struct view){0};
	runs_open(&v->state);
	run_find(&v->state, name, id);
	r = view_read(v, id, &e);
	if (r < 0)
		die_err(r, &e);
}

void view_clear(struct view *v)
{
	free(v->path);
	history_clear(&v->history);
	fold_clear(&v->fold);
	plan_clear(&v->plan);
}

void view_remember(struct view *v)
{
	history_load(&v->history, &v->state, &v->plan, v->id);
}

void view_close(struct view *v)
{
	view_clear(v);
	state_close(&v->state);
}

const char *view_state(const struct view *v)
{
	if (v->fold.ended)
		return v->fold.state;
	if (!v->alive)
		return "interrupted";
	return v->fold.cancelling ? "cancelling"
		: v->fold.paused  ? "paused"
		: v->held.text[0] ? "held"
				  : "running";
}

struct task *view_find(const struct view *v, const char *id)
{
	struct task *t = plan_task(&v->plan, id);

	if (!t)
		die(EXIT_NO, "%s has no task '%s'", v->id, id);
	return t;
}

int64_t view_elapsed(const struct view *v)
{
	int64_t end = v->fold.ended ? v->fold.ended : clock_real();

	return v->fold.started ? MAX(end - v->fold.started, (int64_t)0) : 0;
}

const char *view_text(const struct view *v, const struct task *t, enum member m)
{
	return plan_text((struct plan *)(uintptr_t)&v->plan, task_get(&v->plan, t, m));
}

enum tstate view_task(const struct view *v, uint32_t task)
{
	enum tstate s = (enum tstate)v->fold.task[task].state;

	return v->alive || tstate_ended(s) ? s : PENDING;
}
