#include "io.h"

#include "buf.h"
#include "clock.h"
#include "id.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

int io_open(int dir, const char *path, int flags, mode_t mode)
{
	int fd;

	do
		fd = openat(dir, path, flags | O_CLOEXEC | O_NOCTTY, mode);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

int io_write(int fd, const void *bytes, size_t length)
{
	struct iovec v = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};

	return io_writev(fd, &v, 1);
}

int io_writev(int fd, struct iovec *v, int count)
{
	while (count) {
		ssize_t n = writev(fd, v, MIN(count, 1024));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		for (; count && (size_t)n >= v->iov_len; v++, count--)
			n -= (ssize_t)v->iov_len;
		if (count) {
			v->iov_base = (char *)v->iov_base + n;
			v->iov_len -= (size_t)n;
		}
	}
	return 0;
}

int io_pwrite(int fd, const void *bytes, size_t length, off_t at)
{
	for (size_t done = 0; done < length;) {
		ssize_t n = pwrite(fd, (const char *)bytes + done, length - done, at + (off_t)done);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

ssize_t io_read_some(int fd, void *bytes, size_t length)
{
	ssize_t n;

	do
		n = read(fd, bytes, length);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t io_read(int fd, void *bytes, size_t length)
{
	size_t got = 0;

	while (got < length) {
		ssize_t n = io_read_some(fd, (char *)bytes + got, length - got);

		if (n < 0)
			return n;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

ssize_t io_pread(int fd, void *bytes, size_t length, off_t at)
{
	size_t got = 0;

	while (got < length) {
		ssize_t n = pread(fd, (char *)bytes + got, length - got, at + (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

int io_read_all(int fd, size_t max, struct buf *out)
{
	struct stat st;
	bool sized = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
	size_t room = sized ? MIN((size_t)st.st_size, max) + 1 : 4096;

	for (size_t got = 0;;) {
		ssize_t n = io_read_some(fd, buf_reserve(out, room), room);

		if (n <= 0) {
			buf_add(out, "", 0); /* terminates */
			return (int)n;
		}
		out->length += (size_t)n;
		got += (size_t)n;
		if (got > max)
			return -EMSGSIZE;
		if (sized && got == (size_t)st.st_size) { /* there was room for more */
			buf_add(out, "", 0);
			return 0;
		}
		room = MAX((size_t)4096, MIN(got, (size_t)1 << 20));
	}
}

int io_read_file(int dir, const char *path, size_t max, struct buf *out)
{
	AUTO_CLOSE int fd = io_open(dir, path, O_RDONLY, 0);

	return fd < 0 ? fd : io_read_all(fd, max, out);
}

int io_sync_dir(int dir)
{
	/* Some file systems (and all pipes) have nothing to sync. */
	if (fsync(dir) < 0 && errno != EINVAL && errno != EROFS)
		return -errno;
	return 0;
}

/* What the temporary file is to hold, and whether it is to be on disk before it has its name. */
struct replacement {
	const void *bytes;
	size_t length;
	mode_t mode;
	bool sync;
};

/* Writes the temporary file; the name is the caller's to rename or remove. */
static int write_temporary(int dir, const char *path, const struct replacement *new)
{
	AUTO_CLOSE int fd = io_open(dir, path, O_WRONLY | O_CREAT | O_EXCL, new->mode);
	int r;

	if (fd < 0)
		return fd;
	r = io_write(fd, new->bytes, new->length);
	if (r == 0 && new->sync && fsync(fd) < 0)
		r = -errno;
	return r;
}

/* The folder that a path names its file in. */
static int open_parent(int dir, const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[4096];

	if (!slash)
		return io_open(dir, ".", O_RDONLY | O_DIRECTORY, 0);
	if ((size_t)(slash - path) >= sizeof folder)
		return -ENAMETOOLONG;
	snprintf(folder, sizeof folder, "%.*s", (int)MAX(slash - path, 1), path);
	return io_open(dir, folder, O_RDONLY | O_DIRECTORY, 0);
}

static int replace(int dir, const char *path, const struct replacement *new)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	AUTO_CLOSE int parent = open_parent(dir, path);
	char temporary[300];
	unsigned random;
	int r;

	if (parent < 0)
		return parent;
	id_random(&random, sizeof random);
	if (snprintf(temporary, sizeof temporary, ".%s.%08x", name, random) >= 256)
		return -ENAMETOOLONG;
	r = write_temporary(parent, temporary, new);
	if (r == 0 && renameat(parent, temporary, parent, name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(parent, temporary, 0);
		return r;
	}
	return new->sync ? io_sync_dir(parent) : 0;
}

int io_replace(int dir, const char *path, const void *bytes, size_t length, mode_t mode)
{
	return replace(dir, path, &(struct replacement){bytes, length, mode, true});
}

int io_replace_lazily(int dir, const char *path, const void *bytes, size_t length, mode_t mode)
{
	return replace(dir, path, &(struct replacement){bytes, length, mode, false});
}

int io_lock(int fd, int64_t deadline)
{
	int64_t pause = 20 * NS_PER_US;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (clock_now() >= deadline)
			return -ETIMEDOUT;
		clock_sleep(pause);
		pause = MIN(pause + pause / 2, 2 * NS_PER_MS);
	}
	return 0;
}

int io_memory(const char *name, const void *text, size_t length)
{
	int fd = memfd_create(name, MFD_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = io_write(fd, text, length);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

int io_pipe(int ends[2])
{
	return pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
}

int io_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}

/* One call asks for all three. */
int io_loop_room(void)
{
	int fd[12], had = 0, r = 0;

	while (r == 0 && had < (int)countof(fd)) {
		fd[had] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
		if (fd[had] < 0)
			r = -errno;
		else
			had++;
	}
	while (had > 0)
		close(fd[--had]);
	return r;
}

static bool standard_filled(void)
{
	struct pollfd p[] = {{.fd = 0}, {.fd = 1}, {.fd = 2}};

	if (poll(p, countof(p), 0) < 0)
		return false;
	return !((p[0].revents | p[1].revents | p[2].revents) & POLLNVAL);
}

void io_fill_standard(void)
{
	bool no_output;
	int fd;

	if (standard_filled())
		return;
	no_output = fcntl(STDOUT_FILENO, F_GETFD) < 0;
	do
		fd = open("/dev/null", O_RDWR); /* inherited on purpose */
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
	/* Output that nobody gets is lost, and that must not look like a success. */
	fd = no_output ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0) {
		dup2(fd, STDOUT_FILENO);
		close(fd);
	}
}
