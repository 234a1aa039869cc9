/*
 * Sending: events go from the chunk they stand in straight to the socket. A
 * socket that is full stops in the middle of a line; which line, and how much
 * of it was sent, is all that is remembered.
 */
#include "server.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

enum { RUNS_MAX = 256,
	SENDFILE_MIN = 8 * 1024 }; /* below it a copy costs less than the pages' accounts */

/* Lines that stand side by side in a chunk. */
struct run {
	size_t first, last; /* entries, the last included */
	size_t length;
};

/* What one send takes. */
struct batch {
	struct run run[RUNS_MAX];
	size_t runs;
	size_t skip; /* bytes of the first line that went out before */
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

static const enum priority levels[LEVELS] = {CRITICAL, HIGH, NORMAL, LOW, BACKGROUND};

int level_of(enum priority p)
{
	int i = 0;

	while (i < LEVELS - 1 && levels[i] != p)
		i++;
	return i;
}

static bool fits(const struct subscription *s, struct chunk *c, size_t i, enum priority level)
{
	const struct entry *e = &c->entry[i];
	const struct event_view *v;

	v = chunk_view(c, i);
	if (s->by_priority && view_priority(v) != level)
		return false;
	return filter_matches(&s->filter, v, (struct span){c->text + e->offset, e->length - 1});
}

/* Adds entries to the batch, to its last run where they follow directly. */
static bool add_entries(struct batch *b, const struct chunk *c, size_t first, size_t last)
{
	struct run *run = b->runs ? &b->run[b->runs - 1] : NULL;
	size_t length = c->entry[last].offset + c->entry[last].length - c->entry[first].offset;

	if (run && run->last + 1 == first) {
		run->length += length;
		run->last = last;
		return true;
	}
	if (b->runs == RUNS_MAX)
		return false;
	b->run[b->runs++] = (struct run){first, last, length};
	return true;
}

/* Gathers what fits from a position on; where to look next when all of it is sent. */
static int64_t gather(struct batch *b, const struct subscription *s, struct chunk *c, int64_t from,
	enum priority level)
{
	size_t i = chunk_find(c, from);

	b->runs = b->skip = 0;
	if (i < c->count && c->entry[i].id == s->partial) {
		add_entries(b, c, i, i);
		b->skip = s->sent;
		i++;
	}
	if (i < c->count && !s->by_priority && filter_wants_all(&s->filter)) {
		add_entries(b, c, i, c->count - 1);
		return c->end;
	}
	for (; i < c->count; i++)
		if (fits(s, c, i, level) && !add_entries(b, c, i, i))
			return c->entry[i].id;
	return c->end;
}

/* What was sent of the batch, what went out before included: moves the position behind it. */
static void account(struct subscription *s, const struct batch *b, const struct chunk *c,
	size_t sent, int64_t *at)
{
	s->partial = -1;
	s->sent = 0;
	for (size_t r = 0; r < b->runs; r++) {
		const struct run *run = &b->run[r];
		size_t offset = c->entry[run->first].offset + sent, i = run->last;
		const struct entry *e = &c->entry[i];

		if (sent >= run->length) {
			sent -= run->length;
			s->delivered += i + 1 - run->first;
			s->last[at - s->at] = e->id;
			*at = e->id + (int64_t)e->length;
			continue;
		}
		i = chunk_entry_at(c, offset);
		e = &c->entry[i];
		s->delivered += i - run->first;
		if (i > run->first)
			s->last[at - s->at] = c->entry[i - 1].id;
		s->sent = offset - e->offset;
		s->partial = s->sent ? e->id : -1;
		*at = e->id;
		return;
	}
}

static ssize_t send_from_memory(struct client *c, const struct chunk *chunk, const struct batch *b)
{
	static struct iovec v[RUNS_MAX];

	for (size_t i = 0; i < b->runs; i++)
		v[i] = (struct iovec){
			chunk->text + chunk->entry[b->run[i].first].offset, b->run[i].length};
	v[0].iov_base = (char *)v[0].iov_base + b->skip;
	v[0].iov_len -= b->skip;
	return send_some(c, v, b->runs);
}

/* From the page cache to the socket: no byte is copied here, if the file still goes that far. */
static ssize_t send_from_segment(struct client *c, const struct chunk *chunk,
	const struct batch *b)
{
	off_t from = chunk->entry[b->run->first].id - chunk->base + (off_t)b->skip;
	ssize_t n;

	do
		n = sendfile(c->fd, chunk->fd, &from, b->run->length - b->skip);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return send_from_memory(c, chunk, b);
	return n < 0 && errno != EAGAIN ? -errno : MAX(n, (ssize_t)0);
}

static ssize_t send_batch(struct client *c, const struct chunk *chunk, const struct batch *b)
{
	const struct run *run = b->run;

	if (b->runs == 1 && run->length >= SENDFILE_MIN && chunk->fd >= 0 &&
		chunk_adjoins(chunk, run->first, run->last))
		return send_from_segment(c, chunk, b);
	return send_from_memory(c, chunk, b);
}

/* Events of one level from one position: 1 some way was made, 0 the socket is full, -errno. */
static int send_level(struct client *c, int64_t *at, enum priority level)
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
		total += b.run[i].length;
	n = send_batch(c, chunk, &b);
	if (n < 0)
		return (int)n;
	account(s, &b, chunk, b.skip + (size_t)n, at);
	c->blocked = b.skip + (size_t)n < total;
	if (!c->blocked)
		*at = behind;
	return !c->blocked;
}

/* The rest of a line that was sent in part; nothing else may come between. */
static int finish_line(struct client *c)
{
	struct subscription *s = &c->sub;
	struct chunk *chunk;
	const struct entry *e;
	struct iovec v;
	ssize_t n;
	size_t i;
	int r = feed_get(&c->server->feed, s->partial, &chunk);

	if (r < 0)
		return r;
	i = chunk_find(chunk, s->partial);
	e = &chunk->entry[i];
	v = (struct iovec){chunk->text + e->offset + s->sent, e->length - s->sent};
	n = send_some(c, &v, 1);
	if (n < 0)
		return (int)n;
	s->sent += (size_t)n;
	if (s->sent < e->length)
		return c->blocked = true, 0;
	s->last[s->by_priority ? level_of(view_priority(chunk_view(chunk, i))) : 0] = e->id;
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
