/*
 * calibration: whether predictions held. A run records what it predicts of
 * itself as it goes; when it has ended, the outcome stands in the same record.
 * From both comes by how much the ranges of the next runs are widened.
 *
 * Source: split conformal prediction (Vovk, Gammerman, Shafer, 2005).
 */
#ifndef CALIBRATION_H
#define CALIBRATION_H

#include "eta.h"

struct calibration {
	uint32_t count, held; /* predictions whose outcome is known; those that held */
	double scale;	      /* of a range's width; 1 where too few are known */
};

/* Over the newest runs of the plan, but for the one named except (may be NULL). */
void calibration_load(struct calibration *, const struct state *, const struct plan *,
	const char *except);
void range_scale(struct range *, double scale);

#endif
