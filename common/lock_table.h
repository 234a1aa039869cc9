/*
 * lock_table: the text of locks/NAME.lk, so that cat shows the queue: lines of
 * 128 bytes, blanks at their ends; first the head, then the columns' names, then
 * one line a waiter or holder, which keeps its place as long as it lives. The
 * text orders the queue and tells who is who; it owns nothing (lock_bytes.h).
 * All of this is called with the guard held, but for reading by onlookers.
 */
#ifndef LOCK_TABLE_H
#define LOCK_TABLE_H

#include "base.h"
#include "parse.h"

enum { LOCK_LINE = 128,
	LOCK_FIRST_ROW = 2, /* the lines before: head, columns */
	LOCK_ROWS_MAX = 4096,
	LOCK_LABEL = 23 + 1 };

#define LOCK_TICKETS INT64_C(1000000000000) /* tickets and tokens are below: twelve digits */

struct lock_head {
	int64_t capacity; /* units; 1 is a plain lock */
	int64_t ticket;	  /* the next one's */
	int64_t token;	  /* the next holder's */
	int64_t waits;	  /* holds that had to be waited for: how many, in all, the longest */
	int64_t waited_ms, longest_ms;
	char changed[TIME_SIZE]; /* RFC 3339, milliseconds */
};

enum lock_state {
	LOCK_NOBODY, /* a line to be used again */
	LOCK_WAITS,
	LOCK_HOLDS,
	LOCK_TOLD,	/* holds, after a wait that was told of: so its end is to be told, too */
	LOCK_HANGS,	/* waits, but did not take its turn: stepped over until it stirs */
	LOCK_CANCELLED, /* waits, and is to give up */
	LOCK_SUSPECTED, /* waits, and is to look whether it is in a deadlock */
};

struct lock_row {
	size_t line; /* in the file; 0: not in it */
	enum lock_state state;
	int64_t ticket, token;
	int64_t key; /* the place in the queue, smallest first: milliseconds */
	int64_t priority, units, pid;
	int64_t start; /* the process's, in clock ticks since boot */
	int64_t slot;
	char since[TIME_SIZE]; /* of the waiting or holding */
	char label[LOCK_LABEL];
};

/* Zeroed is empty. */
struct lock_table {
	struct lock_head head;
	struct lock_row *row; /* those in use, in the file's order */
	size_t count, capacity;
	bool holders_only; /* the caller's wish: rows of waiters are counted, not read */
	size_t waiters;	   /* how many were */
	char *text;
	size_t room;
};

/*
 * Reads it all: 0; -ENODATA if the file is empty; -EBADMSG if the head is not
 * one (the rows are read all the same); -ENOTSUP if it is of another version;
 * or another -errno. A row that is not one counts as unused.
 */
int lock_table_read(struct lock_table *, int fd, size_t size) MUST_CHECK;
void lock_table_clear(struct lock_table *);

/* The head alone, without the guard: 0 or -errno as above. */
int lock_table_peek(struct lock_head *, int fd) MUST_CHECK;

/* A new head: with its columns' line; what stands behind is left as it is. */
int lock_table_start(struct lock_table *, int fd) MUST_CHECK;

/* One line each, with the time of the change. */
int lock_table_write_head(struct lock_table *, int fd) MUST_CHECK;
int lock_row_write(const struct lock_row *, int fd) MUST_CHECK;

/* Whether the line of this row still says what we wrote there. */
bool lock_row_stands(const struct lock_row *, int fd);

/* The row of this ticket; NULL if there is none. */
struct lock_row *lock_table_find(const struct lock_table *, int64_t ticket);

/* Marks the row's line as unused, here and in the file. */
int lock_row_drop(struct lock_row *, int fd) MUST_CHECK;

/* An unused line; 0 if the table is full. */
size_t lock_table_line(const struct lock_table *);

/* The key of one that comes now: a step of priority (25) is worth a minute of waiting. */
int64_t lock_key(int64_t arrival, int64_t priority);

/* When the waiter came, in milliseconds of the monotonic clock. */
int64_t lock_row_arrival(const struct lock_row *);

/* Whether a leaves the queue before b. */
bool lock_row_before(const struct lock_row *a, const struct lock_row *b);

/* Whether the state is one of waiting, or of holding. */
bool lock_row_waits(const struct lock_row *);
bool lock_row_holds(const struct lock_row *);

/* Now, and any text, as the table has them. */
void lock_since(char out[TIME_SIZE]);
void lock_label(char out[LOCK_LABEL], const char *text);

#endif
