#include "cursor.h"

#include "buf.h"
#include "clock.h"
#include "io.h"
#include "journal.h"
#include "mem.h"
#include "parse.h"

#include <errno.h>
#include <fcntl.h>

enum { WIDTH = 20 };

static int parse_id(const char *text, int64_t *id)
{
	*id = -1;
	return strcmp(text, "-1") == 0 ? 0 : parse_int(text, 0, INT64_MAX, id);
}

static int read_ids(struct cursor *c)
{
	char text[(WIDTH + 1) * (CURSOR_LEVELS + 1) + 1] = "", *rest = text, *word;
	ssize_t n = io_pread(c->fd, text, sizeof text - 1, 0);
	int r = 0;

	text[strcspn(text, "\n")] = '\0';
	c->fresh = n == 0;
	c->id = -1;
	if (n > 0)
		r = parse_id(strtok_r(text, " ", &rest) ? text : "", &c->id);
	for (int i = 0; i < CURSOR_LEVELS; i++) {
		word = n > 0 ? strtok_r(NULL, " ", &rest) : NULL;
		c->level[i] = c->id;
		if (r == 0 && word)
			r = parse_id(word, &c->level[i]);
	}
	return n < 0 ? (int)n : r < 0 ? -EBADMSG
				      : 0;
}

/* The kernel lets go when the last process of the one before is gone, its guards included. */
static bool lock_within(int fd, int64_t patience)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int64_t deadline = clock_after(patience);

	while (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
		if (clock_now() >= deadline)
			return false;
		clock_sleep(5 * NS_PER_MS);
	}
	return true;
}

int cursor_open(struct cursor *c, const struct state *s, const char *name, int64_t patience,
	struct err *e)
{
	AUTO_CLOSE int dir = -1;
	int r;

	*c = (struct cursor){.fd = -1, .id = -1};
	if (!name_valid(name))
		return err_set(e, -EINVAL, "durable '%.100s': not a name", name);
	dir = state_folder(s, "cursors");
	c->fd = dir < 0 ? dir : io_open(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	if (c->fd < 0)
		return err_sys(e, c->fd, "cursors/%s", name);
	c->name = mem_string(name);
	if (!lock_within(c->fd, patience))
		r = err_set(e, -EBUSY, "cursors/%s: another subscriber of this name is there",
			name);
	else
		r = read_ids(c);
	if (r < 0)
		cursor_close(c);
	return r < 0 ? err_sys(e, r, "cursors/%s", name) : 0;
}

/* One write of one width: what is read is the old or the new. */
static int write_line(const struct cursor *c, const char *text, size_t length)
{
	ssize_t n;

	do
		n = pwrite(c->fd, text, length, 0);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)length ? 0 : n < 0 ? -errno
						: -ENOSPC;
}

int cursor_set(struct cursor *c, int64_t id)
{
	char text[WIDTH + 2];
	int r;

	snprintf(text, sizeof text, "%-*lld\n", WIDTH, (long long)id);
	r = write_line(c, text, WIDTH + 1);
	if (r < 0)
		return r;
	c->id = id;
	for (int i = 0; i < CURSOR_LEVELS; i++)
		c->level[i] = id;
	c->fresh = false;
	return 0;
}

int cursor_set_levels(struct cursor *c, const int64_t id[CURSOR_LEVELS])
{
	AUTO_BUF struct buf line = {0};
	int64_t least = id[0];
	int r;

	for (int i = 1; i < CURSOR_LEVELS; i++)
		least = MIN(least, id[i]);
	buf_format(&line, "%-*lld", WIDTH, (long long)least);
	for (int i = 0; i < CURSOR_LEVELS; i++)
		buf_format(&line, " %-*lld", WIDTH, (long long)id[i]);
	buf_char(&line, '\n');
	r = write_line(c, line.text, line.length);
	if (r < 0)
		return r;
	c->id = least;
	memmove(c->level, id, sizeof c->level);
	c->fresh = false;
	return 0;
}

void cursor_close(struct cursor *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->name);
	*c = (struct cursor){.fd = -1, .id = -1};
}

int cursor_next(const struct cursor *c, const struct state *s, int64_t id, int64_t *position,
	struct err *e)
{
	struct journal_reader *r;
	struct journal_line line;
	struct err why = {0};
	int code = journal_reader_new(&r, s, id < 0 ? JOURNAL_FROM_START : JOURNAL_FROM_ID,
		MAX(id, INT64_C(0)), &why);

	if (code < 0)
		return err_set(e, code == -ERANGE ? -ENOENT : code, "cursors/%s: %s%s", c->name,
			why.text, code == -ERANGE ? "; remove the file to begin anew" : "");
	if (id >= 0 && (journal_read(r, &line) != 1 || line.id != id))
		code = err_set(e, -ENOENT,
			"cursors/%s: %lld is not an event's id; remove the file to begin anew",
			c->name, (long long)id);
	*position = journal_position(r);
	journal_reader_free(r);
	return code;
}

int64_t id_before(const struct state *s, int64_t position)
{
	struct journal_reader *r;
	struct journal_line line;
	int64_t id = -1;

	if (journal_reader_new(&r, s, JOURNAL_FROM_ID, position, NULL) < 0)
		return -1;
	if (journal_read_back(r, &line) == 1)
		id = line.id;
	journal_reader_free(r);
	return id;
}
