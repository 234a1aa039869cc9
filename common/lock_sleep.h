/*
 * lock_sleep: what a waiter does between two looks at the table. It sleeps in the
 * kernel, on a byte of whoever stands in its way, so that nobody has to wake it; it
 * looks up now and then for what the kernel does not tell.
 */
#ifndef LOCK_SLEEP_H
#define LOCK_SLEEP_H

#include "lock_request.h"

/* Sleeps until the guard is ours: 0, or -ETIMEDOUT, -EAGAIN (one that does not wait), -EINTR. */
int lock_sleep_guard(struct lock_request *, struct err *) MUST_CHECK;

/*
 * Sleeps until the table is to be looked at: 0, or why waiting ends: -ETIMEDOUT,
 * -EDEADLK, -EINTR. On is the byte to sleep on; 0: there is none, we are the first.
 */
int lock_sleep_turn(struct lock_request *, int64_t on, struct err *) MUST_CHECK;

#endif
