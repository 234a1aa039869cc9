/* Attempts: started, watched, ended. */
#include "run.h"

#include "clock.h"
#include "die.h"
#include "files.h"
#include "proc.h"
#include "remote.h"
#include "resource.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>

enum { STARVED_SECONDS = 1 };

struct job *job_of(struct run *r, pid_t pid)
{
	for (int64_t i = 0; i < r->options.jobs; i++)
		if (r->job[i].pid == pid)
			return &r->job[i];
	return NULL;
}

static struct job *free_slot(struct run *r)
{
	return job_of(r, 0);
}

static uint32_t index_of(const struct run *r, const struct node *n)
{
	return (uint32_t)(n - r->node);
}

/* The running job whose files this task would touch too; NULL if there is none. */
static struct job *in_the_way(struct run *r, uint32_t task)
{
	const struct plan *p = &r->plan;
	struct span files = task_get(p, &p->task[task], M_FILES);

	for (int64_t i = 0; files.n && i < r->options.jobs; i++) {
		struct job *j = &r->job[i];

		if (j->pid && files_overlap(files, task_get(p, &p->task[j->task], M_FILES)))
			return j;
	}
	return NULL;
}

static void hold(struct job *j, uint32_t task)
{
	j->held = mem_grow(j->held, j->held_count, &j->held_capacity, sizeof *j->held);
	j->held[j->held_count++] = task;
}

/* Those that wait for resources get another chance. */
static void feed(struct run *r)
{
	struct node *n;

	while ((n = heap_pop(&r->starved)))
		heap_push(&r->ready, n);
}

static void release_held(struct run *r, struct job *j)
{
	for (size_t i = 0; i < j->held_count; i++)
		if (r->node[j->held[i]].state == READY)
			make_ready(r, j->held[i]);
	j->held_count = 0;
}

void event_started(struct run *r, uint32_t task)
{
	const struct task *t = &r->plan.task[task];
	struct span title = task_get(&r->plan, t, M_TITLE);
	AUTO_BUF struct buf b = {0};

	buf_str(&b, ",\"title\":");
	if (title.n)
		buf_add(&b, title.p, title.n);
	else
		buf_json(&b, t->id, strlen(t->id));
	buf_format(&b, ",\"attempt\":%u", r->node[task].attempt);
	event_task(r, task, "task.started", b.text);
}

static void log_running(
	struct run *r, uint32_t task, enum purpose purpose, const struct child *child)
{
	AUTO_BUF struct buf b = {0};

	buf_format(&b, ",\"pid\":%d,\"start\":%llu", child->pid,
		(unsigned long long)child->owner.start);
	log_task(r, task, b.text);
	if (purpose == TO_RUN)
		event_started(r, task);
}

static void begin_job(struct run *r, struct job *j, uint32_t task, pid_t pid)
{
	const struct recipe *recipe = r->plan.task[task].recipe;
	struct node *n = &r->node[task];
	int64_t now = clock_now();

	j->task = task;
	j->pid = pid;
	j->started = now;
	if (recipe->deadline && n->give_up == NS_FOREVER)
		n->give_up = now + recipe->deadline;
	/* Where workers run it, they watch over its time, which begins there. */
	j->deadline = n->give_up;
	if (recipe->timeout && !r->options.queue)
		j->deadline = MIN(now + recipe->timeout, n->give_up);
	j->stall_at = recipe->stall && !r->options.queue ? now + recipe->stall : NS_FOREVER;
	j->output = 0;
	j->ending = ENDS_ITSELF;
	r->running++;
}

bool announce(struct run *r, uint32_t task, enum purpose purpose)
{
	struct node *n = &r->node[task];

	if (n->asked != JUST_ASKED)
		n->attempt++;
	if (n->asked == JUST_ASKED)
		n->asked = WAS_ASKED;
	if (tstate_ended((enum tstate)n->state)) /* it is undone, and counts no longer */
		r->count[n->state]--;
	n->state = purpose == TO_UNDO ? COMPENSATING : QUEUED;
	log_task(r, task, "");
	log_write(r);
	return !r->lines.length && !r->broken;
}

void retract(struct run *r, uint32_t task, const struct node *before)
{
	struct node *n = &r->node[task];
	AUTO_BUF struct buf b = {0};

	*n = *before;
	n->state = PENDING;
	buf_format(&b, ",\"failures\":%u,\"reason\":\"no room\"", n->failures);
	log_task(r, task, b.text);
	n->state = READY;
}

/* There is no room to start it: it is what it was before, and waits. */
static void put_back(struct run *r, uint32_t task, enum purpose purpose, const struct node *before)
{
	struct node *n = &r->node[task];

	if (purpose == TO_UNDO) {
		*n = *before;
		r->count[n->state] += tstate_ended((enum tstate)n->state);
		r->undo.tries--;
		r->undo.due = r->hold.next;
		return;
	}
	retract(r, task, before);
	heap_push(&r->ready, n);
}

/* False if it could not be started, which is then its ending, or it waits for room. */
bool job_start(struct run *r, uint32_t task, enum purpose purpose)
{
	struct node *n = &r->node[task];
	const struct node before = *n;
	struct job *j = free_slot(r);
	struct child child = {.pid = -1, .pidfd = -1};
	struct err e = {0};
	int code;

	if (!announce(r, task, purpose)) {
		if (!r->broken)
			put_back(r, task, purpose, &before);
		return false;
	}
	n->job = j;
	code = attempt_launch(r, task, purpose, &child, &e);
	if (code == 0) {
		begin_job(r, j, task, child.pid);
		j->purpose = purpose;
		n->state = purpose == TO_UNDO ? COMPENSATING : RUNNING;
		log_running(r, task, purpose, &child);
		child_close(&child);
		hold_started(r);
		return true;
	}
	slot_end(r, &j->slot, task, !room_refused(code));
	if (hold_refused(r, code, e.text)) {
		hold_not_started(r);
		put_back(r, task, purpose, &before);
		return false;
	}
	if (purpose == TO_UNDO)
		undo_ended(r, task, proc_spawn_status(code), e.text, 0);
	else
		conclude(r, task, ERRORED, proc_spawn_status(code), e.text, 0);
	n->job = NULL;
	return false;
}

enum purpose first_purpose(const struct run *r, uint32_t task)
{
	bool has = task_has(&r->plan, &r->plan.task[task], M_WHEN);

	return has && r->node[task].asked == NOT_ASKED ? TO_ASK : TO_RUN;
}

/* A task whose breaker is open is ready again when that may have closed. */
static bool breaker_allows(struct run *r, struct job *j, uint32_t task)
{
	struct node *n = &r->node[task];
	struct err e = {0};
	int code = fuse_ask(&j->fuse, &r->state, remote_redis(&r->options), &r->plan,
		&r->plan.task[task], &n->due, &e);

	if (code < 0)
		warn("%s: %s", r->plan.task[task].id, e.text);
	if (code <= 0)
		heap_push(&r->delayed, n);
	return code > 0;
}

/* All it asks for is taken, or it starves and is tried again when something is given back. */
static bool resources_allow(struct run *r, struct job *j, uint32_t task)
{
	struct err e = {0};
	int code = resource_take(&j->lock, &r->state, &r->plan, &r->plan.task[task], &e);

	if (code == 0)
		return true;
	if (code == -EAGAIN) {
		heap_push(&r->starved, &r->node[task]);
		r->starved_until = clock_after(STARVED_SECONDS * NS_PER_S);
	} else {
		r->node[task].attempt++;
		conclude(r, task, ERRORED, EXIT_OWN, e.text, 0);
	}
	return false;
}

/* With all that it needs besides its needs, or not yet; whether it runs. */
static bool start_with(struct run *r, uint32_t task)
{
	struct job *j = free_slot(r);

	if (!resources_allow(r, j, task))
		return false;
	if (breaker_allows(r, j, task) && job_start(r, task, first_purpose(r, task)))
		return true;
	fuse_tell(&j->fuse, OUTCOME_IGNORED, 0);
	lock_release(j->lock);
	j->lock = NULL;
	return false;
}

/* Whether a task that was ready may start now. */
static bool still_wanted(const struct run *r, uint32_t task)
{
	enum tstate state = (enum tstate)r->node[task].state;

	return (state == READY || state == RETRYING) &&
		(!r->finishing || r->plan.task[task].final);
}

/* Whether all its time passed while it waited; then that is its end. */
static bool is_too_late(struct run *r, uint32_t task)
{
	if (clock_now() < r->node[task].give_up)
		return false;
	conclude(r, task, TIMED_OUT, EXIT_TIMEDOUT, "its deadline passed before another attempt",
		0);
	return true;
}

void start_ready(struct run *r)
{
	if (r->starved.count && clock_now() >= r->starved_until)
		feed(r);
	gates_ask(r);
	while (may_start(r) && r->ready.count && r->running < r->pace.now && !run_held(r)) {
		uint32_t task = index_of(r, heap_pop(&r->ready));
		struct job *other;

		if (!still_wanted(r, task) || is_too_late(r, task) || fan_out(r, task))
			continue;
		other = in_the_way(r, task);
		if (other) {
			r->node[task].state = READY;
			hold(other, task);
		} else if (!jobserver_take(&r->tokens)) {
			heap_push(&r->ready, &r->node[task]);
			return; /* the pipe tells when there is one */
		} else if (!start_with(r, task)) {
			jobserver_put(&r->tokens);
		}
	}
}

/* What a task's "when" said: yes, and it is started; no, and it is skipped. */
static void answered(struct run *r, uint32_t task, enum tstate state, int status,
	const char *reason, int64_t ms)
{
	struct node *n = &r->node[task];

	if (state == SUCCEEDED) {
		n->asked = JUST_ASKED;
		make_ready(r, task);
	} else if (state == FAILED && status <= EXIT_SIGNAL && status != EXIT_NOT_FOUND &&
		status != EXIT_CANNOT_RUN) {
		settle(r, task, SKIPPED, "its \"when\" said no");
	} else {
		conclude(r, task, state == FAILED ? ERRORED : state, status, reason, ms);
	}
}

/* The signal that ended it, as a reason. */
static const char *signal_reason(char out[32], int status)
{
	const char *name = status > EXIT_SIGNAL ? sigabbrev_np(status - EXIT_SIGNAL) : NULL;

	if (!name)
		return NULL;
	snprintf(out, 32, "SIG%s", name);
	return out;
}

/* What an attempt says about what it called: a question and a cancel say nothing. */
static enum outcome outcome_of(const struct job *j, enum tstate state)
{
	if (j->purpose != TO_RUN || state == CANCELLED)
		return OUTCOME_IGNORED;
	return state == SUCCEEDED ? OUTCOME_OK : OUTCOME_FAILED;
}

void job_reaped(struct run *r, struct job *j, int wait_status)
{
	uint32_t task = j->task;
	int status = proc_exit_status(wait_status);
	int64_t ms = (clock_now() - j->started) / NS_PER_MS;
	const char *reason = NULL;
	enum tstate state = job_judge(j, status, &reason);
	char signal[32], marker[320];

	remote_judge(r, j, &state, &reason);
	snprintf(marker, sizeof marker, "LOOP_TRACE=%s/%s/%u", r->id, r->plan.task[task].id,
		r->node[task].attempt);
	end_leftovers(r, j->pid, marker);
	if (!reason)
		reason = signal_reason(signal, status);
	if (j->ending == ENDS_TIMEOUT || j->ending == ENDS_STALL)
		status = EXIT_TIMEDOUT;
	pace_status(&r->pace, status);
	slot_end(r, &j->slot, task, state != SUCCEEDED);
	j->pid = 0;
	r->running--;
	fuse_tell(&j->fuse, outcome_of(j, state),
		j->fuse.used && tstate_failed(state) ? read_hint(r, task) : 0);
	if (j->purpose == TO_UNDO)
		undo_ended(r, task, state == CANCELLED ? -1 : status, reason, ms);
	else if (j->purpose == TO_ASK)
		answered(r, task, state, status, reason, ms);
	else
		conclude(r, task, state, status, reason, ms);
	r->node[task].job = NULL;
	lock_release(j->lock);
	j->lock = NULL;
	release_held(r, j);
	feed(r);
	if (r->running)
		jobserver_put(&r->tokens);
	else
		jobserver_refill(&r->tokens);
}

void job_end(struct run *r, struct job *j, enum ending why)
{
	bool first = j->ending == ENDS_ITSELF;
	int signal = first ? SIGTERM : SIGKILL;

	if (first)
		j->ending = why;
	j->deadline = first ? clock_after(r->options.grace) : NS_FOREVER;
	j->stall_at = NS_FOREVER;
	if (kill(-j->pid, signal) < 0)
		kill(j->pid, signal);
}

/* What it says of its progress: a number that changes when that does. */
static int64_t progress_of(struct run *r, const struct job *j)
{
	char path[300];
	struct stat st;

	snprintf(path, sizeof path, "%s/%u/progress", r->plan.task[j->task].id,
		r->node[j->task].attempt);
	if (fstatat(j->slot.taken ? j->slot.folder : r->tasks,
		    j->slot.taken ? "progress" : path, &st, 0) < 0)
		return 0;
	return st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
}

/* A number that changes whenever an attempt shows that it is at work. */
static int64_t sign_of_life(struct run *r, const struct job *j)
{
	static const char *const what[] = {"out", "err"};
	struct stat st;
	int64_t total = progress_of(r, j);

	if (j->slot.taken)
		return total + slot_output(&j->slot);
	for (size_t i = 0; i < countof(what); i++) {
		char path[300];

		snprintf(path, sizeof path, "%s/%u.%s", r->plan.task[j->task].id,
			r->node[j->task].attempt, what[i]);
		if (fstatat(r->tasks, path, &st, 0) == 0)
			total += st.st_size;
	}
	return total;
}

int64_t job_deadline(const struct job *j)
{
	return MIN(MIN(j->deadline, j->stall_at), MIN(j->fuse.renew, j->slot.due));
}

/* An attempt that takes its time is to be seen where the others are. */
static void keep_slot(struct run *r, struct job *j)
{
	int code = slot_move(r, &j->slot, j->task);

	if (code == 0)
		return;
	errno = -code;
	warn_errno("%s/tasks/%s", r->path, r->plan.task[j->task].id);
}

void job_tick(struct run *r, struct job *j, int64_t now)
{
	int64_t output;

	if (now >= j->fuse.renew)
		fuse_renew(&j->fuse);
	if (now >= j->slot.due)
		keep_slot(r, j);
	if (now >= j->deadline) {
		job_end(r, j, ENDS_TIMEOUT);
		return;
	}
	if (now < j->stall_at)
		return;
	output = sign_of_life(r, j);
	if (output == j->output) {
		job_end(r, j, ENDS_STALL);
		return;
	}
	j->output = output;
	j->stall_at = now + r->plan.task[j->task].recipe->stall;
}
