/* dirty, forget: what could not be undone stays on record until a human says otherwise. */
#include "commands.h"

#include "clock.h"
#include "die.h"
#include "io.h"
#include "parse.h"
#include "runs.h"
#include "view.h"

#include <fcntl.h>

static const char *note;

const struct opt forget_options[] = {
	{"note", 0, "TEXT", "why it is clean now", .string = &note},
	{0},
};

static void print_dirty(const struct view *v)
{
	for (uint32_t i = 0; i < v->plan.count; i++)
		if (view_task(v, i) == COMPENSATION_FAILED)
			printf("%s %s\n", v->id, v->plan.task[i].id);
}

int dirty_main(const struct args *a)
{
	AUTO_STRS struct strs ids = {0};
	struct state state;
	struct err e = {0};

	args_none(a);
	runs_open(&state);
	runs_list(&state, &ids);
	for (size_t i = 0; i < ids.count; i++) {
		struct view v = {.state = state};

		if (view_read(&v, ids.item[i], &e) == 0)
			print_dirty(&v);
		else
			warn("%s", e.text);
		e.text[0] = '\0';
		view_clear(&v);
	}
	state_close(&state);
	return EXIT_SUCCESS;
}

/* One line more in the record, written only while nobody runs the run. */
static void write_forgotten(const struct view *v, const struct task *t, unsigned attempt)
{
	AUTO_FREE char *path = mem_format("%s/run.jsonl", v->path);
	AUTO_CLOSE int fd = io_open(AT_FDCWD, path, O_WRONLY | O_APPEND | O_NOFOLLOW, 0);
	AUTO_BUF struct buf line = {0};
	char time[TIME_SIZE];
	int r;

	if (fd < 0)
		path_fail(fd, path);
	if (lock_record(fd) < 0)
		die(EX_TEMPFAIL, "%s: another process runs it", v->id);
	format_time(time, clock_real());
	buf_format(&line, "{\"time\":\"%s\",\"task\":\"%s\"", time, t->id);
	buf_format(&line, ",\"state\":\"compensated\",\"attempt\":%u,\"reason\":", attempt);
	buf_json(&line, note, strlen(note));
	buf_str(&line, "}\n");
	r = io_write(fd, line.text, line.length);
	if (r < 0)
		path_fail(r, path);
}

int forget_main(const struct args *a)
{
	struct view v;
	const struct task *t;
	uint32_t task;

	args_expect(a, 2, 2);
	if (!note || !*note)
		die_usage("--note is needed: say why it is clean now");
	view_open(&v, a->item[0]);
	t = view_find(&v, a->item[1]);
	task = plan_index(&v.plan, t);
	if (view_task(&v, task) != COMPENSATION_FAILED)
		die(EXIT_NO, "%s is %s, not dirty", t->id, tstate_name(view_task(&v, task)));
	write_forgotten(&v, t, v.fold.task[task].attempt);
	view_close(&v);
	return EXIT_SUCCESS;
}
