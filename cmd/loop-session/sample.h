/*
 * sample: the durations of many things in bounded memory: all of them while
 * they are few, then an even random sample (Vitter, "Random sampling with a
 * reservoir", algorithm R, 1985). Count, sum and maximum stay exact.
 */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "base.h"

struct sample {
	int64_t *item;
	size_t kept, capacity;
	int64_t count, sum, max;
	uint64_t seed;
};

void sample_add(struct sample *, int64_t value);

/* The smallest value that so many percent are not above (nearest rank); 0 of an empty one. */
int64_t sample_percentile(struct sample *, int percent);
void sample_clear(struct sample *);

#endif
