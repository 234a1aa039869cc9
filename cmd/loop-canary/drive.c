#include "drive.h"

#include "backoff.h"
#include "clock.h"
#include "command.h"
#include "die.h"
#include "event.h"
#include "journal.h"
#include "parse.h"
#include "request.h"
#include "watch.h"

#include <errno.h>
#include <poll.h>

#define POLL_TIME NS_PER_S /* where there is no inotify left */

struct drive {
	struct record *record;
	struct journal journal;
	int watch;
	bool waits;
	int64_t last; /* clock_now of the last look, 0: none */
};

static const struct backoff between_attempts = {
	.base = NS_PER_S, .cap = 30 * NS_PER_S, .factor = 2};

static void emit(struct drive *d, const char *type, enum priority priority)
{
	const struct record *r = d->record;
	AUTO_BUF struct buf data = {0};
	struct event e = {.type = type,
		.source = "/loop-canary",
		.subject = r->name,
		.priority = priority};

	buf_format(&data, "{\"rollout\":\"%s\",\"target\":\"%s\",\"step\":%zu,\"weight\":%lld",
		r->name, r->plan.target, r->course.step + 1, (long long)r->weight);
	buf_str(&data, ",\"why\":");
	buf_json(&data, r->why.text ? r->why.text : "", r->why.length);
	buf_str(&data, ",\"checks\":");
	buf_json(&data, r->last.text ? r->last.text : "", r->last.length);
	buf_char(&data, '}');
	e.data = (struct span){data.text, data.length};
	journal_emit(&d->journal, &e);
}

/* To disk, or no further: what cannot be recorded is not done. */
static void save(struct drive *d)
{
	struct err e = {0};
	int r = record_save(d->record, &e);

	if (r < 0)
		die_err(r, &e);
}

static void set_why(struct record *r, const char *text)
{
	buf_drop(&r->why, r->why.length);
	buf_str(&r->why, text);
}

static void enter(struct drive *d, enum stage stage, const char *type)
{
	d->record->stage = stage;
	save(d);
	if (type)
		emit(d, type, stage == STAGE_ROLLBACK_FAILED ? CRITICAL : NORMAL);
}

/* Up to attempts times, with pauses: 0, or the last status. */
static int insist(struct drive *d, const char *command, const char *what)
{
	const struct record *r = d->record;
	int status = 0;

	for (unsigned attempt = 1; attempt <= (unsigned)r->plan.attempts; attempt++) {
		struct err e = {0};

		status = command_run(r, command, r->plan.timeout, NULL, &e);
		if (status == 0)
			return 0;
		if (status < 0)
			warn("%s: %s: %s", r->name, what, e.text);
		else
			warn("%s: %s: status %d, attempt %u of %lld", r->name, what, status,
				attempt, (long long)r->plan.attempts);
		if (attempt < (unsigned)r->plan.attempts)
			clock_sleep(backoff_delay(&between_attempts, attempt));
	}
	return status;
}

static void roll_back(struct drive *d)
{
	enter(d, STAGE_ROLLING_BACK, "canary.rolling_back");
}

static void apply(struct drive *d)
{
	struct record *r = d->record;

	if (insist(d, r->plan.apply, "apply") != 0) {
		set_why(r, "the weight could not be set");
		roll_back(d);
		return;
	}
	r->step_began = clock_real();
	enter(d, STAGE_WATCHING, "canary.step");
}

static void begin_step(struct drive *d, size_t step)
{
	struct record *r = d->record;

	r->course = (struct course){.step = step};
	r->weight = r->plan.step[r->course.step].weight;
	enter(d, STAGE_APPLYING, NULL);
}

static void promote(struct drive *d)
{
	struct record *r = d->record;

	if (r->plan.promote && insist(d, r->plan.promote, "promote") != 0) {
		set_why(r, "it could not be promoted");
		roll_back(d);
		return;
	}
	enter(d, STAGE_PROMOTED, "canary.promoted");
}

static void take_back(struct drive *d)
{
	bool done = insist(d, d->record->plan.rollback, "rollback") == 0;

	enter(d, done ? STAGE_ROLLED_BACK : STAGE_ROLLBACK_FAILED,
		done ? "canary.rolled_back" : "canary.rollback_failed");
}

static void follow(struct drive *d, enum action a, const struct buf *why)
{
	if (why->length)
		set_why(d->record, why->text);
	switch (a) {
	case ACTION_WAIT: save(d); break;
	case ACTION_ADVANCE: begin_step(d, d->record->course.step + 1); break;
	case ACTION_PROMOTE: enter(d, STAGE_PROMOTING, NULL); break;
	case ACTION_PAUSE: enter(d, STAGE_PAUSED, "canary.paused"); break;
	case ACTION_ROLL_BACK: roll_back(d); break;
	}
}

static enum verdict look_at(struct record *r, size_t check, struct buf *words)
{
	const struct check *c = &r->plan.check[check];
	AUTO_BUF struct buf output = {0};
	AUTO_BUF struct buf why = {0};
	struct answer a = {0};
	struct err e = {0};
	enum verdict v;

	a.status = command_run(r, c->command, r->plan.check_timeout, &output, &e);
	a.text = output.text ? output.text : "";
	a.length = output.length;
	v = a.status < 0 ? VERDICT_ERROR
			 : course_judge(&r->course, &r->plan, check, &a, &why);
	buf_format(words, "%s%s: %s (%s)", words->length ? "; " : "", c->name, verdict_name(v),
		a.status < 0 ? e.text : why.text);
	return v;
}

/* All checks, and what follows. */
static void look(struct drive *d)
{
	struct record *r = d->record;
	AUTO_BUF struct buf why = {0};
	enum verdict worst = VERDICT_PASS;
	int64_t now = clock_now();

	if (d->last)
		r->course.held += MIN(now - d->last, 2 * r->plan.every);
	d->last = now;
	buf_drop(&r->last, r->last.length);
	r->course.looks++;
	for (size_t i = 0; i < r->plan.check_count; i++) {
		enum verdict v = look_at(r, i, &r->last);

		worst = MAX(worst, v);
	}
	if (worst == VERDICT_ERROR)
		r->course.looks--;
	emit(d, "canary.checked", LOW);
	follow(d, course_take(&r->course, &r->plan, worst, &why), &why);
}

static bool is_overdue(const struct record *r)
{
	return r->plan.deadline &&
		clock_real() - r->started - r->paused_ns > r->plan.deadline;
}

static void act(struct drive *d, enum request q, const struct buf *words)
{
	struct record *r = d->record;
	size_t last = r->plan.step_count - 1;

	if (q == REQUEST_PAUSE && r->stage == STAGE_WATCHING) {
		set_why(r, words->text ? words->text : "");
		enter(d, STAGE_PAUSED, "canary.paused");
	} else if (q == REQUEST_ABORT) {
		buf_drop(&r->why, r->why.length);
		buf_format(&r->why, "aborted %s", words->text ? words->text : "");
		roll_back(d);
	} else if (q == REQUEST_FULL || q == REQUEST_ADVANCE) {
		if (r->course.step == last)
			enter(d, STAGE_PROMOTING, NULL);
		else
			begin_step(d, q == REQUEST_FULL ? last : r->course.step + 1);
	} else if (r->stage == STAGE_PAUSED && q == REQUEST_RETRY) {
		begin_step(d, r->course.step);
		emit(d, "canary.resumed", NORMAL);
	} else if (r->stage == STAGE_PAUSED && q == REQUEST_RESUME) {
		enter(d, STAGE_WATCHING, "canary.resumed");
	}
}

/* Until then, or a request comes: whether one came and was acted on. */
static bool sleep_until(struct drive *d, int64_t until)
{
	struct pollfd p = {.fd = d->watch, .events = POLLIN};

	for (;;) {
		AUTO_BUF struct buf words = {0};
		enum request q = request_take(d->record, &words);
		int64_t wake = d->watch < 0 ? MIN(until, clock_after(POLL_TIME)) : until;

		if (q != REQUEST_NONE) {
			act(d, q, &words);
			return true;
		}
		if (clock_now() >= until)
			return false;
		if (poll(&p, 1, clock_poll_timeout(wake)) > 0)
			watch_drain(d->watch, "request");
	}
}

static void watch_step(struct drive *d)
{
	struct record *r = d->record;

	if (is_overdue(r)) {
		set_why(r, "the deadline has passed");
		roll_back(d);
		return;
	}
	if (!d->last)
		d->last = clock_now();
	if (!sleep_until(d, clock_after(r->plan.every)))
		look(d);
}

static void wait_paused(struct drive *d)
{
	int64_t since = clock_real();

	sleep_until(d, NS_FOREVER);
	d->record->paused_ns += MAX(clock_real() - since, 0);
	d->last = 0;
	save(d);
}

static void release(const struct record *r)
{
	struct err e = {0};

	if (r->stage != STAGE_ROLLBACK_FAILED && record_release_target(r, &e) < 0)
		warn("%s", e.text);
}

static int ended(const struct record *r)
{
	release(r);
	switch (r->stage) {
	case STAGE_PROMOTED: return EXIT_SUCCESS;
	case STAGE_ROLLED_BACK: warn("%s: rolled back: %s", r->name, r->why.text); break;
	case STAGE_ROLLBACK_FAILED:
		warn("%s: the rollback failed, nobody knows what is set: loop-canary retry %s",
			r->name, r->name);
		return EXIT_ROLLBACK_FAILED;
	case STAGE_APPLYING:
	case STAGE_WATCHING:
	case STAGE_PAUSED:
	case STAGE_PROMOTING:
	case STAGE_ROLLING_BACK: break;
	}
	return EXIT_ROLLED_BACK;
}

static int go(struct drive *d)
{
	struct record *r = d->record;

	while (!stage_ended(r->stage)) {
		if (r->stage == STAGE_PAUSED && !d->waits && !sleep_until(d, 0))
			return EX_TEMPFAIL;
		switch (r->stage) {
		case STAGE_APPLYING: apply(d); break;
		case STAGE_WATCHING: watch_step(d); break;
		case STAGE_PAUSED: wait_paused(d); break;
		case STAGE_PROMOTING: promote(d); break;
		case STAGE_ROLLING_BACK: take_back(d); break;
		case STAGE_PROMOTED:
		case STAGE_ROLLED_BACK:
		case STAGE_ROLLBACK_FAILED: break;
		}
	}
	return ended(r);
}

int drive(struct record *r, bool waits)
{
	struct drive d = {.record = r, .waits = waits, .watch = -1};
	AUTO_BUF struct buf folder = {0};
	int status;

	journal_init(&d.journal, r->state);
	buf_format(&folder, "%s/rollouts/%s", r->state->path, r->name);
	d.watch = watch_folder(folder.text);
	if (r->stage == STAGE_APPLYING && r->course.step == 0)
		emit(&d, "canary.started", NORMAL);
	status = go(&d);
	if (d.watch >= 0)
		close(d.watch);
	journal_close(&d.journal);
	return status;
}
