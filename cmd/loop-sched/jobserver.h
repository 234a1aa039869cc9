/*
 * jobserver: the run's places as GNU make's tokens. A task holds one while it
 * runs; make below it takes further ones for its own jobs, so that all
 * together never run more than the run may.
 *
 * Source: GNU make manual, "Sharing Job Slots with GNU make" (POSIX pipes).
 */
#ifndef JOBSERVER_H
#define JOBSERVER_H

#include "base.h"

struct jobserver {
	int ends[2]; /* the pipe, as the tasks inherit it; -1: there is none */
	int taker;   /* its reading end once more, for us: reading it never blocks */
	int64_t tokens;
};

void jobserver_none(struct jobserver *);
int jobserver_open(struct jobserver *, int64_t tokens) MUST_CHECK;

/* A token for one more task; false if none is free. Without a jobserver there always is one. */
bool jobserver_take(struct jobserver *);
void jobserver_put(struct jobserver *);

/* When no task runs all tokens are there again, also those that a killed make had. */
void jobserver_refill(struct jobserver *);

#endif
