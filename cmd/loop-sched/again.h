/*
 * again: a run that goes on where another process left it.
 */
#ifndef AGAIN_H
#define AGAIN_H

#include "run.h"

/* Gives the nodes the states they are in by run.jsonl and by the kernel, and says what will be
 * done. With retry, what failed is pending again. */
void run_again(struct run *, bool retry);

#endif
