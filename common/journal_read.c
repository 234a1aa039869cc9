/*
 * Reading on. The window is always filled from the beginning of a line: a line
 * seen in part may be cut off again by its writer, so nothing of it is kept.
 */
#include "journal_reader.h"

#include "segment.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* The next line in the window, good or not. */
static bool next_line(struct journal_reader *r, struct journal_line *line)
{
	size_t offset = (size_t)(r->at - r->start);
	const char *end;

	if (r->at < r->start || offset >= r->filled)
		return false;
	line->text = r->window + offset;
	end = memchr(line->text, '\n', r->filled - offset);
	if (!end)
		return false;
	line->length = (size_t)(end - line->text);
	line->id = r->at;
	r->at += (int64_t)line->length + 1;
	return true;
}

/* What has become of the segment whose end was reached: 1 there is something new to look at. */
static int look_at_file(struct journal_reader *r)
{
	struct stat file, path;

	r->renamed = false;
	if (fstat(r->fd, &file) < 0)
		return -errno;
	if (r->base + file.st_size < r->at) {
		reader_damage(r, r->at, "the journal was cut off here");
		r->at = r->base + file.st_size;
		r->inside = false;
		return 1;
	}
	if (fstatat(r->state->dir, SEGMENT_NEWEST, &path, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (file.st_ino == path.st_ino && file.st_dev == path.st_dev)
		return 0;
	/* Rotated; something may have been appended before that, after we read. */
	return r->sealed = true;
}

/* The lowest position of a segment above the reader's, -1 if there is none. */
static int64_t next_first(const struct journal_reader *r)
{
	__attribute__((cleanup(segments_clear))) struct segments s;

	if (segments_list(r->state->dir, &s) < 0)
		return -1;
	for (size_t i = 0; i < s.count; i++)
		if (s.first[i] > r->at)
			return s.first[i];
	return -1;
}

/* No segment goes on where the last one ended: files were taken away, or all began anew. */
static int step_over_gap(struct journal_reader *r, int64_t newest_base)
{
	int64_t first = next_first(r);

	reader_damage(r, r->at, "the journal does not go on here");
	r->at = first >= 0 ? first : newest_base;
	reader_set_segment(r, -1, -1, false);
	return 1;
}

/* From a sealed segment's end into the next: 1 done, 0 there is none yet. */
static int next_segment(struct journal_reader *r)
{
	bool newest = false, empty = r->at == r->base; /* an empty one has its own end's name */
	int64_t base = r->at;
	int dir = r->state->dir, fd = empty ? -ENOENT : segment_open_older(dir, base), older;

	if (fd == -ENOENT) {
		newest = true;
		fd = segment_open_newest(dir);
		if (fd == -ENOENT)
			return 0;
		base = fd < 0 ? fd : segment_base(dir, fd);
	}
	if (fd < 0 || base < 0)
		return fd < 0 ? fd : (close(fd), (int)base);
	if (base != r->at) {
		close(fd);
		/* Rotated between the two looks: it has its name now. */
		older = empty ? -ENOENT : segment_open_older(dir, r->at);
		if (older >= 0)
			return close(older), 1;
		return step_over_gap(r, base);
	}
	reader_set_segment(r, fd, base, newest);
	return 1;
}

/* At a line that is not in the window: 1 look again, 0 there is no more. */
static int advance(struct journal_reader *r)
{
	ssize_t n;

	if (r->fd < 0)
		return reader_open_segment(r);
	n = reader_read_on(r);
	if (n < 0)
		return (int)n;
	if (journal_ready(r))
		return 1;
	if ((size_t)n == r->room) {
		if (reader_grow(r))
			return 1;
		if (!r->inside)
			r->began = r->at;
		r->inside = true;
		r->at += n;
		return 1;
	}
	if (!r->sealed)
		return look_at_file(r);
	if (n > 0)
		reader_damage(r, r->inside ? r->began : r->at, "a line without its end");
	r->at += n;
	r->inside = false;
	return next_segment(r);
}

int journal_read(struct journal_reader *r, struct journal_line *line)
{
	for (;;) {
		int more;

		while (next_line(r, line)) {
			if (r->inside) {
				r->inside = false;
				reader_damage(r, r->began, "a line that is too long");
				continue;
			}
			if (reader_line_good(r, line))
				return 1;
		}
		more = advance(r);
		if (more <= 0)
			return more;
	}
}
