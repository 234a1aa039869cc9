/*
 * Engine.IO over WebSocket, and the change to it: a socket that names a session
 * first proves itself by a ping ("2probe", answered "3probe") and then takes
 * over ("5"); until then polls go on and are let go at once.
 */
#include "clock.h"
#include "eio.h"
#include "eio_packet.h"
#include "server.h"
#include "ws.h"

#define LAST_WORDS NS_PER_S

/* The whole queue, as frames. */
static void move_queue(struct eio *s, struct conn *c)
{
	struct packet p;
	size_t at = 0;

	s->asked = s->pinged;
	while (packet_next(&s->queue, &at, &p))
		ws_frame(c, p.binary ? WS_BINARY : WS_TEXT, p.text);
	buf_clear(&s->queue);
}

static bool speak(struct conn *c)
{
	struct eio *s = c->owner;
	bool more;

	if (!s || s->socket != c || s->closed)
		return false;
	move_queue(s, c);
	more = s->user->more(s);
	move_queue(s, c);
	if (s->asks_if_read)
		ws_frame(c, WS_PING, (struct span){"", 0});
	s->asks_if_read = false;
	return more;
}

/* All that was sent before the ping was read before it was answered. */
static void ponged(struct conn *c)
{
	struct eio *s = c->owner;

	if (s && s->socket == c && s->more_at != NS_FOREVER)
		eio_wake(s, 0);
}

static void take_over(struct eio *s, struct conn *c)
{
	s->probe = NULL;
	s->probe_expires = NS_FOREVER;
	s->socket = c;
	s->probed = false;
	eio_arm(s);
	eio_answer_poll(s);
}

/* What a socket says before it has a session. */
static void heard_probe(struct eio *s, struct conn *c, struct span message)
{
	if (message.n == 6 && memcmp(message.p, "2probe", 6) == 0) {
		s->probed = true;
		ws_say(c, WS_TEXT, (struct span){"3probe", 6});
		eio_answer_poll(s);
	} else if (message.n == 1 && *message.p == '5' && s->probed) {
		take_over(s, c);
	} else {
		ws_close(c, WS_NORMAL);
	}
}

static void heard(struct conn *c, enum ws_kind kind, struct span message)
{
	struct eio *s = c->owner;

	if (!s || s->closed)
		return;
	if (s->probe == c && kind == WS_TEXT)
		heard_probe(s, c, message);
	else if (s->probe == c)
		ws_close(c, WS_NORMAL);
	else if (kind == WS_BINARY)
		eio_take(s, 'b', message);
	else if (message.n)
		eio_take(s, *message.p, (struct span){message.p + 1, message.n - 1});
	else
		eio_close(s);
}

static void gone(struct conn *c)
{
	struct eio *s = c->owner;

	if (!s)
		return;
	if (s->probe == c) {
		s->probe = NULL;
		s->probed = false;
		s->probe_expires = NS_FOREVER;
		return;
	}
	s->socket = NULL;
	eio_close(s);
}

static const struct ws_protocol protocol = {
	.heard = heard, .speak = speak, .ponged = ponged, .gone = gone};

/* It has so long to take what was said to it. */
void eio_drop_socket(struct conn *c)
{
	gone(c);
	c->owner = NULL;
	ws_close(c, WS_NORMAL);
	c->deadline = clock_after(LAST_WORDS);
	delivery_flush(c);
	if (c->state == CONN_STREAMING)
		ws_end_if_done(c);
}

static void greet(struct conn *c, const struct eio_user *user)
{
	struct eio *s = eio_new(c->server, user);
	AUTO_BUF struct buf hello = {0};

	if (!s) {
		ws_close(c, WS_POLICY);
		return;
	}
	c->owner = s;
	s->socket = c;
	eio_hello(s, false, &hello);
	packet_queue(&s->queue, hello.text[0], false,
		(struct span){hello.text + 1, hello.length - 1});
}

void eio_upgrade(struct conn *c, struct eio *s, const struct eio_user *user)
{
	if (!ws_accept(c, &protocol, c->server->limits.payload_max))
		return;
	if (!s) {
		greet(c, user);
	} else if (s->socket || s->probe) {
		ws_close(c, WS_NORMAL);
	} else {
		c->owner = s;
		s->probe = c;
		s->probe_expires = clock_after(c->server->limits.upgrade);
		eio_arm(s);
	}
	delivery_flush(c);
	if (c->state == CONN_STREAMING)
		ws_end_if_done(c);
}
