#include "stats.h"

#include "mem.h"

enum {
	HEAD_SHIFT = 46,	 /* of a double's 52 bits of fraction, 6 are kept */
	LOWEST = 64,		 /* of what has all its bits */
	HIGHEST = 2047 * 64 - 1, /* of what is finite */
};

static int bucket_of(double x)
{
	uint64_t bits;

	memcpy(&bits, &x, sizeof bits);
	return (int)MIN(bits >> HEAD_SHIFT, (uint64_t)HIGHEST);
}

static double edge_of(int bucket)
{
	uint64_t bits = (uint64_t)bucket << HEAD_SHIFT;
	double x;

	memcpy(&x, &bits, sizeof x);
	return x;
}

static double middle_of(int bucket)
{
	return edge_of(bucket) + (edge_of(bucket + 1) - edge_of(bucket)) / 2;
}

/* Makes room for a bucket, and for as many again on that side. */
static void widen(struct buckets *b, int bucket)
{
	int end = b->first + b->size, first = b->first;
	uint64_t *wider;

	if (b->size == 0)
		first = bucket, end = bucket + 1;
	else if (bucket < first)
		first = MAX(LOWEST, bucket - b->size);
	else
		end = MIN(HIGHEST + 1, bucket + 1 + b->size);
	wider = mem_zero((size_t)(end - first), sizeof *wider);
	if (b->size)
		memcpy(wider + (b->first - first), b->count, (size_t)b->size * sizeof *wider);
	free(b->count);
	*b = (struct buckets){.count = wider, .first = first, .size = end - first};
}

static void count(struct buckets *b, double x)
{
	int bucket = bucket_of(x);

	if (bucket < b->first || bucket >= b->first + b->size)
		widen(b, bucket);
	b->count[bucket - b->first]++;
}

bool sketch_add(struct sketch *s, double x)
{
	if (!(x - x == 0)) /* infinite, or not a number */
		return false;
	s->min = s->count ? MIN(s->min, x) : x;
	s->max = s->count ? MAX(s->max, x) : x;
	s->sum += x;
	s->count++;
	if (x >= edge_of(LOWEST))
		count(&s->positive, x);
	else if (x <= -edge_of(LOWEST))
		count(&s->negative, -x);
	else
		s->zeros++;
	return true;
}

/* Walks the buckets from the smallest value up; rank values are smaller. */
static double value_at(const struct sketch *s, uint64_t rank)
{
	const struct buckets *n = &s->negative, *p = &s->positive;

	for (int i = n->size - 1; i >= 0; rank -= n->count[i--])
		if (rank < n->count[i])
			return -middle_of(n->first + i);
	if (rank < s->zeros)
		return 0;
	rank -= s->zeros;
	for (int i = 0; i < p->size; rank -= p->count[i++])
		if (rank < p->count[i])
			return middle_of(p->first + i);
	return s->max;
}

/* How many values are smaller than the one that is wanted. */
static uint64_t rank_of(const struct sketch *s, double q)
{
	double share = q * (double)s->count;
	uint64_t whole = (uint64_t)share;

	if (share - (double)whole > 1e-9 * share) /* more than what was lost by rounding */
		whole++;
	return whole ? whole - 1 : 0;
}

double sketch_quantile(const struct sketch *s, double q)
{
	double value;

	if (!s->count)
		return 0;
	value = value_at(s, rank_of(s, q));
	return MAX(s->min, MIN(value, s->max));
}

double sketch_mean(const struct sketch *s)
{
	return s->count ? s->sum / (double)s->count : 0;
}

void sketch_clear(struct sketch *s)
{
	free(s->positive.count);
	free(s->negative.count);
	*s = (struct sketch){0};
}
