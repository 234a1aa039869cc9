#include "lock.h"

#include "clock.h"
#include "lock_request.h"
#include "lock_wake.h"
#include "mem.h"

#include <errno.h>
#include <fcntl.h>

/* Inherited holds stand out of the way of the descriptors that scripts use. */
enum { HEIR_MIN = 200 };

struct held {
	int fd;	  /* ours */
	int heir; /* the same description for children, or -1 */
	bool plain, told;
	int64_t token;
	struct lock_slots slots;
};

struct lock {
	size_t count;
	struct held held[]; /* in the order of the wants */
};

static void drop_heir(struct held *h)
{
	if (h->heir >= 0)
		close(h->heir);
	h->heir = -1;
}

/* Whoever waits for a unit has no byte to sleep on: there is a bell. */
static void let_go(const struct held *h)
{
	bool rings = !h->plain && h->slots.count;
	struct lock_bell bell;

	if (rings)
		bell = lock_bell_of(h->fd);
	if (h->fd >= 0)
		close(h->fd);
	if (rings)
		lock_bell_ring(&bell);
}

void lock_release(struct lock *lock)
{
	if (!lock)
		return;
	for (size_t i = 0; i < lock->count; i++) {
		drop_heir(&lock->held[i]);
		let_go(&lock->held[i]);
		lock_slots_clear(&lock->held[i].slots);
	}
	free(lock);
}

static int check_wants(const struct lock_want *want, size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		if (want[i].units < 1 || want[i].capacity < 0 ||
			want[i].capacity > LOCK_CAPACITY_MAX)
			return err_set(e, -EINVAL, "%s: units and capacity are 1 to %d",
				want[i].name, LOCK_CAPACITY_MAX);
		for (size_t k = 0; k < i; k++)
			if (strcmp(want[i].name, want[k].name) == 0)
				return err_set(e, -EINVAL, "%s: is named twice", want[i].name);
	}
	return 0;
}

/* The want whose name comes next behind that of last; NULL for the first. */
static size_t next_want(const struct lock_want *want, size_t count, const char *last)
{
	size_t best = count;

	for (size_t i = 0; i < count; i++)
		if ((!last || strcmp(want[i].name, last) > 0) &&
			(best == count || strcmp(want[i].name, want[best].name) < 0))
			best = i;
	return best;
}

static int acquire_one(struct held *h, struct lock_request *q, struct err *e)
{
	int r = lock_request_run(q, e);

	h->plain = q->table.head.capacity == 1;
	h->told = q->row.state == LOCK_TOLD;
	lock_request_clear(q);
	if (r < 0) {
		if (q->fd >= 0)
			close(q->fd);
		return r;
	}
	h->fd = q->fd;
	h->token = q->row.token;
	h->slots = q->slots;
	return 0;
}

int lock_acquire(struct lock **out, const struct state *state, const struct lock_want *want,
	size_t count, const struct lock_options *options, struct err *e)
{
	int64_t deadline = clock_after(options->timeout);
	const char *last = NULL;
	struct lock *lock;
	int r = check_wants(want, count, e);

	if (r < 0)
		return r;
	lock = mem_zero(1, sizeof *lock + count * sizeof lock->held[0]);
	lock->count = count;
	for (size_t i = 0; i < count; i++)
		lock->held[i].fd = lock->held[i].heir = -1;
	for (size_t n = 0; n < count && r == 0; n++) {
		size_t i = next_want(want, count, last);
		struct lock_request q = {
			.state = state,
			.want = &want[i],
			.options = options,
			.deadline = deadline,
			.fd = -1,
		};

		last = want[i].name;
		r = acquire_one(&lock->held[i], &q, e);
	}
	if (r < 0)
		lock_release(lock);
	else
		*out = lock;
	return r;
}

int64_t lock_token(const struct lock *lock, size_t i)
{
	return lock->held[i].token;
}

bool lock_told(const struct lock *lock, size_t i)
{
	return lock->held[i].told;
}

int64_t lock_slot(const struct lock *lock, size_t i, int64_t n)
{
	const struct held *h = &lock->held[i];

	if (h->plain)
		return n == 0 ? h->slots.run[0].at - LOCK_SLOT : -1;
	for (size_t k = 0; k < h->slots.count; n -= h->slots.run[k++].count)
		if (n < h->slots.run[k].count)
			return h->slots.run[k].at - LOCK_SLOT + n;
	return -1;
}

int lock_inherit(struct lock *lock, bool on)
{
	for (size_t i = 0; i < lock->count; i++) {
		struct held *h = &lock->held[i];

		if (!on)
			drop_heir(h);
		if (!on || h->heir >= 0)
			continue;
		h->heir = fcntl(h->fd, F_DUPFD, HEIR_MIN);
		if (h->heir < 0)
			h->heir = fcntl(h->fd, F_DUPFD, 0); /* few descriptors are allowed here */
		if (h->heir < 0)
			return -errno;
	}
	return 0;
}
