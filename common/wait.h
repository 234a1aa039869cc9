/*
 * wait: the one place where a program that watches over one command sleeps: on
 * signals, on one descriptor, on a deadline.
 */
#ifndef WAIT_H
#define WAIT_H

#include "base.h"

/* Blocks the signals that are handled and opens their descriptor; -errno. */
int wait_init(void) MUST_CHECK;

enum wait_event { WAIT_DEADLINE,
	WAIT_READY,
	WAIT_SIGNAL };

/*
 * Until fd (or -1) polls readable, a signal comes (its number in *sig) or the
 * deadline (clock_now) passes. What a terminal sends to a whole group and what
 * is handed on to us of it is one signal.
 */
enum wait_event wait_for(int fd, int64_t deadline, int *sig);

/* Whether it asks us to end. */
bool wait_signal_ends(int sig) __attribute__((const));

#endif
