/* What changes the locks of others: cancel and break. */
#include "loop-lock.h"

#include "clock.h"
#include "die.h"
#include "lock_bytes.h"
#include "lock_file.h"
#include "lock_owners.h"
#include "lock_view.h"

#include <errno.h>
#include <signal.h>

#define GRACE (2 * NS_PER_S) /* between SIGTERM and SIGKILL */

static struct lock_view look_at(const struct state *state, const char *name)
{
	struct lock_view v;
	struct err e = {0};
	int r = lock_view_one(&v, state, name, &e);

	if (r < 0)
		die_err(r, &e);
	return v;
}

int run_cancel(const struct args *args)
{
	AUTO(lock_view_clear)
	struct lock_view v = {0};
	AUTO(state_close)
	struct state state = {.dir = -1};
	int cancelled = 0;

	args_expect(args, 1, 1);
	find_state(&state);
	v = look_at(&state, args->item[0]);
	for (size_t i = v.holders; i < v.holders + v.waiters; i++) {
		if (choices.pid && v.row[i].pid != choices.pid)
			continue;
		cancelled +=
			lock_file_mark(&state, v.name, v.row[i].ticket, LOCK_CANCELLED) == 0;
	}
	if (!cancelled)
		warn("locks/%s: nobody waits for it%s", v.name,
			choices.pid ? " with that pid" : "");
	return cancelled ? EXIT_SUCCESS : EXIT_NO;
}

/* What is to be ended: a line of the table, or what holds without one. */
struct target {
	const struct state *state;
	const char *name;
	int fd;
	struct lock_row row; /* ticket 0: without a line */
};

static bool is_held(const struct target *t)
{
	struct lock_range owned;

	if (t->row.ticket)
		return lock_row_alive(&t->row, t->fd) > 0;
	return lock_bytes_owned(t->fd, LOCK_HOLD, LOCK_SLOT + LOCK_CAPACITY_MAX - LOCK_HOLD,
		       &owned) > 0;
}

static bool await_end(const struct target *t)
{
	int64_t deadline = clock_after(GRACE);

	while (is_held(t)) {
		if (clock_now() >= deadline)
			return false;
		clock_sleep(5 * NS_PER_MS);
	}
	return true;
}

/* Signals all who have the hold open at this moment. */
static bool end_with(const struct target *t, int signal)
{
	AUTO(lock_owners_clear)
	struct lock_owners o = {0};
	struct lock_range hold = t->row.ticket
		? (struct lock_range){LOCK_HOLD + t->row.ticket, 1}
		: (struct lock_range){LOCK_HOLD, LOCK_LEASE - LOCK_HOLD};
	int r = lock_owners_find(&o, t->fd, hold);

	if (r < 0)
		die(die_status(r), "locks/%s: %s", t->name, strerror(-r));
	lock_owners_signal(&o, signal);
	lock_owners_signal(&o, SIGCONT);
	if (!await_end(t))
		return false;
	tell_broken(t->state, t->name, &o);
	return true;
}

static void end_hold(const struct target *t)
{
	if (!end_with(t, SIGTERM) && !end_with(t, SIGKILL))
		die(EX_NOPERM, "locks/%s: who holds it cannot be ended; is it another user's?",
			t->name);
}

int run_break(const struct args *args)
{
	AUTO(lock_view_clear)
	struct lock_view v = {0};
	AUTO(state_close)
	struct state state = {.dir = -1};
	AUTO_CLOSE int fd = -1;
	struct target t = {.state = &state};
	int ended = 0;

	args_expect(args, 1, 1);
	if (!choices.yes)
		die_usage("break kills whoever holds the lock: say --yes");
	find_state(&state);
	v = look_at(&state, args->item[0]);
	t.name = v.name;
	t.fd = fd = open_lock(&state, v.name);
	for (size_t i = 0; i < v.holders; i++) {
		t.row = v.row[i];
		if (choices.pid && t.row.pid != choices.pid)
			continue;
		end_hold(&t);
		ended++;
	}
	if (!v.holders && v.unknown) {
		end_hold(&t);
		ended++;
	}
	if (!ended)
		warn("locks/%s: nobody holds it%s", v.name, choices.pid ? " with that pid" : "");
	return ended ? EXIT_SUCCESS : EXIT_NO;
}
