/*
 * The reader's window, and the places where reading can begin.
 */
#include "journal_reader.h"

#include "io.h"
#include "mem.h"
#include "segment.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

void reader_damage(struct journal_reader *r, int64_t position, const char *why)
{
	r->damaged++;
	if (r->report)
		r->report(r->context, position, why);
}

bool reader_line_good(struct journal_reader *r, const struct journal_line *line)
{
	if (line->length >= EVENT_MAX)
		reader_damage(r, line->id, "a line that is too long");
	else if (!event_line_valid(line->text, line->length))
		reader_damage(r, line->id, "a line that is no JSON");
	else if (segment_line_id(line->text, line->length) != line->id)
		reader_damage(r, line->id, "a line whose id is not its place");
	else
		return true;
	return false;
}

void reader_set_segment(struct journal_reader *r, int fd, int64_t base, bool newest)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = fd;
	r->base = base;
	r->sealed = !newest;
	r->filled = 0;
}

int reader_open_segment(struct journal_reader *r)
{
	int64_t base;
	bool newest;
	int fd = segment_open(r->state->dir, r->at, &base, &newest);

	if (fd == -ENOENT || fd == -ERANGE)
		return 0;
	if (fd < 0)
		return fd;
	reader_set_segment(r, fd, base, newest);
	return 1;
}

/* What a read from a position brought, of so much that was asked for. */
static ssize_t set_window(struct journal_reader *r, int64_t from, ssize_t n, size_t length)
{
	const char *last = n > 0 ? memrchr(r->window, '\n', (size_t)n) : NULL;

	r->start = from;
	r->filled = n > 0 ? (size_t)n : 0;
	r->whole = last ? from + (last + 1 - r->window) : from;
	r->drained = r->filled < length;
	return n;
}

ssize_t reader_fill(struct journal_reader *r, int64_t from, size_t length)
{
	return set_window(r, from, io_pread(r->fd, r->window, length, from - r->base), length);
}

ssize_t reader_read_on(struct journal_reader *r)
{
	ssize_t n = pread(r->fd, r->window, r->room, r->at - r->base);

	if (n > 0 && memchr(r->window, '\n', (size_t)n))
		return set_window(r, r->at, n, r->room);
	return reader_fill(r, r->at, r->room);
}

bool reader_grow(struct journal_reader *r)
{
	if (r->room >= WINDOW_MAX)
		return false;
	r->room = MIN(r->room * 2, (size_t)WINDOW_MAX);
	r->window = mem_resize(r->window, r->room, 1);
	return true;
}

/* Moves the position back to the beginning of a line that is not yet whole. */
static int to_line_begin(struct journal_reader *r)
{
	struct stat st;
	struct journal_line line;

	if (fstat(r->fd, &st) < 0)
		return -errno;
	r->at = r->base + st.st_size;
	while (r->at > r->base) {
		int more = reader_retreat(r);

		if (more < 0)
			return more;
		if (r->window[r->filled - 1] == '\n')
			return 0;
		if (reader_last_line(r, &line))
			return 0;
	}
	return 0;
}

static int open_now(struct journal_reader *r)
{
	int64_t base;
	int fd = segment_open_newest(r->state->dir);

	if (fd == -ENOENT) {
		__attribute__((cleanup(segments_clear))) struct segments s;
		int e = segments_list(r->state->dir, &s);

		if (e == 0 && s.count)
			r->at = s.first[s.count - 1];
		return e < 0 ? e : s.count ? reader_open_segment(r)
					   : 0;
	}
	if (fd < 0)
		return fd;
	base = segment_base(r->state->dir, fd);
	if (base < 0)
		return close(fd), (int)base;
	reader_set_segment(r, fd, base, true);
	return to_line_begin(r);
}

static int open_start(struct journal_reader *r)
{
	__attribute__((cleanup(segments_clear))) struct segments s;
	int e = segments_list(r->state->dir, &s);
	int fd;

	if (e < 0)
		return e;
	r->at = s.count ? s.first[0] : 0;
	if (!s.count) {
		fd = segment_open_newest(r->state->dir);
		if (fd < 0)
			return fd == -ENOENT ? 0 : fd;
		r->at = segment_base(r->state->dir, fd);
		close(fd);
		if (r->at < 0)
			return (int)r->at;
	}
	e = reader_open_segment(r);
	return MIN(e, 0);
}

static int out_of_range(const struct journal_reader *r, int64_t id, struct err *e)
{
	__attribute__((cleanup(segments_clear))) struct segments s;
	int64_t oldest = segments_list(r->state->dir, &s) == 0 && s.count ? s.first[0] : 0;

	if (id < oldest)
		return err_set(e, -ERANGE, "%lld lies before the oldest event, %lld", (long long)id,
			(long long)oldest);
	return err_set(e, -ERANGE, "%lld lies behind the journal's end", (long long)id);
}

static int open_id(struct journal_reader *r, int64_t id, struct err *e)
{
	int64_t base;
	bool newest;
	char before = '\n';
	int fd = segment_open(r->state->dir, id, &base, &newest);

	r->at = id;
	if (fd == -ENOENT && id == 0)
		return 0;
	if (fd == -ERANGE || fd == -ENOENT)
		return out_of_range(r, id, e);
	if (fd < 0)
		return fd;
	reader_set_segment(r, fd, base, newest);
	if (id > base && io_pread(fd, &before, 1, id - base - 1) != 1)
		return -EIO;
	if (before != '\n')
		return err_set(e, -ERANGE, "%lld is not where an event begins", (long long)id);
	return 0;
}

int journal_reader_new(struct journal_reader **out, const struct state *s, enum journal_from from,
	int64_t id, struct err *e)
{
	struct journal_reader *r = mem_zero(1, sizeof *r);
	int code;

	*r = (struct journal_reader){
		.state = s,
		.fd = -1,
		.watch = WATCH_LATER,
		.room = WINDOW,
		.window = mem_new(WINDOW),
	};
	code = from == JOURNAL_FROM_ID	   ? open_id(r, id, e)
		: from == JOURNAL_FROM_NOW ? open_now(r)
					   : open_start(r);
	if (code < 0) {
		journal_reader_free(r);
		return err_sys(e, code, "%s/%s", s->path, SEGMENT_NEWEST);
	}
	*out = r;
	return 0;
}

void journal_reader_free(struct journal_reader *r)
{
	if (!r)
		return;
	if (r->fd >= 0)
		close(r->fd);
	if (r->watch >= 0)
		close(r->watch);
	free(r->window);
	free(r);
}

int64_t journal_position(const struct journal_reader *r)
{
	return r->at;
}

bool journal_ready(const struct journal_reader *r)
{
	return r->filled && r->at < r->whole;
}

uint64_t journal_damaged(const struct journal_reader *r)
{
	return r->damaged;
}

bool journal_drained(const struct journal_reader *r)
{
	return r->drained && !r->renamed && !r->sealed && !journal_ready(r);
}

int journal_segment(const struct journal_reader *r, int64_t *base)
{
	*base = r->base;
	return r->fd;
}

void journal_on_damage(struct journal_reader *r,
	void (*report)(void *context, int64_t position, const char *why), void *context)
{
	r->report = report;
	r->context = context;
}
