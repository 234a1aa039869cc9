/* What came of an attempt: judged, told, tried again or settled. */
#include "run.h"

#include "clock.h"
#include "die.h"
#include "parse.h"

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
	log_task(r, task, b.text);
	buf_format(&data, ",\"state\":\"%s\",\"success\":%s,\"attempt\":%u%s",
		tstate_name((enum tstate)n->state), n->state == SUCCEEDED ? "true" : "false",
		n->attempt, b.text);
	event_task(r, task, "task.completed", data.text);
}

/* Whether one entry of retry.on fits: a status, a signal's name or number, or a word. */
static bool entry_fits(struct span entry, int status, enum tstate state)
{
	int64_t number;
	const char *name;

	if (jscan_kind(entry) == '0')
		return jscan_int(entry, &number) == 0 && number == status;
	if (jscan_is(entry, "timeout"))
		return state == TIMED_OUT;
	if (jscan_is(entry, "signal"))
		return status > EXIT_SIGNAL && state != TIMED_OUT;
	name = status > EXIT_SIGNAL ? sigabbrev_np(status - EXIT_SIGNAL) : NULL;
	if (!name || entry.n < 3)
		return false;
	if (entry.n > 5 && memcmp(entry.p + 1, "SIG", 3) == 0)
		return strlen(name) == entry.n - 5 && memcmp(entry.p + 4, name, entry.n - 5) == 0;
	return jscan_is(entry, name);
}

static bool any_fits(struct span list, int status, enum tstate state)
{
	struct span key, entry;
	struct jscan walk;

	if (!list.n || jscan_open(&walk, list) < 0)
		return false;
	while (jscan_next(&walk, &key, &entry) > 0)
		if (entry_fits(entry, status, state))
			return true;
	return false;
}

static bool may_retry(const struct run *r, uint32_t task, int status, enum tstate state)
{
	const struct retry *retry = &r->plan.task[task].recipe->retry;
	int64_t attempts = retry->attempts;
	const char *list = r->options.never_on ? r->options.never_on : "";
	struct span never = {list, strlen(list)};

	if (r->options.attempts && !r->plan.task[task].recipe->own_retry)
		attempts = r->options.attempts;
	if (state == ERRORED || state == CANCELLED || !may_start(r))
		return false;
	if (r->options.retries >= 0 && r->retries >= r->options.retries)
		return false;
	if (r->node[task].failures >= attempts || any_fits(retry->never_on, status, state))
		return false;
	if (any_fits(never, status, state))
		return false;
	return !retry->on.n || any_fits(retry->on, status, state);
}

static void retry_later(struct run *r, uint32_t task, int status, const char *reason, int64_t ms)
{
	struct node *n = &r->node[task];
	int64_t delay = backoff_delay(&r->plan.task[task].recipe->retry.backoff, n->failures);
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
	if (reason)
		buf_format(&b, ",\"reason\":\"%s\"", reason);
	log_task(r, task, b.text);
}

static void tell_failure(struct run *r, uint32_t task, int status, const char *reason)
{
	const struct node *n = &r->node[task];
	const struct task *t = &r->plan.task[task];

	if (n->state == CANCELLED)
		return;
	warn("%s: %s with status %d%s%s; see %s/tasks/%s/%u.err", t->id,
		tstate_name((enum tstate)n->state), status, reason ? ": " : "",
		reason ? reason : "", r->path, t->id, n->attempt);
	r->stopping |= r->options.on_failure != ON_FAILURE_CONTINUE;
	r->undo.wanted |= r->options.on_failure == ON_FAILURE_UNDO;
}

static void succeeded(struct run *r, uint32_t task)
{
	struct err e = {0};

	if (!r->options.imported || !r->options.source)
		return;
	log_write(r); /* known before it is said in the user's file */
	if (passes_write(r, task, &e) < 0)
		warn("%s", e.text);
}

void conclude(struct run *r, uint32_t task, enum tstate state, int status,
	const char *reason, int64_t ms)
{
	struct node *n = &r->node[task];

	n->failures += tstate_failed(state);
	if (tstate_failed(state) && may_retry(r, task, status, state)) {
		retry_later(r, task, status, reason, ms);
		return;
	}
	n->state = (uint8_t)state;
	if (state == SUCCEEDED) {
		n->finished = ++r->successes;
		n->done_by = n->attempt;
	}
	log_outcome(r, task, status, reason, ms);
	if (tstate_failed(state))
		tell_failure(r, task, status, reason);
	else if (r->options.verbose)
		warn("%s: %s in %s", r->plan.task[task].id, tstate_name(state),
			format_duration((char[DURATION_SIZE]){0}, ms * NS_PER_MS));
	if (state == SUCCEEDED)
		succeeded(r, task);
	settle(r, task, state, reason);
}
