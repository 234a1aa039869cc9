/*
 * signals: SIGTERM, SIGINT, SIGHUP and SIGQUIT are noted, and come only where
 * we wait, so that no system call has to expect them.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include "base.h"

#include <poll.h>
#include <signal.h>

void signals_catch(void);

/* The last signal that was sent to us to end, 0 if none was; and how many were. */
int signals_caught(void);
int signals_count(void);

/* poll(2) until the deadline (clock_now), where signals may come: -1 and EINTR then. */
int signals_poll(struct pollfd *, size_t count, int64_t deadline);

/* Between these, signals break system calls: around a wait that is not ours. */
void signals_open(void);
void signals_close(void);

/* Sleeps; false if a signal came. */
bool signals_sleep(int64_t ns);

#endif
