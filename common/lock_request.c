/*
 * A request opens its file, looks at the queue and sleeps until there is
 * something to see; the sleep is on a byte of whoever stands in the way.
 */
#include "lock_request.h"

#include "clock.h"
#include "id.h"
#include "lock_file.h"
#include "lock_queue.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { LEVEL = 25,	      /* of priority: low, normal, high are a level apart */
	LEVEL_MS = 60 * 1000, /* a level is worth that much waiting */
	PROBES = 16,	      /* holders asked whether they live, to use a line again */
	REOPENINGS = 8 };

#define TICK (NS_PER_S / 4)	/* how often a sleeper looks up */
#define GUARD_PATIENCE NS_PER_S /* of one that does not wait for the lock itself */
#define POLL_MIN (100 * NS_PER_US)
#define POLL_MAX (50 * NS_PER_MS)

static const char *name_of(const struct lock_request *q)
{
	return q->want->name;
}

/* Sets the timer so that a sleep ends at the next tick or at the deadline. */
static int wind(struct lock_request *q, int64_t deadline)
{
	int64_t left = deadline == NS_FOREVER ? TICK : deadline - clock_now();

	return lock_timer_set(&q->timer, MIN(left, TICK), TICK);
}

/* What a broken sleep means: 0 for the timer's tick, -EINTR for a signal of the program's own. */
static int interrupted(void)
{
	return lock_timer_ticked() ? 0 : -EINTR;
}

/* Whoever has the guard needs it for microseconds, unless it was stopped in them. */
static int await_guard(struct lock_request *q, struct err *e)
{
	int64_t deadline = q->options->timeout ? q->deadline : clock_after(GUARD_PATIENCE);
	int r;

	for (;;) {
		r = wind(q, deadline);
		if (r == 0)
			r = lock_bytes_guard(q->fd);
		if (r != -EINTR)
			return r;
		r = interrupted();
		if (r < 0)
			return r;
		if (clock_now() >= deadline)
			return err_set(e, q->options->timeout ? -ETIMEDOUT : -EAGAIN,
				"locks/%s: its table is in use by a process that does not go on "
				"(stopped?)",
				name_of(q));
	}
}

static void leave_guard(struct lock_request *q)
{
	lock_bytes_free(q->fd, LOCK_GUARD, 1);
}

static int enter(struct lock_request *q, struct err *e)
{
	int r = lock_bytes_own(q->fd, LOCK_GUARD, 1);

	if (r == -EAGAIN)
		r = await_guard(q, e);
	if (r < 0)
		return err_sys(e, r, "locks/%s", name_of(q));
	r = lock_file_read(q->fd, name_of(q), &q->table, e);
	if (r == 0)
		r = lock_queue_settle(q, e);
	if (r < 0)
		leave_guard(q);
	return r;
}

/* Something to look at the table for, seen without the guard. */
static bool stirred(const struct lock_request *q)
{
	struct stat st;

	return fstat(q->fd, &st) < 0 || !st.st_nlink || !lock_row_stands(&q->row, q->fd) ||
		lock_slots_available(q->fd, q->capacity, q->row.units) != 0;
}

/* One poll of the first in the queue, the rarer the longer it polls already. */
static int doze(int64_t since)
{
	int64_t polled = clock_now() - since;
	struct timespec pause = {.tv_nsec = MAX(POLL_MIN, MIN(polled / 16, POLL_MAX))};

	return nanosleep(&pause, NULL) < 0 ? -errno : 0;
}

/* Sleeps until there may be something to do: 0, or why waiting ends. */
static int rest(struct lock_request *q, int64_t on)
{
	int64_t since = clock_now();
	int r;

	for (;;) {
		r = wind(q, q->deadline);
		if (r < 0)
			return r;
		r = on ? lock_bytes_sleep(q->fd, on) : doze(since);
		if (r == 0 && on)
			return 0;
		if (r == -EINTR)
			r = interrupted();
		if (r < 0)
			return r;
		if (clock_now() >= q->deadline)
			return -ETIMEDOUT;
		if (stirred(q))
			return 0;
	}
}

static int look_once(struct lock_request *q, int64_t *on, struct err *e)
{
	int r = enter(q, e);

	if (r < 0)
		return r;
	r = lock_queue_look(q, on);
	leave_guard(q);
	return r;
}

/* What this process is to the others; a process that cannot be told apart by its start has 0. */
static void fill_row(struct lock_request *q)
{
	const struct lock_options *o = q->options;
	struct owner self;

	q->arrived = clock_now();
	q->row = (struct lock_row){.ticket = LOCK_TICKETS, .priority = o->priority};
	q->row.key = q->arrived / NS_PER_MS - (int64_t)o->priority * LEVEL_MS / LEVEL;
	q->row.pid = o->pid ? o->pid : getpid();
	if (owner_of((pid_t)q->row.pid, &self) == 0)
		q->row.start = (int64_t)self.start;
	lock_since(q->row.since);
	lock_label(q->row.label, o->label);
}

/* The caller's descriptor must be of this very file: the hold will live on it. */
static int check_owner(const struct lock_request *q, struct err *e)
{
	struct stat ours, theirs;

	if (fstat(q->owner, &theirs) < 0 || fstat(q->fd, &ours) < 0)
		return err_sys(e, -errno, "descriptor %d", q->owner);
	if (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino &&
		(fcntl(q->owner, F_GETFL) & O_ACCMODE) == O_RDWR)
		return 0;
	return err_set(e, -EINVAL,
		"descriptor %d is not open for reading and writing on %s/locks/%s.lk", q->owner,
		q->state->path, name_of(q));
}

static int reopen(struct lock_request *q, struct err *e)
{
	if (q->fd >= 0)
		close(q->fd);
	q->fd = lock_file_open(q->state, name_of(q), e);
	if (q->fd < 0)
		return q->fd;
	q->owner = q->options->fd ? q->options->fd : q->fd;
	return q->options->fd ? check_owner(q, e) : 0;
}

/* Says why not, where it is not said yet: the queue's own reasons. */
static int explain(const struct lock_request *q, int r, struct err *e)
{
	switch (-r) {
	case EAGAIN:
	case ETIMEDOUT: return lock_file_blame(q->fd, name_of(q), &q->table, r, e);
	case ECANCELED:
		return err_set(e, r, "locks/%s: the wait was cancelled", name_of(q));
	case EBUSY:
		return err_set(e, r, "locks/%s: %d processes hold or wait already", name_of(q),
			LOCK_ROWS_MAX);
	case ESTALE:
		return err_set(e, r, "locks/%s.lk: was removed meanwhile", name_of(q));
	case EINTR: return r;
	default: return err_sys(e, r, "locks/%s", name_of(q));
	}
}

int lock_request_run(struct lock_request *q, struct err *e)
{
	int64_t on = 0;
	int r = -ESTALE;

	fill_row(q);
	for (int i = 0; r == -ESTALE && i < REOPENINGS; i++) {
		r = reopen(q, e);
		if (r == 0)
			r = look_once(q, &on, e);
	}
	while (r == 0) {
		r = rest(q, on);
		if (r == 0)
			r = look_once(q, &on, e);
	}
	return r < 0 ? explain(q, r, e) : 0;
}

void lock_request_clear(struct lock_request *q)
{
	lock_timer_stop(&q->timer);
	lock_table_clear(&q->table);
}
