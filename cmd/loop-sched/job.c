/* Attempts: started, watched, ended, judged, tried again. */
#include "run.h"

#include "clock.h"
#include "die.h"
#include "files.h"
#include "io.h"
#include "parse.h"
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

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
	struct span files = r->plan.task[task].files;

	for (int64_t i = 0; files.n && i < r->options.jobs; i++)
		if (r->job[i].pid && files_overlap(files, r->plan.task[r->job[i].task].files))
			return &r->job[i];
	return NULL;
}

static void hold(struct job *j, uint32_t task)
{
	j->held = mem_grow(j->held, j->held_count, &j->held_capacity, sizeof *j->held);
	j->held[j->held_count++] = task;
}

static void release_held(struct run *r, struct job *j)
{
	for (size_t i = 0; i < j->held_count; i++)
		if (r->node[j->held[i]].state == READY)
			make_ready(r, j->held[i]);
	j->held_count = 0;
}

/* The task's whole object in a file of its own. */
static int write_task(struct run *r, const struct task *t)
{
	char path[300];
	int fd, code;

	snprintf(path, sizeof path, "%s/task.json", t->id);
	fd = io_open(r->tasks, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return fd;
	code = io_write(fd, t->text.p, t->text.n);
	return close(fd) < 0 && code == 0 ? -errno : code;
}

/* The task's folder, made with its first attempt, and the attempt's own in it. */
static int make_folder(struct run *r, const struct task *t, unsigned attempt, struct err *e)
{
	char path[300];
	int code = 0;

	if (mkdirat(r->tasks, t->id, 0700) == 0)
		code = write_task(r, t);
	else if (errno != EEXIST)
		code = -errno;
	snprintf(path, sizeof path, "%s/%u", t->id, attempt);
	if (code == 0 && mkdirat(r->tasks, path, 0700) < 0 && errno != EEXIST)
		code = -errno;
	if (code == 0)
		return 0;
	err_sys(e, code, "%s/tasks/%s", r->path, t->id);
	return -ECANCELED; /* nothing that exec said */
}

static int open_output(struct run *r, const struct task *t, unsigned attempt, const char *what)
{
	char path[300];

	snprintf(path, sizeof path, "%s/%u.%s", t->id, attempt, what);
	return io_open(r->tasks, path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
}

/* Our own environment and the attempt's, as one array. */
static char **join_env(const struct run *r, const struct strs *own)
{
	char **env = mem_zero(r->env_count + own->count + 1, sizeof *env);

	if (r->env_count)
		memcpy(env, r->env, r->env_count * sizeof *env);
	if (own->count)
		memcpy(env + r->env_count, own->item, own->count * sizeof *env);
	return env;
}

static int spawn_attempt(struct run *r, const struct task *t, unsigned attempt,
	const struct attempt *a, struct child *child, struct err *e)
{
	AUTO_CLOSE int out = -1, error = -1;
	AUTO_FREE char **env = join_env(r, &a->env);
	int code = out = open_output(r, t, attempt, "out");

	if (code >= 0)
		code = error = open_output(r, t, attempt, "err");
	if (code < 0) {
		err_sys(e, code, "%s/tasks/%s", r->path, t->id);
		return -ECANCELED; /* nothing that exec said */
	}
	return proc_spawn(child,
		&(struct spawn){.argv = a->argv.item,
			.env = env,
			.dir = a->dir,
			.in = -1,
			.out = out,
			.error = error,
			.new_session = true},
		e);
}

static void log_running(struct run *r, uint32_t task, const struct child *child)
{
	const struct task *t = &r->plan.task[task];
	AUTO_BUF struct buf b = {0};

	buf_format(&b, ",\"pid\":%d,\"start\":%llu", child->pid,
		(unsigned long long)child->owner.start);
	log_task(r, task, b.text);
	buf_drop(&b, b.length);
	buf_str(&b, ",\"title\":");
	if (t->title.n)
		buf_add(&b, t->title.p, t->title.n);
	else
		buf_json(&b, t->id, strlen(t->id));
	buf_format(&b, ",\"attempt\":%u", r->node[task].attempt);
	event_task(r, task, "task.started", b.text);
}

/* What came of an attempt, for run.jsonl and for the journal. */
static void log_outcome(struct run *r, uint32_t task, int status, const char *reason, int64_t ms)
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

	if (r->options.attempts && !r->plan.task[task].recipe->own_retry)
		attempts = r->options.attempts;
	if (state == ERRORED || state == CANCELLED || !may_start(r))
		return false;
	if (r->node[task].failures >= attempts || any_fits(retry->never_on, status, state))
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
	n->queued = true;
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
	if (r->options.on_failure == ON_FAILURE_STOP)
		r->stopping = true;
}

static void succeeded(struct run *r, uint32_t task)
{
	struct err e = {0};

	if (!r->options.imported || !r->options.source)
		return;
	log_flush(r); /* known before it is said in the user's file */
	if (passes_write(r, task, &e) < 0)
		warn("%s", e.text);
}

static void conclude(struct run *r, uint32_t task, enum tstate state, int status,
	const char *reason, int64_t ms)
{
	struct node *n = &r->node[task];

	n->failures += tstate_failed(state);
	if (tstate_failed(state) && may_retry(r, task, status, state)) {
		retry_later(r, task, status, reason, ms);
		return;
	}
	n->state = (uint8_t)state;
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

static void begin_job(struct run *r, struct job *j, uint32_t task, pid_t pid)
{
	const struct recipe *recipe = r->plan.task[task].recipe;
	int64_t now = clock_now();

	j->task = task;
	j->pid = pid;
	j->started = now;
	j->deadline = recipe->timeout ? now + recipe->timeout : NS_FOREVER;
	j->stall_at = recipe->stall ? now + recipe->stall : NS_FOREVER;
	j->output = 0;
	j->ending = ENDS_ITSELF;
	j->killed = false;
	r->node[task].job = j;
	r->running++;
}

static void start(struct run *r, struct job *j, uint32_t task)
{
	const struct task *t = &r->plan.task[task];
	struct node *n = &r->node[task];
	struct attempt a;
	struct child child = {.pid = -1, .pidfd = -1};
	struct err e = {0};
	int code;

	n->attempt++;
	n->state = QUEUED;
	log_task(r, task, "");
	log_flush(r);
	if (r->broken)
		return;
	n->job = j;
	code = make_folder(r, t, n->attempt, &e);
	attempt_make(r, task, &a);
	if (code == 0 && !a.argv.count)
		code = err_set(&e, -ENOENT,
			"it has no command: neither run nor agent, and no --run is given");
	if (code == 0)
		code = spawn_attempt(r, t, n->attempt, &a, &child, &e);
	if (code < 0) {
		conclude(r, task, ERRORED, proc_spawn_status(code), e.text, 0);
		n->job = NULL;
	} else {
		begin_job(r, j, task, child.pid);
		n->state = RUNNING;
		log_running(r, task, &child);
		child_close(&child);
	}
	attempt_clear(&a);
}

void start_ready(struct run *r)
{
	while (may_start(r) && r->ready.count && r->running < r->options.jobs) {
		struct node *n = heap_pop(&r->ready);
		uint32_t task = index_of(r, n);
		struct job *other;

		n->queued = false;
		if (n->state != READY && n->state != RETRYING)
			continue;
		other = in_the_way(r, task);
		if (other) {
			n->state = READY;
			hold(other, task);
		} else {
			start(r, free_slot(r), task);
		}
	}
}

static enum tstate judge(const struct job *j, int status, const char **reason)
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

void job_reaped(struct run *r, struct job *j, int wait_status)
{
	uint32_t task = j->task;
	int status = proc_exit_status(wait_status);
	int64_t ms = (clock_now() - j->started) / NS_PER_MS;
	const char *reason = NULL;
	enum tstate state = judge(j, status, &reason);
	char signal[32], marker[320];

	snprintf(marker, sizeof marker, "LOOP_TRACE=%s/%s/%u", r->id, r->plan.task[task].id,
		r->node[task].attempt);
	end_leftovers(r, j->pid, marker);
	if (!reason && status > EXIT_SIGNAL && sigabbrev_np(status - EXIT_SIGNAL)) {
		snprintf(signal, sizeof signal, "SIG%s", sigabbrev_np(status - EXIT_SIGNAL));
		reason = signal;
	}
	if (j->ending == ENDS_TIMEOUT || j->ending == ENDS_STALL)
		status = EXIT_TIMEDOUT;
	j->pid = 0;
	r->running--;
	conclude(r, task, state, status, reason, ms);
	r->node[task].job = NULL;
	release_held(r, j);
}

void job_end(struct run *r, struct job *j, enum ending why)
{
	int signal = j->ending == ENDS_ITSELF ? SIGTERM : SIGKILL;

	if (j->ending == ENDS_ITSELF)
		j->ending = why;
	j->killed = signal == SIGKILL;
	j->deadline = j->killed ? NS_FOREVER : clock_after(r->options.grace);
	j->stall_at = NS_FOREVER;
	if (kill(-j->pid, signal) < 0)
		kill(j->pid, signal);
}

/* How much an attempt has written. */
static off_t output_of(struct run *r, const struct job *j)
{
	static const char *const what[] = {"out", "err"};
	struct stat st;
	off_t total = 0;

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
	return MIN(j->deadline, j->stall_at);
}

void job_tick(struct run *r, struct job *j, int64_t now)
{
	off_t output;

	if (now >= j->deadline) {
		job_end(r, j, ENDS_TIMEOUT);
		return;
	}
	if (now < j->stall_at)
		return;
	output = output_of(r, j);
	if (output == j->output) {
		job_end(r, j, ENDS_STALL);
		return;
	}
	j->output = output;
	j->stall_at = now + r->plan.task[j->task].recipe->stall;
}
