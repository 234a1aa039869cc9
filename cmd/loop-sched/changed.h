/*
 * changed: a run that goes on although the user's plan is not what it was. What
 * is different is told and asked about; the two are never mixed unsaid.
 */
#ifndef CHANGED_H
#define CHANGED_H

#include "run.h"

enum plan_changed {
	CHANGED_ASK,  /* where nobody can be asked, as fail */
	CHANGED_KEEP, /* goes on with the plan as it was */
	CHANGED_NEW,  /* takes the new one: what changed, and what needs it, is run again */
	CHANGED_FAIL,
};
extern const char *const plan_changed_words[];

/*
 * Compares the run's plan with its source, and does as is wished; ends the
 * program where the run is not to go on. After CHANGED_NEW the run has the new
 * plan, and anew marks the tasks of it that are other than they were.
 */
void plan_compare(struct run *, enum plan_changed);

#endif
