/*
 * stats: a sketch of a distribution in bounded memory. Counts, sum, minimum and
 * maximum are exact; a quantile is off by at most STATS_ERROR of itself. Buckets are
 * linear within a power of two, so a value's bucket is the head of its bits.
 *
 * Source: the error bound of DDSketch (Masson, Rim, Lee, 2019), the buckets of
 * HdrHistogram.
 */
#ifndef STATS_H
#define STATS_H

#include "base.h"

/* Half a bucket, of 64 to a power of two. */
#define STATS_ERROR (1.0 / 128)

/* One sign's buckets: those between the smallest and the largest that was needed. */
struct buckets {
	uint64_t *count;
	int first, size;
};

/*
 * Zeroed is empty. At most 2 MiB, of which only the pages between the smallest and the
 * largest number are there: 512 bytes for a power of two.
 */
struct sketch {
	uint64_t count, zeros; /* what is smaller than 2^-1022 counts as zero */
	double sum, min, max;
	struct buckets positive, negative;
};

/* False for what is no finite number: it is not counted. */
bool sketch_add(struct sketch *, double);

/* The smallest value than which a share q (0 to 1) of all is not larger; 0 of none. */
double sketch_quantile(const struct sketch *, double q);
double sketch_mean(const struct sketch *); /* 0 of none */
void sketch_clear(struct sketch *);

#endif
