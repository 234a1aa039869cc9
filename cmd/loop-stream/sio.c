/*
 * Packets that break the protocol end the session, as the protocol's own
 * servers do: a client that is confused is better off connecting anew.
 */
#include "sio.h"

#include "clock.h"
#include "err.h"
#include "filter.h"
#include "id.h"
#include "mem.h"
#include "route.h"
#include "server.h"

struct sio {
	struct eio *eio;
	const struct sio_profile *profile;
	struct link sockets;
	/* A packet whose attachments have not all come yet. */
	struct buf text;
	struct sio_packet pending;
	struct buf attachment[SIO_ATTACHMENTS_MAX];
	size_t attachments;
};

struct server *sio_server(const struct sio_socket *k)
{
	return k->session->eio->server;
}

void sio_wake_when_read(struct sio_socket *k, int64_t at_the_latest)
{
	eio_wake_when_read(k->session->eio, at_the_latest);
}

bool sio_awake(const struct sio_socket *k)
{
	return k->session->eio->more_at == NS_FOREVER;
}

void sio_flush(struct sio_socket *k)
{
	eio_flush(k->session->eio);
}

size_t sio_queued(const struct sio_socket *k)
{
	return k->session->eio->queue.length;
}

static void forget_pending(struct sio *s)
{
	for (size_t i = 0; i < s->attachments; i++)
		buf_clear(&s->attachment[i]);
	s->attachments = 0;
	buf_clear(&s->text);
	s->pending = (struct sio_packet){0};
}

static void socket_free(struct sio_socket *k)
{
	link_drop(&k->link);
	if (k->session->profile->gone)
		k->session->profile->gone(k);
	filter_free(k->filter);
	buf_clear(&k->auth);
	free(k->name_space);
	free(k);
}

static void gone(struct eio *eio)
{
	struct sio *s = eio->context;

	link_each(&s->sockets, at)
		socket_free(container_of(at, struct sio_socket, link));
	forget_pending(s);
	free(s);
	eio->context = NULL;
}

static void send_packet(struct sio *s, const struct sio_packet *p, const struct buf *attachment)
{
	AUTO_BUF struct buf text = {0};

	sio_format(&text, p);
	eio_send(s->eio, false, (struct span){text.text, text.length});
	for (size_t i = 0; i < p->attachments; i++)
		eio_send(s->eio, true, (struct span){attachment[i].text, attachment[i].length});
}

static void send_event(struct sio_socket *k, enum sio_type type, struct span id,
	const struct sio_event *e)
{
	AUTO_BUF struct buf payload = {0};
	struct sio_packet p = {.type = type, .attachments = e->attachments, .id = id};

	buf_char(&payload, '[');
	buf_add(&payload, e->parts.name.p, e->parts.name.n);
	if (e->parts.name.n && e->parts.arguments.n)
		buf_char(&payload, ',');
	buf_add(&payload, e->parts.arguments.p, e->parts.arguments.n);
	buf_char(&payload, ']');
	if (e->attachments)
		p.type = type == SIO_ACK ? SIO_BINARY_ACK : SIO_BINARY_EVENT;
	p.name_space = (struct span){k->name_space, strlen(k->name_space)};
	p.payload = (struct span){payload.text, payload.length};
	send_packet(k->session, &p, e->attachment);
}

void sio_emit(struct sio_socket *k, const struct sio_event *e)
{
	send_event(k, SIO_EVENT, (struct span){"", 0}, e);
}

void sio_answer(struct sio_socket *k, const struct sio_event *e, const struct sio_event *answer)
{
	if (e->id.n)
		send_event(k, SIO_ACK, e->id, answer);
}

static struct sio_socket *find(struct sio *s, struct span name_space)
{
	link_each(&s->sockets, at)
	{
		struct sio_socket *k = container_of(at, struct sio_socket, link);

		if (strlen(k->name_space) == name_space.n &&
			memcmp(k->name_space, name_space.p, name_space.n) == 0)
			return k;
	}
	return NULL;
}

static void refuse(struct sio *s, struct span name_space, const char *why)
{
	AUTO_BUF struct buf payload = {0};

	buf_str(&payload, "{\"message\":");
	buf_json(&payload, why, strlen(why));
	buf_char(&payload, '}');
	send_packet(s,
		&(struct sio_packet){.type = SIO_CONNECT_ERROR,
			.name_space = name_space,
			.payload = {payload.text, payload.length}},
		NULL);
}

static struct sio_socket *socket_new(struct sio *s, struct span name_space)
{
	struct sio_socket *k = mem_zero(1, sizeof *k);
	unsigned char bytes[EIO_ID / 2];

	k->session = s;
	k->name_space = mem_substring(name_space.p, name_space.n);
	id_random(bytes, sizeof bytes);
	for (size_t i = 0; i < sizeof bytes; i++)
		snprintf(k->id + 2 * i, 3, "%02x", bytes[i]);
	link_add(&s->sockets, &k->link);
	return k;
}

static void welcome(struct sio_socket *k, struct span auth)
{
	AUTO_BUF struct buf payload = {0};
	struct sio *s = k->session;

	buf_format(&payload, "{\"sid\":\"%s\"}", k->id);
	send_packet(s,
		&(struct sio_packet){.type = SIO_CONNECT,
			.name_space = {k->name_space, strlen(k->name_space)},
			.payload = {payload.text, payload.length}},
		NULL);
	s->eio->content_by = NS_FOREVER;
	s->profile->connected(k, auth);
}

static void take_connect(struct sio *s, const struct sio_packet *p)
{
	struct sio_socket *k;
	struct err e = {0};

	if (!s->profile->knows(s->eio->server, p->name_space)) {
		refuse(s, p->name_space, "Invalid namespace");
		return;
	}
	k = socket_new(s, p->name_space);
	if (s->profile->admit(k, p->payload, &e)) {
		welcome(k, p->payload);
	} else {
		refuse(s, p->name_space, e.text);
		socket_free(k);
	}
}

/* A whole packet, with all that was attached to it. */
static void take(struct sio *s, const struct sio_packet *p)
{
	struct sio_socket *k = find(s, p->name_space);
	struct sio_event e = {.id = p->id};

	if (!k && p->type == SIO_CONNECT) {
		take_connect(s, p);
	} else if (!k || p->type == SIO_CONNECT) {
		eio_close(s->eio);
	} else if (p->type == SIO_DISCONNECT) {
		socket_free(k);
	} else if (p->type == SIO_EVENT || p->type == SIO_BINARY_EVENT) {
		e.parts = sio_event_parts(p->payload);
		e.attachment = s->attachment;
		e.attachments = s->attachments;
		s->profile->event(k, &e);
	}
	/* An answer to what we never asked is nobody's. */
}

static void take_text(struct sio *s, struct span text)
{
	struct sio_packet p;

	if (s->pending.attachments || sio_parse(&p, text) < 0) {
		eio_close(s->eio);
		return;
	}
	if (!p.attachments) {
		take(s, &p);
		return;
	}
	buf_add(&s->text, text.p, text.n);
	if (sio_parse(&s->pending, (struct span){s->text.text, s->text.length}) < 0)
		eio_close(s->eio);
}

static void take_attachment(struct sio *s, struct span bytes)
{
	if (!s->pending.attachments) {
		eio_close(s->eio);
		return;
	}
	buf_add(&s->attachment[s->attachments++], bytes.p, bytes.n);
	if (s->attachments < s->pending.attachments)
		return;
	take(s, &s->pending);
	forget_pending(s);
}

static void message(struct eio *eio, bool binary, struct span bytes)
{
	if (binary)
		take_attachment(eio->context, bytes);
	else
		take_text(eio->context, bytes);
}

static bool more(struct eio *eio)
{
	struct sio *s = eio->context;
	bool any = false;

	link_each(&s->sockets, at)
		any |= s->profile->more(container_of(at, struct sio_socket, link));
	return any;
}

void sio_rewind(struct eio *eio)
{
	struct sio *s = eio->context;

	link_each(&s->sockets, at)
	{
		struct sio_socket *k = container_of(at, struct sio_socket, link);

		if (k->position != DELIVERY_NOTHING)
			k->position = MIN(k->position, eio->server->feed.start);
	}
}

static void session_open(struct eio *eio)
{
	struct sio *s = mem_zero(1, sizeof *s);

	s->eio = eio;
	s->profile = eio->server->echo ? &sio_echo : &sio_serve;
	link_init(&s->sockets);
	eio->context = s;
	eio->content_by = clock_after(eio->server->limits.connect);
}

static void echo_open(struct eio *eio UNUSED)
{
}

static bool echo_more(struct eio *eio UNUSED)
{
	return false;
}

const struct eio_user *sio_user(const struct conn *c)
{
	static const struct eio_user socket_io = {session_open, message, more, gone};
	/* Engine.IO by itself, for its own suite: every message comes back. */
	static const struct eio_user echo = {echo_open, eio_send, echo_more, echo_open};

	if (strcmp(c->route->path, "/socket.io/") == 0)
		return &socket_io;
	return c->server->echo ? &echo : NULL;
}
