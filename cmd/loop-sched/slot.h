/*
 * slot: where an attempt works before it is known whether it leaves anything.
 * Making and naming files is what a short task would cost most, so the folder
 * and the two logs are those that an attempt before left as it found them:
 *
 *	slots/3  slots/3.out  slots/3.err
 *
 * What was written into is moved to tasks/TASK/N, N.out, N.err, at the latest
 * when the attempt has run for a moment; its own name for the folder goes on
 * to lead there.
 */
#ifndef SLOT_H
#define SLOT_H

#include "base.h"

#include <sys/types.h>

struct run;

struct slot {
	bool taken;	 /* an attempt works in it */
	bool made;	 /* folder and logs are there, and as they were made */
	bool moved;	 /* they are the attempt's own by now, under tasks/ */
	unsigned number; /* its name */
	int folder;	 /* descriptors of what is there */
	int out, error;
	int64_t due;	 /* when it is moved (clock_now) */
	ino_t task_file; /* what it was when we wrote it */
};

#define SLOT_NONE                                                       \
	(struct slot)                                                   \
	{                                                               \
		.folder = -1, .out = -1, .error = -1, .due = NS_FOREVER \
	}

/* Makes the slot ready for an attempt of this task; -errno. */
int slot_take(struct run *, struct slot *, uint32_t task) MUST_CHECK;

/* Moves everything to where the attempt's things are kept; -errno. */
int slot_move(struct run *, struct slot *, uint32_t task);

/* The attempt has ended: what it wrote is moved, or everything where all is to be kept. */
void slot_end(struct run *, struct slot *, uint32_t task, bool all);

/* Bytes that the attempt has written to its logs. */
off_t slot_output(const struct slot *);

/* At the end of a run: what is left of the slots goes. */
void slots_clear(struct run *);

#endif
