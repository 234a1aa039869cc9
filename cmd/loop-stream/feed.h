/*
 * feed: the journal's newest events as they go to clients, formatted once for
 * all of them. A ring of texts: clients that keep up are served from it, the
 * others from the journal.
 */
#ifndef FEED_H
#define FEED_H

#include "event.h"
#include "filter.h"
#include "journal.h"
#include "map.h"

/* One event in the ring. */
struct feed_event {
	int64_t id, next; /* its place, and the place behind it */
	const char *text; /* as server-sent event */
	size_t length;
	struct span line; /* of it: the event alone */
	struct topic topic;
	uint64_t newer; /* number of the event that stands for it; 0: it stands for itself */
};

struct feed {
	const struct state *state; /* lent */
	struct journal_reader *reader;
	char *text;
	size_t size, head; /* of text; where the next event goes */
	struct feed_event *event;
	size_t capacity;      /* a power of two */
	uint64_t first, last; /* numbers of the oldest event and of the one behind the newest */
	int64_t start, end;   /* positions in the journal that the ring covers */
	bool rewound;	      /* the journal began anew; for the caller to clear */
	bool urgent;	      /* it took in what does not wait; for the caller to clear */
	bool folds;	      /* whether events of low priority are folded */
	struct map newest;    /* of those that fold, by topic */
};

int feed_open(struct feed *, const struct state *, size_t size, struct err *) MUST_CHECK;
void feed_close(struct feed *);

/* Takes in what the journal has; the number of events, at most max, or -errno. */
int feed_pump(struct feed *, int max);

/* The number of the first event at or behind a position that is not before start. */
uint64_t feed_find(const struct feed *, int64_t position);
const struct feed_event *feed_at(const struct feed *, uint64_t number);

/* An event of the journal as a server-sent one, added to the buffer; -EINVAL if it is none. */
int feed_format(const struct journal_line *, struct topic *, struct buf *out) MUST_CHECK;

#endif
