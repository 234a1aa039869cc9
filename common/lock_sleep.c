/*
 * Who sleeps costs next to nothing: what a tick is for is seen without the guard,
 * and a tick is the rarer the more there are ahead, for there are as many to tick.
 */
#include "lock_sleep.h"

#include "clock.h"
#include "lock_deadlock.h"
#include "lock_file.h"
#include "lock_queue.h"

#include <errno.h>
#include <sys/stat.h>

enum { AHEAD_A_TICK = 8, /* so many more ahead make the time between two ticks longer by one */
	TICKS_MAX = 4,
	AHEAD_MAX = 40 };

#define TICK (NS_PER_S / 4)	/* of those in front, and of those that may be in a deadlock */
#define GUARD_PATIENCE NS_PER_S /* of one that does not wait for the lock itself */
#define STILL (50 * NS_PER_MS)	/* for each ahead: what is still for so long is worth a look */
#define LOOK_MIN (NS_PER_S / 2)
#define LOOK_MAX (30 * NS_PER_S)
#define LOOK_AGAIN (20 * NS_PER_MS) /* where somebody else was at it */
#define POLL_MIN NS_PER_MS
#define POLL_MAX (50 * NS_PER_MS)

static const char *name_of(const struct lock_request *q)
{
	return q->want->name;
}

/* Sets the timer so that a sleep ends at the next tick or at the deadline. */
static int wind(struct lock_request *q, int64_t tick, int64_t deadline)
{
	int64_t left = deadline == NS_FOREVER ? tick : deadline - clock_now();

	return lock_timer_set(&q->timer, MIN(left, tick), tick);
}

/* What a broken sleep means: 0 for the timer's tick, -EINTR for a signal of the program's own. */
static int interrupted(void)
{
	return lock_timer_ticked() ? 0 : -EINTR;
}

/* Whoever has the guard needs it for microseconds, unless it was stopped in them. */
int lock_sleep_guard(struct lock_request *q, struct err *e)
{
	int64_t deadline = q->options->timeout ? q->deadline : clock_after(GUARD_PATIENCE);
	int r;

	for (;;) {
		r = wind(q, TICK, deadline);
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

/*
 * Whether the table has to be looked at though nobody woke us. That our units are
 * free says little if others stand ahead: in a queue that moves on they are between
 * any two holds. Only if nobody takes them for some time, the longer the more there are
 * to find out, does the first not come.
 */
static bool stirred(struct lock_request *q, bool first)
{
	bool free = lock_slots_free(q->fd, q->capacity, q->row.units) == q->row.units;
	struct lock_head head;
	int64_t passed, now = clock_now();
	struct stat st;

	if (free && first)
		return true;
	if (fstat(q->fd, &st) < 0 || !st.st_nlink || !lock_row_stands(&q->row, q->fd) ||
		lock_table_peek(&head, q->fd) < 0)
		return true;
	passed = head.token - q->token;
	lock_queue_moved(q, head.token);
	q->ahead = MAX(q->ahead - passed, INT64_C(0));
	if (!free || passed)
		q->still_since = now;
	return now - q->still_since > MIN(q->ahead, (int64_t)AHEAD_MAX) * STILL;
}

/*
 * One sleep of the first in the queue where there is no byte to sleep on, the shorter
 * the newer its wait. What wakes it comes before the look whose outcome is slept on:
 * so a call that sets it up does nothing else.
 */
static int doze(struct lock_request *q, int64_t *since)
{
	int64_t now = clock_now(), pause, most = MIN(q->deadline, q->next_look) - now;

	if (!*since) {
		*since = now;
		lock_wake_arm(&q->wake, q->fd);
		return 0;
	}
	if (!q->wake.watches && now - *since >= POLL_MIN) {
		lock_wake_watch(&q->wake, &q->table);
		return 0;
	}
	pause = MAX(POLL_MIN, MIN((now - *since) / 16, POLL_MAX));
	return lock_wake_sleep(&q->wake, MAX(MIN(pause, most), INT64_C(0)));
}

static void tell_waiting(struct lock_request *q)
{
	struct err why = {0};

	if (q->told || !q->options->tell)
		return;
	q->told = true;
	lock_file_blame(q->fd, name_of(q), &q->table, 0, &why);
	lock_request_tell(q, LOCK_WAITING, why.text);
}

/* The wait is over before anybody else may look whether it has to give up. */
static int give_up(struct lock_request *q, const struct err *cycle, struct err *e)
{
	lock_bytes_free(q->fd, LOCK_WAIT + q->row.ticket, 1);
	if (q->options->tell)
		lock_request_tell(q, LOCK_DEADLOCK, cycle->text);
	return err_set(e, -EDEADLK, "locks/%s: %s", name_of(q), cycle->text);
}

static void plan_look(struct lock_request *q)
{
	int64_t waited = clock_now() - q->arrived;

	q->next_look = clock_after(MIN(MAX(LOOK_MIN, q->nested ? waited / 2 : waited), LOOK_MAX));
}

/* -EDEADLK if we are to give up. Another victim is marked, so that it looks for itself. */
static int look_for_deadlock(struct lock_request *q, struct err *e)
{
	enum lock_above above = lock_deadlock_above(q->state);
	AUTO_CLOSE int court = -1;
	struct lock_victim victim = {0};
	struct err cycle = {0};
	int r;

	q->nested = above != LOCK_ABOVE_NONE;
	plan_look(q);
	if (above != LOCK_ABOVE_WANTED)
		return 0;
	r = lock_deadlock_look(
		q->state, name_of(q), q->row.ticket, &victim, &cycle, &court);
	if (r == -EAGAIN)
		q->next_look = clock_after(LOOK_AGAIN);
	if (r <= 0)
		return 0;
	if (victim.ticket == q->row.ticket && strcmp(victim.name, name_of(q)) == 0)
		return give_up(q, &cycle, e);
	lock_file_mark(q->state, victim.name, victim.ticket, LOCK_SUSPECTED);
	return 0;
}

/* What a waiter does when it looks up: 0 to sleep on, 1 to look at the table, or -errno. */
static int look_up(struct lock_request *q, bool first, struct err *e)
{
	int64_t now = clock_now();

	if (now >= q->deadline)
		return -ETIMEDOUT;
	if (now >= q->next_look) {
		int r;

		tell_waiting(q);
		r = look_for_deadlock(q, e);
		if (r < 0)
			return r;
	}
	return stirred(q, first);
}

static int64_t tick_of(const struct lock_request *q)
{
	int64_t n = q->nested || q->idle_ticket ? 1 : 1 + q->ahead / AHEAD_A_TICK;

	return MIN(n, (int64_t)TICKS_MAX) * TICK;
}

static int sleep_on(struct lock_request *q, int64_t byte)
{
	int r = wind(q, tick_of(q), MIN(q->deadline, q->next_look));

	return r < 0 ? r : lock_bytes_sleep(q->fd, byte);
}

int lock_sleep_turn(struct lock_request *q, int64_t on, struct err *e)
{
	bool first = on < LOCK_WAIT || on >= LOCK_HOLD;
	int64_t since = 0;
	int r;

	if (on)
		lock_wake_disarm(&q->wake); /* the bell is for the first */
	for (;;) {
		r = on ? sleep_on(q, on) : doze(q, &since);
		if (r == 0 && on)
			return 0;
		if (r == -EINTR)
			r = interrupted();
		if (r == 0)
			r = look_up(q, first, e);
		if (r)
			return MIN(r, 0);
	}
}
