/*
 * left: how long a run will take from now on, as a range. The scheduler's
 * program knows that: "loop-sched status --json" is asked now and then, beside
 * the display. Where it says nothing, or is not there, nothing is known.
 */
#ifndef LEFT_H
#define LEFT_H

#include "buf.h"
#include "proc.h"

struct left {
	struct child child;
	int out; /* what it prints; -1: nobody is being asked */
	struct buf text;
	int64_t next;	   /* when it is asked again (clock_now) */
	int64_t at;	   /* when it was told (clock_now); 0: nothing is known */
	int64_t low, high; /* ns from then on */
};

void left_init(struct left *);
void left_clear(struct left *);

/* Asks if it is time to. */
void left_ask(struct left *, const char *run);

/* Once out is readable: whether something else is known now. */
bool left_read(struct left *);

/* What is left by now, in words ("6m to 11m left"); nothing where that is not known. */
void left_add(const struct left *, struct buf *);

#endif
