/*
 * Two guards above the work, each with nothing to do but to see the other end:
 *
 *	outer (our pid) -> guard -> work -> whatever is started
 *
 * A process that loses its parent falls to its nearest living subreaper, so
 * while one of the guards lives, everything below is in its reach. What tells
 * them is the kernel's alone: SIGCHLD downwards, the parent-death signal
 * upwards. The guard's is SIGCONT, which also wakes it when it was stopped.
 */
#include "proc.h"

#include "proc_cgroup.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* Shared by the three; the work may die at any moment, so there is nothing but flags in it. */
static struct shared {
	volatile bool keep;
} * shared;

void proc_contain_keep(void)
{
	if (shared)
		shared->keep = true;
}

/* Ends this process as a wait status says that another ended. */
static NORETURN void end_as(int status)
{
	const struct rlimit no_core = {0, 0};
	sigset_t set;

	if (WIFSIGNALED(status)) {
		int sig = WTERMSIG(status);

		setrlimit(RLIMIT_CORE, &no_core);
		signal(sig, SIG_DFL);
		sigemptyset(&set);
		sigaddset(&set, sig);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		kill(getpid(), sig);
	}
	_exit(proc_exit_status(status));
}

static NORETURN void end_all(int status)
{
	bool keep = shared->keep && WIFEXITED(status);

	if (!keep)
		proc_sweep_all();
	cgroup_end(keep);
	end_as(status);
}

/* What became of the one below: stopped, so are we; ended, so does everything. */
static void look_below(pid_t child)
{
	int status;

	while (waitpid(child, &status, WNOHANG | WUNTRACED) > 0) {
		if (!WIFSTOPPED(status))
			end_all(status);
		kill(getpid(), SIGSTOP);
	}
}

/* The one above is gone: nobody wants the work any more. */
static NORETURN void end_orphaned(pid_t child)
{
	shared->keep = false;
	kill(child, SIGKILL);
	end_all(SIGKILL);
}

static NORETURN void watch(pid_t child, pid_t parent)
{
	sigset_t all;

	sigfillset(&all);
	for (;;) {
		int sig = sigwaitinfo(&all, NULL);

		if (parent && getppid() != parent)
			end_orphaned(child);
		if (sig == SIGCHLD)
			look_below(child);
		else if (sig > 0)
			kill(child, sig);
	}
}

static int become_subreaper(struct err *e)
{
	if (prctl(PR_SET_CHILD_SUBREAPER, 1L) < 0)
		return err_sys(e, -errno, "cannot become a subreaper");
	return 0;
}

/* Tells the kernel to tell us when the parent ends; false if it has ended already. */
static bool bind_to_parent(int sig, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, (long)sig);
	return getppid() == parent;
}

static int enter_work(pid_t guard, const sigset_t *mask, struct err *e)
{
	if (!bind_to_parent(SIGKILL, guard))
		_exit(EXIT_FAILURE);
	cgroup_enter();
	sigprocmask(SIG_SETMASK, mask, NULL);
	return become_subreaper(e);
}

/* The guard's half: its own process group, so that what ends ours by group spares it. */
static int enter_guard(pid_t outer, const sigset_t *mask, struct err *e)
{
	pid_t guard = getpid(), work;
	int r;

	if (setpgid(0, 0) < 0 || !bind_to_parent(SIGCONT, outer))
		_exit(EXIT_FAILURE);
	r = become_subreaper(e);
	if (r < 0)
		return r;
	work = fork();
	if (work < 0)
		return err_sys(e, -errno, "fork");
	if (work > 0) {
		prctl(PR_SET_NAME, "loop-contain"); /* a killall of our name spares it */
		watch(work, outer);
	}
	return enter_work(guard, mask, e);
}

int proc_contain(struct err *e)
{
	pid_t outer = getpid(), guard;
	sigset_t all, mask;
	int r = become_subreaper(e);

	if (r < 0)
		return r;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		-1, 0);
	if (shared == MAP_FAILED)
		return err_sys(e, -errno, "mmap");
	cgroup_make();
	signal(SIGCHLD, SIG_DFL);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	guard = fork();
	if (guard < 0) {
		sigprocmask(SIG_SETMASK, &mask, NULL);
		return err_sys(e, -errno, "fork");
	}
	if (guard > 0)
		watch(guard, 0);
	return enter_guard(outer, &mask, e);
}

int proc_contain_foreground(struct err *e)
{
	pid_t group = getpgrp();
	int r = proc_contain(e);

	if (r == 0 && isatty(STDIN_FILENO) && setpgid(0, group) < 0)
		r = err_sys(e, -errno, "process group");
	return r;
}
