/*
 * feed: the journal as the bus hands it out: chunks of whole, checked lines,
 * each read and checked once for all who want it. The newest chunks are kept;
 * who lags behind them is served from a few others that are read again.
 */
#ifndef FEED_H
#define FEED_H

#include "event.h"
#include "journal.h"

/* One line of a chunk. */
struct entry {
	int64_t id;
	size_t offset, length; /* in the chunk's text, newline included */
};

struct chunk {
	int64_t start, end; /* positions; equal: unused */
	int fd;		    /* its own, of the segment that all its lines stand in; -1: none yet */
	int64_t base;	    /* the position of the segment's first byte */
	char *text;	    /* good lines, one behind the other */
	size_t length, room;
	struct entry *entry;
	size_t count, entries_room;
	struct event_view *view; /* of the first viewed entries; see chunk_view */
	size_t viewed, views_room;
	uint64_t used; /* when it was asked for last */
};

enum { FEED_NEWEST = 16,
	FEED_OTHERS = 4 };

struct feed {
	const struct state *state;
	struct journal_reader *tail, *again;
	struct chunk newest[FEED_NEWEST], other[FEED_OTHERS];
	size_t last;  /* the newest of the newest */
	bool pending; /* a line that was read and did not fit */
	struct journal_line line;
	uint64_t clock;
	uint64_t begun; /* how often the journal has begun anew */
};

/* Begins at the journal's end. */
int feed_open(struct feed *, const struct state *, struct err *) MUST_CHECK;
void feed_close(struct feed *);

/*
 * Reads on, about one chunk: 1 there may be more, 0 not until the journal's watch says so,
 * -errno.
 */
int feed_advance(struct feed *);

/*
 * Up to where it has read, and where its newest chunk begins. Both go back where the
 * journal is taken away and begins anew: then begun has moved, too.
 */
int64_t feed_end(const struct feed *);
int64_t feed_start(const struct feed *);

/*
 * The chunk that holds a position before feed_end; valid until the next call of feed_get
 * or feed_advance. -ERANGE: there is no such position any more.
 */
int feed_get(struct feed *, int64_t position, struct chunk **) MUST_CHECK;

/* The first entry at or behind a position; count if there is none. */
size_t chunk_find(const struct chunk *, int64_t position);
const struct event_view *chunk_view(struct chunk *, size_t i);

/* The entry that holds a byte of the chunk's text. */
size_t chunk_entry_at(const struct chunk *, size_t offset);

/* Whether these entries, the last included, stand side by side in the segment too. */
bool chunk_adjoins(const struct chunk *, size_t first, size_t last);

#endif
