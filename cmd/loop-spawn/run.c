#include "run.h"

#include "attempt.h"
#include "clock.h"
#include "die.h"
#include "io.h"
#include "log.h"
#include "proc.h"
#include "signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>

/* How long output may still come from others when the command itself has ended. */
#define DRAIN_TIME (NS_PER_S / 2)

static void keep_tail(struct run *r)
{
	if (r->keep && r->out.length > 2 * r->keep)
		buf_drop(&r->out, r->out.length - r->keep);
}

/* False at the end. */
static bool hear(struct run *r, int fd)
{
	enum { ROOM = 65536 };
	char *room = buf_reserve(&r->out, ROOM);
	ssize_t n = io_read_some(fd, room, ROOM);

	if (n <= 0)
		return false;
	if (r->log)
		log_add(r->log, room, (size_t)n);
	r->out.length += (size_t)n;
	keep_tail(r);
	return true;
}

/* Hears it until it has ended and its output too; false if the deadline came first. */
static bool follow(struct run *r, const struct child *c, int fd, int64_t deadline)
{
	struct pollfd fds[] = {{.fd = c->pidfd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		if (clock_now() >= deadline || signals_caught())
			return fds[0].fd < 0;
		if (signals_poll(fds, countof(fds), deadline) < 0 && errno != EINTR)
			return false;
		if (fds[1].fd >= 0 && fds[1].revents && !hear(r, fd))
			fds[1].fd = -1;
		if (fds[0].fd >= 0 && fds[0].revents) {
			fds[0].fd = -1;
			deadline = clock_after(DRAIN_TIME);
		}
	}
	return true;
}

static int end_of(struct child *c, bool ended)
{
	int status;

	if (!ended)
		child_signal(c, SIGKILL);
	status = child_wait(c);
	if (!ended)
		proc_sweep_all();
	return ended ? status : EXIT_TIMEDOUT;
}

int run_command(struct run *r, struct err *e)
{
	struct spawn s = {.argv = r->argv, .env = r->env, .dir = r->dir, .in = -1};
	AUTO_CLOSE int from = -1, to = -1;
	struct child c;
	int ends[2], code, status;

	code = io_pipe(ends);
	if (code < 0) {
		err_sys(e, code, "pipe");
		return EXIT_OWN;
	}
	from = ends[0];
	to = ends[1];
	s.out = s.error = to;
	s.new_session = true;
	code = proc_spawn(&c, &s, e);
	if (code < 0)
		return proc_spawn_status(code);
	close(to);
	to = -1;
	r->timed_out = !follow(r, &c, from, r->timeout ? clock_after(r->timeout) : NS_FOREVER);
	status = end_of(&c, !r->timed_out);
	buf_add(&r->out, "", 0);
	if (r->keep && r->out.length > r->keep)
		buf_drop(&r->out, r->out.length - r->keep);
	return status;
}
