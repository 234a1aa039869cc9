#include "signals.h"

#include "clock.h"

#include <poll.h>

static volatile sig_atomic_t caught, caught_count;
static sigset_t inside, outside; /* the masks in which signals wait, and may come */

static void on_signal(int sig)
{
	caught = sig;
	caught_count++;
}

void signals_catch(void)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
	struct sigaction a = {.sa_handler = on_signal};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < countof(signals); i++) {
		sigaddset(&set, signals[i]);
		sigaction(signals[i], &a, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, &outside);
	sigprocmask(SIG_BLOCK, NULL, &inside);
	for (size_t i = 0; i < countof(signals); i++)
		sigdelset(&outside, signals[i]);
}

int signals_caught(void)
{
	return caught;
}

void signals_open(void)
{
	sigprocmask(SIG_SETMASK, &outside, NULL);
}

void signals_close(void)
{
	sigprocmask(SIG_SETMASK, &inside, NULL);
}

int signals_count(void)
{
	return caught_count;
}

int signals_poll(struct pollfd *fds, size_t count, int64_t deadline)
{
	struct timespec t, *timeout = NULL;
	int64_t left;

	if (deadline != NS_FOREVER) {
		left = MAX(deadline - clock_now(), 0);
		t = (struct timespec){.tv_sec = left / NS_PER_S, .tv_nsec = left % NS_PER_S};
		timeout = &t;
	}
	return ppoll(fds, count, timeout, &outside);
}

bool signals_sleep(int64_t ns)
{
	int64_t deadline = clock_after(ns);

	while (!caught && clock_now() < deadline)
		signals_poll(NULL, 0, deadline);
	return !caught;
}
