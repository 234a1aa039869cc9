/*
 * server: the bus as a process. One loop, one thread; the journal is read once
 * for all subscribers. A subscriber is a position in the journal and costs no
 * memory for what it has not read.
 */
#ifndef SERVER_H
#define SERVER_H

#include "cursor.h"
#include "feed.h"
#include "filter.h"
#include "lines.h"

#include <uv.h>

/* The levels of priority: a subscriber in order of priority has a position for each. */
enum { LEVELS = CURSOR_LEVELS };

struct subscription {
	struct filter filter;
	bool on, by_priority;
	int64_t at[LEVELS];   /* the next event to look at; only the first where not by priority */
	int64_t last[LEVELS]; /* the last event that was sent whole; -1: none */
	int64_t partial;      /* the event of which a part was sent, -1: none */
	size_t sent;	      /* bytes of it */
	struct cursor cursor;
	uint64_t delivered;
};

struct server;

struct client {
	struct server *server;
	struct client *next, **link;
	uv_poll_t poll;
	int fd;
	pid_t pid;
	int64_t since;	   /* clock_now */
	bool ready;	   /* wants a turn */
	bool blocked;	   /* its socket is full */
	bool held;	   /* its answers are many: no request is taken until they are gone */
	int events;	   /* what its poll asks for */
	bool spoken;	   /* it has sent a request */
	size_t unanswered; /* its events that are gathered and not appended yet */
	struct lines in;
	struct buf out; /* answers that are not sent yet */
	struct subscription sub;
};

/* Records that came in one read, appended together. */
struct intake {
	struct buf text;
	size_t *end;
	int64_t *id; /* after a flush: what each became; -1: spooled, or lost */
	size_t count, room, id_room;
	unsigned flags;
};

struct server {
	uv_loop_t loop;
	const struct state *state;
	struct journal journal;
	struct feed feed;
	struct intake intake;
	struct client *clients;
	size_t count;
	uint64_t accepted, published, refused;
	uv_idle_t work;
	uv_poll_t watch, listener, fifo;
	uv_timer_t tick;
	uv_signal_t term, interrupt;
	struct lines fifo_in;
	int64_t fifo_at; /* clock_now of the last bytes from there */
	int listen_fd, fifo_fd, spare_fd;
	bool inherited; /* the listener: its name is its maker's */
	int status;
};

/* client.c */
void client_new(struct server *, int fd, pid_t);
void client_close(struct client *); /* the client is gone when this returns */
void client_turn(struct client *);  /* lets it send; it may be gone afterwards */

/* request.c: one line of the protocol; its answer goes to client->out. */
void request(struct client *, char *line, size_t length);
void request_end(struct client *); /* no further line now: what was gathered is appended */
void answer_error(struct client *, const char *text);

/*
 * outlet.c: sends what there is, about a chunk: 1 there may be more to send at once, 0 not
 * now, -errno the client is lost.
 */
int outlet_turn(struct client *);

/* The place of a priority among the levels. */
int level_of(enum priority);

/* intake.c: records are gathered, then appended; what is told is how it went. */
int intake_event(struct server *, const char *line, size_t length, struct err *) MUST_CHECK;
int intake_words(struct server *, char *line, struct err *) MUST_CHECK;
int intake_flush(struct server *, struct appended *, struct err *) MUST_CHECK;

/* fifo.c */
int fifo_open(struct server *, struct err *) MUST_CHECK;
void fifo_close(struct server *);
void fifo_tick(struct server *, int64_t now); /* gives up a line whose end does not come */

/* serve.c: lets everybody who has something to do have a turn. */
void server_wake(struct server *);

#endif
