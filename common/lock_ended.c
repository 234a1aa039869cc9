#include "lock_ended.h"

#include "lock_bytes.h"
#include "lock_file.h"
#include "mem.h"

static void add(struct lock_ended *e, const struct lock_row *row)
{
	e->row = mem_grow(e->row, e->count, &e->capacity, sizeof *e->row);
	e->row[e->count++] = *row;
}

int lock_ended_collect(struct lock_ended *e, struct lock_table *t, int fd)
{
	for (size_t i = 0; i < t->count; i++) {
		struct lock_row *row = &t->row[i];
		int r;

		if (row->state != LOCK_TOLD)
			continue;
		r = lock_row_alive(row, fd);
		if (r > 0)
			continue;
		if (r == 0)
			r = lock_row_drop(row, fd);
		if (r < 0)
			return r;
		add(e, row);
	}
	return 0;
}

void lock_ended_tell(struct lock_ended *e, const char *name, enum lock_seen seen,
	const struct lock_options *o)
{
	for (size_t i = 0; i < e->count; i++) {
		const struct lock_row *row = &e->row[i];
		const struct lock_news news = {
			.kind = LOCK_RELEASED,
			.name = name,
			.pid = (pid_t)row->pid,
			.token = row->token,
			.since = row->since,
			.seen = seen,
		};

		o->tell(&news, o->context);
	}
	free(e->row);
	*e = (struct lock_ended){0};
}

int lock_tell_ended(const struct state *s, const char *name, enum lock_seen seen,
	const struct lock_options *o)
{
	AUTO_CLOSE int fd = lock_file_open(s, name, NULL);
	struct lock_ended ended = {0};
	struct lock_table t = {0};
	int r = fd < 0 ? fd : lock_file_guard(fd);

	if (r == 0)
		r = lock_file_read(fd, name, &t, NULL);
	if (r == 0)
		r = lock_ended_collect(&ended, &t, fd);
	if (fd >= 0)
		lock_bytes_free(fd, LOCK_GUARD, 1);
	lock_ended_tell(&ended, name, seen, o);
	lock_table_clear(&t);
	return r;
}
