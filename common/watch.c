#include "watch.h"

#include "io.h"

#include <errno.h>
#include <limits.h>
#include <sys/inotify.h>

int watch_folder(const char *path)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	if (inotify_add_watch(fd, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO) >= 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

static unsigned told(const struct inotify_event *e, const char *prefix)
{
	if (e->mask & IN_Q_OVERFLOW)
		return WATCH_WRITTEN | WATCH_NAMED;
	if (!e->len || strncmp(e->name, prefix, strlen(prefix)) != 0)
		return 0;
	return e->mask & IN_MODIFY ? WATCH_WRITTEN : WATCH_NAMED;
}

unsigned watch_drain(int fd, const char *prefix)
{
	union {
		struct inotify_event event;
		char bytes[4096];
	} in;
	unsigned found = 0;
	ssize_t n;

	/* A read that leaves room for another event has taken all there were. */
	do {
		const struct inotify_event *e;

		n = io_read_some(fd, in.bytes, sizeof in.bytes);
		for (const char *p = in.bytes; p < in.bytes + n; p += sizeof *e + e->len) {
			e = (const void *)p;
			found |= told(e, prefix);
		}
	} while (n > (ssize_t)(sizeof in.bytes - sizeof in.event - NAME_MAX - 1));
	return found;
}
