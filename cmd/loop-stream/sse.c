#include "sse.h"

#include "clock.h"
#include "conn.h"
#include "reply.h"
#include "resume.h"
#include "server.h"

enum { BATCH = 512,	      /* events a write */
	ROUND_BYTES = 262144, /* read from the journal before the others have their turn */
	ROUND_EVENTS = 4096 };

/* What one write is made of: pieces of text, and which bytes are which event. */
struct batch {
	struct iovec vector[BATCH];
	struct piece {
		int64_t id, next;
		size_t length;
	} piece[BATCH];
	size_t vectors, pieces;
	int64_t end; /* the position when all of it is sent */
};

static const char stream_head[] =
	"HTTP/1.1 200 OK\r\n"
	"Content-Type: text/event-stream; charset=utf-8\r\n"
	"Cache-Control: no-store\r\n"
	"X-Accel-Buffering: no\r\n"
	"X-Content-Type-Options: nosniff\r\n"
	"Connection: close\r\n";

static void add_piece(struct batch *b, int64_t id, int64_t next, size_t length)
{
	b->piece[b->pieces++] = (struct piece){id, next, length};
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

static void gather_ring(const struct sse *s, const struct feed *f, struct batch *b)
{
	b->end = f->end;
	for (uint64_t n = feed_find(f, s->position); n < f->last; n++) {
		const struct feed_event *event = feed_at(f, n);

		if (!filter_wants(s->filter, &event->topic))
			continue;
		if (b->pieces == BATCH) {
			b->end = event->id;
			return;
		}
		add_text(b, event->text, event->length);
		add_piece(b, event->id, event->next, event->length);
	}
}

/* One line of the journal, if the client wants it. */
static void gather_line(const struct sse *s, const struct journal_line *line, int64_t next,
	struct batch *b, struct buf *text)
{
	struct topic topic;
	size_t from = text->length;

	if (feed_format(line, &topic, text) == 0 && filter_wants(s->filter, &topic))
		add_piece(b, line->id, next, text->length - from);
	else
		text->length = from;
}

static int gather_journal(
	const struct sse *s, const struct feed *f, struct batch *b, struct buf *text)
{
	struct journal_reader *reader = NULL;
	struct err e = {0};
	struct journal_line line;
	int r = journal_reader_new(&reader, f->state, JOURNAL_FROM_ID, s->position, &e);

	for (int i = 0; r >= 0 && i < ROUND_EVENTS && b->pieces < BATCH; i++) {
		if (text->length > ROUND_BYTES || (r = journal_read(reader, &line)) <= 0)
			break;
		gather_line(s, &line, journal_position(reader), b, text);
	}
	if (r >= 0)
		b->end = journal_position(reader);
	if (text->length)
		add_text(b, text->text, text->length);
	if (reader)
		journal_reader_free(reader);
	return r < 0 ? r : 0;
}

/* Sends a batch and moves the client on by what the kernel took; whether that was all. */
static bool deliver(struct conn *c, struct batch *b)
{
	struct sse *s = &c->sse;
	size_t left = s->offset;
	ssize_t n = 0;

	if (b->vectors) {
		b->vector[0].iov_base = (char *)b->vector[0].iov_base + s->offset;
		b->vector[0].iov_len -= s->offset;
		n = conn_send(c, b->vector, b->vectors);
		if (n < 0)
			return false;
	}
	left += (size_t)n;
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

/* The events between two positions are not to be had: the client is told, and goes on. */
static void tell_gap(struct conn *c, int64_t from, int64_t to)
{
	c->sse.position = to;
	c->sse.offset = 0;
	buf_format(&c->out, "event: stream.gap\ndata: {\"from\":\"%lld\",\"to\":\"%lld\"}\n\n",
		(long long)from, (long long)to);
}

/* One batch; whether the client may be sent more at once. */
static bool flush_batch(struct conn *c)
{
	struct feed *f = &c->server->feed;
	bool from_ring = c->sse.position >= f->start;
	AUTO_BUF struct buf text = {0};
	struct batch b;

	b.vectors = b.pieces = 0;
	if (from_ring)
		gather_ring(&c->sse, f, &b);
	else if (gather_journal(&c->sse, f, &b, &text) < 0)
		return tell_gap(c, c->sse.position, f->start), false;
	return deliver(c, &b) && from_ring;
}

void sse_flush(struct conn *c)
{
	struct sse *s = &c->sse;

	if (c->out.length && !conn_flush(c))
		return;
	while (s->position < c->server->feed.end && flush_batch(c))
		;
	if (c->state != CONN_STREAMING)
		return;
	s->behind = c->out.length || s->position < c->server->feed.end;
	conn_want_room(c, s->behind);
}

void sse_keep_alive(struct conn *c, int64_t now)
{
	if (c->sse.behind || c->sse.offset || now - c->sse.last < c->server->limits.keep_alive)
		return;
	buf_str(&c->out, ":\n\n");
	sse_flush(c);
}

void sse_rewind(struct conn *c)
{
	/* A piece of an event that is no more cannot be ended: the client comes back. */
	if (c->sse.offset)
		conn_close(c);
	else
		tell_gap(c, c->sse.position, c->server->feed.start);
}

void sse_close(struct conn *c)
{
	filter_free(c->sse.filter);
	c->sse.filter = NULL;
}

void sse_open(struct conn *c)
{
	const struct request *r = &c->intake->request;
	AUTO_BUF struct buf head = {0};
	struct filter *filter = NULL;
	struct resume place;
	struct err e = {0};

	if (filter_new(&filter, r->query, &e) < 0 ||
		resume_find(&place, &c->server->feed, r, &e) < 0) {
		filter_free(filter);
		conn_reply_text(c, 400, e.text);
		return;
	}
	buf_str(&head, stream_head);
	reply_date(&head);
	if (r->method == METHOD_HEAD) {
		filter_free(filter);
		conn_reply_raw(c, &head);
		return;
	}
	buf_format(&head, "retry: %lld\n\n", (long long)(c->server->limits.retry / NS_PER_MS));
	c->sse = (struct sse){.position = place.position, .filter = filter, .last = clock_now()};
	conn_become_stream(c, &head);
	if (place.gap)
		tell_gap(c, place.wanted, place.position);
	sse_flush(c);
}
