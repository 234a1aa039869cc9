#include "backoff.h"

#include "id.h"

#include <errno.h>

static const char *const names[] = {
	[JITTER_EQUAL] = "equal", [JITTER_FULL] = "full", [JITTER_NONE] = "none"};

int jitter_parse(const char *text, enum jitter *out)
{
	for (size_t i = 0; i < countof(names); i++) {
		if (strcmp(names[i], text) != 0)
			continue;
		*out = (enum jitter)i;
		return 0;
	}
	return -EINVAL;
}

/* A random number from 0 up to most. */
static int64_t spread(int64_t most)
{
	uint32_t random;

	id_random(&random, sizeof random);
	return (int64_t)((double)most * (random / 4294967295.0));
}

int64_t backoff_delay(const struct backoff *b, unsigned failures)
{
	double delay = (double)b->base;
	int64_t ns;

	for (unsigned i = 1; i < failures && delay < (double)b->cap; i++)
		delay *= b->factor;
	ns = delay < (double)b->cap ? (int64_t)delay : b->cap;
	switch (b->jitter) {
	case JITTER_EQUAL: return ns / 2 + spread(ns - ns / 2);
	case JITTER_FULL: return spread(ns);
	case JITTER_NONE: break;
	}
	return ns;
}
