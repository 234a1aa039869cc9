/* emit: what the parts of loop-emit share. */
#ifndef EMIT_H
#define EMIT_H

#include "event.h"
#include "journal.h"

struct emit {
	struct journal *journal;
	struct event event; /* what the options say of every event */
	bool bare;	    /* lines are data, the type was given */
	bool print;
	unsigned flags; /* for journal_append */
};

/*
 * The data that --data and operands KEY=VALUE and KEY:=JSON make, as JSON text in the
 * buffer; empty if there are none. A wrong one ends the program.
 */
void data_make(struct buf *, const char *json, char *const *pairs, size_t count);

/* The same of NAME=VALUE for further attributes: members with their commas in front. */
void attributes_make(struct buf *, const struct strs *pairs);

/*
 * Appends records and prints them where that was asked for. Warns where they are put
 * aside; -errno after a message where they are lost.
 */
int emit_records(const struct emit *, const struct span *records, size_t count, unsigned flags);

/* Appends the lines of a descriptor as they come, in batches; the exit status. */
int emit_lines(const struct emit *, int fd);

#endif
