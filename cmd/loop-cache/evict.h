/*
 * evict: makes room before something is put in, so that the bound holds at every moment.
 */
#ifndef EVICT_H
#define EVICT_H

#include "entry.h"
#include "scope.h"

/* Whether an entry, nothing of which is kept yet, is over the scope's bound by itself. */
bool entry_too_large(const struct scope *, const struct entry *);

/*
 * Room for what is not kept yet of an entry, in a locked scope in the middle of a change.
 * -ESTALE: the table was made anew on the way, and knows nothing of what was kept.
 */
int evict_for(struct scope *, const struct entry *, const struct digest *key, struct err *)
	MUST_CHECK;

/* In a locked scope: what is over a bound goes. */
int evict_over(struct scope *, struct err *) MUST_CHECK;

#endif
