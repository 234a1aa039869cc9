#include "cursor.h"

#include "clock.h"
#include "io.h"
#include "journal.h"
#include "mem.h"
#include "parse.h"

#include <errno.h>
#include <fcntl.h>

enum { WIDTH = 20 };

static int read_id(struct cursor *c)
{
	char text[WIDTH + 2] = "";
	ssize_t n = io_pread(c->fd, text, sizeof text - 1, 0);

	text[strcspn(text, " \n")] = '\0';
	c->fresh = n == 0;
	c->id = -1;
	if (n < 0)
		return (int)n;
	if (n == 0 || strcmp(text, "-1") == 0)
		return 0;
	return parse_int(text, 0, INT64_MAX, &c->id) < 0 ? -EBADMSG : 0;
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
		r = read_id(c);
	if (r < 0)
		cursor_close(c);
	return r < 0 ? err_sys(e, r, "cursors/%s", name) : 0;
}

int cursor_set(struct cursor *c, int64_t id)
{
	char text[WIDTH + 2];
	ssize_t n;

	/* One write of one width: what is read is the old or the new. */
	snprintf(text, sizeof text, "%-*lld\n", WIDTH, (long long)id);
	do
		n = pwrite(c->fd, text, WIDTH + 1, 0);
	while (n < 0 && errno == EINTR);
	if (n != WIDTH + 1)
		return n < 0 ? -errno : -ENOSPC;
	c->id = id;
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

int cursor_next(const struct cursor *c, const struct state *s, int64_t *position, struct err *e)
{
	struct journal_reader *r;
	struct journal_line line;
	struct err why = {0};
	int code = journal_reader_new(&r, s, c->id < 0 ? JOURNAL_FROM_START : JOURNAL_FROM_ID,
		MAX(c->id, INT64_C(0)), &why);

	if (code < 0)
		return err_set(e, code == -ERANGE ? -ENOENT : code, "cursors/%s: %s%s", c->name,
			why.text, code == -ERANGE ? "; remove the file to begin anew" : "");
	if (c->id >= 0 && (journal_read(r, &line) != 1 || line.id != c->id))
		code = err_set(e, -ENOENT,
			"cursors/%s: %lld is not an event's id; remove the file to begin anew",
			c->name, (long long)c->id);
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
