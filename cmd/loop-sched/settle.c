/* What follows from a task's ending, for it and for all that need it: counters, no scans. */
#include "run.h"

#include "clock.h"
#include "die.h"
#include "parse.h"

bool goes_on(const struct run *r)
{
	if (r->broken || r->killed)
		return false;
	return r->finishing || (!r->cancelling && !r->stopping);
}

bool may_start(const struct run *r)
{
	return goes_on(r) && !r->paused;
}

void make_ready(struct run *r, uint32_t task)
{
	struct node *n = &r->node[task];

	if (r->plan.task[task].final && !r->finishing)
		return; /* pending until all others have ended */
	n->state = READY;
	if (!gates_take(r, task))
		heap_push(&r->ready, n);
}

void begin_finals(struct run *r)
{
	r->finishing = true;
	for (uint32_t i = 0; i < r->plan.count; i++)
		if (r->plan.task[i].final && r->node[i].state == PENDING && !r->node[i].waiting)
			make_ready(r, i);
}

/* Tells of an ending that no attempt had. */
static void tell(struct run *r, uint32_t task, const char *reason)
{
	const struct node *n = &r->node[task];
	AUTO_BUF struct buf why = {0}, data = {0};

	buf_add(&why, "", 0);
	if (reason) {
		buf_str(&why, ",\"reason\":");
		buf_json(&why, reason, strlen(reason));
	}
	log_task(r, task, why.text);
	if (r->plan.task[task].done)
		return;
	buf_format(&data, ",\"state\":\"%s\",\"success\":%s,\"attempt\":%u%s",
		tstate_name((enum tstate)n->state), n->state == SUCCEEDED ? "true" : "false",
		n->attempt, why.text);
	buf_format(&data, ",\"status\":%s,\"ms\":0", n->state == SUCCEEDED ? "0" : "null");
	event_task(r, task, "task.completed", data.text);
	if (r->options.verbose)
		warn("%s: %s%s%s", r->plan.task[task].id, tstate_name((enum tstate)n->state),
			reason ? ": " : "", reason ? reason : "");
}

/* Counts an ending. */
static void record(struct run *r, uint32_t task, enum tstate state, const char *reason)
{
	struct node *n = &r->node[task];

	n->state = (uint8_t)state;
	r->count[state]++;
	r->left--;
	r->finals -= r->plan.task[task].final;
	if (r->plan.task[task].fans && state == SUCCEEDED)
		n->finished = ++r->successes;
	if (!n->concluded)
		tell(r, task, reason);
	n->concluded = false;
}

/* One need of a task has ended. Returns whether that ends the task too, and how. */
static bool need_ended(struct run *r, uint32_t edge, enum tstate ending, enum tstate *otherwise)
{
	uint32_t task = r->plan.edge[edge].to;
	struct node *n = &r->node[task];

	n->waiting--;
	if (tstate_ended((enum tstate)n->state))
		return false;
	if (!tstate_meets(ending, (enum when)r->plan.edge_when[edge], otherwise))
		return true;
	if (n->waiting == 0 && n->state == PENDING)
		make_ready(r, task);
	return false;
}

/* Whether the task that made this one has thereby ended. */
static bool owner_ended(const struct run *r, uint32_t task, uint32_t *owner)
{
	const struct task *t = &r->plan.task[task];
	struct node *n;

	if (!task_joined(t))
		return false;
	*owner = t->group->owner;
	n = &r->node[*owner];
	return n->state == RUNNING && --n->waiting == 0;
}

/* Endings run along the edges without recursion: a chain of a million is no deep stack. */
void settle(struct run *r, uint32_t task, enum tstate state, const char *reason)
{
	const struct dag *d = &r->plan.dag;
	AUTO_FREE uint32_t *stack = NULL;
	size_t depth = 0, capacity = 0;
	uint32_t at = task;

	record(r, task, state, reason);
	for (;;) {
		uint32_t owner;

		if (owner_ended(r, at, &owner)) {
			record(r, owner, fan_state(r, owner), NULL);
			stack = mem_grow(stack, depth, &capacity, sizeof *stack);
			stack[depth++] = owner;
		}
		for (uint32_t i = d->first_out[at]; i < d->first_out[at + 1]; i++) {
			enum tstate otherwise;
			char why[160];

			if (!need_ended(r, d->out_edge[i], (enum tstate)r->node[at].state,
				    &otherwise))
				continue;
			snprintf(why, sizeof why, "%s %s", r->plan.task[at].id,
				tstate_name((enum tstate)r->node[at].state));
			record(r, d->out[i], otherwise, why);
			stack = mem_grow(stack, depth, &capacity, sizeof *stack);
			stack[depth++] = d->out[i];
		}
		if (!depth)
			return;
		at = stack[--depth];
	}
}

/*
 * Where a task stands by what its needs have come to, before anything runs.
 * Edges were made a task after the other, so a task's own lie side by side
 * under the numbers of its row of the graph.
 */
static void begin_task(struct run *r, uint32_t task)
{
	const struct dag *d = &r->plan.dag;
	struct node *n = &r->node[task];

	for (uint32_t e = d->first_in[task]; e < d->first_in[task + 1]; e++) {
		const struct node *need = &r->node[r->plan.edge[e].from];
		enum tstate otherwise;

		if (!tstate_ended((enum tstate)need->state)) {
			n->waiting++;
		} else if (!tstate_meets((enum tstate)need->state,
				   (enum when)r->plan.edge_when[e], &otherwise)) {
			record(r, task, otherwise, r->plan.task[r->plan.edge[e].from].id);
			return;
		}
	}
	if (n->waiting == 0)
		make_ready(r, task);
}

void settle_begin(struct run *r)
{
	r->left = r->plan.count;
	for (uint32_t i = 0; i < r->plan.count; i++)
		r->finals += r->plan.task[i].final;
	for (uint32_t k = 0; k < r->plan.count; k++) {
		uint32_t i = r->plan.order[k];
		struct node *n = &r->node[i];

		if (tstate_ended((enum tstate)n->state)) {
			r->count[n->state]++;
			r->left--;
			r->finals -= r->plan.task[i].final;
		} else if (n->state == COMPENSATING) {
			r->left--; /* it had succeeded; what undoes it is not done */
		} else if (r->plan.task[i].done) {
			record(r, i, SKIPPED, "done already");
		} else {
			begin_task(r, i);
		}
	}
}
