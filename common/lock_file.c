#include "lock_file.h"

#include "clock.h"
#include "io.h"
#include "lock_bytes.h"
#include "lock_place.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { GUARD_TRIES = 100 }; /* a millisecond apart */

static int check_local(int fd, const char *name, struct err *e)
{
	char network[NETWORK_SIZE];
	int r = lock_place_check(fd, network);

	if (r < 0)
		return err_sys(e, r, "locks/%s", name);
	if (r == 0)
		return 0;
	return err_set(e, -ENOTSUP,
		"locks/%s: lies on a network file system (%s), where locks "
		"do not hold; set LOOP_DIR to a local folder",
		name, network);
}

int lock_file_open(const struct state *state, const char *name, struct err *e)
{
	char path[160];
	int fd, r;

	if (!name_valid(name))
		return err_set(e, -EINVAL,
			"'%s' is no name for a lock: letters, digits and ._:@+- only, at most 128, "
			"no dot in front",
			name);
	snprintf(path, sizeof path, "locks/%s.lk", name);
	fd = state_file(state, path, O_RDWR | O_CREAT, 0600);
	if (fd == -ENOENT) {
		r = state_folder(state, "locks");
		if (r < 0)
			return err_sys(e, r, "%s/locks", state->path);
		close(r);
		fd = state_file(state, path, O_RDWR | O_CREAT, 0600);
	}
	if (fd < 0)
		return err_sys(e, fd, "%s/%s", state->path, path);
	r = check_local(fd, name, e);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

int lock_file_lends(
	int ours, int theirs, const struct state *state, const char *name, struct err *e)
{
	struct stat here, there;

	if (fstat(theirs, &there) < 0 || fstat(ours, &here) < 0)
		return err_sys(e, -errno, "descriptor %d", theirs);
	if (here.st_dev == there.st_dev && here.st_ino == there.st_ino &&
		(fcntl(theirs, F_GETFL) & O_ACCMODE) == O_RDWR)
		return 0;
	return err_set(e, -EINVAL,
		"descriptor %d is not open for reading and writing on %s/locks/%s.lk", theirs,
		state->path, name);
}

int lock_row_alive(const struct lock_row *row, int fd)
{
	struct lock_range owned;
	int64_t family = lock_row_holds(row) ? LOCK_HOLD : LOCK_WAIT;

	return lock_bytes_owned(fd, family + row->ticket, 1, &owned);
}

int lock_file_used(int fd)
{
	struct lock_range owned;

	return lock_bytes_owned(fd, LOCK_WAIT, LOCK_SLOT + LOCK_ROWS_MAX - LOCK_WAIT, &owned);
}

/*
 * A head for a new file, or for one whose head was lost. Tokens start at the
 * time in hundredths of a second, so they go on growing when a file was removed
 * or cut; a ticket that somebody living has already is stepped over when it is
 * given out. The lost capacity is 1 again: who asks for another states it, and
 * no slot that is owned is given away whatever stands here.
 */
static int make_head(struct lock_table *t, int fd)
{
	struct lock_head *h = &t->head;

	*h = (struct lock_head){.capacity = 1, .ticket = 1};
	h->token = clock_real() / (10 * NS_PER_MS) % LOCK_TICKETS;
	for (size_t i = 0; i < t->count; i++) {
		h->ticket = MAX(h->ticket, t->row[i].ticket + 1);
		h->token = MAX(h->token, t->row[i].token + 1);
	}
	return lock_table_start(t, fd);
}

int lock_file_read(int fd, const char *name, struct lock_table *t, struct err *e)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return err_sys(e, -errno, "locks/%s", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "locks/%s.lk: is not a regular file", name);
	if (!st.st_nlink)
		return -ESTALE;
	r = lock_table_read(t, fd, (size_t)st.st_size);
	if (r == -ENODATA || r == -EBADMSG)
		r = make_head(t, fd);
	else if (r == -ENOTSUP)
		return err_set(e, r, "locks/%s.lk: was made by another version of loop-lock", name);
	return r < 0 ? err_sys(e, r, "locks/%s", name) : 0;
}

int lock_file_blame(int fd, const char *name, const struct lock_table *t, int code, struct err *e)
{
	const struct lock_row *holder = NULL;
	char since[DURATION_SIZE], more[32] = "";
	int64_t from = 0;
	int holders = 0;

	for (size_t i = 0; i < t->count; i++) {
		if (!lock_row_holds(&t->row[i]) || lock_row_alive(&t->row[i], fd) <= 0)
			continue;
		if (!holders++)
			holder = &t->row[i];
	}
	if (!holder)
		return err_set(e, code, "locks/%s: others come first", name);
	if (parse_rfc3339(holder->since, strlen(holder->since), &from) == 0)
		format_duration(since, MAX(clock_real() - from, INT64_C(0)));
	if (holders > 1)
		snprintf(more, sizeof more, " and %d more", holders - 1);
	return err_set(e, code, "locks/%s: held by pid %lld (%s)%s for %s", name,
		(long long)holder->pid, holder->label, more, from ? since : "some time");
}

/* A guard that is not had in this time is a stopped process's. */
int lock_file_guard(int fd)
{
	int r = -EAGAIN;

	for (int i = 0; i < GUARD_TRIES && r == -EAGAIN; i++) {
		r = lock_bytes_own(fd, LOCK_GUARD, 1);
		if (r == -EAGAIN)
			clock_sleep(NS_PER_MS);
	}
	return r;
}

int lock_file_mark(const struct state *s, const char *name, int64_t ticket, enum lock_state mark)
{
	AUTO_CLOSE int fd = lock_file_open(s, name, NULL);
	struct lock_table t = {0};
	struct lock_row *row;
	int r = fd < 0 ? fd : lock_file_guard(fd);

	if (r == 0)
		r = lock_file_read(fd, name, &t, NULL);
	if (r == 0) {
		row = lock_table_find(&t, ticket);
		r = -ESRCH;
		if (row && lock_row_waits(row)) {
			row->state = mark;
			r = lock_row_write(row, fd);
		}
	}
	lock_table_clear(&t);
	return r;
}
