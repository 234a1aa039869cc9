#include "turn.h"

#include "clock.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

enum { WIDTH = 32,
	AT_ONCE = 64 }; /* lines a read */

#define PATIENCE (500 * NS_PER_MS)

/* What a line says. */
struct standing {
	int priority;
	long long position;
	char free; /* '+' or '-' */
};

static int lock_line(int fd, size_t place, int command)
{
	struct flock l = {.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = (off_t)(place * WIDTH),
		.l_len = WIDTH};

	if (fcntl(fd, command, &l) < 0)
		return -errno;
	return l.l_type != F_UNLCK;
}

int turn_open(struct turn *t, const struct state *s, enum priority priority, int64_t position,
	struct err *e)
{
	*t = (struct turn){.fd = -1, .priority = priority, .asked = -1};
	t->fd = state_file(s, "handlers", O_RDWR | O_CREAT, 0600);
	if (t->fd < 0)
		return err_sys(e, t->fd, "handlers");
	while (t->place < TURNS && lock_line(t->fd, t->place, F_OFD_SETLK) < 0)
		t->place++;
	if (t->place < TURNS) {
		turn_tell(t, position, true);
		return 0;
	}
	turn_close(t);
	return err_set(e, -EBUSY, "handlers: there are %d of them", TURNS);
}

void turn_close(struct turn *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

void turn_tell(const struct turn *t, int64_t position, bool free)
{
	char line[WIDTH + 1];

	/* A disk that is full costs the order, which is no reason to stop. */
	snprintf(line, sizeof line, "%3d %20lld %c     \n", (int)t->priority, (long long)position,
		free ? '+' : '-');
	if (io_pwrite(t->fd, line, WIDTH, (off_t)(t->place * WIDTH)) < 0)
		return;
}

/* Whether this one is to have the event before us, and has not looked at it yet. */
static bool is_awaited(struct turn *t, size_t place, const char *text, int64_t id)
{
	struct standing other = {0};
	char line[WIDTH + 1] = "";

	memcpy(line, text, WIDTH);
	if (sscanf(line, "%d %lld %c", &other.priority, &other.position, &other.free) < 3)
		return false;
	if (other.position > id)
		t->given_up[place] = false;
	return place != t->place && other.priority > (int)t->priority && other.free == '+' &&
		other.position <= id && !t->given_up[place] &&
		lock_line(t->fd, place, F_OFD_GETLK) > 0;
}

bool turn_has_come(struct turn *t, int64_t id)
{
	char text[AT_ONCE * WIDTH];
	bool waits = false, tired;
	size_t place = 0;
	ssize_t n;

	if (t->asked != id)
		t->since = clock_now();
	t->asked = id;
	tired = clock_now() - t->since >= PATIENCE;
	do {
		n = io_pread(t->fd, text, sizeof text, (off_t)(place * WIDTH));
		for (ssize_t at = 0; at + WIDTH <= n && place < TURNS; at += WIDTH, place++) {
			if (!is_awaited(t, place, text + at, id))
				continue;
			t->given_up[place] = tired;
			waits |= !tired;
		}
	} while (n == (ssize_t)sizeof text && place < TURNS);
	return !waits;
}
