#include "attempt.h"

#include "breaker.h"
#include "clock.h"
#include "die.h"
#include "proc.h"
#include "wait.h"

/* The command while it runs. */
struct running {
	struct attempt *attempt;
	struct child child;
	int64_t timeout, renew; /* clock_now at which each is due */
	bool timed_out;
};

/* A terminal's ^C must reach the command, and it may read from it: then it shares our group. */
static int start(struct running *r)
{
	struct spawn s = {.argv = r->attempt->command, .in = 0, .out = 1, .error = 2};
	struct err e = {0};
	int failed;

	s.same_group = isatty(STDIN_FILENO);
	failed = proc_spawn(&r->child, &s, &e);
	if (failed == 0)
		return 0;
	warn("%s", e.text);
	r->attempt->status = proc_spawn_status(failed);
	return failed;
}

/* Three times in the life of a lease; what went wrong is tried again. */
static int64_t next_renewal(const struct attempt *a)
{
	if (!a->breaker || !a->permit->lease[0])
		return NS_FOREVER;
	return clock_after(MAX((a->permit->again - clock_real()) / 3, 100 * NS_PER_MS));
}

static void renew(struct running *r)
{
	struct err e = {0};
	int valid = breaker_renew(r->attempt->breaker, r->attempt->permit, &e);

	if (valid < 0)
		warn("%s", e.text);
	r->renew = valid ? next_renewal(r->attempt) : NS_FOREVER;
}

/* The first signal is handed on, the second ends everything at once. */
static void on_signal(struct running *r, int sig)
{
	if (r->attempt->stopped && wait_signal_ends(sig))
		proc_sweep_all();
	else
		child_hand_on(&r->child, sig);
	if (wait_signal_ends(sig))
		r->attempt->stopped = sig;
}

static void on_deadline(struct running *r)
{
	int64_t now = clock_now();

	if (now >= r->renew)
		renew(r);
	if (now >= r->timeout) {
		r->timed_out = true;
		r->timeout = NS_FOREVER;
		child_end(&r->child, r->attempt->kill_after);
	}
	child_tick(&r->child);
}

static void watch_over(struct running *r)
{
	int sig;

	for (;;) {
		int64_t next = MIN(r->renew, MIN(r->timeout, r->child.kill_at));

		switch (wait_for(r->child.pidfd, next, &sig)) {
		case WAIT_READY: return;
		case WAIT_SIGNAL: on_signal(r, sig); break;
		case WAIT_DEADLINE: on_deadline(r); break;
		}
	}
}

void attempt_run(struct attempt *a)
{
	struct running r = {.attempt = a};

	if (start(&r) < 0)
		return;
	r.timeout = clock_after(a->timeout);
	r.renew = next_renewal(a);
	watch_over(&r);
	a->status = child_wait(&r.child);
	if (r.timed_out) {
		a->status = EXIT_TIMEDOUT;
		proc_sweep_all();
	}
}
