/*
 * A job: one event in the hands of one handler, over all its attempts. It ends
 * by success, or in the dead-letter file.
 */
#include "handler.h"

#include "clock.h"
#include "die.h"
#include "io.h"
#include "mem.h"

#include <signal.h>
#include <sys/wait.h>

/* From being asked to end to being killed. */
#define GRACE_MS 5000

/* Data larger than this is only on standard input: the environment is bounded. */
enum { DATA_IN_ENVIRONMENT = 32 * 1024 };

struct job {
	struct job *next;
	struct handler *handler;
	int64_t id;
	char *event; /* the line, NUL-terminated */
	size_t length;
	int64_t attempts;
	struct child child;
	bool alive, over, timed_out;
	uv_poll_t poll;
	uv_timer_t timer;
	int handles; /* not yet closed */
};

static void attempt(struct job *);

/* Moves the cursor behind what is finished, and forgets it. */
static void forget_finished(struct handler *h)
{
	while (h->job && h->job->over && !h->job->handles) {
		struct job *j = h->job;

		if (h->cursor.fd >= 0 && cursor_set(&h->cursor, j->id) < 0)
			warn("cursors/%s: cannot be written", h->name);
		h->job = j->next;
		free(j->event);
		free(j);
	}
}

static void on_closed(uv_handle_t *handle)
{
	struct job *j = handle->data;
	struct engine *e = j->handler->engine;

	j->handles--;
	forget_finished(j->handler);
	engine_wake(e);
}

static void end_job(struct job *j)
{
	j->over = true;
	j->handler->running--;
	uv_close((uv_handle_t *)&j->timer, on_closed);
}

/* The failure as an event; it tells whether it was the last. */
static void tell_failure(const struct job *j, int status, bool last)
{
	AUTO_BUF struct buf data = {0};
	struct event ev = {
		.type = "handler.failed", .source = j->handler->source, .priority = HIGH};

	buf_str(&data, "{\"handler\":");
	buf_json(&data, j->handler->name, strlen(j->handler->name));
	buf_format(&data,
		",\"event\":\"%lld\",\"attempt\":%lld,\"status\":%d,\"timed_out\":%s,\"dead\":%s}",
		(long long)j->id, (long long)j->attempts, status, j->timed_out ? "true" : "false",
		last ? "true" : "false");
	ev.data = (struct span){data.text, data.length};
	journal_emit(&j->handler->engine->journal, &ev);
}

static void give_up(struct job *j, int status)
{
	struct engine *engine = j->handler->engine;
	struct err e = {0};

	engine->failed++;
	if (dead_add(engine->state, j->handler->name, (struct span){j->event, j->length}, status,
		    j->attempts, &e) < 0)
		warn("event %lld is lost to %s: %s", (long long)j->id, j->handler->name, e.text);
	end_job(j);
}

static void on_retry(uv_timer_t *timer)
{
	attempt(timer->data);
}

static void failed(struct job *j, int status)
{
	struct handler *h = j->handler;
	/* What the end of the bus cut off begins again with it, where there is a cursor. */
	bool last = j->attempts > h->retries, cut_off = h->engine->ending;
	int64_t delay;

	if (cut_off) {
		if (h->cursor.fd >= 0)
			cursor_close(&h->cursor);
		end_job(j);
		return;
	}
	tell_failure(j, status, last);
	if (last) {
		give_up(j, status);
		return;
	}
	delay = backoff_delay(&h->backoff, (unsigned)j->attempts);
	uv_timer_start(&j->timer, on_retry, (uint64_t)(delay / NS_PER_MS), 0);
}

static void on_timeout(uv_timer_t *timer)
{
	struct job *j = timer->data;

	if (!j->alive)
		return;
	kill(-j->child.pid, j->timed_out ? SIGKILL : SIGTERM);
	j->timed_out = true;
	uv_timer_start(&j->timer, on_timeout, GRACE_MS, 0);
}

static void on_end(uv_poll_t *poll, int status UNUSED, int events UNUSED)
{
	struct job *j = poll->data;
	int wait_status, code;

	if (waitpid(j->child.pid, &wait_status, WNOHANG) != j->child.pid)
		return;
	if (j->timed_out)
		kill(-j->child.pid, SIGKILL); /* what it left behind in its group */
	j->alive = false;
	uv_poll_stop(&j->poll);
	uv_timer_stop(&j->timer);
	j->handles++;
	uv_close((uv_handle_t *)&j->poll, on_closed);
	child_close(&j->child);
	code = j->timed_out ? EXIT_TIMEDOUT : proc_exit_status(wait_status);
	if (code == 0)
		end_job(j);
	else
		failed(j, code);
}

/* "NAME=" and the text of a JSON string, where there is one. */
static void add_text(struct strs *env, const char *name, struct span value)
{
	AUTO_BUF struct buf text = {0};

	if (!value.n || jscan_text(value, &text) < 0)
		return;
	strs_format(env, "%s=%s", name, text.text);
}

static void make_environment(struct strs *env, const struct job *j)
{
	static const char *const ours[] = {"LOOP_EVENT_", "LOOP_DIR=", "LOOP_SUBJECT=", NULL};
	struct event_view v;

	proc_environ(env, ours);
	strs_format(env, "LOOP_DIR=%s", j->handler->engine->state->path);
	strs_format(env, "LOOP_EVENT_HANDLER=%s", j->handler->name);
	strs_format(env, "LOOP_EVENT_ATTEMPT=%lld", (long long)j->attempts);
	if (event_view(j->event, j->length, &v) < 0)
		return;
	add_text(env, "LOOP_EVENT_ID", v.id);
	add_text(env, "LOOP_EVENT_TYPE", v.type);
	add_text(env, "LOOP_EVENT_SOURCE", v.source);
	add_text(env, "LOOP_EVENT_SUBJECT", v.subject);
	add_text(env, "LOOP_SUBJECT", v.subject);
	add_text(env, "LOOP_EVENT_TIME", v.time);
	add_text(env, "LOOP_EVENT_PRIORITY", v.priority);
	add_text(env, "LOOP_EVENT_RUN", v.runid);
	add_text(env, "LOOP_EVENT_SESSION", v.sessionid);
	if (v.data.n && v.data.n < DATA_IN_ENVIRONMENT)
		strs_format(env, "LOOP_EVENT_DATA=%.*s", (int)v.data.n, v.data.p);
}

/* The event as a file that was never anywhere: a command that does not read it blocks nobody. */
static int event_file(const struct job *j)
{
	AUTO_BUF struct buf line = {0};

	buf_add(&line, j->event, j->length);
	buf_char(&line, '\n');
	return io_memory("event", line.text, line.length);
}

static int start(struct job *j, struct err *e)
{
	AUTO_STRS struct strs env = {0};
	AUTO_CLOSE int in = event_file(j);
	int r = in;

	make_environment(&env, j);
	if (r >= 0)
		r = proc_spawn(&j->child,
			&(struct spawn){
				.argv = j->handler->target.command,
				.env = env.item,
				.in = in,
				.out = STDOUT_FILENO,
				.error = STDERR_FILENO,
			},
			e);
	return r < 0 ? err_sys(e, r, "%s", j->handler->target.command[0]) : 0;
}

static void run_command(struct job *j)
{
	struct handler *h = j->handler;
	struct err e = {0};
	int r = start(j, &e);

	if (r < 0) {
		warn("%s: %s", h->name, e.text);
		failed(j, proc_spawn_status(r));
		return;
	}
	j->alive = true;
	uv_poll_init(&h->engine->loop, &j->poll, j->child.pidfd);
	j->poll.data = j;
	uv_poll_start(&j->poll, UV_READABLE, on_end);
	if (h->timeout && h->timeout != NS_FOREVER)
		uv_timer_start(&j->timer, on_timeout, (uint64_t)(h->timeout / NS_PER_MS), 0);
}

static void attempt(struct job *j)
{
	struct handler *h = j->handler;
	struct span event = {j->event, j->length};
	struct err e = {0};
	int r;

	j->attempts++;
	j->timed_out = false;
	if (h->target.command) {
		run_command(j);
		return;
	}
	r = h->target.type ? append_again(&h->engine->journal, event, h->target.type, NULL, &e)
			   : dead_add(h->engine->state, h->target.dead, event, 0, 0, &e);
	if (r == 0) {
		end_job(j);
		return;
	}
	warn("%s: %s", h->name, e.text);
	failed(j, EX_IOERR);
}

void job_begin(struct handler *h, const struct journal_line *line)
{
	struct job *j = mem_zero(1, sizeof *j), **link = &h->job;

	*j = (struct job){.handler = h,
		.id = line->id,
		.event = mem_substring(line->text, line->length),
		.length = line->length,
		.child.pidfd = -1,
		.handles = 1};
	while (*link)
		link = &(*link)->next;
	*link = j;
	h->running++;
	uv_timer_init(&h->engine->loop, &j->timer);
	j->timer.data = j;
	attempt(j);
}

void job_kill_all(struct handler *h, int sig)
{
	for (struct job *j = h->job; j; j = j->next) {
		if (j->alive)
			kill(-j->child.pid, sig);
		else if (!j->over)
			failed(j, 0); /* it waits for its next attempt */
	}
}
