/*
 * conn: one client's connection. It reads requests one at a time, answers them
 * in order, and closes so that the answer arrives. Once it has become a stream,
 * all that is left of it is its descriptor and its place in the journal.
 */
#ifndef CONN_H
#define CONN_H

#include "link.h"
#include "reply.h"
#include "request.h"
#include "delivery.h"

#include <uv.h>

struct server;
struct route;
struct ws;

/* Who answers a request that waits for something. */
struct waiter {
	void (*look)(struct conn *);   /* there are new events: may answer; NULL: no matter */
	void (*expire)(struct conn *); /* the time is over: answers */
	void (*gone)(struct conn *);   /* it was not answered and never will be */
};

enum conn_state { CONN_READING,
	CONN_WAITING,	/* for something to answer with */
	CONN_REPLYING,	/* an answer is going out; what comes in waits */
	CONN_STREAMING, /* events, until one side ends it */
	CONN_LINGERING, /* our side is closed; what still comes in is thrown away */
	CONN_CLOSED };

struct conn {
	uv_poll_t poll;
	struct server *server;
	struct link link; /* in the server's list of streams, or of the others */
	int64_t deadline; /* clock_now; of whatever it is doing, absolute */
	int fd;
	int watched; /* UV_READABLE, UV_WRITABLE */
	enum conn_state state;
	bool last; /* no further request after this answer */
	struct intake *intake;
	const struct route *route;
	const struct waiter *waiter;
	void *owner;	      /* what it waits for, or whom its WebSocket belongs to; the owner's */
	struct span part;     /* of the path, that its route leaves open */
	struct buf out, rest; /* to be sent; received and not yet looked at */
	size_t sent;	      /* of out */
	struct delivery delivery;
	struct ws *ws; /* NULL: server-sent events */
};

/* Takes over a connected descriptor. */
void conn_open(struct server *, int fd);

/* Answers the request at hand. */
void conn_reply(struct conn *, const struct reply *);

/* The same with one line of text as its body. */
void conn_reply_text(struct conn *, int status, const char *text);

/* A head that was made elsewhere, with which the connection ends. */
void conn_reply_raw(struct conn *, const struct buf *head);

/* A JSON document, status 200. */
void conn_reply_json(struct conn *, const struct buf *);

/* The name that the path's open segment is; false, and answered with 404, if it is none. */
bool conn_name(struct conn *, char out[129]);

/* Keeps the request, which somebody will answer, at the latest after so long. */
void conn_wait(struct conn *, const struct waiter *, int64_t timeout);

/* After an answer that was not given from within a handler. */
void conn_go_on(struct conn *);

/* Answers with a head and turns into a stream: nothing of the request is kept. */
void conn_become_stream(struct conn *, const struct buf *head);

/* No more of it: our side is closed when what is in out has gone, and the rest is not heard. */
void conn_end_stream(struct conn *);

/* Sends what is in out; whether all of it went. */
bool conn_flush(struct conn *);

/*
 * Sends what the kernel takes at once: the bytes taken, 0 when it is full (the
 * connection is then watched for room), -1 when the client is gone; the
 * connection is then closed.
 */
ssize_t conn_send(struct conn *, const struct iovec *, size_t count);

/* So much of it was sent by somebody else: bytes, or -errno; answers as conn_send. */
ssize_t conn_sent(struct conn *, ssize_t n);

/* Calls us back when there is room. */
void conn_want_room(struct conn *, bool);

/* The deadline has passed. */
void conn_expire(struct conn *);

/* Ends it at once. */
void conn_close(struct conn *);

#endif
