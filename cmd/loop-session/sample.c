#include "sample.h"

#include "mem.h"

enum { SAMPLE_MAX = 10000 };

/* Numerical Recipes' 64-bit step: even enough, and the same each time the same file is read. */
static uint64_t next_random(struct sample *s)
{
	s->seed = s->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return s->seed >> 33;
}

void sample_add(struct sample *s, int64_t value)
{
	uint64_t at;

	s->count++;
	s->sum += value;
	s->max = MAX(s->max, value);
	if (s->kept < SAMPLE_MAX) {
		s->item = mem_grow(s->item, s->kept, &s->capacity, sizeof *s->item);
		s->item[s->kept++] = value;
		return;
	}
	at = next_random(s) % (uint64_t)s->count;
	if (at < SAMPLE_MAX)
		s->item[at] = value;
}

static int ascending(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

int64_t sample_percentile(struct sample *s, int percent)
{
	size_t rank = (s->kept * (size_t)percent + 99) / 100;

	if (!s->kept)
		return 0;
	qsort(s->item, s->kept, sizeof *s->item, ascending);
	return s->item[MAX(rank, (size_t)1) - 1];
}

void sample_clear(struct sample *s)
{
	free(s->item);
	*s = (struct sample){0};
}
