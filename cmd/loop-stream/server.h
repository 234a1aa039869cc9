/*
 * server: what all connections share: the loop, the listeners, the limits, the
 * feed of events and the sweeps.
 */
#ifndef SERVER_H
#define SERVER_H

#include "feed.h"
#include "guard.h"
#include "link.h"
#include "state.h"

#include <uv.h>

enum { LISTENERS_MAX = 16 };

struct listener {
	uv_poll_t poll;
	struct server *server;
	int fd;
	bool unix_socket;
};

struct server_limits {
	/* ns, absolute deadlines: of a head, of a body, between requests */
	int64_t head, body, idle;
	int64_t keep_alive; /* ns between comments on a silent stream */
	int64_t body_max;   /* bytes */
	int64_t clients_max;
	int64_t message_max;   /* bytes of a WebSocket message */
	int64_t fragments_max; /* of one; 0: no bound */
	int64_t retry;	       /* ns to wait before one connects again */
	int64_t frame;	       /* ns between two frames; 0: nothing is folded */
	/* ns: of Engine.IO's heartbeat and change of transport; to join a namespace */
	int64_t ping_interval, ping_timeout, upgrade, connect;
	int64_t payload_max; /* bytes of an Engine.IO message or payload */
};

struct server_counts {
	uint64_t accepted, requests, refused, events, bytes;
};

struct server {
	uv_loop_t loop;
	const struct state *state; /* lent */
	struct server_limits limits;
	struct guard guard;
	struct feed feed;
	struct listener listener[LISTENERS_MAX];
	size_t listeners;
	struct link clients, streams, waiting;
	struct link sessions; /* of Engine.IO */
	struct map sessions_by_id;
	struct strs namespaces; /* of Socket.IO, besides "/" */
	bool echo;		/* the profile that protocol suites test */
	size_t client_count, stream_count, session_count;
	struct server_counts counts;
	struct journal writer; /* of what clients ask for */
	int64_t started;       /* clock_real */
	uint64_t round;	       /* of the loop: in each, what has come is read */
	int64_t swept;	       /* clock_now of the last sweep */
	int64_t flushed;       /* clock_now of the last fan-out */
	int64_t shown;	       /* the position that all were to be sent by it */
	struct fanout *fanout;
	uv_timer_t sweep, tick;
	uv_poll_t journal;
	uv_signal_t terminate, interrupt;
	bool stopping;
	char scratch[65536]; /* one read; between callbacks nothing stays in it */
};

/* Takes over listening descriptors; the feed is open. */
void server_init(struct server *, const struct state *, const int *listeners, size_t count);

/* Runs until it is told to stop, then ends what is open in order. */
void server_run(struct server *);

/* Whether what was taken in since the last fan-out soon pushes older events out of the feed. */
bool server_crowded(const struct server *);

/* A connection is gone. */
void server_forget(struct server *);

#endif
