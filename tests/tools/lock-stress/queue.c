/* One hold that passes through all: every waiter is there before it starts. */
#include "lock_view.h"
#include "stress.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static void await_queue(const struct state *state, int64_t n)
{
	struct lock_view v = {0};
	struct err e = {0};

	for (;;) {
		if (lock_view_one(&v, state, "s0", &e) < 0)
			die(EX_SOFTWARE, "%s", e.text);
		if ((int64_t)v.waiters == n)
			break;
		lock_view_clear(&v);
		clock_sleep(20 * NS_PER_MS);
	}
	lock_view_clear(&v);
}

/* Its own copy of the hold is let go first; it ends with its parent, however that ends. */
static void NORETURN wait_once(
	const struct state *state, const struct lock_want *want, struct lock *lock, pid_t parent)
{
	const struct lock_options o = {.timeout = NS_FOREVER, .priority = LEVEL_BASE};
	struct err e = {0};

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(EXIT_NO);
	lock_release(lock);
	_exit(lock_acquire(&lock, state, want, 1, &o, &e) < 0);
}

int run_queue(const struct state *state)
{
	const struct lock_want want = {.name = "s0", .units = 1};
	const struct lock_options o = {.timeout = NS_FOREVER, .priority = LEVEL_BASE};
	struct lock *lock;
	struct err e = {0};
	pid_t parent = getpid();
	int64_t start;

	if (lock_acquire(&lock, state, &want, 1, &o, &e) < 0)
		die(EX_TEMPFAIL, "%s", e.text);
	for (int i = 0; i < settings.processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die_errno(EX_OSERR, "fork");
		if (pid == 0)
			wait_once(state, &want, lock, parent);
	}
	await_queue(state, settings.processes);
	start = clock_now();
	lock_release(lock);
	for (int status; wait(&status) > 0;)
		if (status != 0)
			die(EX_SOFTWARE, "a waiter failed");
	printf("queue: %lld waiters, %lld us a hand-over\n", (long long)settings.processes,
		(long long)((clock_now() - start) / settings.processes / NS_PER_US));
	return finish(0);
}
