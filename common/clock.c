#include "clock.h"

#include <errno.h>
#include <limits.h>
#include <time.h>

static struct {
	bool set;
	int64_t now, real;
} fake;

static int64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

int64_t clock_now(void)
{
	return fake.set ? fake.now : read_clock(CLOCK_MONOTONIC);
}

int64_t clock_real(void)
{
	return fake.set ? fake.real : read_clock(CLOCK_REALTIME);
}

void clock_set(int64_t now, int64_t real)
{
	fake.set = true;
	fake.now = now;
	fake.real = real;
}

void clock_free_run(void)
{
	fake.set = false;
}

void clock_sleep(int64_t ns)
{
	struct timespec left = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

int64_t clock_after(int64_t duration)
{
	int64_t deadline;

	if (duration == NS_FOREVER || __builtin_add_overflow(clock_now(), duration, &deadline))
		return NS_FOREVER;
	return deadline;
}

int clock_poll_timeout(int64_t deadline)
{
	int64_t left;

	if (deadline == NS_FOREVER)
		return -1;
	left = deadline - clock_now();
	if (left <= 0)
		return 0;
	return (int)MIN((left + NS_PER_MS - 1) / NS_PER_MS, (int64_t)INT_MAX);
}
