#include "lock_wake.h"

#include "id.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>

struct lock_bell lock_bell_of(int fd)
{
	struct lock_bell b = {.address = {.sun_family = AF_UNIX}};
	struct stat st = {0};
	int n;

	fstat(fd, &st); /* of a file that cannot be asked nobody hears the bell */
	n = snprintf(b.address.sun_path + 1, sizeof b.address.sun_path - 1,
		"loop-lock/%llx/%llx", (unsigned long long)st.st_dev,
		(unsigned long long)st.st_ino);
	b.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
	return b;
}

static int open_socket(void)
{
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* -1 if the one who was first before us still has it: the next call gets it. */
static int hang_bell(int fd)
{
	struct lock_bell b = lock_bell_of(fd);
	int s = open_socket();

	if (s >= 0 && bind(s, (const void *)&b.address, b.length) < 0) {
		close(s);
		return -1;
	}
	return s;
}

void lock_bell_ring(const struct lock_bell *b)
{
	AUTO_CLOSE int s = open_socket();

	/* Nobody listens, or has enough to read already: both are well. */
	if (s >= 0 && sendto(s, "", 1, 0, (const void *)&b->address, b->length) < 0)
		return;
}

static void add_source(struct lock_wake *w, int fd)
{
	w->source[w->count++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void drop_source(struct pollfd *source)
{
	if (source->fd >= 0)
		close(source->fd);
	source->fd = -1;
}

static void drop_sources_from(struct lock_wake *w, size_t first)
{
	while (w->count > first)
		drop_source(&w->source[--w->count]);
	w->watches = false;
}

void lock_wake_arm(struct lock_wake *w, int fd)
{
	bool hangs = w->count && w->source[0].fd >= 0;

	drop_sources_from(w, hangs);
	if (!hangs)
		add_source(w, hang_bell(fd));
}

void lock_wake_watch(struct lock_wake *w, const struct lock_table *t)
{
	w->watches = true;
	for (size_t i = 0; i < t->count && w->count < countof(w->source); i++)
		if (lock_row_holds(&t->row[i]))
			add_source(w, process_open((pid_t)t->row[i].pid));
}

void lock_wake_disarm(struct lock_wake *w)
{
	drop_sources_from(w, 0);
}

static void drain_bell(int bell)
{
	char byte;

	while (recv(bell, &byte, 1, 0) >= 0)
		;
}

int lock_wake_sleep(struct lock_wake *w, int64_t pause)
{
	struct timespec left = {.tv_sec = pause / NS_PER_S, .tv_nsec = pause % NS_PER_S};

	if (ppoll(w->source, w->count, &left, NULL) < 0)
		return -errno;
	if (w->source[0].revents)
		drain_bell(w->source[0].fd);
	for (size_t i = 1; i < w->count; i++)
		if (w->source[i].revents)
			drop_source(&w->source[i]); /* else it is readable for ever */
	return 0;
}
