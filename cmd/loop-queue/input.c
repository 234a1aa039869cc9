#include "loop-queue.h"

#include "io.h"
#include "lines.h"

#include <errno.h>
#include <poll.h>

enum { ROOM = 256 << 10 };

/* A body of the largest size, each byte of it escaped, would be refused anyhow. */
#define LINE_MAX_BYTES ((size_t)QUEUE_BODY_MAX + (QUEUE_BODY_MAX >> 1))

/* Whether a read would have to wait: then what there is goes first. */
static bool is_idle(void)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};

	return poll(&p, 1, 0) == 0;
}

static int take_line(const struct intake *in, char *line, size_t length, int64_t number)
{
	if (strspn(line, " \t\r") >= length)
		return 0;
	return in->take(in->context, line, length, number);
}

static int take_lines(const struct intake *in, struct lines *lines, int64_t *number)
{
	char *line;
	size_t length;
	int r = 0;

	while (r == 0 && lines_next(lines, &line, &length)) {
		line[length] = '\0';
		r = take_line(in, line, length, ++*number + (int64_t)lines->oversize);
	}
	return r;
}

int read_lines(const struct intake *in)
{
	struct lines lines = {.max = LINE_MAX_BYTES};
	int64_t number = 0;
	size_t length;
	char *line;
	int r = 0;

	while (r == 0) {
		ssize_t n;

		if (is_idle() && (r = in->flush(in->context)) < 0)
			break;
		n = io_read_some(STDIN_FILENO, lines_room(&lines, ROOM), ROOM);
		if (n <= 0) {
			r = (int)n;
			break;
		}
		lines_fed(&lines, (size_t)n);
		r = take_lines(in, &lines, &number);
	}
	if (r == 0 && lines_rest(&lines, &line, &length)) {
		AUTO_BUF struct buf copy = {0};

		buf_add(&copy, line, length);
		r = take_line(in, copy.text, length, number + 1);
	}
	if (r == 0 && lines.oversize)
		r = -EMSGSIZE;
	if (r == 0 || r == -EMSGSIZE) {
		int flushed = in->flush(in->context);

		r = MIN(r, flushed);
	}
	lines_clear(&lines);
	return r;
}
