#include "lock_bytes.h"

#include "mem.h"

#include <errno.h>
#include <fcntl.h>

/* One fcntl(2); errno as -errno, with one name for "somebody else has it". */
static int call(int fd, int command, short type, int64_t at, int64_t count, struct flock *f)
{
	*f = (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = count};
	if (fcntl(fd, command, f) == 0)
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}

int lock_bytes_own(int fd, int64_t at, int64_t count)
{
	struct flock f;

	return call(fd, F_OFD_SETLK, F_WRLCK, at, count, &f);
}

int lock_bytes_guard(int fd)
{
	struct flock f;

	return call(fd, F_OFD_SETLKW, F_WRLCK, LOCK_GUARD, 1, &f);
}

int lock_bytes_free(int fd, int64_t at, int64_t count)
{
	struct flock f;

	return call(fd, F_OFD_SETLK, F_UNLCK, at, count, &f);
}

int lock_bytes_sleep(int fd, int64_t at)
{
	struct flock f;
	int r = call(fd, F_OFD_SETLKW, F_RDLCK, at, 1, &f);

	return r < 0 ? r : lock_bytes_free(fd, at, 1);
}

int lock_bytes_owned(int fd, int64_t at, int64_t count, struct lock_range *owned)
{
	struct flock f;
	int r = call(fd, F_OFD_GETLK, F_RDLCK, at, count, &f);

	if (r < 0)
		return r;
	if (f.l_type == F_UNLCK)
		return 0;
	*owned = (struct lock_range){f.l_start, f.l_len};
	return 1;
}

void lock_slots_clear(struct lock_slots *s)
{
	free(s->run);
	*s = (struct lock_slots){0};
}

static void add_run(struct lock_slots *s, int64_t at, int64_t count)
{
	s->run = mem_grow(s->run, s->count, &s->capacity, sizeof *s->run);
	s->run[s->count++] = (struct lock_range){at, count};
	s->units += count;
}

/*
 * Gathers the lowest free slots until there are as many as units. The kernel
 * names any owned range of those asked for, not the lowest: so each gap is
 * narrowed down until nothing is owned in it.
 */
static int find_slots(int fd, int64_t capacity, int64_t units, struct lock_slots *s)
{
	int64_t at = LOCK_SLOT, end = LOCK_SLOT + capacity;

	while (at < end && s->units < units) {
		struct lock_range owned;
		int64_t stop = end, next = end;
		int r = 0;

		while (stop > at && (r = lock_bytes_owned(fd, at, stop - at, &owned)) > 0) {
			stop = MAX(owned.at, at);
			next = owned.count ? owned.at + owned.count : end;
		}
		if (r < 0)
			return r;
		if (stop > at)
			add_run(s, at, MIN(stop - at, units - s->units));
		at = next;
	}
	return s->units == units;
}

int64_t lock_slots_free(int fd, int64_t capacity, int64_t most)
{
	struct lock_slots s = {0};
	int64_t r = find_slots(fd, capacity, most, &s);

	if (r >= 0)
		r = s.units;
	lock_slots_clear(&s);
	return r;
}

static int own_runs(int fd, const struct lock_slots *s)
{
	for (size_t i = 0; i < s->count; i++) {
		int r = lock_bytes_own(fd, s->run[i].at, s->run[i].count);

		if (r == 0)
			continue;
		while (i-- > 0)
			lock_bytes_free(fd, s->run[i].at, s->run[i].count);
		return r;
	}
	return 1;
}

int lock_slots_own(int fd, int64_t capacity, int64_t units, struct lock_slots *s)
{
	int r = find_slots(fd, capacity, units, s);

	if (r > 0)
		r = own_runs(fd, s);
	if (r <= 0)
		lock_slots_clear(s);
	return r == -EAGAIN ? 0 : r;
}
