/*
 * sse: server-sent events (WHATWG HTML, section 9.2).
 */
#ifndef SSE_H
#define SSE_H

#include "base.h"

struct conn;

/* The handler of GET /events. */
void sse_open(struct conn *);

/* The events between two places are not to be had. */
void sse_tell_gap(struct conn *, int64_t from, int64_t to);

#endif
