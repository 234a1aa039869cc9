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

/* Reads the text without the guard, so as not to keep it from those who come. */
static int64_t count_waiters(const struct state *state)
{
	AUTO_CLOSE int fd = io_open(state->dir, "locks/s0.lk", O_RDONLY, 0);
	struct lock_table t = {0};
	int64_t n = 0;

	if (fd < 0 || lock_table_read(&t, fd, SIZE_MAX) < 0)
		die(EX_SOFTWARE, "s0: cannot be read");
	for (size_t i = 0; i < t.count; i++)
		n += lock_row_waits(&t.row[i]);
	lock_table_clear(&t);
	return n;
}

static void await_queue(const struct state *state)
{
	while (count_waiters(state) < settings.processes)
		clock_sleep(20 * NS_PER_MS);
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
	int64_t start, idly;

	if (lock_acquire(&lock, state, &want, 1, &o, &e) < 0)
		die(EX_TEMPFAIL, "%s", e.text);
	for (int i = 0; i < settings.processes; i++) {
		waiter[i] = fork();
		if (waiter[i] < 0)
			die_errno(EX_OSERR, "fork");
		if (waiter[i] == 0)
			wait_once(state, &want, lock, parent);
	}
	await_queue(state);
	idly = idle();
	start = clock_now();
	lock_release(lock);
	for (int status; wait(&status) > 0;)
		if (status != 0)
			die(EX_SOFTWARE, "a waiter failed");
	printf("queue: %lld waiters, %lld us a hand-over", (long long)settings.processes,
		(long long)((clock_now() - start) / settings.processes / NS_PER_US));
	if (settings.idle)
		printf(", idle %lld.%lld %% of a processor", (long long)(idly / 10),
			(long long)(idly % 10));
	putchar('\n');
	return finish(0);
}
