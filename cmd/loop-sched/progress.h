/*
 * progress: what a task writes about itself into the file that LOOP_PROGRESS
 * names: "N/M" or "N%", and words behind it. The last line that is not empty
 * holds; one without numbers is words alone.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include "base.h"

struct progress {
	int percent;   /* -1: it does not say */
	char text[80]; /* the line, its control characters escaped; empty: there is none */
};

/* Of an attempt, in the folder of a run's tasks; says nothing where there is nothing to read. */
void progress_read(struct progress *, int tasks, const char *id, unsigned attempt);

#endif
