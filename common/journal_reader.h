/*
 * reader: what the parts of a journal's reader share. It is a position, and a
 * window onto the segment it is in.
 */
#ifndef JOURNAL_READER_H
#define JOURNAL_READER_H

#include "event.h"
#include "journal.h"

#include <limits.h>

enum { WINDOW = 256 * 1024,
	WINDOW_MAX = EVENT_MAX + 4096,
	WATCH_LATER = INT_MIN };

struct journal_reader {
	const struct state *state;
	int fd;	       /* the segment that holds at, or -1: there is none yet */
	int64_t base;  /* its first position */
	bool sealed;   /* rotated: it does not grow any more */
	bool inside;   /* at is inside a line that is too long: it is skipped up to its end */
	int64_t began; /* where that line began */
	bool drained;  /* the last read came to the end of what there was */
	bool renamed;  /* a segment has come, by the watch: the end may not be the journal's */
	int64_t at;

	char *window;
	size_t room, filled;
	int64_t start; /* the position of its first byte */
	int64_t whole; /* the position behind its last newline */

	uint64_t damaged;
	void (*report)(void *, int64_t, const char *);
	void *context;
	int watch; /* negative: there is none */
};

void reader_damage(struct journal_reader *, int64_t position, const char *why);
bool reader_line_good(struct journal_reader *, const struct journal_line *);

/* Takes over a segment's descriptor; the window is empty then. */
void reader_set_segment(struct journal_reader *, int fd, int64_t base, bool newest);

/* Opens the segment that holds the position: 1 done, 0 there is none yet. */
int reader_open_segment(struct journal_reader *);

/* Fills the window with what stands at a position; how many bytes that were. */
ssize_t reader_fill(struct journal_reader *, int64_t from, size_t length);

/* The same at its place, with one call where that brings a whole line. */
ssize_t reader_read_on(struct journal_reader *);

/* A larger window; false if it is as large as it may be. */
bool reader_grow(struct journal_reader *);

/* The line that ends at the position, from the window; false if its beginning is not in there. */
bool reader_last_line(struct journal_reader *, struct journal_line *);

/* Fills the window with what stands before the position: 1 done, 0 nothing does. */
int reader_retreat(struct journal_reader *);

#endif
