/*
 * attempt: the command run once: its tree contained, its time bounded, signals
 * handed on.
 */
#ifndef ATTEMPT_H
#define ATTEMPT_H

#include "base.h"

struct breaker;
struct permit;

struct attempt {
	char *const *command;
	int64_t timeout, kill_after; /* NS_FOREVER: none */
	struct breaker *breaker;     /* whose permit is kept alive; or NULL */
	struct permit *permit;

	int status;  /* of the command; 124 timed out, 125 to 127 it could not be run */
	int stopped; /* the signal that told us to end, 0: none did */
};

void attempt_run(struct attempt *);

#endif
