/*
 * Sending: events go from the chunk they stand in straight to the socket. A
 * socket that is full stops in the middle of a line; which line, and how much
 * of it was sent, is all that is remembered.
 */
#include "server.h"

#include <errno.h>
#include <sys/socket.h>

enum { RUNS_MAX = 256 };

/* What one send takes: runs of a chunk's lines, and the entries they are made of. */
struct batch {
	struct iovec run[RUNS_MAX];
	size_t runs;
	size_t first[RUNS_MAX], last[RUNS_MAX]; /* entries of each run, last included */
	size_t skip;				/* bytes of the first line that went out before */
};

/* Sends; the bytes that went, 0 if the socket is full, -errno. */
static ssize_t send_some(struct client *c, struct iovec *v, size_t count)
{
	struct msghdr message = {.msg_iov = v, .msg_iovlen = count};
	ssize_t n;

	do
		n = sendmsg(c->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return n;
	if (errno != EAGAIN)
		return -errno;
	c->blocked = true;
	return 0;
}

static int send_answers(struct client *c)
{
	struct iovec v = {c->out.text, c->out.length};
	ssize_t n = send_some(c, &v, 1);

	if (n < 0)
		return (int)n;
	buf_drop(&c->out, (size_t)n);
	if (!c->out.length)
		buf_clear(&c->out);
	else
		c->blocked = true;
	return 0;
}

static bool fits(const struct subscription *s, struct chunk *c, size_t i, int level)
{
	const struct entry *e = &c->entry[i];
	const struct event_view *v;

	if (!s->by_priority && filter_wants_all(&s->filter))
		return true;
	v = chunk_view(c, i);
	if (s->by_priority && (int)view_priority(v) != level)
		return false;
	return filter_matches(&s->filter, v, (struct span){c->text + e->offset, e->length - 1});
}

/* Adds a line to the batch, to its last run where it follows directly. */
static bool add_entry(struct batch *b, const struct chunk *c, size_t i)
{
	const struct entry *e = &c->entry[i];
	struct iovec *run = b->runs ? &b->run[b->runs - 1] : NULL;

	if (run && b->last[b->runs - 1] + 1 == i) {
		run->iov_len += e->length;
		b->last[b->runs - 1] = i;
		return true;
	}
	if (b->runs == RUNS_MAX)
		return false;
	b->run[b->runs] = (struct iovec){c->text + e->offset, e->length};
	b->first[b->runs] = b->last[b->runs] = i;
	b->runs++;
	return true;
}

/* Gathers what fits from a position on; where to look next when all of it is sent. */
static int64_t gather(struct batch *b, const struct subscription *s, struct chunk *c, int64_t from,
	int level)
{
	size_t i = chunk_find(c, from);

	b->runs = 0;
	b->skip = 0;
	for (; i < c->count; i++) {
		bool begun = c->entry[i].id == s->partial;

		if (!begun && !fits(s, c, i, level))
			continue;
		if (!add_entry(b, c, i))
			return c->entry[i].id;
		if (begun) {
			b->skip = s->sent;
			b->run[0].iov_base = (char *)b->run[0].iov_base + s->sent;
			b->run[0].iov_len -= s->sent;
		}
	}
	return c->end;
}

/* What was sent of the batch: moves the position behind it. */
static void account(struct subscription *s, const struct batch *b, const struct chunk *c, size_t n,
	int64_t *at)
{
	size_t left = n + b->skip;

	s->partial = -1;
	s->sent = 0;
	for (size_t r = 0; r < b->runs; r++)
		for (size_t i = b->first[r]; i <= b->last[r]; i++) {
			const struct entry *e = &c->entry[i];

			*at = e->id;
			if (left < e->length) {
				s->partial = left ? e->id : -1;
				s->sent = left;
				return;
			}
			left -= e->length;
			s->delivered++;
			*at = e->id + (int64_t)e->length;
		}
}

/* Events of one level from one position: 1 some way was made, 0 the socket is full, -errno. */
static int send_level(struct client *c, int64_t *at, int level)
{
	static struct batch b;
	struct subscription *s = &c->sub;
	struct chunk *chunk;
	size_t total = 0;
	int64_t behind;
	ssize_t n;
	int r = feed_get(&c->server->feed, *at, &chunk);

	if (r < 0)
		return r;
	behind = gather(&b, s, chunk, *at, level);
	if (!b.runs)
		return *at = behind, 1;
	for (size_t i = 0; i < b.runs; i++)
		total += b.run[i].iov_len;
	n = send_some(c, b.run, b.runs);
	if (n < 0)
		return (int)n;
	if ((size_t)n == total) {
		account(s, &b, chunk, total, at);
		return *at = behind, 1;
	}
	account(s, &b, chunk, (size_t)n, at);
	c->blocked = true;
	return 0;
}

/* The rest of a line that was sent in part; nothing else may come between. */
static int finish_line(struct client *c)
{
	struct subscription *s = &c->sub;
	struct chunk *chunk;
	const struct entry *e;
	struct iovec v;
	ssize_t n;
	int r = feed_get(&c->server->feed, s->partial, &chunk);

	if (r < 0)
		return r;
	e = &chunk->entry[chunk_find(chunk, s->partial)];
	v = (struct iovec){chunk->text + e->offset + s->sent, e->length - s->sent};
	n = send_some(c, &v, 1);
	if (n < 0)
		return (int)n;
	s->sent += (size_t)n;
	if (s->sent < e->length)
		return c->blocked = true, 0;
	for (int level = 0; level < LEVELS; level++)
		if (s->at[level] == e->id)
			s->at[level] += (int64_t)e->length;
	s->delivered++;
	s->partial = -1;
	s->sent = 0;
	return 1;
}

static int send_events(struct client *c)
{
	static const int levels[LEVELS] = {CRITICAL, HIGH, NORMAL, LOW, BACKGROUND};
	struct subscription *s = &c->sub;
	int64_t end = feed_end(&c->server->feed);

	for (int i = 0; i < (s->by_priority ? LEVELS : 1); i++) {
		int r;

		if (s->at[i] >= end)
			continue;
		r = send_level(c, &s->at[i], levels[i]);
		return r;
	}
	return 0;
}

int outlet_turn(struct client *c)
{
	int r = 1;

	if (c->sub.partial >= 0 && (c->out.length || c->sub.by_priority))
		r = finish_line(c);
	if (r > 0 && c->out.length && c->sub.partial < 0)
		r = send_answers(c);
	if (r < 0 || c->blocked)
		return MIN(r, 0);
	return c->sub.on ? send_events(c) : 0;
}
