/*
 * flight: of several runs of the same at once, one computes. A file flights/HASH is locked by
 * it, with everything it has started, so that a crash frees it; the others wait.
 */
#ifndef FLIGHT_H
#define FLIGHT_H

#include "scope.h"

struct flight {
	int fd; /* -1: none */
	char path[SCOPE_PATH_SIZE];
	const struct scope *scope;
};

/*
 * Waits for its turn: 1 it has it; 0 it must not wait, for it is part of a run that others
 * may wait for, and the two could wait for each other: it computes beside. -errno.
 */
int flight_begin(struct flight *, const struct scope *, const struct digest *key) MUST_CHECK;
void flight_end(struct flight *);

/* Removes the files of those who were killed. */
int flights_sweep(const struct scope *) MUST_CHECK;

/* Says to what is run that this is being computed. */
int flight_tell(const struct digest *key) MUST_CHECK;

#endif
