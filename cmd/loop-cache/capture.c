#include "capture.h"

#include "clock.h"
#include "die.h"
#include "io.h"
#include "proc.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

static const int forwarded[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

/* The command while it runs. */
struct running {
	struct capture *capture;
	struct child child;
	int from[2]; /* the ends of its pipes, -1 when they are closed */
	int signals;
	int told; /* how many signals to end it has had */
};

static int open_signals(sigset_t *old)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < countof(forwarded); i++)
		sigaddset(&set, forwarded[i]);
	sigprocmask(SIG_BLOCK, &set, old);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static void forward_signals(struct running *r)
{
	struct signalfd_siginfo info;

	while (read(r->signals, &info, sizeof info) == sizeof info) {
		int sig = (int)info.ssi_signo;
		bool ends = sig != SIGUSR1 && sig != SIGUSR2;

		kill(-r->child.pid, ends && r->told++ ? SIGKILL : sig);
	}
}

static void keep(struct capture *c, int which, const char *bytes, size_t length)
{
	struct content *k = &c->kept[which];
	int64_t size = c->kept[0].size + c->kept[1].size + (int64_t)length;

	if (k->fd < 0 || c->why)
		return;
	c->why = c->max && size > c->max ? -EFBIG : content_add(k, bytes, length);
}

/* One read; false when there is no more, now or ever. */
static bool pass_on(struct running *r, int which)
{
	char chunk[65536];
	ssize_t n = io_read_some(r->from[which], chunk, sizeof chunk);

	if (n <= 0) {
		if (n != -EAGAIN) {
			close(r->from[which]);
			r->from[which] = -1;
		}
		return false;
	}
	if (io_write(which ? STDERR_FILENO : STDOUT_FILENO, chunk, (size_t)n) < 0)
		r->capture->why = -EIO;
	keep(r->capture, which, chunk, (size_t)n);
	return true;
}

/* Its end is the process's, not that of a pipe which something in the background holds. */
static void watch(struct running *r)
{
	struct pollfd p[] = {
		{.fd = r->from[0], .events = POLLIN},
		{.fd = r->from[1], .events = POLLIN},
		{.fd = r->signals, .events = POLLIN},
		{.fd = r->child.pidfd, .events = POLLIN},
	};

	for (;;) {
		if (poll(p, countof(p), -1) < 0)
			continue;
		for (int i = 0; i < 2; i++)
			if (p[i].revents && !pass_on(r, i))
				p[i].fd = r->from[i];
		if (p[2].revents)
			forward_signals(r);
		if (p[3].revents)
			return;
	}
}

static void drain(struct running *r)
{
	for (int i = 0; i < 2; i++)
		while (r->from[i] >= 0 && pass_on(r, i))
			;
}

static void reap(struct running *r)
{
	int status = 0;

	while (waitpid(r->child.pid, &status, 0) < 0 && errno == EINTR)
		;
	r->capture->status = proc_exit_status(status);
	r->capture->by_signal = WIFSIGNALED(status);
}

static int start(struct running *r, struct err *e)
{
	const struct capture *c = r->capture;
	int out[2], error[2], failed = io_pipe(out);

	if (failed < 0)
		return err_sys(e, failed, "pipe");
	failed = io_pipe(error);
	if (failed < 0)
		return err_sys(e, failed, "pipe");
	failed = proc_spawn(&r->child,
		&(struct spawn){.argv = c->command,
			.env = c->env,
			.in = c->in,
			.out = out[1],
			.error = error[1]},
		e);
	close(out[1]);
	close(error[1]);
	r->from[0] = out[0];
	r->from[1] = error[0];
	for (int i = 0; failed == 0 && i < 2; i++)
		failed = io_nonblock(r->from[i], true);
	return failed;
}

int capture_run(struct capture *c, struct err *e)
{
	struct running r = {.capture = c, .from = {-1, -1}};
	int64_t begin = clock_now();
	sigset_t old;
	int failed;

	r.signals = open_signals(&old);
	if (r.signals < 0)
		return c->status = EXIT_OWN, err_sys(e, r.signals, "signals");
	failed = start(&r, e);
	if (failed < 0)
		return c->status = proc_spawn_status(failed), failed;
	watch(&r);
	drain(&r);
	reap(&r);
	child_close(&r.child);
	close(r.signals);
	sigprocmask(SIG_SETMASK, &old, NULL);
	c->ms = (clock_now() - begin) / NS_PER_MS;
	return 0;
}
