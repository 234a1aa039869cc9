#include "command.h"

#include "clock.h"
#include "die.h"
#include "io.h"
#include "mem.h"
#include "parse.h"
#include "proc.h"
#include "share.h"

#include <poll.h>
#include <signal.h>

#define GRACE (5 * NS_PER_S)

static void tell(const char *name, const char *value)
{
	if (setenv(name, value, 1) < 0)
		die_errno(EX_OSERR, "environment");
}

static void tell_all(const struct record *r)
{
	AUTO_FREE char *examples = share_path("examples/canary");
	int64_t before = r->course.step ? r->plan.step[r->course.step - 1].weight : 0;
	char number[24], time[TIME_SIZE];

	tell("LOOP_DIR", r->state->path);
	if (examples)
		tell("LOOP_CANARY_EXAMPLES", examples);
	tell("LOOP_CANARY_NAME", r->name);
	tell("LOOP_CANARY_TARGET", r->plan.target);
	snprintf(number, sizeof number, "%lld", (long long)r->weight);
	tell("LOOP_CANARY_WEIGHT", number);
	snprintf(number, sizeof number, "%lld", (long long)before);
	tell("LOOP_CANARY_BEFORE", number);
	snprintf(number, sizeof number, "%zu", r->course.step + 1);
	tell("LOOP_CANARY_STEP", number);
	tell("LOOP_CANARY_SINCE", format_time(time, r->step_began));
}

/* Its output until it ends or its time is over: whether it has ended. */
static bool follow(const struct child *c, int from, int64_t deadline, struct buf *output)
{
	struct pollfd p[] = {{.fd = c->pidfd, .events = POLLIN}, {.fd = from, .events = POLLIN}};

	while (clock_now() < deadline) {
		ssize_t n;

		if (poll(p, countof(p), clock_poll_timeout(deadline)) <= 0)
			continue;
		if (p[1].revents) {
			n = io_read_some(from, buf_reserve(output, 4096), 4096);
			if (n > 0 && output->length < OUTPUT_MAX)
				output->length += (size_t)n;
			if (n <= 0)
				p[1].fd = -1;
		} else if (p[0].revents) {
			return true;
		}
	}
	return false;
}

static bool wait_until(const struct child *c, int64_t deadline)
{
	struct pollfd p = {.fd = c->pidfd, .events = POLLIN};

	while (clock_now() < deadline)
		if (poll(&p, 1, clock_poll_timeout(deadline)) > 0)
			return true;
	return false;
}

static int finish_child(struct child *c, bool ended)
{
	int status;

	if (!ended) {
		child_signal(c, SIGTERM);
		if (!wait_until(c, clock_after(GRACE)))
			child_signal(c, SIGKILL);
	}
	status = child_wait(c);
	child_signal(c, SIGKILL); /* what it left behind in its group */
	return ended ? status : EXIT_TIMEDOUT;
}

int command_run(const struct record *r, const char *command, int64_t timeout, struct buf *output,
	struct err *e)
{
	AUTO_FREE char *line = mem_string(command);
	char *argv[] = {(char *)(uintptr_t) "/bin/sh", (char *)(uintptr_t) "-c", line, NULL};
	AUTO_CLOSE int from = -1;
	int ends[2] = {-1, -1}, failed = output ? io_pipe(ends) : 0;
	struct child child;
	bool ended;

	if (failed < 0)
		return err_sys(e, failed, "pipe");
	tell_all(r);
	failed = proc_spawn(&child,
		&(struct spawn){
			.argv = argv,
			.in = -1,
			.out = output ? ends[1] : STDERR_FILENO,
			.error = STDERR_FILENO,
		},
		e);
	from = ends[0];
	if (ends[1] >= 0)
		close(ends[1]);
	if (failed < 0)
		return failed;
	if (output) {
		ended = follow(&child, from, clock_after(timeout), output);
		buf_add(output, "", 0);
	} else {
		ended = wait_until(&child, clock_after(timeout));
	}
	return finish_child(&child, ended);
}
