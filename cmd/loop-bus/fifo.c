/*
 * The FIFO: a script's cheapest way in, one line an event. Nobody is answered
 * there, so what is wrong is told in the log.
 */
#include "server.h"

#include "clock.h"
#include "die.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define NAME "bus.fifo"

enum { READ_SIZE = 64 * 1024 };

/* How long a line may wait for its end: its writer may have died, and the next one's is no part. */
#define PATIENCE NS_PER_S

static void take_line(struct server *s, char *line, size_t length)
{
	struct err e = {0};
	int r;

	while (length && strchr(" \t\r", line[length - 1]) && line[length - 1])
		length--;
	if (!length)
		return;
	line[length] = '\0';
	if (strlen(line) != length)
		r = err_set(&e, -EINVAL, "a NUL in a line");
	else
		r = *line == '{' ? intake_event(s, line, length, &e) : intake_words(s, line, &e);
	if (r < 0) {
		s->refused++;
		warn("%s: %s", NAME, e.text);
	}
}

static void flush(struct server *s)
{
	struct appended done;
	struct err e = {0};

	if (s->intake.count && intake_flush(s, &done, &e) < 0)
		warn("%s: events were lost: %s", NAME, e.text);
	server_wake(s);
}

static void on_readable(uv_poll_t *poll, int status UNUSED, int events UNUSED)
{
	struct server *s = poll->data;
	uint64_t oversize = s->fifo_in.oversize;
	size_t length;
	char *line;
	ssize_t n = io_read_some(s->fifo_fd, lines_room(&s->fifo_in, READ_SIZE), READ_SIZE);

	if (n <= 0)
		return;
	s->fifo_at = clock_now();
	lines_fed(&s->fifo_in, (size_t)n);
	while (lines_next(&s->fifo_in, &line, &length))
		take_line(s, line, length);
	if (s->fifo_in.oversize > oversize)
		warn("%s: a line longer than %d bytes", NAME, EVENT_MAX);
	if (s->fifo_in.taken == s->fifo_in.rest.length && !s->fifo_in.skipping)
		lines_clear(&s->fifo_in);
	flush(s);
}

void fifo_tick(struct server *s, int64_t now)
{
	const struct lines *in = &s->fifo_in;

	if ((in->taken == in->rest.length && !in->skipping) || now - s->fifo_at < PATIENCE)
		return;
	s->refused++;
	warn("%s: a line without its end", NAME);
	lines_clear(&s->fifo_in);
}

/* What stands there under the name and is no FIFO of ours is left alone. */
static int make(int dir, struct err *e)
{
	struct stat st;

	if (mkfifoat(dir, NAME, 0600) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(e, -errno, NAME);
	if (fstatat(dir, NAME, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, -errno, NAME);
	return S_ISFIFO(st.st_mode) ? 0 : err_set(e, -EEXIST, "%s: is there and no FIFO", NAME);
}

int fifo_open(struct server *s, struct err *e)
{
	int r = make(s->state->dir, e);

	if (r < 0)
		return r;
	/* Open for writing too: it has no end of file when the last writer goes. */
	s->fifo_fd = state_file(s->state, NAME, O_RDWR | O_NONBLOCK, 0);
	if (s->fifo_fd < 0)
		return err_sys(e, s->fifo_fd, NAME);
	s->fifo_in.max = EVENT_MAX;
	s->fifo.data = s;
	uv_poll_init(&s->loop, &s->fifo, s->fifo_fd);
	uv_poll_start(&s->fifo, UV_READABLE, on_readable);
	return 0;
}

void fifo_close(struct server *s)
{
	if (s->fifo_fd < 0)
		return;
	uv_close((uv_handle_t *)&s->fifo, NULL);
	unlinkat(s->state->dir, NAME, 0);
	lines_clear(&s->fifo_in);
}
