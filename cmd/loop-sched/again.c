/*
 * A run goes on. What run.jsonl calls running is not believed: the kernel is
 * asked, what still lives of it is ended, and it is run again. What was
 * recorded as succeeded stays.
 */
#include "again.h"

#include "clock.h"
#include "die.h"
#include "proc.h"
#include "question.h"

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
	AUTO_FREE char *trace = mem_format("LOOP_TRACE=%s/%s/%u", r->id, id, past->attempt);
	AUTO_FREE char *state = mem_format("LOOP_DIR=%s", r->state.path);
	const char *const marks[] = {trace, state, NULL};

	if (proc_sweep(marks, NULL, 0, clock_after(SWEEP_SECONDS * NS_PER_S), &swept) < 0)
		die(EX_TEMPFAIL, "%s: a process of attempt %u (%s) does not end", id, past->attempt,
			swept.first);
	warn("%s: attempt %u %s; %s", id, past->attempt,
		past->state == QUEUED ? "was about to start"
			: alive	      ? "was still running"
				      : "had no ending on record",
		r->options.queue       ? "its job is asked for again"
			: swept.killed ? "ended what was left of it, to be run again"
				       : "to be run again");
	buf_format(&b, ",\"failures\":%u,\"reason\":\"interrupted\"", past->failures);
	log_task(r, task, b.text);
}

/* Whether this ending is to be forgotten. */
static bool is_redone(const struct run *r, uint32_t task, enum tstate state, enum again how)
{
	if (r->anew && r->anew[task])
		return true;
	if (how != TO_RETRY)
		return state == CANCELLED && how == TO_RESUME;
	if (state == SKIPPED)
		return !r->plan.task[task].done;
	return tstate_failed(state) || state == CANCELLED || state == COMPENSATED;
}

static void take_over(struct run *r, const struct fold *f, uint32_t task, enum again how,
	struct tally *tally)
{
	const struct past *past = &f->task[task];
	struct node *n = &r->node[task];
	enum tstate state = (enum tstate)past->state;

	n->attempt = past->attempt;
	n->failures = past->failures;
	n->finished = past->finished;
	n->done_by = past->done_by;
	n->ms = (uint32_t)past->ms;
	n->state = past->state;
	tally->succeeded += state == SUCCEEDED;
	if (tstate_ended(state) && !is_redone(r, task, state, how)) {
		tally->failed += tstate_failed(state) && state != UPSTREAM_FAILED;
		return;
	}
	n->state = state == COMPENSATING ? COMPENSATING : PENDING;
	if (r->plan.task[task].fans && state == RUNNING)
		return; /* those that it made are looked at one by one */
	if (task_asks(&r->plan, &r->plan.task[task]) && (state == QUEUED || state == RUNNING)) {
		n->attempt--; /* it asks again under the same name, and is answered perhaps */
		n->reopened = true;
		return;
	}
	if (state == QUEUED || state == RUNNING || state == COMPENSATING) {
		tally->interrupted++;
		end_attempt(r, f, task);
		/* Its job is a worker's still, or answered: the same attempt asks for it again. */
		if (r->options.queue)
			n->attempt--;
	} else if (tstate_ended(state)) {
		tally->again++;
		n->failures = 0;
		tally->succeeded -= state == SUCCEEDED;
		log_task(r, task,
			r->anew && r->anew[task]  ? ",\"reason\":\"the plan has changed\""
				: how == TO_RETRY ? ",\"reason\":\"retry\""
						  : ",\"reason\":\"resumed\"");
	}
}

/* What was recorded before the crash, and perhaps not yet written into the user's file. */
static void write_passes(struct run *r)
{
	for (uint32_t i = 0; i < r->plan.count; i++)
		if (r->node[i].state == SUCCEEDED && passes_tell(r, i) < 0)
			return;
}

static void say(const struct run *r, const struct tally *t)
{
	warn("%s: %u succeeded, %u interrupted, %u to be done again, %u failed%s", r->id,
		t->succeeded, t->interrupted, t->again, t->failed,
		t->failed ? " and stay so ('loop-sched retry' runs them again)" : "");
}

/* What stands on something that was undone, and is to be done again, is done again too. */
static void follow_undone(struct run *r, const struct fold *f, struct tally *tally)
{
	AUTO_FREE bool *again = mem_zero((size_t)r->plan.count + 1, sizeof *again);
	const struct dag *d = &r->plan.dag;

	for (uint32_t k = 0; k < r->plan.count; k++) {
		uint32_t i = r->plan.order[k];
		const struct group *g = r->plan.task[i].group;

		again[i] |= f->task[i].state == COMPENSATED;
		for (uint32_t e = d->first_in[i]; e < d->first_in[i + 1]; e++)
			again[i] |= again[d->in[e]];
		for (uint32_t m = 0; g && !r->plan.task[i].index && m < g->count; m++)
			again[g->first + m] |= again[i];
		if (!again[i] || r->node[i].state != SUCCEEDED)
			continue;
		r->node[i].state = PENDING;
		tally->succeeded--;
		tally->again++;
		log_task(r, i, ",\"reason\":\"what it needs was undone\"");
	}
}

/* What a run that was undone, or could not be, does not do. */
static void refuse(const struct run *r, const struct fold *f, enum again how)
{
	if (how == TO_RESUME && f->undone)
		die(EXIT_NO, "%s: was undone; 'loop-sched retry %s' begins again", r->id, r->id);
	if (how == TO_TAKE_BACK)
		return;
	for (uint32_t i = 0; i < r->plan.count; i++)
		if (f->task[i].state == COMPENSATION_FAILED)
			die(EXIT_NO,
				"%s: is dirty: %s could not be undone; 'loop-sched undo' tries "
				"again, 'loop-sched forget' takes your word that it is clean",
				r->id, r->plan.task[i].id);
}

void run_again(struct run *r, enum again how)
{
	struct tally tally = {0};
	struct fold fold;
	struct err e = {0};
	int code = fold_read(&fold, &r->plan, r->log, &e);

	if (code < 0)
		die_err(code, &e);
	refuse(r, &fold, how);
	if (fold.undoing || how == TO_TAKE_BACK)
		r->stopping = r->undo.wanted = true;
	r->undo.alone = how == TO_TAKE_BACK;
	r->successes = fold.successes;
	r->retries = how == TO_RETRY ? 0 : fold.retries;
	for (uint32_t i = 0; i < r->plan.count; i++)
		take_over(r, &fold, i, how, &tally);
	if (how == TO_RETRY)
		follow_undone(r, &fold, &tally);
	say(r, &tally);
	write_passes(r);
	fold_clear(&fold);
}
