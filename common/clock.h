/*
 * clock: the one place where time comes from. Tests set it by hand.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include "base.h"

int64_t clock_now(void);  /* monotonic, for durations and deadlines; does not run during suspend */
int64_t clock_real(void); /* since the epoch, for people and files; may jump */

/* Tests: both clocks stand still at these values until set again; clock_free_run ends that. */
void clock_set(int64_t now, int64_t real);
void clock_free_run(void);

/* Sleeps for this long, whatever signals come. */
void clock_sleep(int64_t ns);

/*
 * For poll-like calls: milliseconds until the deadline, rounded up, at least 0; -1 for
 * NS_FOREVER.
 */
int clock_poll_timeout(int64_t deadline);

/* The deadline that lies a duration ahead; NS_FOREVER stays for ever. */
int64_t clock_after(int64_t duration);

#endif
