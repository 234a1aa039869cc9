#include "server.h"

#include "address.h"
#include "clock.h"
#include "conn.h"
#include "die.h"
#include "eio.h"
#include "fanout.h"
#include "sio.h"
#include "io.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>

enum { SWEEP_MS = 200,
	ACCEPT_BURST = 64,
	PUMP_EVENTS = 4096 };

/* Between two fan-outs: what comes meanwhile goes out together, one write a client. */
#define TICK (5 * NS_PER_MS)
#define STOP_TIME (2 * NS_PER_S)

static void set_options(int fd, bool unix_socket)
{
	int on = 1;

	if (unix_socket)
		return;
	/* Neither can fail in a way that matters: they only make things faster or tidier. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

/* No room, or no descriptors: the backlog waits in the kernel until the next sweep. */
static void pause_listeners(struct server *s)
{
	for (size_t i = 0; i < s->listeners; i++)
		uv_poll_stop(&s->listener[i].poll);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
	struct listener *l = poll->data;
	struct server *s = l->server;

	(void)status;
	(void)events;
	for (int i = 1; (int64_t)s->client_count < s->limits.clients_max; i++) {
		int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
			break;
		if (fd < 0)
			return;
		set_options(fd, l->unix_socket);
		s->counts.accepted++;
		conn_open(s, fd);
		if (i == ACCEPT_BURST)
			return;
	}
	pause_listeners(s);
}

static void listen_all(struct server *s)
{
	if (s->stopping || (int64_t)s->client_count >= s->limits.clients_max)
		return;
	for (size_t i = 0; i < s->listeners; i++)
		uv_poll_start(&s->listener[i].poll, UV_READABLE, on_connection);
}

static void on_tick(uv_timer_t *);

/*
 * In how many ns what has come is handed on: what is urgent a tick after the last fan-out, what
 * folds with the next frame; but before the ring begins to lose what was not handed on yet.
 */
static int64_t due(const struct server *s)
{
	bool now = s->feed.urgent || server_crowded(s);

	return s->flushed + (now ? TICK : s->limits.frame) - clock_now();
}

static void plan(struct server *s)
{
	int64_t wait = MIN(due(s), MAX(TICK, s->limits.frame));

	uv_timer_start(&s->tick, on_tick, (uint64_t)(MAX(wait, NS_PER_MS) / NS_PER_MS), 0);
}

/* The journal began anew: of what it holds now nobody has seen anything. */
static void rewind_streams(struct server *s)
{
	s->feed.rewound = false;
	link_each(&s->streams, at)
		delivery_rewind(container_of(at, struct conn, link));
	link_each(&s->sessions, at)
		sio_rewind(container_of(at, struct eio, link));
}

static void fan_out(struct server *s)
{
	s->flushed = clock_now();
	s->feed.urgent = false;
	s->shown = s->feed.end;
	uv_timer_stop(&s->tick);
	fanout_all(&s->fanout, s);
	if (s->feed.rewound)
		rewind_streams(s);
	link_each(&s->waiting, at)
	{
		struct conn *c = container_of(at, struct conn, link);

		if (c->waiter->look)
			c->waiter->look(c);
		conn_go_on(c);
	}
	/* What came meanwhile not all have been sent. */
	if (s->shown != s->feed.end)
		plan(s);
}

/* Takes in what there is. */
static void pump(struct server *s)
{
	int n = feed_pump(&s->feed, PUMP_EVENTS);

	if (n < 0)
		warn("the journal cannot be read: %s", strerror(-n));
	if (s->feed.rewound)
		rewind_streams(s);
	if (n > 0 && n < PUMP_EVENTS && due(s) <= 0)
		fan_out(s);
	else if (n > 0)
		plan(s);
}

static void on_tick(uv_timer_t *timer)
{
	struct server *s = timer->data;

	fan_out(s);
	pump(s);
}

static void on_journal(uv_poll_t *poll, int status, int events)
{
	struct server *s = poll->data;

	(void)status;
	(void)events;
	if (journal_watched(s->feed.reader))
		pump(s);
}

static void expire(struct server *s, int64_t now)
{
	link_each(&s->clients, at)
	{
		struct conn *c = container_of(at, struct conn, link);

		if (c->deadline <= now)
			conn_expire(c);
	}
	link_each(&s->streams, at)
	{
		struct conn *c = container_of(at, struct conn, link);

		if (c->deadline <= now)
			conn_close(c);
		else
			delivery_keep_alive(c, now);
	}
	link_each(&s->waiting, at)
	{
		struct conn *c = container_of(at, struct conn, link);

		if (c->deadline <= now)
			conn_expire(c);
	}
}

static void on_sweep(uv_timer_t *timer)
{
	struct server *s = timer->data;
	int64_t now = clock_now();

	/* If we are late ourselves, what came in time is heard first, and judged next time. */
	expire(s, now - s->swept > 2 * SWEEP_MS * NS_PER_MS ? s->swept : now);
	s->swept = now;
	listen_all(s);
	pump(s);
}

/* Listens no more; what was asked is answered, what streams is ended. */
static void stop(struct server *s)
{
	int64_t limit = clock_after(STOP_TIME);

	s->stopping = true;
	pause_listeners(s);
	eio_end_all(s);
	link_each(&s->streams, at)
		conn_close(container_of(at, struct conn, link));
	link_each(&s->waiting, at)
		conn_expire(container_of(at, struct conn, link));
	link_each(&s->clients, at)
	{
		struct conn *c = container_of(at, struct conn, link);

		if (c->state == CONN_READING && intake_idle(c->intake))
			conn_close(c);
		else
			c->deadline = MIN(c->deadline, limit);
	}
}

static void on_signal(uv_signal_t *signal, int number)
{
	struct server *s = signal->data;

	if (s->stopping) {
		uv_signal_stop(signal); /* asked twice: as if we had never caught it */
		(void)raise(number);
	}
	stop(s);
}

static void add_listener(struct server *s, int fd)
{
	static const char control[] = "reno";
	struct listener *l = &s->listener[s->listeners++];
	int domain = 0;
	socklen_t size = sizeof domain;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0)
		die_errno(EX_OSERR, "a listening socket");
	*l = (struct listener){.server = s, .fd = fd, .unix_socket = domain == AF_UNIX};
	/* Nothing is congested within a machine: what thinks least about it sends soonest. */
	if (!l->unix_socket && address_local(fd))
		(void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, control, sizeof control - 1);
	if (uv_poll_init_socket(&s->loop, &l->poll, fd) < 0)
		die(EX_OSERR, "a listening socket cannot be watched");
	l->poll.data = l;
}

static void on_damage(void *context, int64_t position, const char *why)
{
	struct server *s = context;

	warn("%s/events.jsonl: position %lld: %s", s->state->path, (long long)position, why);
}

static void watch_journal(struct server *s)
{
	int fd = journal_watch(s->feed.reader);

	journal_on_damage(s->feed.reader, on_damage, s);
	s->journal.data = s;
	if (fd < 0 || uv_poll_init(&s->loop, &s->journal, fd) < 0)
		return; /* the sweep looks at it too */
	uv_poll_start(&s->journal, UV_READABLE, on_journal);
}

static void catch_signal(struct server *s, uv_signal_t *signal, int number)
{
	uv_signal_init(&s->loop, signal);
	signal->data = s;
	uv_signal_start(signal, on_signal, number);
}

void server_init(struct server *s, const struct state *state, const int *fds, size_t count)
{
	int r = io_loop_room();

	if (r < 0 || uv_loop_init(&s->loop) < 0)
		die(EX_OSERR, "the event loop: %s", strerror(r < 0 ? -r : EMFILE));
	s->state = state;
	s->started = clock_real();
	link_init(&s->clients);
	link_init(&s->streams);
	link_init(&s->waiting);
	link_init(&s->sessions);
	journal_init(&s->writer, state);
	for (size_t i = 0; i < count && i < LISTENERS_MAX; i++)
		add_listener(s, fds[i]);
	uv_timer_init(&s->loop, &s->sweep);
	uv_timer_init(&s->loop, &s->tick);
	s->sweep.data = s->tick.data = s;
	uv_timer_start(&s->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
	catch_signal(s, &s->terminate, SIGTERM);
	catch_signal(s, &s->interrupt, SIGINT);
	watch_journal(s);
	listen_all(s);
}

bool server_crowded(const struct server *s)
{
	return s->feed.end - s->shown > (int64_t)s->feed.size / 4;
}

void server_forget(struct server *s)
{
	s->client_count--;
}

static void close_handle(uv_handle_t *handle, void *unused)
{
	(void)unused;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void end(struct server *s)
{
	for (size_t i = 0; i < s->listeners; i++)
		close(s->listener[i].fd);
	/* Every connection is closed; what is left are the server's own handles. */
	uv_walk(&s->loop, close_handle, NULL);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	uv_loop_close(&s->loop);
	fanout_free(s->fanout);
	feed_close(&s->feed);
	journal_close(&s->writer);
	guard_clear(&s->guard);
}

void server_run(struct server *s)
{
	for (; !s->stopping || s->client_count || s->session_count; s->round++)
		uv_run(&s->loop, UV_RUN_ONCE);
	end(s);
}
