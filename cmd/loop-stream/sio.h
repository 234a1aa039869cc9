/*
 * sio: Socket.IO v5 over Engine.IO. A socket is a client's place in one
 * namespace; a session may have several. What events mean is a profile's: ours
 * (sio_serve.c), or the echo that protocol suites test (sio_echo.c).
 */
#ifndef SIO_H
#define SIO_H

#include "eio.h"
#include "err.h"
#include "lookup.h"
#include "sio_packet.h"

struct sio;

struct sio_socket {
	struct link link; /* in its session's list */
	struct sio *session;
	char *name_space;
	char id[EIO_ID + 1];
	/* ours: which events it gets, and whether it may change anything */
	struct filter *filter;
	int64_t position;
	bool trusted;
	struct lookups lookups;
	struct buf auth; /* the echo's: what it has not sent back yet */
};

/* What a client sent: its name and arguments as JSON text, and what was attached. */
struct sio_event {
	struct sio_parts parts;
	struct span id; /* empty: no answer is wanted */
	const struct buf *attachment;
	size_t attachments;
};

struct sio_profile {
	/* Wants to connect, with this object or none: false, and the reason to refuse it. */
	bool (*admit)(struct sio_socket *, struct span auth, struct err *);
	void (*connected)(struct sio_socket *, struct span auth);
	void (*event)(struct sio_socket *, const struct sio_event *);
	void (*gone)(struct sio_socket *); /* the socket is: NULL: nobody asks */
	bool (*more)(struct sio_socket *); /* as eio_user's */
	bool (*knows)(const struct server *, struct span name_space);
};

extern const struct sio_profile sio_serve, sio_echo;

/* Whom a request's path belongs to; NULL if to nobody in this profile. */
const struct eio_user *sio_user(const struct conn *);

struct server *sio_server(const struct sio_socket *);

/* The profile has more to send, once the client has read what it was sent: then it is awake. */
void sio_wake_when_read(struct sio_socket *, int64_t at_the_latest);
bool sio_awake(const struct sio_socket *);

/* Sends what waits: for who answers later than from within event or more. */
void sio_flush(struct sio_socket *);

size_t sio_queued(const struct sio_socket *); /* bytes that wait to be sent */

/* The name is JSON text, the arguments are, with commas between them. */
void sio_emit(struct sio_socket *, const struct sio_event *);

/* The answer to an event; nothing if it wants none. */
void sio_answer(struct sio_socket *, const struct sio_event *, const struct sio_event *answer);

/* The journal began anew. */
void sio_rewind(struct eio *);

#endif
