/*
 * spool: records that could not be appended (a hung writer, a full disk), put
 * aside as a file each in spool/. Whoever appends next takes them in, under the
 * append lock, each line exactly once whenever it is killed: before the lines
 * are appended the file is renamed to NAME.SKIP.POSITION (SKIP of its lines are
 * in the journal already, the others are being appended at POSITION), so that
 * the next taker can look there.
 */
#ifndef SPOOL_H
#define SPOOL_H

#include "buf.h"
#include "jscan.h"
#include "state.h"

/* Puts records (event.h) aside; on disk when it returns 0. */
int spool_put(const struct state *, const struct span *records, size_t count) MUST_CHECK;

/* The files that are there, one at a time, the oldest first. */
struct spool {
	int dir;
	struct strs names;
	size_t next;

	/* The file at hand. */
	char name[128]; /* as it is now */
	struct buf text;
	struct span *record; /* lent from text */
	size_t count, capacity;
	size_t skip;	  /* records that are in the journal already */
	int64_t position; /* where the others were being appended; -1: nowhere yet */
};

/* False if nothing was put aside; costs one system call then. */
bool spool_open(struct spool *, const struct state *);
bool spool_next(struct spool *); /* false if there is no further one */
int spool_claim(struct spool *, int64_t position) MUST_CHECK;
void spool_done(struct spool *); /* all its records are in */
void spool_close(struct spool *, const struct state *);

#endif
