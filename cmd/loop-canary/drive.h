/*
 * drive: carries a rollout on from wherever it stands to its end. What it is about to do is on
 * disk before it does it, so whoever drives it next does it again: commands must bear that.
 */
#ifndef DRIVE_H
#define DRIVE_H

#include "record.h"

enum {
	EXIT_ROLLED_BACK = 1,
	EXIT_ROLLBACK_FAILED = 69,
};

/* The rollout is locked. The exit status at its end, or EX_TEMPFAIL: paused, and not to wait. */
int drive(struct record *, bool waits);

#endif
