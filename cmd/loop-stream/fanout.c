#include "fanout.h"

#include "batch.h"
#include "conn.h"
#include "crew.h"
#include "mem.h"
#include "server.h"

enum { ROUND = 1024,   /* clients */
	EVENTS = 4096, /* in their batches */
	FLAT = 65536,
	MEANWHILE = 256 /* events taken in between two rounds */ };

struct fanout {
	struct crew *crew;
	struct sending sending[ROUND];
	struct target {
		struct conn *conn;
		const struct batch *batch;
	} target[ROUND];
	size_t count;
	struct batch batch[ROUND];
	size_t batches;
	struct iovec vector[2 * EVENTS];
	struct piece piece[EVENTS];
	char header[EVENTS][WS_HEADER];
	size_t events;
	char flat[FLAT]; /* batches of several pieces, as one */
	size_t flat_used;
	/* of the last batch: whoever is there, and wants all, gets the same */
	int64_t position;
	bool frames, shared;
};

static struct fanout *fanout_new(void)
{
	struct fanout *f = mem_new(sizeof *f);

	f->crew = crew_new();
	f->batches = f->count = f->events = f->flat_used = 0;
	f->shared = false;
	return f;
}

void fanout_free(struct fanout *f)
{
	if (!f)
		return;
	crew_free(f->crew);
	free(f);
}

/* Sends what was gathered. To settle one with its client closes that one at most. */
static void send_round(struct fanout *f)
{
	crew_send(f->crew, f->sending, f->count);
	for (size_t i = 0; i < f->count; i++)
		delivery_settle(f->target[i].conn, f->target[i].batch, f->sending[i].result);
	f->count = f->batches = f->events = f->flat_used = 0;
	f->shared = false;
}

/* Copied once for all who share it: the kernel takes one piece in fewer steps than two. */
static void flatten(struct fanout *f, struct batch *b)
{
	char *const flat = f->flat + f->flat_used, *to = flat;
	size_t length = 0;

	for (size_t i = 0; i < b->vectors; i++)
		length += b->vector[i].iov_len;
	if (b->vectors < 2 || length > FLAT - f->flat_used)
		return;
	for (size_t i = 0; i < b->vectors; i++)
		to = mempcpy(to, b->vector[i].iov_base, b->vector[i].iov_len);
	b->vector[0] = (struct iovec){flat, length};
	b->vectors = 1;
	f->flat_used += length;
}

static const struct batch *new_batch(struct fanout *f, const struct conn *c)
{
	struct batch *b = &f->batch[f->batches++];

	*b = (struct batch){
		.vector = f->vector + 2 * f->events,
		.piece = f->piece + f->events,
		.header = f->header + f->events,
		.room = MIN((size_t)BATCH, EVENTS - f->events),
	};
	delivery_gather(c, b);
	flatten(f, b);
	f->events += b->pieces;
	return b;
}

static const struct batch *batch_for(struct fanout *f, const struct conn *c)
{
	const struct delivery *d = &c->delivery;
	bool frames = c->ws;

	if (f->shared && !d->filter && d->position == f->position && frames == f->frames)
		return &f->batch[f->batches - 1];
	f->shared = !d->filter;
	f->position = d->position;
	f->frames = frames;
	return new_batch(f, c);
}

static void add(struct fanout *f, struct conn *c)
{
	const struct batch *b = batch_for(f, c);

	f->target[f->count] = (struct target){c, b};
	f->sending[f->count++] =
		(struct sending){.fd = c->fd, .vector = b->vector, .count = b->vectors};
}

/*
 * Ten thousand clients take a while. Who is served later is sent what has come by then as well:
 * so an event waits for one walk through all at most, and when there is more to send than time,
 * it is sent in fewer pieces. False: the journal began anew, and places in it mean something else.
 */
static bool send_and_look(struct fanout *f, struct server *s)
{
	send_round(f);
	if (!server_crowded(s)) /* what is wrong with it, the next one tells */
		(void)feed_pump(&s->feed, MEANWHILE);
	return !s->feed.rewound;
}

void fanout_all(struct fanout **fanout, struct server *s)
{
	struct fanout *f = *fanout ? *fanout : (*fanout = fanout_new());

	link_each(&s->streams, at)
	{
		struct conn *c = container_of(at, struct conn, link);

		if (c->delivery.behind)
			continue;
		if ((f->count == ROUND || f->events == EVENTS) && !send_and_look(f, s))
			return;
		if (delivery_plain(c))
			add(f, c);
		else
			delivery_flush(c);
	}
	send_round(f);
}
