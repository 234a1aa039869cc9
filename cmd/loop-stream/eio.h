/*
 * eio: Engine.IO v4: sessions of messages over WebSocket, or over HTTP where
 * that is all there is, and from one to the other in the middle. Deadlines are
 * absolute: a session ends exactly so long after the client was last heard as
 * the two of them agreed on. Source: the Engine.IO protocol, revision 4.
 */
#ifndef EIO_H
#define EIO_H

#include "conn.h"

enum { EIO_ID = 24 };

struct eio;

/* What is said over a session; a table for Socket.IO, and one for an echo. */
struct eio_user {
	void (*open)(struct eio *);
	void (*message)(struct eio *, bool binary, struct span);
	bool (*more)(struct eio *); /* nothing waits to be sent: may send; whether there is more */
	void (*gone)(struct eio *); /* frees what it keeps in context */
};

struct eio {
	struct link link; /* in the server's list */
	struct server *server;
	const struct eio_user *user;
	void *context; /* the user's */
	char id[EIO_ID + 1];
	struct conn *poll;   /* a GET that waits for packets, or NULL */
	struct conn *socket; /* its WebSocket; NULL: it is on polling */
	struct conn *probe;  /* a WebSocket that may take over */
	struct buf queue;    /* packets to be sent (eio_packet.h) */
	uv_timer_t timer;
	/* clock_now */
	int64_t ping_at, expires, probe_expires;
	int64_t content_by; /* the user's own deadline, NS_FOREVER: none */
	int64_t more_at;    /* when the user will have more to send */
	unsigned doubts;    /* how often its time was found to be over */
	bool pinged;	    /* the ping is due, and was queued */
	bool asked;	    /* it went out */
	bool asks_if_read;  /* its WebSocket is pinged behind what is sent */
	bool probed;	    /* the probe was answered: polls are let go */
	bool closed;	    /* it is told to nobody any more, and freed soon */
	bool client_left;   /* the client said so */
};

/* A session of its own; NULL if there are too many. */
struct eio *eio_new(struct server *, const struct eio_user *);

/* The session of this id if it still lives. */
struct eio *eio_find(struct server *, struct span id);

/* Sends a message; it goes when whoever runs us is through with it. */
void eio_send(struct eio *, bool binary, struct span);

/* The user will have more to send so much later. */
void eio_wake(struct eio *, int64_t after);

/* The same once the client has read what was sent so far, as far as that can be known. */
void eio_wake_when_read(struct eio *, int64_t at_the_latest);

/* Takes a packet as it came: its type and what belongs to it. */
void eio_take(struct eio *, char type, struct span);

/* Ends it, soon; nothing is heard or sent any more. May be called from anywhere. */
void eio_close(struct eio *);

/* Sends what waits, where it can be sent. */
void eio_flush(struct eio *);

/* For eio_http.c and eio_ws.c: looks at the deadlines anew; its handshake. */
void eio_arm(struct eio *);
void eio_hello(const struct eio *, bool can_upgrade, struct buf *out);

/* The server ends. */
void eio_end_all(struct server *);

/* The handlers of /socket.io/ and /engine.io/, every method. */
void eio_answer(struct conn *);

/* HTTP's side (eio_http.c): answers the poll that waits, if there is anything to tell. */
void eio_answer_poll(struct eio *);

/* WebSocket's side (eio_ws.c): answers a request for one, for a new session or a given one. */
void eio_upgrade(struct conn *, struct eio *, const struct eio_user *);
void eio_drop_socket(struct conn *);

#endif
