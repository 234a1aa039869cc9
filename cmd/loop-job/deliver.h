/*
 * deliver: what a worker answered becomes what the command would have left had it
 * run here: output, files, exit status, and a report of the rest.
 */
#ifndef DELIVER_H
#define DELIVER_H

#include "jscan.h"

struct deliver {
	const char *report; /* a file; NULL: none is wanted */
	const char *name;   /* of the job */
};

/* Writes all of it, the report last; returns the exit status. Only files of these names. */
int deliver(const struct deliver *, const struct buf *answer, const struct strs *outputs);

/* No worker will answer any more. */
int deliver_lost(const struct deliver *, const char *why);

/* The exit status of a report that is there already; -1: there is none. */
int deliver_before(const char *report);

/* How far the command is, to where LOOP_PROGRESS says. */
void deliver_note(struct span note);

#endif
