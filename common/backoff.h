/*
 * backoff: how long to wait before trying again: min(cap, base * factor^n),
 * spread by jitter so that many who failed together do not come back together.
 *
 * Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
#ifndef BACKOFF_H
#define BACKOFF_H

#include "base.h"

enum jitter {
	JITTER_EQUAL, /* half of it, and a random part of the other half */
	JITTER_FULL,  /* anything from nothing to all of it */
	JITTER_NONE,
};

struct backoff {
	int64_t base, cap; /* ns */
	double factor;	   /* at least 1 */
	enum jitter jitter;
};

/* 5 s, doubling, at most 5 minutes, equal jitter: what suits agents and their providers. */
#define BACKOFF_DEFAULT                                                  \
	{                                                                \
		.base = 5 * NS_PER_S, .cap = 300 * NS_PER_S, .factor = 2 \
	}

/* "equal", "full", "none"; -EINVAL. */
int jitter_parse(const char *text, enum jitter *) MUST_CHECK;

/* The delay in ns after this many failures (1: the first). */
int64_t backoff_delay(const struct backoff *, unsigned failures);

#endif
