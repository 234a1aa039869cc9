/*
 * Engine.IO over HTTP: a GET takes packets, and waits for some; a POST brings
 * them. Two GETs at once are one too many, and a GET that is given up takes its
 * session with it: what it was sent cannot be known.
 */
#include "clock.h"
#include "eio.h"
#include "eio_packet.h"
#include "server.h"
#include "sio.h"
#include "ws_handshake.h"

enum eio_error { UNKNOWN_TRANSPORT,
	UNKNOWN_SESSION,
	BAD_METHOD,
	BAD_REQUEST,
	FORBIDDEN,
	BAD_VERSION };

static void refuse(struct conn *c, enum eio_error code)
{
	static const char *const messages[] = {
		[UNKNOWN_TRANSPORT] = "Transport unknown",
		[UNKNOWN_SESSION] = "Session ID unknown",
		[BAD_METHOD] = "Bad handshake method",
		[BAD_REQUEST] = "Bad request",
		[FORBIDDEN] = "Forbidden",
		[BAD_VERSION] = "Unsupported protocol version",
	};
	AUTO_BUF struct buf body = {0};

	buf_format(&body, "{\"code\":%d,\"message\":\"%s\"}", (int)code, messages[code]);
	conn_reply(c, &(struct reply){
			      .status = 400,
			      .type = "application/json",
			      .body = {body.text, body.length},
		      });
}

static void reply_text(struct conn *c, const char *type, struct span body)
{
	conn_reply(c, &(struct reply){.status = 200, .type = type, .body = body});
}

static void reply_packets(struct conn *c, const struct buf *body)
{
	reply_text(c, "text/plain; charset=UTF-8", (struct span){body->text, body->length});
}

/* What the poll is told now: the queue, else that it is to be let go; nothing if it may wait. */
static void collect(struct eio *s, struct buf *body)
{
	bool more = !s->closed && !s->queue.length && s->user->more(s);

	s->asked = s->pinged;
	if (s->closed)
		buf_str(body, s->client_left ? "6" : "1");
	else if (s->queue.length)
		packet_join(&s->queue, (size_t)s->server->limits.payload_max, body);
	else if (s->probed || s->socket)
		buf_str(body, "6");
	else if (more)
		eio_wake(s, 0); /* what it looked at was of no interest: it goes on from there */
}

/* Answers what waits; it is then sent by whoever called us. */
static void look(struct conn *c)
{
	struct eio *s = c->owner;
	AUTO_BUF struct buf body = {0};

	collect(s, &body);
	if (!body.length)
		return;
	s->poll = NULL;
	reply_packets(c, &body);
}

void eio_answer_poll(struct eio *s)
{
	struct conn *c = s->poll;

	if (!c)
		return;
	look(c);
	conn_go_on(c);
}

static void gone(struct conn *c)
{
	struct eio *s = c->owner;

	s->poll = NULL;
	eio_close(s);
}

/* Only at the server's end: a session has deadlines of its own. */
static void expire(struct conn *c)
{
	struct eio *s = c->owner;

	eio_close(s);
	look(c);
}

static void take_poll(struct conn *c, struct eio *s)
{
	static const struct waiter waiter = {look, expire, gone};

	if (s->poll) {
		eio_close(s);
		refuse(c, BAD_REQUEST);
		return;
	}
	s->poll = c;
	c->owner = s;
	conn_wait(c, &waiter, NS_FOREVER);
	look(c);
}

static bool is_text(const struct request *r)
{
	const struct field *type = request_field(r, "content-type");

	return !type || !span_is(type->value, "application/octet-stream");
}

static void take_payload(struct conn *c, struct eio *s)
{
	const struct buf *body = &c->intake->body;
	struct span rest = {body->text ? body->text : "", body->length};
	AUTO_BUF struct buf room = {0};
	struct packet p;
	int r = is_text(&c->intake->request) ? 1 : -1;

	while (r > 0 && !s->closed && (r = packet_cut(&rest, &p, &room)) > 0) {
		if (p.binary)
			eio_take(s, 'b', p.text);
		else
			eio_take(s, *p.text.p, (struct span){p.text.p + 1, p.text.n - 1});
	}
	if (r < 0 || (s->closed && !s->client_left)) {
		eio_close(s);
		refuse(c, BAD_REQUEST);
		return;
	}
	reply_text(c, "text/html", (struct span){"ok", 2});
	eio_flush(s);
}

/* What the query says: the transport's name, and the session if it names one. */
struct query {
	struct buf version, transport, id;
};

static void query_clear(struct query *q)
{
	buf_clear(&q->version);
	buf_clear(&q->transport);
	buf_clear(&q->id);
}

static bool is(const struct buf *b, const char *text)
{
	return b->length == strlen(text) && memcmp(b->text, text, b->length) == 0;
}

static void read_query(struct query *q, struct span query)
{
	if (query_get(query, "EIO", &q->version) < 0 ||
		query_get(query, "transport", &q->transport) < 0 ||
		query_get(query, "sid", &q->id) < 0)
		query_clear(q);
}

static void handshake(struct conn *c, const struct eio_user *user, bool socket)
{
	AUTO_BUF struct buf body = {0};
	struct eio *s;

	if (socket) {
		eio_upgrade(c, NULL, user);
		return;
	}
	s = eio_new(c->server, user);
	if (!s) {
		conn_reply_text(c, 503, "too many sessions");
		return;
	}
	eio_hello(s, true, &body);
	reply_packets(c, &body);
}

static void resume(struct conn *c, struct span id, bool socket)
{
	const struct request *r = &c->intake->request;
	struct eio *s = eio_find(c->server, id);

	if (!s)
		refuse(c, UNKNOWN_SESSION);
	else if (socket)
		eio_upgrade(c, s, s->user);
	else if (s->socket)
		refuse(c, BAD_REQUEST);
	else if (r->method == METHOD_GET)
		take_poll(c, s);
	else if (r->method == METHOD_POST)
		take_payload(c, s);
	else
		refuse(c, BAD_METHOD);
}

void eio_answer(struct conn *c)
{
	const struct request *r = &c->intake->request;
	const struct eio_user *user = sio_user(c);
	AUTO(query_clear)
	struct query q = {0};
	bool socket;

	read_query(&q, r->query);
	socket = is(&q.transport, "websocket");
	if (!user)
		conn_reply_text(c, 404, reply_phrase(404));
	else if (!socket && !is(&q.transport, "polling"))
		refuse(c, UNKNOWN_TRANSPORT);
	else if (!is(&q.version, "4"))
		refuse(c, BAD_VERSION);
	else if (socket != ws_asked(r))
		refuse(c, BAD_REQUEST);
	else if (q.id.length)
		resume(c, (struct span){q.id.text, q.id.length}, socket);
	else if (r->method != METHOD_GET)
		refuse(c, BAD_METHOD);
	else
		handshake(c, user, socket);
}
