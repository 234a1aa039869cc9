/*
 * Reading back: the window is filled up to the position, and lines are cut off
 * its end.
 */
#include "journal_reader.h"

#include "segment.h"

#include <errno.h>
#include <sys/stat.h>

/* The last segment that begins before a position; a descriptor and where it begins. */
static int open_before(int dir, int64_t position, int64_t *base)
{
	__attribute__((cleanup(segments_clear))) struct segments s;
	int r = segments_list(dir, &s);
	size_t i = 0;

	if (r < 0)
		return r;
	while (i < s.count && s.first[i] < position)
		i++;
	if (i == 0)
		return -ENOENT;
	*base = s.first[i - 1];
	return segment_open_older(dir, *base);
}

/* The segment that ends where this one begins, or before a gap: 1 done, 0 there is none. */
static int previous_segment(struct journal_reader *r)
{
	int64_t base;
	struct stat st;
	bool newest = false;
	int fd;

	if (r->fd < 0 || r->base == 0)
		return 0;
	fd = segment_open(r->state->dir, r->base - 1, &base, &newest);
	if (fd == -ERANGE)
		fd = open_before(r->state->dir, r->base, &base);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (fstat(fd, &st) < 0)
		return close(fd), -errno;
	if (base + st.st_size < r->at) {
		reader_damage(r, base + st.st_size, "the journal does not go on here");
		r->at = base + st.st_size;
	}
	reader_set_segment(r, fd, base, newest);
	return 1;
}

bool reader_last_line(struct journal_reader *r, struct journal_line *line)
{
	size_t length = (size_t)(r->at - r->start);
	const char *newline, *begin;

	if (r->at <= r->start || length > r->filled)
		return false;
	newline = memrchr(r->window, '\n', length - 1);
	if (!newline && r->start > r->base)
		return false;
	begin = newline ? newline + 1 : r->window;
	line->text = begin;
	line->length = (size_t)(r->window + length - begin) - (r->window[length - 1] == '\n');
	line->id = r->start + (begin - r->window);
	r->at = line->id;
	return true;
}

int reader_retreat(struct journal_reader *r)
{
	int64_t length;
	ssize_t n;

	while (r->fd >= 0 && r->at == r->base) {
		int found = previous_segment(r);

		if (found <= 0)
			return found;
	}
	if (r->fd < 0)
		return 0;
	/* A whole window had not the line's beginning: a larger one may. */
	if (r->start + (int64_t)r->filled == r->at && r->filled == r->room && !reader_grow(r)) {
		reader_damage(r, r->start, "a line that is too long");
		r->at = r->start;
		return 1;
	}
	length = MIN(r->at - r->base, (int64_t)r->room);
	n = reader_fill(r, r->at - length, (size_t)length);
	if (n < 0)
		return (int)n;
	/* A line that was cut off again by its writer. */
	r->at = r->start + n;
	return 1;
}

int journal_read_back(struct journal_reader *r, struct journal_line *line)
{
	for (;;) {
		int more;

		while (reader_last_line(r, line))
			if (reader_line_good(r, line))
				return 1;
		more = reader_retreat(r);
		if (more <= 0)
			return more;
	}
}
