/*
 * scale: how many workers a queue needs. Three rules, the largest wins: depth
 * (items a worker), age (the oldest has waited too long), drain time (at the
 * speed of late, when would all be done). More at once, fewer only one at a time and
 * only when it has been too many for a while: a load that swings does not make the pool
 * swing.
 */
#ifndef SCALE_H
#define SCALE_H

#include "base.h"

struct scale_rules {
	int64_t min, max;
	int64_t up;	  /* ready items a worker at which one more is wanted */
	int64_t down;	  /* and below which one is too many */
	int64_t age;	  /* ns: the oldest may wait so long; NS_FOREVER: no rule */
	int64_t drain;	  /* ns: all may take so long; NS_FOREVER: no rule */
	int64_t cooldown; /* ns: below for so long before one goes, and between two */
};

/* What was seen. */
struct load {
	int64_t now; /* clock_now */
	int64_t ready, claimed;
	int64_t age; /* ns: of the oldest that is ready */
	double rate; /* items a second that one worker did of late; 0: not known */
};

struct scale {
	struct scale_rules rules;
	int64_t below; /* since when fewer would do; NS_FOREVER: they would not */
	int64_t shrunk;
};

void scale_init(struct scale *, const struct scale_rules *);

/* How many there should be, of those there are now; why in a word. */
int64_t scale_want(struct scale *, const struct load *, int64_t workers, const char **why);

#endif
