/*
 * recover: what a session had used when nobody was left to write it down, from
 * the end of its events.
 */
#ifndef RECOVER_H
#define RECOVER_H

#include "base.h"

struct used {
	int64_t input, output;
	double cost;
	bool cost_known;
	int64_t heard; /* the time of the newest event; ns since the epoch, 0: none */
};

/*
 * Tells when the newest event was, and adds what the attempt has used by its
 * newest usage event; of a conversation that was gone on with, whose sums hold
 * what was before, takes the larger. Reads a bounded piece of the end of
 * events.jsonl in folder.
 */
void recover_usage(int folder, int64_t attempt, struct used *);

#endif
