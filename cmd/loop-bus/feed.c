#include "feed.h"

#include "mem.h"

#include <errno.h>
#include <fcntl.h>

enum { CHUNK = 256 * 1024 };

int feed_open(struct feed *f, const struct state *s, struct err *e)
{
	int r;

	*f = (struct feed){.state = s};
	for (size_t i = 0; i < FEED_NEWEST; i++)
		f->newest[i].fd = -1;
	for (size_t i = 0; i < FEED_OTHERS; i++)
		f->other[i].fd = -1;
	r = journal_reader_new(&f->tail, s, JOURNAL_FROM_NOW, 0, e);
	if (r == 0)
		f->newest[0].start = f->newest[0].end = journal_position(f->tail);
	return r;
}

static void chunk_close(struct chunk *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static void chunk_clear(struct chunk *c)
{
	chunk_close(c);
	free(c->text);
	free(c->entry);
	free(c->view);
}

void feed_close(struct feed *f)
{
	for (size_t i = 0; i < FEED_NEWEST; i++)
		chunk_clear(&f->newest[i]);
	for (size_t i = 0; i < FEED_OTHERS; i++)
		chunk_clear(&f->other[i]);
	journal_reader_free(f->tail);
	journal_reader_free(f->again);
}

static void chunk_begin(struct chunk *c, int64_t position)
{
	chunk_close(c);
	c->start = c->end = position;
	c->length = c->count = c->viewed = 0;
}

/* Whether the line stands in the segment of those before it; the first one's is kept open. */
static bool same_segment(struct chunk *c, const struct journal_reader *r)
{
	int64_t base;
	int fd = journal_segment(r, &base);

	if (c->count)
		return c->base == base;
	chunk_close(c);
	c->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	c->base = base;
	return true;
}

/* False if it has no room for the reader's line; an empty one has room for any. */
static bool chunk_add(struct chunk *c, const struct journal_reader *r,
	const struct journal_line *line)
{
	size_t length = line->length + 1, offset = c->length;

	if (c->count && offset + length > c->room)
		return false;
	if (!same_segment(c, r))
		return false;
	if (offset + length > c->room) {
		c->room = MAX((size_t)CHUNK, length);
		c->text = mem_resize(c->text, c->room, 1);
	}
	memcpy(c->text + offset, line->text, length - 1);
	c->text[offset + length - 1] = '\n';
	c->length += length;
	c->entry = mem_grow(c->entry, c->count, &c->entries_room, sizeof *c->entry);
	c->entry[c->count++] = (struct entry){line->id, offset, length};
	c->end = line->id + (int64_t)length;
	return true;
}

int64_t feed_end(const struct feed *f)
{
	return f->newest[f->last].end;
}

/* The next line: the one that did not fit, or a new one. */
static int take_line(struct feed *f)
{
	if (f->pending)
		return 1;
	return journal_read(f->tail, &f->line);
}

int64_t feed_start(const struct feed *f)
{
	return f->newest[f->last].start;
}

/* The journal was taken away and begins anew: what was read says nothing any more. */
static void begin_anew(struct feed *f)
{
	for (size_t i = 0; i < FEED_NEWEST; i++)
		chunk_begin(&f->newest[i], f->line.id);
	for (size_t i = 0; i < FEED_OTHERS; i++)
		chunk_begin(&f->other[i], f->line.id);
	f->begun++;
}

int feed_advance(struct feed *f)
{
	struct chunk *c = &f->newest[f->last];
	int more;

	while ((more = take_line(f)) > 0) {
		if (f->line.id < c->end)
			begin_anew(f);
		f->pending = !chunk_add(c, f->tail, &f->line);
		/* What has come goes out before the file is asked whether there is more. */
		if (!f->pending && !journal_ready(f->tail))
			return !journal_drained(f->tail);
		if (!f->pending)
			continue;
		f->last = (f->last + 1) % FEED_NEWEST;
		chunk_begin(&f->newest[f->last], c->end);
		return 1;
	}
	return more;
}

static bool holds(const struct chunk *c, int64_t position)
{
	return c->start <= position && position < c->end;
}

/* Reads a chunk's lines from where the reader stands. */
static int load(struct chunk *c, struct journal_reader *r, int64_t end)
{
	struct journal_line line;
	int more = 1;

	chunk_begin(c, journal_position(r));
	/* The reader's window is good for the line that did not fit only until the next read: it is
	 * read again by a reader that begins there. */
	while (journal_position(r) < end && (more = journal_read(r, &line)) > 0)
		if (!chunk_add(c, r, &line))
			return 1;
	return more < 0 ? more : c->count > 0;
}

static int load_again(struct feed *f, struct chunk *c, int64_t position)
{
	int r;

	if (!f->again || journal_position(f->again) != position) {
		journal_reader_free(f->again);
		f->again = NULL;
		r = journal_reader_new(&f->again, f->state, JOURNAL_FROM_ID, position, NULL);
		if (r < 0)
			return r;
	}
	r = load(c, f->again, feed_end(f));
	return r == 0 ? -ERANGE : MIN(r, 0);
}

int feed_get(struct feed *f, int64_t position, struct chunk **out)
{
	struct chunk *oldest = &f->other[0];

	for (size_t i = 0; i < FEED_NEWEST; i++)
		if (holds(&f->newest[i], position))
			return *out = &f->newest[i], 0;
	f->clock++;
	for (size_t i = 0; i < FEED_OTHERS; i++) {
		struct chunk *c = &f->other[i];

		if (holds(c, position)) {
			c->used = f->clock;
			return *out = c, 0;
		}
		if (c->used < oldest->used)
			oldest = c;
	}
	oldest->used = f->clock;
	*out = oldest;
	return load_again(f, oldest, position);
}

size_t chunk_find(const struct chunk *c, int64_t position)
{
	size_t low = 0, high = c->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (c->entry[middle].id < position)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t chunk_entry_at(const struct chunk *c, size_t offset)
{
	size_t low = 0, high = c->count;

	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (c->entry[middle].offset <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

bool chunk_adjoins(const struct chunk *c, size_t first, size_t last)
{
	const struct entry *a = &c->entry[first], *b = &c->entry[last];

	return b->id - a->id == (int64_t)(b->offset - a->offset);
}

const struct event_view *chunk_view(struct chunk *c, size_t i)
{
	while (c->viewed <= i) {
		const struct entry *e = &c->entry[c->viewed];

		c->view = mem_grow(c->view, c->viewed, &c->views_room, sizeof *c->view);
		if (event_view(c->text + e->offset, e->length, &c->view[c->viewed]) < 0)
			c->view[c->viewed] = (struct event_view){0};
		c->viewed++;
	}
	return &c->view[i];
}
