#include "attempt.h"

#include "breaker.h"
#include "clock.h"
#include "die.h"
#include "proc.h"
#include "wait.h"

#include <signal.h>

#define SWEEP_TIME (10 * NS_PER_S)

/* The command while it runs. */
struct running {
	struct attempt *attempt;
	struct child child;
	bool own_group;
	int64_t timeout, kill, renew; /* clock_now at which each is due */
	bool timed_out;
};

void attempt_sweep(void)
{
	struct sweep swept;

	proc_sweep(NULL, NULL, 0, clock_after(SWEEP_TIME), &swept);
}

static void send(const struct running *r, int sig)
{
	kill(r->own_group ? -r->child.pid : r->child.pid, sig);
}

/* A terminal's ^C must reach the command, and it may read from it: then it shares our group. */
static int start(struct running *r)
{
	struct spawn s = {.argv = r->attempt->command, .in = 0, .out = 1, .error = 2};
	struct err e = {0};
	int failed;

	r->own_group = !isatty(STDIN_FILENO);
	s.same_group = !r->own_group;
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

/* Whether the command does not get it by itself: a terminal sends ^C to the whole group. */
static bool has_to_be_sent(const struct running *r, int sig)
{
	return r->own_group || (sig != SIGINT && sig != SIGQUIT);
}

/* The first signal is handed on, the second ends everything at once. */
static void on_signal(struct running *r, int sig)
{
	if (!wait_signal_ends(sig)) {
		send(r, sig);
		return;
	}
	if (r->attempt->stopped)
		attempt_sweep();
	else if (has_to_be_sent(r, sig))
		send(r, sig);
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
		r->kill = clock_after(r->attempt->kill_after);
		send(r, SIGTERM);
		send(r, SIGCONT); /* one that was stopped would not see it */
	}
	if (now >= r->kill) {
		r->kill = NS_FOREVER;
		kill(r->child.pid, SIGKILL);
	}
}

static void watch_over(struct running *r)
{
	int sig;

	for (;;) {
		int64_t next = MIN(r->renew, MIN(r->timeout, r->kill));

		switch (wait_for(r->child.pidfd, next, &sig)) {
		case WAIT_READY: return;
		case WAIT_SIGNAL: on_signal(r, sig); break;
		case WAIT_DEADLINE: on_deadline(r); break;
		}
	}
}

void attempt_run(struct attempt *a)
{
	struct running r = {.attempt = a, .kill = NS_FOREVER};

	if (start(&r) < 0)
		return;
	r.timeout = clock_after(a->timeout);
	r.renew = next_renewal(a);
	watch_over(&r);
	a->status = proc_reap(r.child.pid);
	child_close(&r.child);
	if (r.timed_out) {
		a->status = EXIT_TIMEDOUT;
		attempt_sweep();
	}
}
