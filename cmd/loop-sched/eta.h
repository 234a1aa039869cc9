/*
 * eta: what is left of a run, as a range: the rest of the graph is played
 * through many times with durations drawn from what the tasks took before.
 */
#ifndef ETA_H
#define ETA_H

#include "view.h"

struct range {
	int64_t low, mid, high; /* ns */
};

/* Between low and high in nine of ten plays; false where there is too little to go on. */
bool eta_range(const struct view *, struct range *);

#endif
