/* A child after its start: what is sent to it, its end, and what came of it. */
#include "proc.h"

#include "clock.h"
#include "die.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

void child_signal(const struct child *c, int sig)
{
	if (c->pid > 0) /* what was not started is no one, and not everyone */
		kill(c->own_group ? -c->pid : c->pid, sig);
}

void child_hand_on(const struct child *c, int sig)
{
	if (c->own_group || (sig != SIGINT && sig != SIGQUIT))
		child_signal(c, sig);
}

void child_end(struct child *c, int64_t grace)
{
	child_signal(c, SIGTERM);
	child_signal(c, SIGCONT); /* one that was stopped would not see it */
	c->kill_at = MIN(c->kill_at, clock_after(grace));
}

void child_tick(struct child *c)
{
	if (clock_now() < c->kill_at)
		return;
	c->kill_at = NS_FOREVER;
	child_signal(c, SIGKILL);
}

int child_wait(struct child *c)
{
	int status = proc_reap(c->pid);

	child_close(c);
	return status;
}

void child_close(struct child *c)
{
	if (c->pidfd >= 0)
		close(c->pidfd);
	c->pidfd = -1;
}

int proc_spawn_status(int code)
{
	switch (-code) {
	case ENOENT: return EXIT_NOT_FOUND;
	case EACCES:
	case EPERM:
	case ENOEXEC:
	case EISDIR:
	case ENOTDIR:
	case ELOOP:
	case ETXTBSY:
	case E2BIG: return EXIT_CANNOT_RUN;
	default: return EXIT_OWN;
	}
}

int proc_exit_status(int wait_status)
{
	return WIFSIGNALED(wait_status) ? EXIT_SIGNAL + WTERMSIG(wait_status)
					: WEXITSTATUS(wait_status);
}

int proc_reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_SIGNAL + SIGKILL;
	return proc_exit_status(status);
}
