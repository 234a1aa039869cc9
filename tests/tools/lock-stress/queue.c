/*
 * One hold that passes through all: every waiter is there before it starts. On request
 * they wait for some time first, in which they should cost nothing.
 */
#include "io.h"
#include "lock_table.h"
#include "stress.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

static pid_t waiter[PROCESSES];

/* Until so many rows are so. The text is read without the guard, to keep it from nobody. */
static void await_rows(const struct state *state, bool (*is)(const struct lock_row *), int64_t n)
{
	AUTO_CLOSE int fd = -1;
	struct lock_table t = {0};
	int64_t found = 0;

	while (found < n) {
		clock_sleep(10 * NS_PER_MS);
		if (fd < 0)
			fd = io_open(state->dir, "locks/s0.lk", O_RDONLY, 0);
		if (fd < 0 || lock_table_read(&t, fd, SIZE_MAX) < 0)
			continue;
		found = 0;
		for (size_t i = 0; i < t.count; i++)
			found += is(&t.row[i]);
	}
	lock_table_clear(&t);
}

/* The time of the processor that the waiters have used so far. */
static int64_t time_used(void)
{
	int64_t used = 0;

	for (int i = 0; i < settings.processes; i++) {
		struct timespec t;
		clockid_t clock;

		if (clock_getcpuclockid(waiter[i], &clock) == 0 && clock_gettime(clock, &t) == 0)
			used += t.tv_sec * NS_PER_S + t.tv_nsec;
	}
	return used;
}

/* What they use of a processor while nothing happens, in thousandths. */
static int64_t idle(void)
{
	int64_t start = clock_now(), used = time_used();

	if (settings.idle)
		clock_sleep(settings.idle * NS_PER_S);
	used = time_used() - used;
	return used * 1000 / (clock_now() - start);
}

/* A child that acquires and, as a holder, stays until it is killed; it ends with its parent. */
static pid_t start(const struct state *state, bool stays)
{
	const struct lock_want want = {.name = "s0", .units = 1};
	const struct lock_options o = {.timeout = NS_FOREVER, .priority = LEVEL_BASE};
	struct err e = {0};
	struct lock *lock;
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		die_errno(EX_OSERR, "fork");
	if (pid)
		return pid;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(EXIT_NO);
	if (lock_acquire(&lock, state, &want, 1, &o, &e) < 0)
		die(EX_TEMPFAIL, "%s", e.text);
	while (stays)
		pause();
	_exit(0);
}

/* The holder is nobody's ancestor: who waits below a hold looks for a deadlock. */
int run_queue(const struct state *state)
{
	pid_t holder = start(state, true);
	int64_t began, idly;

	await_rows(state, lock_row_holds, 1);
	for (int i = 0; i < settings.processes; i++)
		waiter[i] = start(state, false);
	await_rows(state, lock_row_waits, settings.processes);
	idly = idle();
	began = clock_now();
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	for (int status; wait(&status) > 0;)
		if (status != 0)
			die(EX_SOFTWARE, "a waiter failed");
	printf("queue: %lld waiters, %lld us a hand-over", (long long)settings.processes,
		(long long)((clock_now() - began) / settings.processes / NS_PER_US));
	if (settings.idle)
		printf(", idle %lld.%lld %% of a processor", (long long)(idly / 10),
			(long long)(idly % 10));
	putchar('\n');
	return finish(0);
}
