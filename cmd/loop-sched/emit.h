/*
 * emit: a plan written again in its own form, and needs that say nothing new.
 */
#ifndef EMIT_H
#define EMIT_H

#include "chain.h"

/* The plan as one document, a task a line; source (may be NULL) is the user's file. Without the
 * edges that are hidden (NULL: with all). */
void plan_emit(struct buf *, const struct plan *, const char *source, const bool *hidden,
	const struct chains *);

/*
 * Marks the edges that other edges imply: only where every edge of the other
 * way is met by success, so that nothing changes about what runs when. False
 * if the graph is too large to look at all of them; those marked are right.
 */
bool plan_reduce(const struct plan *, bool *hidden);

#endif
