/*
 * chain: tasks that follow one another alone and are done in a moment, each
 * worth less than what starting it costs: they can be one task.
 */
#ifndef CHAIN_H
#define CHAIN_H

#include "history.h"

struct chains {
	uint32_t *next, *previous; /* a task's neighbour in its chain; UINT32_MAX: none */
	int64_t *cost;		   /* ns, as far as it is known */
	uint32_t merged;	   /* tasks that went into another */
};

/* Tasks that take no longer than trivial (ns) by their history or estimate, 0: none; hidden edges
 * do not count. */
void chains_find(struct chains *, const struct plan *, const bool *hidden, const struct history *,
	int64_t trivial);
void chains_clear(struct chains *);

/* The one task of a chain that ends here, but for its needs, which are added by the caller. */
void chain_emit(struct buf *, const struct plan *, const struct chains *, uint32_t last);
uint32_t chain_first(const struct chains *, uint32_t last);

#endif
