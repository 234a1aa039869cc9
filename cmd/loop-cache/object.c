#include "object.h"

#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* Where there are no files without a name: one that has lost it. */
static int open_nameless(const struct scope *s)
{
	int fd = io_open(s->dir, ".", O_TMPFILE | O_RDWR, 0600);
	char name[32];

	if (fd >= 0 || fd == -ENOSPC || fd == -EDQUOT || fd == -EMFILE || fd == -ENFILE)
		return fd;
	snprintf(name, sizeof name, "content.%d", (int)getpid());
	fd = io_open(s->dir, name, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	if (fd >= 0)
		unlinkat(s->dir, name, 0);
	return fd;
}

int content_begin(struct content *c, const struct scope *s)
{
	*c = (struct content){.fd = open_nameless(s)};
	hasher_begin(&c->hasher);
	return MIN(c->fd, 0);
}

int content_add(struct content *c, const void *bytes, size_t length)
{
	int r = io_write(c->fd, bytes, length);

	if (r < 0)
		return r;
	hasher_add(&c->hasher, bytes, length);
	c->size += (int64_t)length;
	return 0;
}

int content_copy(struct content *c, int from, int64_t max)
{
	char chunk[65536];
	ssize_t n;

	while ((n = io_read_some(from, chunk, sizeof chunk)) > 0) {
		int r = max && c->size + n > max ? -EFBIG : content_add(c, chunk, (size_t)n);

		if (r < 0)
			return r;
	}
	return (int)n;
}

void content_end(struct content *c, struct part *p)
{
	p->fd = c->fd;
	p->size = c->size;
	p->digest = hasher_end(&c->hasher);
	c->fd = -1;
}

void content_drop(struct content *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

/* What is no file has been put there by somebody else. */
static int no_file(int r)
{
	return r == -ELOOP || r == -EISDIR ? -EINVAL : r;
}

static int open_checked(int dir, const char *path, const struct part *p)
{
	int fd = io_open(dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	struct digest is;
	int64_t size;
	int r;

	if (fd < 0)
		return no_file(fd);
	r = no_file(digest_fd(fd, &is, &size));
	if (r == 0 && (size != p->size || !digest_equal(&is, &p->digest)))
		r = -EINVAL;
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

int object_open(const struct scope *s, const struct part *p)
{
	char path[SCOPE_PATH_SIZE];

	return open_checked(s->dir, scope_path(path, "objects", &p->digest), p);
}

int object_read(const struct scope *s, const struct part *p, char *bytes)
{
	char path[SCOPE_PATH_SIZE];
	AUTO_CLOSE int fd = io_open(s->dir, scope_path(path, "objects", &p->digest),
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	ssize_t n = fd < 0 ? fd : io_read_some(fd, bytes, (size_t)p->size + 1);
	struct digest is;

	if (n < 0)
		return no_file((int)n);
	is = digest_of(bytes, (size_t)n);
	return n == p->size && digest_equal(&is, &p->digest) ? 0 : -EINVAL;
}

int copy_fd(int from, int to)
{
	char chunk[65536];
	ssize_t n;

	while ((n = io_read_some(from, chunk, sizeof chunk)) > 0) {
		int r = io_write(to, chunk, (size_t)n);

		if (r < 0)
			return r;
	}
	return (int)n;
}

/* The file without a name gets this one. */
static int name_file(const struct scope *s, int fd, const char *path)
{
	char self[40];

	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, self, s->dir, path, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

/* Where it cannot get one. */
static int copy_file(const struct scope *s, int fd, const char *path)
{
	AUTO_CLOSE int to = io_open(
		s->dir, "object.new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	int r = to < 0 ? to : 0;

	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r == 0)
		r = copy_fd(fd, to);
	if (r == 0 && renameat(s->dir, "object.new", s->dir, path) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(s->dir, "object.new", 0);
	return r;
}

/* Whether a scope that this one inherits from has it: then the file is the same. */
static bool share(struct scope *s, const struct part *p, const char *path)
{
	AUTO_SCOPE struct scope at = SCOPE_NONE;
	struct err e = {0};
	struct scope *below = s;

	for (int depth = 0; depth < SCOPE_DEPTH_MAX; depth++) {
		struct scope above = SCOPE_NONE;
		int fd;

		if (scope_parent(below, &above, &e) <= 0)
			return false;
		scope_close(&at);
		at = above;
		below = &at;
		fd = open_checked(at.dir, path, p);
		if (fd < 0)
			continue;
		close(fd);
		return linkat(at.dir, path, s->dir, path, 0) == 0;
	}
	return false;
}

int object_place(struct scope *s, struct part *p)
{
	char path[SCOPE_PATH_SIZE], folder[SCOPE_PATH_SIZE];
	int fd, r;

	scope_path(path, "objects", &p->digest);
	snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
	fd = open_checked(s->dir, path, p);
	if (fd >= 0) {
		close(fd);
		return 0; /* left over from who was killed */
	}
	unlinkat(s->dir, path, 0);
	fd = scope_folder(s, folder);
	if (fd < 0)
		return fd;
	close(fd);
	if (share(s, p, path))
		return 0;
	r = name_file(s, p->fd, path);
	return r < 0 ? copy_file(s, p->fd, path) : 0;
}
