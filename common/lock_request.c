/*
 * A request opens its file, looks at the queue and sleeps until there is
 * something to see; the sleep is on a byte of whoever stands in the way.
 */
#include "lock_request.h"

#include "clock.h"
#include "id.h"
#include "lock_deadlock.h"
#include "lock_file.h"
#include "lock_queue.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { REOPENINGS = 8 };

#define TICK (NS_PER_S / 4)	/* how often a sleeper looks up */
#define GUARD_PATIENCE NS_PER_S /* of one that does not wait for the lock itself */
#define FIRST_LOOK NS_PER_S	/* then a waiter looks for a deadlock, and is told of */
#define LOOK_MIN (NS_PER_S / 2)
#define LOOK_MAX (30 * NS_PER_S)
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
	if (r == 0 && q->options->tell)
		r = lock_ended_collect(&q->ended, &q->table, q->fd);
	if (r < 0)
		leave_guard(q);
	return r;
}

/* Something to look at the table for, seen without the guard. */
static bool stirred(const struct lock_request *q)
{
	struct stat st;

	return fstat(q->fd, &st) < 0 || !st.st_nlink || !lock_row_stands(&q->row, q->fd) ||
		lock_slots_free(q->fd, q->capacity, q->row.units) == q->row.units;
}

/*
 * One sleep of the first in the queue where there is no byte to sleep on, the shorter
 * the newer its wait. What wakes it is armed before the look: so the first call does
 * nothing else.
 */
static int doze(struct lock_request *q, int64_t *since)
{
	int64_t now = clock_now();

	if (*since)
		return lock_wake_sleep(
			&q->wake, MAX(POLL_MIN, MIN((now - *since) / 16, POLL_MAX)));
	*since = now;
	lock_wake_arm(&q->wake, q->fd, &q->table);
	return 0;
}

static void tell(const struct lock_request *q, enum lock_news_kind kind, const char *text)
{
	const struct lock_news news = {
		.kind = kind,
		.name = name_of(q),
		.text = text,
		.pid = (pid_t)q->row.pid,
		.token = q->row.token,
		.waited = clock_now() - q->arrived,
	};

	q->options->tell(&news, q->options->context);
}

static void tell_waiting(struct lock_request *q)
{
	struct err why = {0};

	if (q->told || !q->options->tell)
		return;
	q->told = true;
	lock_file_blame(q->fd, name_of(q), &q->table, 0, &why);
	tell(q, LOCK_WAITING, why.text);
}

/* -EDEADLK if we are to give up. Another victim is marked, so that it looks for itself. */
static int look_for_deadlock(struct lock_request *q, struct err *e)
{
	struct lock_victim victim;
	struct err cycle = {0};
	int64_t pause = MAX((clock_now() - q->arrived) / 2, LOOK_MIN);

	q->next_look = clock_after(MIN(pause, LOOK_MAX));
	if (lock_deadlock_look(q->state, name_of(q), q->row.ticket, &victim, &cycle) <= 0)
		return 0;
	if (victim.ticket != q->row.ticket || strcmp(victim.name, name_of(q)) != 0) {
		lock_file_mark(q->state, victim.name, victim.ticket, LOCK_SUSPECTED);
		return 0;
	}
	if (q->options->tell)
		tell(q, LOCK_DEADLOCK, cycle.text);
	return err_set(e, -EDEADLK, "locks/%s: %s", name_of(q), cycle.text);
}

/* What a waiter does when it looks up: 0 to sleep on, 1 to look at the table, or -errno. */
static int look_up(struct lock_request *q, struct err *e)
{
	if (clock_now() >= q->deadline)
		return -ETIMEDOUT;
	if (clock_now() >= q->next_look) {
		int r;

		tell_waiting(q);
		r = look_for_deadlock(q, e);
		if (r < 0)
			return r;
	}
	return stirred(q);
}

/* Sleeps until there may be something to do: 0, or why waiting ends. */
static int rest(struct lock_request *q, int64_t on, struct err *e)
{
	int64_t since = 0;
	int r;

	for (;;) {
		r = wind(q, MIN(q->deadline, q->next_look));
		if (r < 0)
			return r;
		r = on ? lock_bytes_sleep(q->fd, on) : doze(q, &since);
		if (r == 0 && on)
			return 0;
		if (r == -EINTR)
			r = interrupted();
		if (r == 0)
			r = look_up(q, e);
		if (r)
			return MIN(r, 0);
	}
}

static int look_once(struct lock_request *q, int64_t *on, struct err *e)
{
	bool waited = lock_queue_in(q);
	int r = enter(q, e);

	if (r == 0) {
		r = lock_queue_look(q, on);
		leave_guard(q);
	}
	if (q->ended.count)
		lock_ended_tell(&q->ended, name_of(q),
			waited ? LOCK_SEEN_WAITER : LOCK_SEEN_NEXT, q->options);
	return r;
}

/* What this process is to the others; a process that cannot be told apart by its start has 0. */
static void fill_row(struct lock_request *q)
{
	const struct lock_options *o = q->options;
	struct owner self;

	q->arrived = clock_now();
	q->row = (struct lock_row){.ticket = LOCK_TICKETS, .priority = o->priority};
	q->next_look = clock_after(FIRST_LOOK);
	q->row.key = lock_key(q->arrived, o->priority);
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
	case EDEADLK:
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
		r = rest(q, on, e);
		if (r == 0)
			r = look_once(q, &on, e);
	}
	if (r > 0 && q->told)
		tell(q, LOCK_ACQUIRED, "");
	return r < 0 ? explain(q, r, e) : 0;
}

void lock_request_clear(struct lock_request *q)
{
	lock_timer_stop(&q->timer);
	lock_wake_disarm(&q->wake);
	lock_table_clear(&q->table);
}
