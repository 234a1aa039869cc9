/*
 * again: a run that goes on where another process left it.
 */
#ifndef AGAIN_H
#define AGAIN_H

#include "run.h"

enum again { TO_RESUME,
	TO_RETRY, /* what failed is pending again */
	TO_TAKE_BACK /* nothing is run, what succeeded is undone */ };

/* Gives the nodes the states they are in by run.jsonl and by the kernel, and says what will be
 * done. Ends the program if that cannot be. */
void run_again(struct run *, enum again);

#endif
