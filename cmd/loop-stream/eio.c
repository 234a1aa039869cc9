/*
 * A session is ended in two steps: it is closed to everybody at once, and what
 * belongs to it (a request that waits, a WebSocket) is let go by its timer, from
 * the loop. So it can be ended from anywhere, in the middle of its own packets
 * and while others walk over connections.
 */
#include "eio.h"

#include "clock.h"
#include "eio_packet.h"
#include "id.h"
#include "mem.h"
#include "server.h"
#include "ws.h"

enum { QUEUE_MAX = 16 << 20, /* bytes that wait for a client that does not fetch them */
	DOUBTS_MAX = 3 };

static int64_t nearest(const struct eio *s)
{
	int64_t next = MIN(MIN(s->expires, s->content_by), s->more_at);

	if (s->probe)
		next = MIN(next, s->probe_expires);
	return s->pinged ? next : MIN(next, s->ping_at);
}

static void on_timer(uv_timer_t *);

/* What is due has its turn in the loop's next round: others, and what came in, before it. */
void eio_arm(struct eio *s)
{
	int64_t next = s->closed ? clock_now() : nearest(s);

	uv_update_time(&s->server->loop);
	uv_timer_start(&s->timer, on_timer, (uint64_t)MAX(clock_poll_timeout(next), 1), 0);
}

/* The client was heard: the next ping, and the last moment for its answer. */
static void beat(struct eio *s)
{
	const struct server_limits *l = &s->server->limits;

	s->pinged = s->asked = false;
	s->ping_at = clock_after(l->ping_interval);
	s->expires = s->ping_at + l->ping_timeout;
}

struct eio *eio_new(struct server *server, const struct eio_user *user)
{
	unsigned char bytes[EIO_ID / 2];
	struct eio *s;

	if ((int64_t)server->sessions_by_id.count >= server->limits.clients_max)
		return NULL;
	s = mem_zero(1, sizeof *s);
	s->server = server;
	s->user = user;
	s->content_by = s->probe_expires = s->more_at = NS_FOREVER;
	id_random(bytes, sizeof bytes);
	for (size_t i = 0; i < sizeof bytes; i++)
		snprintf(s->id + 2 * i, 3, "%02x", bytes[i]);
	uv_timer_init(&server->loop, &s->timer);
	s->timer.data = s;
	server->session_count++;
	link_add(&server->sessions, &s->link);
	map_add(&server->sessions_by_id, s->id, EIO_ID, s);
	beat(s);
	user->open(s);
	eio_arm(s);
	return s;
}

static void on_freed(uv_handle_t *handle)
{
	struct eio *s = handle->data;

	s->server->session_count--;
	buf_clear(&s->queue);
	free(s);
}

/* The second step. */
static void finish(struct eio *s)
{
	eio_answer_poll(s);
	if (s->probe)
		eio_drop_socket(s->probe);
	if (s->socket)
		eio_drop_socket(s->socket);
	s->user->gone(s);
	uv_close((uv_handle_t *)&s->timer, on_freed);
}

void eio_close(struct eio *s)
{
	if (s->closed)
		return;
	s->closed = true;
	map_remove(&s->server->sessions_by_id, s->id);
	link_drop(&s->link);
	eio_arm(s);
}

void eio_end_all(struct server *server)
{
	link_each(&server->sessions, at)
		eio_close(container_of(at, struct eio, link));
}

/*
 * Who was asked for a sign of life is heard until its timer is sure of its end, for what came in
 * time may be read late. Who did not come for the question is gone to the moment; but not where it
 * was us who had not put it yet.
 */
struct eio *eio_find(struct server *server, struct span id)
{
	struct eio *s = map_get_n(&server->sessions_by_id, id.p, id.n);

	if (!s || s->asked || !s->pinged || clock_now() < s->expires)
		return s;
	eio_close(s);
	return NULL;
}

/* Where somebody is there to be asked, the answer has all its time, however late we ask. */
static void ping_if_due(struct eio *s)
{
	if (s->pinged || clock_now() < s->ping_at)
		return;
	s->pinged = true;
	if (s->socket || s->poll)
		s->expires = clock_after(s->server->limits.ping_timeout);
	packet_queue(&s->queue, '2', false, (struct span){"", 0});
}

/*
 * Whether its time is over. What came while we were late lies there unread, and is heard first: a
 * new connection is taken in one round of the loop and read in the next.
 */
static bool give_up(struct eio *s)
{
	int64_t now = clock_now();

	if (now < s->expires && now < s->content_by)
		s->doubts = 0;
	else
		s->doubts++;
	return s->doubts > DOUBTS_MAX;
}

static void on_timer(uv_timer_t *timer)
{
	struct eio *s = timer->data;

	if (s->closed) {
		finish(s);
		return;
	}
	if (s->probe && clock_now() >= s->probe_expires)
		eio_drop_socket(s->probe);
	ping_if_due(s);
	if (give_up(s)) {
		eio_close(s);
		return;
	}
	if (clock_now() >= s->more_at)
		s->more_at = NS_FOREVER;
	eio_flush(s);
	eio_arm(s);
}

void eio_wake(struct eio *s, int64_t after)
{
	s->more_at = clock_after(after);
	eio_arm(s);
}

void eio_wake_when_read(struct eio *s, int64_t at_the_latest)
{
	s->asks_if_read = s->socket;
	eio_wake(s, s->socket ? at_the_latest : 0);
}

void eio_send(struct eio *s, bool binary, struct span message)
{
	if (s->closed)
		return;
	packet_queue(&s->queue, '4', binary, message);
	if (s->queue.length > QUEUE_MAX)
		eio_close(s);
}

void eio_flush(struct eio *s)
{
	if (s->closed)
		return;
	if (s->socket)
		delivery_flush(s->socket);
	else
		eio_answer_poll(s);
}

void eio_take(struct eio *s, char type, struct span text)
{
	switch (type) {
	case '1':
		s->client_left = true;
		eio_close(s);
		break;
	case '3':
		beat(s);
		eio_arm(s);
		break;
	case '4': s->user->message(s, false, text); break;
	case 'b': s->user->message(s, true, text); break;
	case '6': break;
	default: eio_close(s); break;
	}
}

void eio_hello(const struct eio *s, bool can_upgrade, struct buf *out)
{
	const struct server_limits *l = &s->server->limits;

	buf_format(out, "0{\"sid\":\"%s\",\"upgrades\":[%s],\"pingInterval\":%lld,", s->id,
		can_upgrade ? "\"websocket\"" : "", (long long)(l->ping_interval / NS_PER_MS));
	buf_format(out, "\"pingTimeout\":%lld,\"maxPayload\":%lld}",
		(long long)(l->ping_timeout / NS_PER_MS), (long long)l->payload_max);
}
