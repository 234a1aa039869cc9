/*
 * journal: the append-only truth. events.jsonl in the state directory is its
 * newest segment, events.FIRST.jsonl the older ones; an event's id is the byte
 * position of its line over all of them. Writers meet in a flock(2) with a
 * deadline; whole lines go in with one writev; readers hold nothing but their
 * position.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include "err.h"
#include "jscan.h"
#include "state.h"

#define JOURNAL_SEGMENT \
	INT64_C(67108864) /* rotated when a segment is this large: 64 MiB, or                      \
			     $LOOP_JOURNAL_SEGMENT */
#define JOURNAL_LOCK_WAIT (2 * NS_PER_S)

struct journal {
	const struct state *state; /* lent */
	int fd;			   /* the newest segment as last seen, or -1 */
	int64_t base;		   /* the position of its first byte */
};

void journal_init(struct journal *, const struct state *);
void journal_close(struct journal *);

enum journal_flags { JOURNAL_SYNC = 1 /* on disk before it is acknowledged */ };

/* What became of an append. */
struct appended {
	int64_t first; /* the id of the first record; -1 if spooled */
	int64_t next;  /* the position behind the last */
	bool spooled;  /* put aside in spool/: acknowledged, and taken in by the next append */
};

/*
 * Appends records (event.h), all or none of them. May wait JOURNAL_LOCK_WAIT
 * for the lock; where it is not had, or the disk is full, the records go to
 * spool/ and that is success with spooled set. Otherwise -errno: nothing was
 * acknowledged.
 */
int journal_append(struct journal *, const struct span *records, size_t count, unsigned flags,
	struct appended *, struct err *) MUST_CHECK;

/* A reader's place. Zeroed is not yet opened. */
struct journal_reader;

enum journal_from { JOURNAL_FROM_START,
	JOURNAL_FROM_NOW,
	JOURNAL_FROM_ID };

/*
 * Opens for reading. FROM_ID: the position is where the next event read starts
 * (an id read before, plus its line's length; or an event's own id to read it
 * again). A position that lies before the oldest segment, behind the end, or
 * inside a line is -ERANGE with the reason; a missing journal is an empty one.
 */
int journal_reader_new(struct journal_reader **, const struct state *, enum journal_from,
	int64_t id, struct err *) MUST_CHECK;
void journal_reader_free(struct journal_reader *);

/* One event as it stands: the line without its newline, lent until the next call. */
struct journal_line {
	const char *text;
	size_t length;
	int64_t id;
};

/*
 * 1 and the next whole line, 0 if there is none yet, -errno. Crosses rotations.
 * A line that is not JSON or whose id is not its place is stepped over and
 * counted; a last line without its newline is not there yet.
 */
int journal_read(struct journal_reader *, struct journal_line *) MUST_CHECK;

/* Where the next line will be read: to be kept as a cursor. */
int64_t journal_position(const struct journal_reader *);
uint64_t journal_damaged(const struct journal_reader *);

/*
 * A descriptor that polls readable when the journal may have grown (inotify,
 * shared by all readers of a process), or -1 where there is none: poll by
 * time then. journal_wait sleeps on it: 1 something may be there, 0 the
 * deadline (clock_now) passed, -EINTR a signal came.
 */
int journal_watch(struct journal_reader *);
int journal_wait(struct journal_reader *, int64_t deadline);

/* One event, made and appended: the common case. Warns once a process instead of failing when it
 * cannot. */
struct event;
void journal_emit(struct journal *, const struct event *);

#endif
