/* What came of an attempt: judged, told, tried again or settled. */
#include "run.h"

#include "again_on.h"
#include "cached.h"
#include "clock.h"
#include "die.h"
#include "ending.h"
#include "hint.h"
#include "io.h"
#include "parse.h"
#include "question.h"

#include <errno.h>

enum tstate job_judge(const struct job *j, int status, const char **reason)
{
	static const enum tstate ended[] = {[ENDS_TIMEOUT] = TIMED_OUT,
		[ENDS_STALL] = TIMED_OUT,
		[ENDS_CANCEL] = CANCELLED};
	static const char *const reasons[] = {[ENDS_TIMEOUT] = "ran longer than its timeout",
		[ENDS_STALL] = "was silent longer than its stall time",
		[ENDS_CANCEL] = "cancelled"};

	if (j->ending == ENDS_ITSELF)
		return status == 0 ? SUCCEEDED : FAILED;
	*reason = reasons[j->ending];
	return ended[j->ending];
}

/* What came of an attempt, for run.jsonl and for the journal. */
void log_outcome(struct run *r, uint32_t task, int status, const char *reason, int64_t ms)
{
	const struct node *n = &r->node[task];
	AUTO_BUF struct buf b = {0}, data = {0};

	buf_format(&b, ",\"status\":%d", status);
	if (reason) {
		buf_str(&b, ",\"reason\":");
		buf_json(&b, reason, strlen(reason));
	}
	buf_format(&b, ",\"ms\":%lld", (long long)ms);
	if (n->state == SUCCEEDED && cache_hit(r, task))
		buf_str(&b, ",\"cached\":true");
	log_task(r, task, b.text);
	buf_format(&data, ",\"state\":\"%s\",\"success\":%s,\"attempt\":%u%s",
		tstate_name((enum tstate)n->state), n->state == SUCCEEDED ? "true" : "false",
		n->attempt, b.text);
	event_task(r, task, "task.completed", data.text);
}

static bool may_retry(const struct run *r, uint32_t task, const struct ended *e)
{
	const struct retry *retry = &r->plan.task[task].recipe->retry;
	int64_t attempts = retry->attempts;
	const char *list = r->options.never_on ? r->options.never_on : "";
	struct span never = {list, strlen(list)};

	if (r->options.attempts && !r->plan.task[task].recipe->own_retry)
		attempts = r->options.attempts;
	if (e->state == ERRORED || e->state == CANCELLED || !goes_on(r))
		return false;
	if (task_asks(&r->plan, &r->plan.task[task]))
		return false; /* who has answered is not asked again */
	if (r->options.retries >= 0 && r->retries >= r->options.retries)
		return false;
	if (r->node[task].failures >= attempts || endings_fit(retry->never_on, e))
		return false;
	if (endings_fit(never, e))
		return false;
	return !retry->on.n || endings_fit(retry->on, e);
}

/* How long to wait: what the command asked for, else what the plan says. */
static int64_t delay_of(const struct run *r, uint32_t task, int64_t hint)
{
	const struct retry *retry = &r->plan.task[task].recipe->retry;

	if (hint)
		return MAX(hint - clock_real(), INT64_C(0));
	return backoff_delay(&retry->backoff, r->node[task].failures);
}

static void retry_later(struct run *r, uint32_t task, int status, const char *reason, int64_t ms,
	int64_t delay)
{
	struct node *n = &r->node[task];
	AUTO_BUF struct buf b = {0};

	buf_format(&b, ",\"status\":%d,\"delay_ms\":%lld", status, (long long)(delay / NS_PER_MS));
	n->state = RETRYING;
	r->retries++;
	n->due = clock_after(delay);
	heap_push(&r->delayed, n);
	buf_format(&b, ",\"attempt\":%u", n->attempt);
	event_task(r, task, "task.retrying", b.text);
	buf_drop(&b, b.length);
	buf_format(&b, ",\"status\":%d,\"delay_ms\":%lld,\"ms\":%lld", status,
		(long long)(delay / NS_PER_MS), (long long)ms);
	if (n->spared)
		buf_str(&b, ",\"spared\":true");
	if (reason)
		buf_format(&b, ",\"reason\":\"%s\"", reason);
	log_task(r, task, b.text);
}

int64_t read_hint(const struct run *r, uint32_t task)
{
	const struct task *t = &r->plan.task[task];
	AUTO_BUF struct buf text = {0};
	char path[300];
	int64_t until = 0;

	snprintf(path, sizeof path, "%s/%u/retry-after", t->id, r->node[task].attempt);
	if (io_read_file(r->tasks, path, 1 << 20, &text) < 0 || !text.length)
		return 0;
	if (hint_parse(text.text, clock_real(), &until) >= 0)
		return until;
	warn("%s: what it wrote to LOOP_RETRY_AFTER is no time: ignored", t->id);
	return 0;
}

/* Another attempt, if there is to be one. A limit that says when it ends is waited for, and the
 * attempt that met it does not count. */
static bool try_again(
	struct run *r, uint32_t task, const struct ended *e, const char *reason, int64_t ms)
{
	struct node *n = &r->node[task];
	int64_t hint = e->state == CANCELLED ? 0 : read_hint(r, task), delay;

	n->spared = hint && e->status == ENDING_QUOTA;
	if (e->state != CANCELLED && !n->spared && hold_spares(r, task)) {
		n->spared = true;
		reason = "there was no room";
	}
	n->failures += !n->spared;
	if (!may_retry(r, task, e))
		return false;
	delay = delay_of(r, task, hint);
	if (n->give_up - clock_now() <= delay)
		return false;
	retry_later(r, task, e->status, reason, ms, delay);
	return true;
}

static void tell_failure(struct run *r, uint32_t task, int status, const char *reason)
{
	const struct node *n = &r->node[task];
	const struct task *t = &r->plan.task[task];

	if (n->state == CANCELLED)
		return;
	if (task_asks(&r->plan, t))
		warn("%s: %s", t->id, reason);
	else
		warn("%s: %s with status %d%s%s; see %s/tasks/%s/%u.err", t->id,
			tstate_name((enum tstate)n->state), status, reason ? ": " : "",
			reason ? reason : "", r->path, t->id, n->attempt);
	r->stopping |= r->options.on_failure != ON_FAILURE_CONTINUE;
	r->undo.wanted |= r->options.on_failure == ON_FAILURE_UNDO;
}

int passes_tell(struct run *r, uint32_t task)
{
	struct err e = {0};
	int code;

	if (!r->options.imported || !r->options.source)
		return 0;
	log_write(r); /* known before it is said in the user's file */
	code = r->lines.length ? -ENOSPC : passes_write(r, task, &e);
	if (hold_refused(r, code, e.text)) {
		r->hold.untold += !r->node[task].untold;
		r->node[task].untold = true;
		return 0;
	}
	if (code < 0)
		warn("%s", e.text);
	return MIN(code, 0);
}

void conclude(struct run *r, uint32_t task, enum tstate state, int status,
	const char *reason, int64_t ms)
{
	struct node *n = &r->node[task];
	bool stalled = n->job && n->job->ending == ENDS_STALL;
	const struct ended e = {.status = status, .state = state, .stalled = stalled};

	if (tstate_failed(state) && try_again(r, task, &e, reason, ms))
		return;
	n->state = (uint8_t)state;
	if (state == SUCCEEDED) {
		n->finished = ++r->successes;
		n->done_by = n->attempt;
		n->ms = (uint32_t)MIN(ms, (int64_t)UINT32_MAX);
	}
	log_outcome(r, task, status, reason, ms);
	n->concluded = true;
	if (tstate_failed(state))
		tell_failure(r, task, status, reason);
	else if (r->options.verbose)
		warn("%s: %s in %s", r->plan.task[task].id, tstate_name(state),
			format_duration((char[DURATION_SIZE]){0}, ms * NS_PER_MS));
	if (state == SUCCEEDED)
		passes_tell(r, task);
	settle(r, task, state, reason);
}
