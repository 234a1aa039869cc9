/*
 * The run: permission, attempt, record, and again. An open breaker is waited
 * for between the attempts, so it uses none of them up.
 */
#include "guard.h"

#include "attempt.h"
#include "breaker_redis.h"
#include "buf.h"
#include "clock.h"
#include "die.h"
#include "hint.h"
#include "proc.h"
#include "wait.h"
#include "watch.h"

#include <errno.h>
#include <stdarg.h>

struct run {
	struct policy policy;
	struct state state;
	struct breaker breaker;
	struct permit permit;
	bool guarded;
	int watch; /* of the breakers' folder, or -1 */
	int hint;
	int64_t begin, give_up; /* clock_now */
	struct attempt attempt;
	int64_t tries;
};

#define POLL_TIME NS_PER_S /* where there is no inotify left */

static void PRINTF_LIKE(1, 2) say(const char *format, ...)
{
	char text[1024];
	va_list args;

	if (!choices.verbose)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	warn("%s", text);
}

static void open_breaker(struct run *r)
{
	struct err e = {0};
	int failed = state_open(&r->state, &e);

	if (failed == 0)
		failed = breaker_init(
			&r->breaker, &r->state, choices.breaker, &choices.settings, &e);
	if (failed < 0)
		die_err(failed, &e);
	r->guarded = true;
	breaker_place(&r->breaker);
	failed = state_folder(&r->state, "breakers");
	if (failed < 0)
		die(die_status(failed), "%s/breakers: %s", r->state.path, strerror(-failed));
	close(failed);
	if (setenv("LOOP_DIR", r->state.path, 1) < 0)
		die_errno(EX_OSERR, "environment");
}

/* Only who has to wait needs to be told of changes. */
static int open_watch(struct run *r)
{
	AUTO_BUF struct buf folder = {0};

	if (r->watch < 0 && !r->breaker.place) {
		buf_format(&folder, "%s/breakers", r->state.path);
		r->watch = watch_folder(folder.text);
	}
	return r->watch;
}

static int64_t real_to_deadline(int64_t real)
{
	return real == NS_FOREVER ? NS_FOREVER : clock_after(MAX(real - clock_real(), 0));
}

/* 1 something may have changed, 0 the limit has passed, -EINTR: told to end. */
static int wait_for_change(struct run *r, int64_t again, int64_t limit)
{
	AUTO_BUF struct buf name = {0};
	int64_t deadline = MIN(real_to_deadline(again), limit);
	int sig;

	buf_format(&name, "%s.json", r->breaker.name);
	if (r->watch < 0)
		deadline = MIN(deadline, clock_after(POLL_TIME));
	for (;;)
		switch (wait_for(r->watch, deadline, &sig)) {
		case WAIT_DEADLINE: return clock_now() < limit;
		case WAIT_READY:
			if (watch_drain(r->watch, name.text))
				return 1;
			break;
		case WAIT_SIGNAL:
			if (!wait_signal_ends(sig))
				break;
			r->attempt.stopped = sig;
			return -EINTR;
		}
}

static int ask(struct run *r)
{
	struct err e = {0};
	int answer = breaker_allow(&r->breaker, &r->permit, &e);

	if (r->breaker.repaired)
		warn("breakers/%s.json was damaged: put aside as %s.json.damaged, begun anew",
			r->breaker.name, r->breaker.name);
	r->breaker.repaired = false;
	if (answer < 0)
		die_err(answer, &e);
	return answer;
}

/* 1 go, 0 given up, -EINTR: told to end. */
static int wait_for_permit(struct run *r)
{
	int64_t limit = MIN(clock_after(choices.wait), r->give_up);
	int go = ask(r);

	if (go)
		return 1;
	say("breaker %s is %s: waiting", r->breaker.name, breaker_state_name(r->permit.state));
	open_watch(r);
	for (;;) {
		go = ask(r);
		if (go)
			return 1;
		go = wait_for_change(r, r->permit.again, limit);
		if (go <= 0)
			return go;
	}
}

/* What the command said of when to come back, as clock_real; 0 nothing. */
static int64_t read_hint(const struct run *r)
{
	int64_t until = 0;

	if (hint_read(r->hint, &until) >= 0)
		return until;
	warn("what the command wrote to LOOP_RETRY_AFTER is no time: ignored");
	return 0;
}

static void record(struct run *r, int64_t hint)
{
	enum outcome o = r->attempt.stopped ? OUTCOME_IGNORED
					    : policy_outcome(&r->policy, r->attempt.status);
	struct err e = {0};

	if (breaker_record(&r->breaker, &r->permit, o, hint, &e) < 0)
		warn("%s", e.text);
}

static void run_once(struct run *r)
{
	char number[24];

	snprintf(number, sizeof number, "%lld", (long long)++r->tries);
	if (setenv("LOOP_TRY", number, 1) < 0)
		die_errno(EX_OSERR, "environment");
	hint_empty(r->hint);
	attempt_run(&r->attempt);
}

/* How long to wait before the next try. */
static int64_t delay_after(const struct run *r, int64_t hint)
{
	int64_t now = clock_real();

	if (hint)
		return MAX(hint - now, 0);
	return backoff_delay(&choices.backoff, (unsigned)MIN(r->tries, INT32_MAX));
}

/* Sleeps until the next try; false if there is to be none. */
static bool pause_for(struct run *r, int64_t delay)
{
	char text[DURATION_SIZE];
	int64_t until = clock_after(delay);
	int sig;

	if (until > r->give_up)
		return false;
	say("status %d; try %lld of %lld in %s", r->attempt.status, (long long)r->tries + 1,
		(long long)choices.retries + 1, format_duration(text, delay));
	for (;;)
		switch (wait_for(-1, until, &sig)) {
		case WAIT_DEADLINE: return true;
		case WAIT_READY: break;
		case WAIT_SIGNAL:
			if (wait_signal_ends(sig))
				return r->attempt.stopped = sig, false;
		}
}

/* One line where more than the command's own words are needed. */
static int ended(const struct run *r)
{
	char text[DURATION_SIZE];
	const struct attempt *a = &r->attempt;

	if (a->status && r->tries > 1)
		warn("%s: status %d after %lld tries in %s", a->command[0], a->status,
			(long long)r->tries, format_duration(text, clock_now() - r->begin));
	else if (a->status == EXIT_TIMEDOUT && a->timeout != NS_FOREVER)
		warn("%s: timed out after %s", a->command[0], format_duration(text, a->timeout));
	return a->status;
}

/* The first try was not even made. */
static int refused(const struct run *r)
{
	if (r->tries)
		return ended(r);
	warn("breaker %s is %s: not run; see 'loop-guard list'", r->breaker.name,
		breaker_state_name(r->permit.state));
	return EX_TEMPFAIL;
}

static int repeat(struct run *r)
{
	int64_t hint;

	for (;;) {
		int go = r->guarded ? wait_for_permit(r) : 1;

		if (go < 0)
			return EXIT_SIGNAL + r->attempt.stopped;
		if (go == 0)
			return refused(r);
		run_once(r);
		hint = read_hint(r);
		if (r->guarded)
			record(r, r->attempt.status ? hint : 0);
		if (r->attempt.stopped || r->tries > choices.retries ||
			!statuses_has(&r->policy.retry, r->attempt.status))
			return ended(r);
		proc_sweep_all();
		if (!pause_for(r, delay_after(r, hint)))
			return r->attempt.stopped ? EXIT_SIGNAL + r->attempt.stopped : ended(r);
	}
}

/* The options that are no simple values, and those that need each other. */
static void check_choices(void)
{
	char *end;

	choices.backoff.jitter = (enum jitter)choices.jitter;
	if (choices.factor) {
		choices.backoff.factor = strtod(choices.factor, &end);
		if (*end || !(choices.backoff.factor >= 1 && choices.backoff.factor <= 100))
			die_usage("--factor: '%s' is not between 1 and 100", choices.factor);
	}
	if (choices.rate_text) {
		choices.settings.rate = strtod(choices.rate_text, &end);
		if (*end || !(choices.settings.rate > 0 && choices.settings.rate <= 1))
			die_usage("--rate: '%s' is not above 0 and up to 1", choices.rate_text);
	}
	if (choices.breaker && !name_valid(choices.breaker))
		die_usage("--breaker: '%s' is no name", choices.breaker);
}

int guard_run(const struct args *args)
{
	struct run r = {.watch = -1, .begin = clock_now(), .state = {.dir = -1}};
	struct err e = {0};
	int status;

	if (!args->command || !args->command[0] || args->count)
		die_usage("a command is needed behind --: loop-guard [OPTIONS] -- COMMAND");
	r.give_up = clock_after(choices.max_elapsed);
	check_choices();
	policy_init(&r.policy);
	if (proc_contain_foreground(&e) < 0)
		die(EXIT_OWN, "%s", e.text);
	if (choices.keep)
		proc_contain_keep();
	if (wait_init() < 0)
		die_errno(EX_OSERR, "signals");
	r.hint = hint_open();
	if (choices.breaker)
		open_breaker(&r);
	r.attempt = (struct attempt){.command = args->command,
		.timeout = choices.timeout,
		.kill_after = choices.kill_after,
		.breaker = r.guarded ? &r.breaker : NULL,
		.permit = &r.permit};
	status = repeat(&r);
	breaker_redis_close(&r.breaker);
	state_close(&r.state);
	return status;
}
