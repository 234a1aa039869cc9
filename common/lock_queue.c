/*
 * What is done with the guard: who stands ahead, whose turn it is, and taking it.
 */
#include "lock_queue.h"

#include "clock.h"
#include "lock_file.h"

#include <errno.h>

enum { PROBES = 16 }; /* holders asked whether they live, to use a line again */

#define TURN_PATIENCE (2 * NS_PER_S) /* one that does not take its turn then is stepped over */
#define TURN_STAGGER (50 * NS_PER_MS)
#define LOOK_AFTER_MOVE NS_PER_S

static const char *name_of(const struct lock_request *q)
{
	return q->want->name;
}

bool lock_queue_in(const struct lock_request *q)
{
	return q->row.line != 0;
}

int lock_queue_settle(struct lock_request *q, struct err *e)
{
	struct lock_head *head = &q->table.head;
	const struct lock_want *want = q->want;
	int r;

	if (want->capacity && want->capacity != head->capacity) {
		r = lock_queue_in(q) ? 1 : lock_file_used(q->fd);
		if (r < 0)
			return err_sys(e, r, "locks/%s", name_of(q));
		if (r > 0)
			return err_set(e, -EINVAL,
				"locks/%s: is in use with a capacity of %lld, not %lld", name_of(q),
				(long long)head->capacity, (long long)want->capacity);
		head->capacity = want->capacity;
	}
	if (want->shared && head->capacity != 1)
		return err_set(e, -EINVAL,
			"locks/%s: is a resource of %lld units; shared is for plain locks",
			name_of(q), (long long)head->capacity);
	if (want->units > head->capacity)
		return err_set(e, -EINVAL,
			"locks/%s: %lld units are more than its capacity of %lld", name_of(q),
			(long long)want->units, (long long)head->capacity);
	q->capacity = head->capacity == 1 ? LOCK_CAPACITY_MAX : head->capacity;
	q->row.units = want->shared   ? LOCK_SHARED_UNITS
		: head->capacity == 1 ? LOCK_CAPACITY_MAX
				      : want->units;
	return 0;
}

/* A row of the queue that stands ahead of us, by its text alone. */
static bool stands_ahead(const struct lock_request *q, const struct lock_row *row)
{
	return lock_row_waits(row) && row->state != LOCK_HANGS && row->ticket != q->row.ticket &&
		lock_row_before(row, &q->row);
}

/*
 * The living waiter ahead of us that is next to us, or the first of all; the
 * dead that were found on the way are dropped. 1, 0 if there is none, -errno.
 */
static int find_ahead(struct lock_request *q, bool first, struct lock_row **found)
{
	for (;;) {
		struct lock_row *best = NULL;
		int r;

		for (size_t i = 0; i < q->table.count; i++) {
			struct lock_row *row = &q->table.row[i];

			if (!stands_ahead(q, row))
				continue;
			if (!best || lock_row_before(first ? row : best, first ? best : row))
				best = row;
		}
		*found = best;
		if (!best)
			return 0;
		r = lock_row_alive(best, q->fd);
		if (r)
			return r;
		r = lock_row_drop(best, q->fd);
		if (r < 0)
			return r;
	}
}

static int64_t count_ahead(const struct lock_request *q)
{
	int64_t n = 0;

	for (size_t i = 0; i < q->table.count; i++)
		n += stands_ahead(q, &q->table.row[i]);
	return n;
}

/*
 * Whether the first in the queue was stepped over: it could have taken its units
 * for two seconds and did not. Those further behind give those before them a
 * little more time to be the ones who find out.
 */
static int step_over(struct lock_request *q)
{
	struct lock_row *first;
	int64_t now = clock_now(), units = 0;
	int r = find_ahead(q, true, &first);

	if (r > 0)
		units = lock_slots_free(q->fd, q->capacity, first->units);
	if (r <= 0 || units < first->units) {
		q->idle_ticket = 0;
		return r < 0 ? r : (int)MIN(units, INT64_C(0));
	}
	if (q->idle_ticket != first->ticket) {
		q->idle_ticket = first->ticket;
		q->idle_since = now;
		return 0;
	}
	if (now - q->idle_since < TURN_PATIENCE + MIN(count_ahead(q), 20) * TURN_STAGGER)
		return 0;
	q->idle_ticket = 0;
	first->state = LOCK_HANGS;
	r = lock_row_write(first, q->fd);
	return r < 0 ? r : 1;
}

/* Whether nobody owns this row any more, and nobody has to tell of its end. 1, 0, or -errno. */
static int is_spare(const struct lock_request *q, const struct lock_row *row, bool told)
{
	int r = row->state == LOCK_TOLD && !told ? 1 : lock_row_alive(row, q->fd);

	return r < 0 ? r : r == 0;
}

/*
 * A line for us: a gap, else a dead holder's, else a new one. Who waits in vain is
 * dropped by those behind; holds just end, so for each new line some are asked, others
 * each time: else their lines would pile up, and everybody reads them. -EBUSY if the
 * table is full, of the living or of those whose end is to be told.
 */
static int find_line(struct lock_request *q, size_t *line)
{
	const struct lock_table *t = &q->table;
	size_t next = lock_table_line(t), start = (size_t)t->head.ticket;
	size_t last = t->count ? t->row[t->count - 1].line : 0;
	size_t probes = next ? PROBES : t->count;

	*line = next;
	if (next && next < last)
		return 0;
	for (size_t i = 0; i < t->count && probes; i++) {
		const struct lock_row *row = &t->row[(start + i) % t->count];
		int r;

		if (next && !lock_row_holds(row))
			continue;
		r = is_spare(q, row, !next);
		if (r > 0)
			*line = row->line;
		if (r)
			return MIN(r, 0);
		probes--;
	}
	return next ? 0 : -EBUSY;
}

/* The next ticket whose byte of that family is nobody's makes us its owner. */
static int draw_ticket(struct lock_request *q, int fd, int64_t family, int64_t *ticket)
{
	int64_t *next = &q->table.head.ticket;
	int r;

	do {
		if (*next >= LOCK_TICKETS)
			*next = 1;
		*ticket = (*next)++;
		r = lock_bytes_own(fd, family + *ticket, 1);
	} while (r == -EAGAIN);
	return r;
}

/* Into the queue: first the byte that says we live, then the line. */
static int enrol(struct lock_request *q)
{
	size_t line;
	int r = find_line(q, &line);

	if (r == 0 && !lock_queue_in(q))
		r = draw_ticket(q, q->fd, LOCK_WAIT, &q->row.ticket);
	if (r < 0)
		return r;
	q->row.line = line;
	q->row.state = LOCK_WAITS;
	r = lock_table_write_head(&q->table, q->fd);
	return r < 0 ? r : lock_row_write(&q->row, q->fd);
}

/* Looks at what others did to our line: lost with the text, cancelled, or marked. */
static int check_own_row(struct lock_request *q)
{
	const struct lock_row *row = lock_table_find(&q->table, q->row.ticket);

	if (!row || !lock_row_waits(row))
		return enrol(q);
	if (row->state == LOCK_CANCELLED)
		return -ECANCELED;
	if (row->state == LOCK_SUSPECTED)
		q->next_look = 0;
	q->row.line = row->line;
	return row->state == LOCK_WAITS ? 0 : lock_row_write(&q->row, q->fd);
}

static void count_wait(struct lock_request *q)
{
	struct lock_head *h = &q->table.head;
	int64_t ms = (clock_now() - q->arrived) / NS_PER_MS;

	h->waits++;
	h->waited_ms += ms;
	h->longest_ms = MAX(h->longest_ms, ms);
}

/* The units are ours: says so by byte and by text. The queue is left behind the guard. */
static int take(struct lock_request *q)
{
	struct lock_row *row = &q->row;
	bool waited = lock_queue_in(q);
	int r = waited ? lock_bytes_own(q->owner, LOCK_HOLD + row->ticket, 1)
		       : find_line(q, &row->line);

	if (waited) {
		q->leaving = row->ticket;
		count_wait(q);
	}
	if (r == -EAGAIN || (r == 0 && !waited))
		r = draw_ticket(q, q->owner, LOCK_HOLD, &row->ticket);
	if (r < 0)
		return r;
	row->state = q->told ? LOCK_TOLD : LOCK_HOLDS;
	row->token = q->table.head.token++;
	row->slot = q->slots.run[0].at - LOCK_SLOT;
	lock_since(row->since);
	r = lock_table_write_head(&q->table, q->fd);
	if (r == 0)
		r = lock_row_write(row, q->fd);
	return r < 0 ? r : 1;
}

/* Taking failed half way, as on a full disk; the owner may be a script's, which lives on. */
static void give_back(struct lock_request *q)
{
	lock_bytes_free(q->owner, LOCK_HOLD, LOCK_SLOT + LOCK_CAPACITY_MAX - LOCK_HOLD);
	lock_slots_clear(&q->slots);
}

/*
 * A holder without whose going we cannot come, to sleep on: the only one, or any
 * of several that keep us from taking all. 0 where there is none such, as for
 * one unit of many; whoever is first then polls.
 */
static int64_t find_blocker(struct lock_request *q)
{
	for (size_t i = 0; i < q->table.count; i++) {
		struct lock_row *row = &q->table.row[i];

		if (!lock_row_holds(row) || q->row.units <= q->capacity - row->units)
			continue;
		if (lock_row_alive(row, q->fd) > 0)
			return LOCK_HOLD + row->ticket;
		if (row->state != LOCK_TOLD && lock_row_drop(row, q->fd) < 0)
			return 0;
	}
	return 0;
}

void lock_queue_moved(struct lock_request *q, int64_t token)
{
	if (q->nested && token != q->token)
		q->next_look = MIN(q->next_look, clock_after(LOOK_AFTER_MOVE));
	q->token = token;
}

int lock_queue_look(struct lock_request *q, int64_t *on)
{
	struct lock_row *ahead;
	int r = lock_queue_in(q) ? check_own_row(q) : 0;

	if (r < 0)
		return r;
	do
		r = find_ahead(q, false, &ahead);
	while (r > 0 && (r = step_over(q)) > 0);
	if (r < 0)
		return r;
	if (!ahead) {
		r = lock_slots_own(q->owner, q->capacity, q->row.units, &q->slots);
		if (r > 0)
			r = take(q);
		if (r < 0)
			give_back(q);
		if (r)
			return r;
	}
	if (q->options->timeout == 0)
		return -EAGAIN;
	if (!lock_queue_in(q))
		r = enrol(q);
	*on = ahead ? LOCK_WAIT + ahead->ticket : find_blocker(q);
	q->ahead = ahead ? count_ahead(q) : 0;
	lock_queue_moved(q, q->table.head.token);
	q->still_since = clock_now();
	return r;
}
