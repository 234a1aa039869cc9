/*
 * tally: what the journal adds to a run: costs, and what each task is at.
 */
#ifndef TALLY_H
#define TALLY_H

#include "journal.h"
#include "run.h"

struct tally {
	struct journal_reader *reader;
	struct map sessions; /* what each has cost so far */
	int64_t cost;	     /* millionths of a dollar */
	bool priced;	     /* some session told its cost */
};

/* Reads the journal from its start: a run's events lie anywhere in it. */
int tally_open(struct tally *, const struct state *, struct err *) MUST_CHECK;
void tally_close(struct tally *);

/* Takes in what there is for this run; whether anything changed, or -errno. */
int tally_read(struct tally *, struct run *) MUST_CHECK;

/* One event that came otherwise; whether anything changed. Then nothing need be open. */
bool tally_take(struct tally *, struct run *, const char *text, size_t length);

#endif
