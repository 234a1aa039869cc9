#include "run.h"

#include "clock.h"
#include "event.h"
#include "io.h"
#include "json.h"
#include "parse.h"

#include <errno.h>
#include <fcntl.h>

enum { PLAN_MAX = 64 << 20,
	READ_ROOM = 65536 };

static const struct task_state states[] = {
	{"pending", TASK_WAITING},
	{"ready", TASK_WAITING},
	{"queued", TASK_WAITING},
	{"running", TASK_ACTIVE},
	{"retrying", TASK_ACTIVE},
	{"paused", TASK_WAITING},
	{"succeeded", TASK_GOOD},
	{"failed", TASK_BAD},
	{"errored", TASK_BAD},
	{"timed_out", TASK_BAD},
	{"upstream_failed", TASK_IDLE},
	{"skipped", TASK_IDLE},
	{"cancelled", TASK_IDLE},
	{"compensating", TASK_ACTIVE},
	{"compensated", TASK_IDLE},
	{"compensation_failed", TASK_BAD},
};

static const struct task_state *find_state(const char *name)
{
	for (size_t i = 0; i < countof(states); i++)
		if (strcmp(states[i].name, name) == 0)
			return &states[i];
	return &states[0];
}

static const char *keep_text(struct run *r, const char *text)
{
	return arena_substring(&r->arena, text, strlen(text));
}

/* The number of criteria, which a plan lists as an array. */
static size_t count_of(const json_t *task, const char *key)
{
	return json_array_size(json_object_get(task, key));
}

static int read_task(struct run *r, struct task *t, const json_t *object, struct err *e)
{
	const char *id = NULL, *title = "";

	if (json_get_text(object, "id", &id, e) < 0 ||
		json_get_text(object, "title", &title, e) < 0)
		return -EINVAL;
	if (!id)
		return err_set(e, -EINVAL, "a task without an id");
	*t = (struct task){.id = keep_text(r, id),
		.title = keep_text(r, title),
		.state = &states[0],
		.status = -1,
		.criteria = count_of(object, "criteria")};
	map_add(&r->by_id, t->id, strlen(t->id), t);
	return 0;
}

static int read_plan(struct run *r, const json_t *plan, struct err *e)
{
	const char *name = r->id;
	json_t *tasks = NULL;
	int found = json_get_array(plan, "tasks", &tasks, e);

	if (found < 0 || json_get_text(plan, "name", &name, e) < 0)
		return -EINVAL;
	snprintf(r->plan, sizeof r->plan, "%s", name);
	r->count = json_array_size(tasks);
	r->task = mem_zero(r->count + 1, sizeof *r->task);
	for (size_t i = 0; i < r->count; i++) {
		int code = read_task(r, &r->task[i], json_array_get(tasks, i), e);

		if (code < 0)
			return code;
	}
	return 0;
}

static int open_files(struct run *r, const struct state *s, const char *id, struct err *e)
{
	AUTO_FREE char *path = mem_format("runs/%s", id);
	AUTO_JSON json_t *plan = NULL;
	int code = 0;

	r->dir = state_file(s, path, O_RDONLY | O_DIRECTORY, 0);
	if (r->dir < 0)
		return err_sys(e, r->dir, "%s", path);
	r->log = io_open(r->dir, "run.jsonl", O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (r->log < 0)
		return err_sys(e, r->log, "%s/run.jsonl", path);
	plan = json_read(r->dir, "plan.json", PLAN_MAX, &code, e);
	return plan ? read_plan(r, plan, e) : code;
}

static int begin(struct run *r, const char *id, struct err *e)
{
	*r = (struct run){.dir = -1, .log = -1, .lines = {.max = EVENT_MAX}};
	if (!name_valid(id))
		return err_set(e, -EINVAL, "'%s' is no run's id", id);
	snprintf(r->id, sizeof r->id, "%s", id);
	return 0;
}

int run_open(struct run *r, const struct state *s, const char *id, struct err *e)
{
	int code = begin(r, id, e);

	if (code == 0)
		code = open_files(r, s, id, e);
	if (code < 0)
		run_close(r);
	return code;
}

int run_of_plan(struct run *r, const char *id, const json_t *plan, struct err *e)
{
	int code = begin(r, id, e);

	if (code == 0 && !json_is_object(plan))
		code = err_set(e, -ENOENT, "%s has no plan yet", id);
	if (code == 0)
		code = read_plan(r, plan, e);
	if (code < 0)
		run_close(r);
	return code;
}

void run_close(struct run *r)
{
	if (r->dir >= 0)
		close(r->dir);
	if (r->log >= 0)
		close(r->log);
	lines_clear(&r->lines);
	map_clear(&r->by_id);
	arena_clear(&r->arena);
	free(r->task);
	*r = (struct run){.dir = -1, .log = -1};
}

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static int64_t number_of(const json_t *o, const char *key, int64_t otherwise)
{
	const json_t *value = json_object_get(o, key);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static int64_t time_of(const json_t *o)
{
	const char *text = text_of(o, "time");
	int64_t ns;

	return text && parse_rfc3339(text, strlen(text), &ns) == 0 ? ns : clock_real();
}

static void change_task(struct run *r, struct task *t, const json_t *o)
{
	const char *state = text_of(o, "state");
	const char *reason = text_of(o, "reason");

	t->state = find_state(state ? state : "pending");
	t->attempt = number_of(o, "attempt", t->attempt);
	t->since = time_of(o);
	t->delay = number_of(o, "delay_ms", 0) * NS_PER_MS;
	t->duration = number_of(o, "ms", 0) * NS_PER_MS;
	t->status = number_of(o, "status", -1);
	snprintf(t->reason, sizeof t->reason, "%s", reason ? reason : "");
	if (t->delay || strcmp(t->state->name, "retrying") == 0)
		r->retries++;
	if (t->state->phase != TASK_ACTIVE)
		t->activity[0] = '\0';
}

static void take_owner(struct run *r, const json_t *o)
{
	const char *boot = text_of(o, "boot");

	r->owner = (struct owner){.pid = (pid_t)number_of(o, "pid", 0),
		.start = (uint64_t)number_of(o, "start", 0)};
	snprintf(r->owner.boot, sizeof r->owner.boot, "%s", boot ? boot : id_boot());
	r->paused = r->held = r->cancelling = false;
	r->ended = 0;
	if (!r->started)
		r->started = time_of(o);
}

static void change_run(struct run *r, const char *what, const json_t *o)
{
	const char *state = text_of(o, "state");

	if (strcmp(what, "started") == 0 || strcmp(what, "resumed") == 0) {
		take_owner(r, o);
	} else if (strcmp(what, "ended") == 0) {
		r->ended = time_of(o);
		snprintf(r->outcome, sizeof r->outcome, "%s", state ? state : "ended");
	} else if (strcmp(what, "cancelling") == 0) {
		r->cancelling = true;
	} else if (strcmp(what, "held") == 0 || strcmp(what, "released") == 0) {
		r->held = strcmp(what, "held") == 0;
	} else {
		r->paused = strcmp(what, "paused") == 0;
	}
}

/* One line; one that is torn or of an unknown kind is none of ours to judge. */
static bool apply(
	struct run *r, const char *line, size_t length, run_changed *changed, void *context)
{
	struct err e = {0};
	AUTO_JSON json_t *o = json_parse(line, length, &e);
	const char *what = o ? text_of(o, "run") : NULL;
	const char *id = o ? text_of(o, "task") : NULL;
	struct task *t = id ? map_get(&r->by_id, id) : NULL;

	if (t)
		change_task(r, t, o);
	else if (what)
		change_run(r, what, o);
	else
		return false;
	changed(context, r, t);
	return true;
}

static int apply_lines(struct run *r, run_changed *changed, void *context)
{
	int changes = 0;
	size_t length;
	char *line;

	while (lines_next(&r->lines, &line, &length))
		changes += apply(r, line, length, changed, context);
	return changes;
}

int run_take(struct run *r, const char *bytes, size_t length, run_changed *changed, void *context)
{
	memcpy(lines_room(&r->lines, length), bytes, length);
	lines_fed(&r->lines, length);
	return apply_lines(r, changed, context);
}

int run_read(struct run *r, run_changed *changed, void *context)
{
	int changes = 0;

	for (;;) {
		ssize_t n = io_read_some(r->log, lines_room(&r->lines, READ_ROOM), READ_ROOM);

		if (n <= 0)
			return n < 0 ? (int)n : changes;
		lines_fed(&r->lines, (size_t)n);
		changes += apply_lines(r, changed, context);
	}
}

size_t run_count(const struct run *r, enum task_phase phase)
{
	size_t count = 0;

	for (size_t i = 0; i < r->count; i++)
		count += r->task[i].state->phase == phase;
	return count;
}
