#include "lock_timer.h"

#include <errno.h>
#include <pthread.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid /* glibc has the member, but no name for it */
#endif

static _Thread_local volatile sig_atomic_t ticked;

static void tick(int signal UNUSED)
{
	ticked = 1;
}

bool lock_timer_ticked(void)
{
	bool was = ticked;

	ticked = 0;
	return was;
}

static int start(struct lock_timer *t)
{
	struct sigaction action = {.sa_handler = tick};
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMAX};
	sigset_t set;

	event.sigev_notify_thread_id = gettid();
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGRTMAX, &action, NULL) < 0)
		return -errno;
	if (timer_create(CLOCK_MONOTONIC, &event, &t->id) < 0)
		return -errno;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMAX);
	pthread_sigmask(SIG_UNBLOCK, &set, &t->mask);
	t->running = true;
	return 0;
}

static struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
}

int lock_timer_set(struct lock_timer *t, int64_t first, int64_t every)
{
	struct itimerspec when = {
		.it_value = timespec_of(MAX(first, NS_PER_US)), .it_interval = timespec_of(every)};
	int r = t->running ? 0 : start(t);

	if (r < 0)
		return r;
	ticked = 0;
	return timer_settime(t->id, 0, &when, NULL) < 0 ? -errno : 0;
}

void lock_timer_stop(struct lock_timer *t)
{
	if (!t->running)
		return;
	timer_delete(t->id);
	pthread_sigmask(SIG_SETMASK, &t->mask, NULL);
	t->running = false;
	ticked = 0;
}
