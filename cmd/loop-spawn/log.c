#include "log.h"

#include "buf.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

int log_open(struct log *l, int dir, const char *name, int64_t max)
{
	struct stat st;

	*l = (struct log){.dir = dir, .name = name, .max = max};
	l->fd = io_open(dir, name, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
	if (l->fd < 0)
		return l->fd;
	if (fstat(l->fd, &st) == 0)
		l->size = st.st_size;
	return 0;
}

/* The end of the last line in [from, to) of the file, or to where there is none. */
static int64_t line_end_before(int fd, int64_t from, int64_t to)
{
	char block[4096];

	while (to > from) {
		int64_t n = MIN(to - from, (int64_t)sizeof block);
		const char *newline;

		if (io_pread(fd, block, (size_t)n, to - n) != n)
			break;
		newline = memrchr(block, '\n', (size_t)n);
		if (newline)
			return to - n + (newline - block) + 1;
		to -= n;
	}
	return to;
}

static int add_part(struct buf *b, int fd, int64_t from, int64_t to)
{
	size_t n = (size_t)(to - from);

	if (io_pread(fd, buf_reserve(b, n), n, from) != (ssize_t)n)
		return -EIO;
	b->length += n;
	return 0;
}

static void add_gap(struct buf *b, const struct log *l)
{
	if (l->json)
		buf_format(b, "{\"type\":\"omitted\",\"bytes\":%lld}\n", (long long)l->dropped);
	else
		buf_format(b, "[... %lld bytes are left out here ...]\n", (long long)l->dropped);
}

/* Head, gap and the last quarter, in place of the file. */
static int compact(struct log *l)
{
	AUTO_BUF struct buf whole = {0};
	int64_t half = l->max / 2, tail;
	int r, fd;

	if (!l->head)
		l->head = line_end_before(l->fd, half / 2, half);
	tail = line_end_before(l->fd, l->head, l->size - l->max / 4);
	l->dropped += tail - l->head;
	r = add_part(&whole, l->fd, 0, l->head);
	add_gap(&whole, l);
	if (r == 0)
		r = add_part(&whole, l->fd, tail, l->size);
	if (r == 0)
		r = io_replace(l->dir, l->name, whole.text, whole.length, 0600);
	if (r < 0)
		return r;
	fd = io_open(l->dir, l->name, O_RDWR | O_APPEND | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd;
	close(l->fd);
	l->fd = fd;
	l->size = (int64_t)whole.length;
	return 0;
}

int log_add(struct log *l, const void *bytes, size_t length)
{
	int r;

	if (l->fd < 0)
		return 0;
	r = io_write(l->fd, bytes, length);
	l->size += (int64_t)length;
	if (r == 0 && l->max && l->size > l->max)
		r = compact(l);
	if (r < 0)
		log_close(l);
	return r;
}

void log_close(struct log *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}
