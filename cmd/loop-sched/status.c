/* status, list, show, why: what a run has come to, told from its files. */
#include "commands.h"

#include "calibration.h"
#include "clock.h"
#include "die.h"
#include "eta.h"
#include "figures.h"
#include "io.h"
#include "parse.h"
#include "progress.h"
#include "question.h"
#include "runs.h"
#include "todo.h"
#include "view.h"

#include <fcntl.h>

static bool as_json, as_todo, as_calibration;

const struct opt status_options[] = {
	{"json", 0, NULL, "as JSON", .flag = &as_json},
	{0},
};

const struct opt todo_options[] = {
	{"json", 0, NULL, "as JSON", .flag = &as_json},
	{"calibration", 0, NULL, "how well runs of its plan predicted their ends",
		.flag = &as_calibration},
	{"todo", 0, NULL, "a checklist by phase: Markdown, or with --json as agents keep it",
		.flag = &as_todo},
	{0},
};

const struct opt list_options[] = {
	{"json", 0, NULL, "one JSON object a line", .flag = &as_json},
	{0},
};

/* Text from outside, made safe for a terminal. */
static void print_text(const char *text)
{
	AUTO_BUF struct buf b = {0};

	buf_escape(&b, text, strlen(text));
	fwrite(b.text, 1, b.length, stdout);
}

/* What a task that runs says of itself. */
static void read_progress(struct progress *p, const struct view *v, uint32_t i)
{
	AUTO_CLOSE int tasks = -1;
	AUTO_FREE char *path = NULL;

	*p = (struct progress){.percent = -1};
	if (view_task(v, i) != RUNNING)
		return;
	path = mem_format("%s/tasks", v->path);
	tasks = io_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	if (tasks >= 0)
		progress_read(p, tasks, v->plan.task[i].id, v->fold.task[i].attempt);
}

/* The share of the work, not of the number of tasks, that is done; in percent. */
static int work_done(const struct view *v)
{
	AUTO_FREE int64_t *cost = mem_zero((size_t)v->plan.count + 1, sizeof *cost);
	double all = 0, done = 0;

	plan_costs(&v->plan, v->history.first ? &v->history : NULL, cost);
	for (uint32_t i = 0; i < v->plan.count; i++) {
		struct progress p;

		all += (double)cost[i];
		done += tstate_ended(view_task(v, i)) ? (double)cost[i] : 0;
		read_progress(&p, v, i);
		done += (double)cost[i] * MAX(p.percent, 0) / 100;
	}
	return all > 0 ? (int)(100 * done / all) : 100;
}

static void add_counts(struct buf *b, const struct view *v)
{
	const char *comma = "";

	buf_char(b, '{');
	for (enum tstate s = 0; s < TSTATES; s++) {
		if (!v->count[s])
			continue;
		buf_format(b, "%s\"%s\":%u", comma, tstate_name(s), v->count[s]);
		comma = ",";
	}
	buf_char(b, '}');
}

static void add_run(struct buf *b, const struct view *v)
{
	char time[TIME_SIZE];

	buf_format(b, "{\"run\":\"%s\",\"plan\":", v->id);
	buf_json(b, v->plan.name, strlen(v->plan.name));
	buf_format(b, ",\"state\":\"%s\",\"tasks\":%u,\"counts\":", view_state(v), v->plan.count);
	add_counts(b, v);
	if (v->fold.started)
		buf_format(b, ",\"started\":\"%s\"", format_time(time, v->fold.started));
	if (v->alive)
		buf_format(b, ",\"pid\":%d", v->fold.runner.pid);
	if (v->held.text[0]) {
		buf_str(b, ",\"held\":");
		buf_json(b, v->held.text, strlen(v->held.text));
	}
	buf_format(b, ",\"done\":%d,\"ms\":%lld", work_done(v),
		(long long)(view_elapsed(v) / NS_PER_MS));
}

static void print_buf(const struct buf *b)
{
	fwrite(b->text, 1, b->length, stdout);
}

static void print_counts(const struct view *v)
{
	const char *comma = "";

	for (enum tstate s = 0; s < TSTATES; s++) {
		if (!v->count[s])
			continue;
		printf("%s%u %s", comma, v->count[s], tstate_name(s));
		comma = ", ";
	}
	putchar('\n');
}

static void print_head(const struct view *v)
{
	char elapsed[DURATION_SIZE];

	printf("%s  ", v->id);
	print_text(v->plan.name);
	printf("  %s  %d%%  %s  ", view_state(v), work_done(v),
		format_duration(elapsed, view_elapsed(v)));
	print_counts(v);
	if (!v->held.text[0])
		return;
	fputs("  held: ", stdout);
	print_text(v->held.text);
	putchar('\n');
}

/* How long a task has been in its state, or took. */
static int64_t task_time(const struct view *v, uint32_t i)
{
	const struct past *past = &v->fold.task[i];

	if (tstate_ended((enum tstate)past->state))
		return past->ms * NS_PER_MS;
	return past->since ? MAX(clock_real() - past->since, (int64_t)0) : 0;
}

static void print_progress(const struct view *v, uint32_t i)
{
	struct progress p;

	read_progress(&p, v, i);
	if (p.text[0])
		printf("  [%s]", p.text);
}

/* The gate that a task waits at; false if it waits at none. */
static bool gate_id(const struct view *v, uint32_t i, char id[QUESTION_ID_SIZE])
{
	const struct task *t = &v->plan.task[i];

	if (view_task(v, i) != RUNNING || !task_asks(&v->plan, t))
		return false;
	question_id(id, v->id, &v->plan, t, v->fold.task[i].attempt);
	return true;
}

static void print_task(const struct view *v, uint32_t i)
{
	const struct past *past = &v->fold.task[i];
	const struct task *t = &v->plan.task[i];
	char time[DURATION_SIZE] = "", gate[QUESTION_ID_SIZE];

	if (past->since)
		format_duration(time, task_time(v, i));
	printf("  %-18s %-20s %8s", tstate_name(view_task(v, i)), t->id, time);
	if (past->attempt > 1)
		printf("  try %u", past->attempt);
	if (past->status)
		printf("  status %d", past->status);
	print_progress(v, i);
	if (gate_id(v, i, gate))
		printf("  waits at gate %s", gate);
	if (task_has(&v->plan, t, M_TITLE)) {
		fputs("  ", stdout);
		print_text(view_text(v, t, M_TITLE));
	}
	putchar('\n');
}

static void add_progress(struct buf *b, const struct view *v, uint32_t i)
{
	struct progress p;

	read_progress(&p, v, i);
	if (p.percent >= 0)
		buf_format(b, ",\"percent\":%d", p.percent);
	if (!p.text[0])
		return;
	buf_str(b, ",\"progress\":");
	buf_json(b, p.text, strlen(p.text));
}

static void add_task(struct buf *b, const struct view *v, uint32_t i)
{
	const struct past *past = &v->fold.task[i];
	const struct task *t = &v->plan.task[i];
	struct span title = task_get(&v->plan, t, M_TITLE);
	char gate[QUESTION_ID_SIZE];

	buf_format(b, "{\"task\":\"%s\",\"state\":\"%s\",\"attempt\":%u", t->id,
		tstate_name(view_task(v, i)), past->attempt);
	if (title.n)
		buf_format(b, ",\"title\":%.*s", (int)title.n, title.p);
	if (past->pid && view_task(v, i) == RUNNING)
		buf_format(b, ",\"pid\":%d", past->pid);
	if (gate_id(v, i, gate))
		buf_format(b, ",\"gate\":\"%s\"", gate);
	add_progress(b, v, i);
	buf_format(b, ",\"status\":%d,\"ms\":%lld}", past->status,
		(long long)(task_time(v, i) / NS_PER_MS));
}

/* The range, as wide as earlier predictions say that it has to be. */
static bool read_left(const struct view *v, struct range *left, double *scale)
{
	struct calibration c;

	if (!eta_range(v, left))
		return false;
	calibration_load(&c, &v->state, &v->plan, v->id);
	range_scale(left, c.scale);
	*scale = c.scale;
	return true;
}

/* "~6m to 11m left", two units at most and never more exact than it is. */
static void print_left(const struct view *v)
{
	char first[DURATION_SIZE], second[DURATION_SIZE];
	struct range left;
	double scale;

	if (!read_left(v, &left, &scale))
		return;
	format_duration(first, left.low);
	format_duration(second, left.high);
	if (strcmp(first, second) == 0)
		printf("  about %s left\n", first);
	else
		printf("  %s to %s left (likely)\n", first, second);
}

static void add_left(struct buf *b, const struct view *v)
{
	struct range left;
	double scale;

	if (read_left(v, &left, &scale))
		buf_format(b, ",\"left_ms\":[%lld,%lld],\"likely_ms\":%lld,\"scale\":%.3f",
			(long long)(left.low / NS_PER_MS), (long long)(left.high / NS_PER_MS),
			(long long)(left.mid / NS_PER_MS), scale);
}

static void print_calibration(const struct view *v)
{
	struct calibration c;

	calibration_load(&c, &v->state, &v->plan, NULL);
	if (as_json)
		printf("{\"run\":\"%s\",\"predictions\":%u,\"held\":%u,\"scale\":%.2f}\n", v->id,
			c.count, c.held, c.scale);
	else if (!c.count)
		puts("no run of this plan has predicted and ended yet");
	else
		printf("of %u predictions %u held (%u%%); ranges are now made %.2f times as wide\n",
			c.count, c.held, 100 * c.held / c.count, c.scale);
}

int status_main(const struct args *a)
{
	AUTO_BUF struct buf b = {0};
	struct view v;

	args_expect(a, 0, 1);
	view_open(&v, a->item[0]);
	view_remember(&v);
	if (as_calibration) {
		print_calibration(&v);
	} else if (as_todo) {
		todo_add(&b, &v, as_json);
		print_buf(&b);
	} else if (as_json) {
		add_run(&b, &v);
		add_left(&b, &v);
		buf_str(&b, "}\n");
		print_buf(&b);
	} else {
		print_head(&v);
		print_left(&v);
		for (uint32_t i = 0; i < v.plan.count; i++)
			if (v.alive ? view_task(&v, i) == RUNNING || view_task(&v, i) == RETRYING
				    : tstate_failed(view_task(&v, i)))
				print_task(&v, i);
	}
	view_close(&v);
	return EXIT_SUCCESS;
}

int show_main(const struct args *a)
{
	AUTO_BUF struct buf b = {0};
	struct view v;

	args_expect(a, 0, 1);
	view_open(&v, a->item[0]);
	if (as_json) {
		for (uint32_t i = 0; i < v.plan.count; i++) {
			add_task(&b, &v, i);
			buf_char(&b, '\n');
		}
		print_buf(&b);
	} else {
		print_head(&v);
		for (uint32_t i = 0; i < v.plan.count; i++)
			print_task(&v, i);
	}
	view_close(&v);
	return EXIT_SUCCESS;
}

int list_main(const struct args *a)
{
	AUTO_STRS struct strs ids = {0};
	struct state state;
	struct err e = {0};

	args_none(a);
	runs_open(&state);
	runs_list(&state, &ids);
	for (size_t i = 0; i < ids.count; i++) {
		struct view v = {.state = state};
		AUTO_BUF struct buf b = {0};

		if (view_read(&v, ids.item[i], &e) < 0) {
			warn("%s", e.text);
			e.text[0] = '\0';
		} else if (as_json) {
			add_run(&b, &v);
			buf_str(&b, "}\n");
			print_buf(&b);
		} else {
			print_head(&v);
		}
		view_clear(&v);
	}
	state_close(&state);
	return EXIT_SUCCESS;
}
