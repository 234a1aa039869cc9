/*
 * The saga: when the run is given up, what succeeded and can be undone is
 * undone in the reverse order of its success, one at a time, each tried
 * several times, all tried even if one fails. A pivot that succeeded ends
 * undoing: from there on a run only goes forward.
 *
 * Source: Garcia-Molina and Salem, "Sagas" (1987).
 */
#include "run.h"

#include "clock.h"
#include "die.h"

enum { UNDO_TRIES = 5 };

static const struct node *nodes; /* for qsort */

static int last_first(const void *left, const void *right)
{
	const uint32_t *a = left, *b = right;
	uint32_t fa = nodes[*a].finished, fb = nodes[*b].finished;

	return fa < fb ? 1 : fa > fb ? -1
				     : 0;
}

static bool can_be_undone(const struct run *r, uint32_t task)
{
	enum tstate state = (enum tstate)r->node[task].state;

	return task_has(&r->plan, &r->plan.task[task], M_UNDO) &&
		(state == SUCCEEDED || state == COMPENSATING || state == COMPENSATION_FAILED);
}

static bool past_pivot(const struct run *r)
{
	for (uint32_t i = 0; i < r->plan.count; i++)
		if (r->plan.task[i].pivot && r->node[i].state == SUCCEEDED)
			return true;
	return false;
}

bool undo_begin(struct run *r)
{
	struct undo *u = &r->undo;

	u->ended = true;
	if (past_pivot(r)) {
		warn("%s: not undone: a pivot has succeeded", r->id);
		return false;
	}
	u->task = mem_zero((size_t)r->plan.count + 1, sizeof *u->task);
	for (uint32_t i = 0; i < r->plan.count; i++)
		if (can_be_undone(r, i))
			u->task[u->count++] = i;
	if (!u->count)
		return false;
	nodes = r->node;
	qsort(u->task, u->count, sizeof *u->task, last_first);
	u->begun = true;
	u->ended = false;
	log_run(r, "\"undoing\"");
	return true;
}

void undo_step(struct run *r)
{
	struct undo *u = &r->undo;

	while (!u->ended && !r->running && !r->paused && !r->cancelling && !r->broken &&
		clock_now() >= u->due) {
		if (u->next == u->count) {
			u->ended = true;
			log_run(r, "\"undone\"");
			return;
		}
		u->tries++;
		job_start(r, u->task[u->next], TO_UNDO);
	}
}

/* The next one, with its tries before it. */
static void advance(struct run *r, uint32_t task, enum tstate state)
{
	r->node[task].state = (uint8_t)state;
	r->count[state]++;
	r->undo.next++;
	r->undo.tries = 0;
	r->undo.due = 0;
}

void undo_ended(struct run *r, uint32_t task, int status, const char *reason, int64_t ms)
{
	struct undo *u = &r->undo;

	if (status < 0)
		return; /* we were told to end: it is undone when the run goes on */
	if (status && u->tries < UNDO_TRIES) {
		u->due = clock_after(
			backoff_delay(&r->plan.task[task].recipe->retry.backoff, u->tries));
		return;
	}
	advance(r, task, status ? COMPENSATION_FAILED : COMPENSATED);
	log_outcome(r, task, status, reason, ms);
	if (status)
		warn("%s: could not be undone, status %d; see %s/tasks/%s/%u.err",
			r->plan.task[task].id, status, r->path, r->plan.task[task].id,
			r->node[task].attempt);
}
