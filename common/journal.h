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

/* Rotated when a segment is this large, or $LOOP_JOURNAL_SEGMENT. */
#define JOURNAL_SEGMENT (64 * INT64_C(1048576))
#define JOURNAL_LOCK_WAIT (2 * NS_PER_S)

struct journal {
	const struct state *state; /* lent */
	int fd;			   /* the newest segment as last seen, or -1 */
	ino_t inode;		   /* which file that is */
	dev_t device;		   /* and where */
	int64_t limit;		   /* the size at which it is rotated */
	int64_t base;		   /* the position of its first byte */
	int64_t whole;		   /* bytes of it known to be whole lines; -1: not known */
	int64_t wait;		   /* ns for the lock: JOURNAL_LOCK_WAIT, or less for a daemon */
};

void journal_init(struct journal *, const struct state *);
void journal_close(struct journal *);

enum journal_flags {
	JOURNAL_SYNC = 1, /* on disk before it is acknowledged */
	JOURNAL_LAST = 2, /* the process ends now, and gives the lock back by that */
};

/* What became of an append. */
struct appended {
	int64_t first; /* the id of the first record; -1 if it was spooled */
	int64_t next;  /* the position behind the last that was appended */
	size_t count;  /* how many were appended: the first ones */
	bool spooled;  /* the others are put aside in spool/, and taken in with the next append */
	int why;       /* -errno: why they could not be appended now */
};

/*
 * Appends records (event.h). May wait for the lock; where it is
 * not had, or the disk is full, the records go to spool/ and that is success with
 * spooled set. Otherwise -errno: what count does not say was not acknowledged.
 * Whole lines that readers may have seen are never taken back, so a disk that
 * fills up in the middle of many records can leave the first of them appended.
 */
int journal_append(struct journal *, const struct span *records, size_t count, unsigned flags,
	struct appended *, struct err *) MUST_CHECK;

/* The lines that records become at a position, added to the buffer. */
void journal_lines(struct buf *, const struct span *records, size_t count, int64_t position);

/* The position behind the line that a record becomes at a position: the id of the next one. */
int64_t journal_behind(int64_t position, struct span record);

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

/* The same backwards: 1 and the line before the position, which moves there; 0 at the beginning. */
int journal_read_back(struct journal_reader *, struct journal_line *) MUST_CHECK;

/* Where the next line will be read: to be kept as a cursor. */
int64_t journal_position(const struct journal_reader *);

/* Whether a next line, good or not, has been read from the file already. */
bool journal_ready(const struct journal_reader *);

/*
 * Whether all that has been read is handed out, and the last read came to the journal's
 * end: there is no more until the watch says so.
 */
bool journal_drained(const struct journal_reader *);

/*
 * The segment that the line read last stands in, lent until the next call, and the position
 * of its first byte.
 */
int journal_segment(const struct journal_reader *, int64_t *base);

/* How many lines were stepped over, and each of them as it is found: where it stands and why. */
uint64_t journal_damaged(const struct journal_reader *);
void journal_on_damage(struct journal_reader *,
	void (*report)(void *context, int64_t position, const char *why), void *context);

/*
 * A descriptor that polls readable when the journal may have grown (inotify; the
 * kernel has few of them, so a process with many readers asks one), or -1 where
 * there is none: poll by time then. journal_watched takes in what made it
 * readable: whether it was the journal.
 */
int journal_watch(struct journal_reader *);
bool journal_watched(struct journal_reader *);

/* Sleeps on it: 1 something may be there, 0 the deadline (clock_now) passed, -EINTR: a signal. */
int journal_wait(struct journal_reader *, int64_t deadline);

/*
 * One event, made and appended: the common case. Warns once a process instead of failing
 * when it cannot.
 */
struct event;
void journal_emit(struct journal *, const struct event *);

#endif
