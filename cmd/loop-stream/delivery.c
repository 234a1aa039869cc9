#include "delivery.h"

#include "batch.h"
#include "clock.h"
#include "conn.h"
#include "server.h"
#include "sse.h"
#include "ws.h"
#include "ws_json.h"

enum { ROUND_BYTES = 262144, /* read from the journal before the others have their turn */
	ROUND_EVENTS = 4096 };

static void add_piece(struct batch *b, int64_t id, size_t length)
{
	b->piece[b->pieces++] = (struct piece){id, length};
}

/* Neighbours in the ring become one vector. */
static void add_text(struct batch *b, const char *text, size_t length)
{
	struct iovec *last = b->vectors ? &b->vector[b->vectors - 1] : NULL;

	if (last && (char *)last->iov_base + last->iov_len == text)
		last->iov_len += length;
	else
		b->vector[b->vectors++] = (struct iovec){(void *)(uintptr_t)text, length};
}

/* One event of the ring: as it is kept there, or only its line as a frame. */
static void add_event(struct batch *b, const struct feed_event *event, bool frames)
{
	char *header = b->header[b->pieces];
	size_t n;

	if (!frames) {
		add_text(b, event->text, event->length);
		add_piece(b, event->id, event->length);
		return;
	}
	n = ws_header(header, WS_TEXT, event->line.n);
	add_text(b, header, n);
	add_text(b, event->line.p, event->line.n);
	add_piece(b, event->id, n + event->line.n);
}

static void gather_ring(
	const struct delivery *s, const struct feed *f, struct batch *b, bool frames)
{
	b->end = f->end;
	for (uint64_t n = feed_find(f, s->position); n < f->last; n++) {
		const struct feed_event *event = feed_at(f, n);

		/* What was begun is ended, even if there is a newer one by now. */
		bool begun = s->offset && event->id == s->position;

		if (!begun && (event->newer || !filter_wants(s->filter, &event->topic)))
			continue;
		if (b->pieces == b->room) {
			b->end = event->id;
			return;
		}
		add_event(b, event, frames);
	}
}

/* One line of the journal, if the client wants it. */
static void gather_line(const struct delivery *s, const struct journal_line *line,
	struct batch *b, struct buf *text, bool frames)
{
	struct topic topic;
	size_t from = text->length;

	if (feed_format(line, &topic, text) < 0 || !filter_wants(s->filter, &topic)) {
		text->length = from;
		return;
	}
	if (frames) {
		text->length = from;
		text->length += ws_header(buf_reserve(text, WS_HEADER), WS_TEXT, line->length);
		buf_add(text, line->text, line->length);
	}
	add_piece(b, line->id, text->length - from);
}

static int gather_journal(const struct delivery *s, const struct feed *f, struct batch *b,
	struct buf *text, bool frames)
{
	struct journal_reader *reader = NULL;
	struct err e = {0};
	struct journal_line line;
	int r = journal_reader_new(&reader, f->state, JOURNAL_FROM_ID, s->position, &e);

	for (int i = 0; r >= 0 && i < ROUND_EVENTS && b->pieces < b->room; i++) {
		if (text->length > ROUND_BYTES || (r = journal_read(reader, &line)) <= 0)
			break;
		gather_line(s, &line, b, text, frames);
	}
	if (r >= 0)
		b->end = journal_position(reader);
	if (text->length)
		add_text(b, text->text, text->length);
	journal_reader_free(reader);
	return r < 0 ? r : 0;
}

/* Moves the client on by what the kernel took of a batch; whether that was all. */
static bool advance(struct conn *c, const struct batch *b, ssize_t n)
{
	struct delivery *s = &c->delivery;
	size_t left = s->offset + (size_t)n;

	for (size_t i = 0; i < b->pieces; i++) {
		if (left < b->piece[i].length) {
			s->position = b->piece[i].id;
			s->offset = left;
			return false;
		}
		left -= b->piece[i].length;
		c->server->counts.events++;
	}
	s->position = b->end;
	s->offset = 0;
	return true;
}

/* Sends a batch; whether all of it went. */
static bool deliver(struct conn *c, struct batch *b)
{
	struct delivery *s = &c->delivery;
	ssize_t n = 0;

	if (b->vectors) {
		b->vector[0].iov_base = (char *)b->vector[0].iov_base + s->offset;
		b->vector[0].iov_len -= s->offset;
		n = conn_send(c, b->vector, b->vectors);
	}
	return n >= 0 && advance(c, b, n);
}

void delivery_tell_gap(struct conn *c, int64_t from, int64_t to)
{
	c->delivery.position = to;
	c->delivery.offset = 0;
	if (c->ws)
		ws_tell_gap(c, from, to);
	else
		sse_tell_gap(c, from, to);
}

/* One batch; whether the client may be sent more at once. */
static bool flush_batch(struct conn *c)
{
	struct feed *f = &c->server->feed;
	bool from_ring = c->delivery.position >= f->start;
	AUTO_BUF struct buf text = {0};
	struct iovec vector[2 * BATCH];
	struct piece piece[BATCH];
	char header[BATCH][WS_HEADER];
	struct batch b = {vector, piece, header, .room = BATCH};

	if (from_ring)
		gather_ring(&c->delivery, f, &b, c->ws);
	else if (gather_journal(&c->delivery, f, &b, &text, c->ws) < 0)
		return delivery_tell_gap(c, c->delivery.position, f->start), false;
	return deliver(c, &b) && from_ring;
}

/* All that can be sent was: whether anything is left is looked at when there is room for it. */
static void rest(struct conn *c, bool more)
{
	struct delivery *s = &c->delivery;

	s->behind = more || c->out.length || s->position < c->server->feed.end;
	conn_want_room(c, s->behind);
}

void delivery_flush(struct conn *c)
{
	struct delivery *s = &c->delivery;

	bool more = false;

	if (c->ws && ws_hearing(c))
		return;
	/* What a WebSocket has to say besides goes between whole frames. */
	if (c->ws && !s->offset)
		more = ws_speak(c);
	if (c->state != CONN_STREAMING)
		return;
	if (c->out.length && !conn_flush(c))
		return;
	while (s->position < c->server->feed.end && flush_batch(c))
		;
	if (c->state == CONN_STREAMING)
		rest(c, more);
}

bool delivery_plain(const struct conn *c)
{
	const struct delivery *s = &c->delivery;
	const struct feed *f = &c->server->feed;

	return !s->offset && !c->out.length && (!c->ws || !ws_has_to_say(c)) &&
		s->position >= f->start && s->position < f->end;
}

void delivery_gather(const struct conn *c, struct batch *b)
{
	gather_ring(&c->delivery, &c->server->feed, b, c->ws);
}

void delivery_settle(struct conn *c, const struct batch *b, ssize_t n)
{
	n = conn_sent(c, n);
	if (n >= 0 && advance(c, b, n) && c->delivery.position < c->server->feed.end)
		delivery_flush(c);
	else if (n >= 0)
		rest(c, false);
}

void delivery_keep_alive(struct conn *c, int64_t now)
{
	const struct delivery *d = &c->delivery;

	if (d->behind || d->offset || now - d->last < c->server->limits.keep_alive)
		return;
	if (c->ws)
		ws_ping(c);
	else
		buf_str(&c->out, ":\n\n");
	delivery_flush(c);
}

void delivery_rewind(struct conn *c)
{
	if (c->delivery.position == DELIVERY_NOTHING)
		return;
	/* A piece of an event that is no more cannot be ended: the client comes back. */
	if (c->delivery.offset)
		conn_close(c);
	else
		delivery_tell_gap(c, c->delivery.position, c->server->feed.start);
}

void delivery_close(struct conn *c)
{
	filter_free(c->delivery.filter);
	c->delivery.filter = NULL;
}
