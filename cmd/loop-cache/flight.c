/*
 * Runs can be part of runs. One that is waits only for keys beyond all those that are being
 * computed around it: where everybody waits in one direction, nobody waits in a circle.
 */
#include "flight.h"

#include "buf.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

static const char around[] = "LOOP_CACHE_WITHIN";

static bool may_wait(const struct digest *key)
{
	const char *outer = getenv(around);
	char hex[DIGEST_HEX + 1];

	return !outer || strcmp(digest_hex(key, hex), outer) > 0;
}

int flight_tell(const struct digest *key)
{
	char hex[DIGEST_HEX + 1];

	if (!may_wait(key))
		return 0; /* the one around it is beyond this one already */
	return setenv(around, digest_hex(key, hex), 1) < 0 ? -errno : 0;
}

/* Whether the file that is locked is still the one that others find. */
static bool is_current(const struct flight *f)
{
	struct stat ours, theirs;

	return fstat(f->fd, &ours) == 0 &&
		fstatat(f->scope->dir, f->path, &theirs, AT_SYMLINK_NOFOLLOW) == 0 &&
		ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

static int open_file(struct flight *f)
{
	int dir = scope_folder(f->scope, "flights");

	if (dir < 0)
		return dir;
	close(dir);
	f->fd = io_open(f->scope->dir, f->path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	return MIN(f->fd, 0);
}

int flight_begin(struct flight *f, const struct scope *s, const struct digest *key)
{
	char hex[DIGEST_HEX + 1];
	int wait = may_wait(key) ? 0 : LOCK_NB;

	*f = (struct flight){.fd = -1, .scope = s};
	snprintf(f->path, sizeof f->path, "flights/%s", digest_hex(key, hex));
	for (;;) {
		int r = open_file(f);

		if (r < 0)
			return r;
		while ((r = flock(f->fd, LOCK_EX | wait)) < 0 && errno == EINTR)
			;
		if (r < 0)
			r = errno == EWOULDBLOCK ? 0 : -errno;
		else if (is_current(f))
			return 1;
		else
			r = 1;
		close(f->fd);
		f->fd = -1;
		if (r <= 0)
			return r;
	}
}

void flight_end(struct flight *f)
{
	if (f->fd < 0)
		return;
	unlinkat(f->scope->dir, f->path, 0);
	flock(f->fd, LOCK_UN); /* others have it open by inheritance */
	close(f->fd);
	f->fd = -1;
}

/* One that nobody holds: who opens it now finds, once it has the lock, that it is gone. */
static void sweep(const struct scope *s, const char *name)
{
	struct flight f = {.fd = -1, .scope = s};

	snprintf(f.path, sizeof f.path, "flights/%.*s", DIGEST_HEX, name);
	f.fd = io_open(s->dir, f.path, O_RDWR | O_NOFOLLOW | O_NONBLOCK, 0);
	if (f.fd < 0)
		return;
	if (flock(f.fd, LOCK_EX | LOCK_NB) == 0 && is_current(&f))
		flight_end(&f);
	else
		close(f.fd);
}

int flights_sweep(const struct scope *s)
{
	AUTO_STRS struct strs names = {0};
	AUTO_BUF struct buf folder = {0};
	int r;

	buf_format(&folder, "cache/%s/flights", s->name);
	r = state_list(s->state, folder.text, "", &names);
	for (size_t i = 0; i < names.count; i++)
		sweep(s, names.item[i]);
	return r;
}
