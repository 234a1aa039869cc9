/* One hold that passes through all: every waiter is there before it starts. */
#include "lock_view.h"
#include "stress.h"

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

int run_queue(const struct state *state)
{
	const struct lock_want want = {.name = "s0", .units = 1};
	const struct lock_options o = {.timeout = NS_FOREVER, .priority = LEVEL_BASE};
	struct lock *lock;
	struct err e = {0};
	int64_t start;

	if (lock_acquire(&lock, state, &want, 1, &o, &e) < 0)
		die(EX_TEMPFAIL, "%s", e.text);
	for (int i = 0; i < settings.processes; i++) {
		if (fork() == 0) {
			lock_release(lock); /* our copy of the description */
			_exit(lock_acquire(&lock, state, &want, 1, &o, &e) < 0);
		}
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
