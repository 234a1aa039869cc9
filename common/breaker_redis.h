/*
 * breaker_redis: a breaker that hosts share, in Redis. It behaves as one in a file, but
 * a probe whose process ended is lost only when its lease is over, and times are the
 * server's.
 */
#ifndef BREAKER_REDIS_H
#define BREAKER_REDIS_H

#include "breaker.h"

struct strs;

/* Lets a breaker, just made by breaker_init, live there. Errors as redis_open. */
int breaker_redis_open(struct breaker *, const char *url, int64_t patience, struct err *)
	MUST_CHECK;
void breaker_redis_close(struct breaker *); /* does nothing for one in a file */

/* Whether anybody has used it. */
bool breaker_redis_has(const struct breaker *);

/* The names of all there are, sorted. */
int breaker_redis_list(const char *url, int64_t patience, struct strs *, struct err *) MUST_CHECK;

#endif
