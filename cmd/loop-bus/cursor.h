/*
 * cursor: how far a durable subscriber has come: cursors/NAME holds the id of
 * the last event it has finished with, -1 before the first; of one in order of
 * priority, five more ids follow, a level's each, of which the first is the
 * least, so that either kind can go on where the other was. The file is locked
 * for as long as the subscriber is there, so there is one of a name at a time.
 */
#ifndef CURSOR_H
#define CURSOR_H

#include "err.h"
#include "state.h"

enum { CURSOR_LEVELS = 5 };

struct cursor {
	int fd;	    /* -1: none */
	char *name; /* its own */
	int64_t id;
	int64_t level[CURSOR_LEVELS]; /* all the same where there is no order of priority */
	bool fresh;		      /* it was made now */
};

/* How long a subscriber waits for one of its name that is ending, or was killed just now. */
#define CURSOR_PATIENCE (2 * NS_PER_S)

/* -EBUSY if somebody still has it after patience (ns); -EINVAL for a name that may not be. */
int cursor_open(struct cursor *, const struct state *, const char *name, int64_t patience,
	struct err *) MUST_CHECK;

/* Survives the death of the process, not a power cut: then events come again. */
int cursor_set(struct cursor *, int64_t id) MUST_CHECK;
int cursor_set_levels(struct cursor *, const int64_t id[CURSOR_LEVELS]) MUST_CHECK;
void cursor_close(struct cursor *);

/*
 * Where the subscriber goes on behind an event that it has finished with, the cursor's id or a
 * level's. -ENOENT with
 * what to do if the journal does not have that event any more, or never had it.
 */
int cursor_next(const struct cursor *, const struct state *, int64_t id, int64_t *position,
	struct err *) MUST_CHECK;

/* The id of the last event before a position; -1 if there is none. */
int64_t id_before(const struct state *, int64_t position);

#endif
