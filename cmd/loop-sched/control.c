/* What a run is told while it runs: lines in its FIFO, and the commands that write them. */
#include "run.h"

#include "clock.h"
#include "commands.h"
#include "die.h"
#include "io.h"
#include "question.h"
#include "runs.h"
#include "view.h"

#include <errno.h>
#include <fcntl.h>

static void cancel_members(struct run *, const struct group *);

/* Ends a task that runs, waits or has not begun; its dependants follow. */
static void cancel_task(struct run *r, uint32_t task)
{
	struct node *n = &r->node[task];

	if (r->plan.task[task].fans && n->state == RUNNING)
		cancel_members(r, r->plan.task[task].group);
	else if (n->job)
		job_end(r, n->job, ENDS_CANCEL);
	else if (n->state == RUNNING && task_asks(&r->plan, &r->plan.task[task]))
		gate_withdraw(r, task);
	else if (!tstate_ended((enum tstate)n->state))
		settle(r, task, CANCELLED, "cancelled");
}

static void cancel_members(struct run *r, const struct group *g)
{
	for (uint32_t i = g->first; i < g->first + g->count; i++)
		cancel_task(r, i);
}

static void pause_run(struct run *r, bool paused)
{
	if (r->paused == paused)
		return;
	r->paused = paused;
	log_run(r, paused ? "\"paused\"" : "\"continued\"");
}

/* What still runs at the end, the final tasks, does not wait for a pause's end. */
void cancel_all(struct run *r)
{
	pause_run(r, false);
	if (r->cancelling)
		return;
	r->cancelling = true;
	log_run(r, "\"cancelling\"");
	for (int64_t i = 0; i < r->options.jobs; i++)
		if (r->job[i].pid)
			job_end(r, &r->job[i], ENDS_CANCEL);
}

static void obey(struct run *r, const char *line)
{
	struct task *t;

	if (strcmp(line, "pause") == 0)
		pause_run(r, true);
	else if (strcmp(line, "continue") == 0)
		pause_run(r, false);
	else if (strcmp(line, "cancel") == 0)
		cancel_all(r);
	else if (strncmp(line, "cancel ", 7) == 0 && (t = plan_task(&r->plan, line + 7)))
		cancel_task(r, plan_index(&r->plan, t));
	else
		warn("%s/control: unknown command '%s'", r->path, line);
}

void control_read(struct run *r)
{
	char *line;
	size_t length;
	ssize_t n;

	while ((n = io_read_some(r->control, lines_room(&r->commands, 4096), 4096)) > 0) {
		lines_fed(&r->commands, (size_t)n);
		while (lines_next(&r->commands, &line, &length)) {
			AUTO_FREE char *text = mem_substring(line, length);

			obey(r, text);
		}
	}
}

/* Writes one line into a run's FIFO: one write, so that two tellers never mix. */
static int tell(const char *id, const char *line)
{
	struct state state;
	char path[300], wanted[RUN_ID_SIZE];
	AUTO_CLOSE int fd = -1;
	int r;

	runs_open(&state);
	run_find(&state, id, wanted);
	snprintf(path, sizeof path, "runs/%s/control", wanted);
	fd = state_file(&state, path, O_WRONLY | O_NONBLOCK, 0);
	if (fd == -ENXIO || fd == -ENOENT)
		die(EXIT_NO, "%s: is not running", wanted);
	if (fd < 0)
		path_fail(fd, path);
	r = io_write(fd, line, strlen(line));
	if (r < 0)
		path_fail(r, path);
	state_close(&state);
	return EXIT_SUCCESS;
}

int pause_main(const struct args *a)
{
	args_expect(a, 0, 1);
	return tell(a->item[0], "pause\n");
}

int continue_main(const struct args *a)
{
	args_expect(a, 0, 1);
	return tell(a->item[0], "continue\n");
}

int cancel_main(const struct args *a)
{
	AUTO_FREE char *line = NULL;
	struct view v;

	args_expect(a, 0, 2);
	if (a->count < 2)
		return tell(a->item[0], "cancel\n");
	view_open(&v, a->item[0]);
	line = mem_format("cancel %s\n", view_find(&v, a->item[1])->id);
	view_close(&v);
	return tell(a->item[0], line);
}
