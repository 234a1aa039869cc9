/*
 * lock_timer: a signal that comes again and again and has no SA_RESTART, so that
 * it breaks any sleep in the kernel. It repeats, because a single one could come
 * between the look at a clock and the sleep and be lost. The signal is SIGRTMAX,
 * which the house uses for nothing else; its handler stays installed.
 */
#ifndef LOCK_TIMER_H
#define LOCK_TIMER_H

#include "base.h"

#include <signal.h>
#include <time.h>

/* Zeroed is not running. */
struct lock_timer {
	bool running;
	timer_t id;
	sigset_t mask; /* as it was */
};

/* Ticks for the calling thread after first, then every so often (ns). 0 or -errno. */
int lock_timer_set(struct lock_timer *, int64_t first, int64_t every) MUST_CHECK;
void lock_timer_stop(struct lock_timer *);

/* Whether it ticked since the last call. */
bool lock_timer_ticked(void);

#endif
