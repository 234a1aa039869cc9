/*
 * A run goes on. What run.jsonl calls running is not believed: the kernel is
 * asked, what still lives of it is ended, and it is run again. What was
 * recorded as succeeded stays.
 */
#include "again.h"

#include "clock.h"
#include "die.h"
#include "proc.h"

enum { SWEEP_SECONDS = 10 };

struct tally {
	uint32_t succeeded, interrupted, failed, again;
};

static bool lives(const struct fold *f, const struct past *past)
{
	struct owner owner = {.pid = past->pid, .start = past->start};

	memcpy(owner.boot, f->runner.boot, sizeof owner.boot);
	return past->pid && owner_alive(&owner);
}

/* An attempt without an ending: all of it that is left is ended before it is tried again. */
static void end_attempt(struct run *r, const struct fold *f, uint32_t task)
{
	const struct past *past = &f->task[task];
	const char *id = r->plan.task[task].id;
	bool alive = lives(f, past);
	struct sweep swept = {0};
	AUTO_BUF struct buf b = {0};
	char marker[320];

	snprintf(marker, sizeof marker, "LOOP_TRACE=%s/%s/%u", r->id, id, past->attempt);
	if (proc_sweep(marker, NULL, 0, clock_after(SWEEP_SECONDS * NS_PER_S), &swept) < 0)
		die(EX_TEMPFAIL, "%s: a process of attempt %u (%s) does not end", id, past->attempt,
			swept.first);
	warn("%s: attempt %u %s; %s", id, past->attempt,
		past->state == QUEUED ? "was about to start"
			: alive	      ? "was still running"
				      : "had no ending on record",
		swept.killed ? "ended what was left of it, to be run again" : "to be run again");
	buf_format(&b, ",\"failures\":%u,\"reason\":\"interrupted\"", past->failures);
	log_task(r, task, b.text);
}

/* Whether this ending is to be forgotten. */
static bool is_redone(const struct run *r, uint32_t task, enum tstate state, bool retry)
{
	if (state == CANCELLED)
		return true;
	if (!retry)
		return false;
	return tstate_failed(state) || (state == SKIPPED && !r->plan.task[task].done);
}

static void take_over(struct run *r, const struct fold *f, uint32_t task, bool retry,
	struct tally *tally)
{
	const struct past *past = &f->task[task];
	struct node *n = &r->node[task];
	enum tstate state = (enum tstate)past->state;

	n->attempt = past->attempt;
	n->failures = past->failures;
	n->state = past->state;
	tally->succeeded += state == SUCCEEDED;
	if (tstate_ended(state) && !is_redone(r, task, state, retry)) {
		tally->failed += tstate_failed(state) && state != UPSTREAM_FAILED;
		return;
	}
	n->state = PENDING;
	if (state == QUEUED || state == RUNNING) {
		tally->interrupted++;
		end_attempt(r, f, task);
	} else if (tstate_ended(state)) {
		tally->again++;
		n->failures = 0;
		log_task(r, task, retry ? ",\"reason\":\"retry\"" : ",\"reason\":\"resumed\"");
	}
}

/* What was recorded before the crash, and perhaps not yet written into the user's file. */
static void write_passes(struct run *r)
{
	struct err e = {0};

	if (!r->options.imported || !r->options.source)
		return;
	for (uint32_t i = 0; i < r->plan.count; i++)
		if (r->node[i].state == SUCCEEDED && passes_write(r, i, &e) < 0) {
			warn("%s", e.text);
			return;
		}
}

static void say(const struct run *r, const struct tally *t)
{
	warn("%s: %u succeeded, %u interrupted, %u to be done again, %u failed%s", r->id,
		t->succeeded, t->interrupted, t->again, t->failed,
		t->failed ? " and stay so ('loop-sched retry' runs them again)" : "");
}

void run_again(struct run *r, bool retry)
{
	struct tally tally = {0};
	struct fold fold;
	struct err e = {0};
	int code = fold_read(&fold, &r->plan, r->folder, &e);

	if (code < 0)
		die_err(code, &e);
	for (uint32_t i = 0; i < r->plan.count; i++)
		take_over(r, &fold, i, retry, &tally);
	say(r, &tally);
	write_passes(r);
	fold_clear(&fold);
}
