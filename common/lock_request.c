/*
 * A request opens its file, looks at the queue and sleeps until there is
 * something to see; the sleep is on a byte of whoever stands in the way.
 */
#include "lock_request.h"

#include "clock.h"
#include "id.h"
#include "lock_file.h"
#include "lock_queue.h"
#include "lock_sleep.h"

#include <errno.h>
#include <fcntl.h>

enum { REOPENINGS = 8 };

#define FIRST_LOOK NS_PER_S /* then a waiter looks for a deadlock, and is told of */

static const char *name_of(const struct lock_request *q)
{
	return q->want->name;
}

static void leave_guard(struct lock_request *q)
{
	lock_bytes_free(q->fd, LOCK_GUARD, 1);
}

/* The next in the queue wakes by it, and finds the guard and the bell free. */
static void leave_queue(struct lock_request *q)
{
	lock_wake_disarm(&q->wake);
	if (q->leaving)
		lock_bytes_free(q->fd, LOCK_WAIT + q->leaving, 1);
}

static int enter(struct lock_request *q, struct err *e)
{
	int r = lock_bytes_own(q->fd, LOCK_GUARD, 1);

	if (r == -EAGAIN)
		r = lock_sleep_guard(q, e);
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

void lock_request_tell(const struct lock_request *q, enum lock_news_kind kind, const char *text)
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

static int look_once(struct lock_request *q, int64_t *on, struct err *e)
{
	bool waited = lock_queue_in(q);
	int r = enter(q, e);

	if (r == 0) {
		r = lock_queue_look(q, on);
		leave_guard(q);
	}
	if (r > 0)
		leave_queue(q);
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

static int reopen(struct lock_request *q, struct err *e)
{
	if (q->fd >= 0)
		close(q->fd);
	q->fd = lock_file_open(q->state, name_of(q), e);
	if (q->fd < 0)
		return q->fd;
	q->owner = q->options->fd ? q->options->fd : q->fd;
	return q->options->fd ? lock_file_lends(q->fd, q->owner, q->state, name_of(q), e) : 0;
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
		r = lock_sleep_turn(q, on, e);
		if (r == 0)
			r = look_once(q, &on, e);
	}
	if (r > 0 && q->told)
		lock_request_tell(q, LOCK_ACQUIRED, "");
	return r < 0 ? explain(q, r, e) : 0;
}

void lock_request_clear(struct lock_request *q)
{
	lock_timer_stop(&q->timer);
	lock_wake_disarm(&q->wake);
	lock_table_clear(&q->table);
}
