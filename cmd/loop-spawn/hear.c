/*
 * What the agent says: kept, cut into lines, explained by the mapper and added
 * up. Its exit is one of the things that are heard.
 */
#include "attempt.h"

#include "budget.h"
#include "clock.h"
#include "die.h"
#include "io.h"
#include "lock.h"
#include "parse.h"
#include "signals.h"

#include <errno.h>
#include <sys/wait.h>

enum { FINAL_MAX = 64 << 10 };
#define USAGE_EVERY (10 * NS_PER_S)
#define MAPPER_REST (5 * NS_PER_MS)
#define OUT_REST NS_PER_MS

static void say_tool(struct attempt *a)
{
	const struct news *n = &a->tally.news;
	json_t *data = json_pack("{s:s, s:s, s:s}", "name", a->tally.tool, "id", n->id, "phase",
		n->kind == NEWS_TOOL ? "started" : "finished");

	if (n->kind == NEWS_TOOL_END)
		json_object_set_new(data, "ok", json_boolean(n->ok));
	session_emit(a->session, "session.tool", LOW, data);
}

void attempt_say_usage(struct attempt *a, bool always)
{
	struct usage sum = a->session->used;

	if (!always && clock_now() - a->usage_said < USAGE_EVERY)
		return;
	a->usage_said = clock_now();
	usage_add(&sum, &a->tally.used);
	session_emit(a->session, "session.usage", LOW, usage_json(&sum));
}

static void follow_step(struct attempt *a)
{
	const struct tally *t = &a->tally;

	if (tally_busy(t))
		timing_step(&a->timing, STEP_TOOL);
	else if (t->result && (t->settled || t->idle))
		timing_step(&a->timing, STEP_LINGER);
	else
		timing_step(&a->timing, STEP_MODEL);
	if (t->retry_ns)
		a->timing.allowance = t->retry_ns;
}

/* Work that was done for too much is done all the same: only what goes on is ended. */
static bool is_at_work(const struct attempt *a)
{
	return !a->exited && !(a->tally.result && a->tally.settled);
}

/* A tool tells of an answer; what that used may be in the agent's files already. */
static void on_tool(struct attempt *a)
{
	say_tool(a);
	if (budget_in_tokens(a->session->config->budget))
		meter_hurry(&a->meter);
}

static void react(struct attempt *a)
{
	int64_t max_turns = a->session->config->max_turns;

	if (a->tally.news.kind == NEWS_TOOL || a->tally.news.kind == NEWS_TOOL_END)
		on_tool(a);
	if (a->tally.news.kind == NEWS_USAGE)
		attempt_say_usage(a, false);
	if (a->tally.news.kind == NEWS_STARTED)
		session_save(a->session, "running", &a->child.owner);
	follow_step(a);
	if (!is_at_work(a))
		return;
	if (budget_exceeded(a->session, &a->tally.used))
		attempt_end(a, ENDED_BUDGET);
	if (max_turns && a->tally.used.turns > max_turns)
		attempt_end(a, ENDED_TURNS);
}

/* A neutral event: kept with the time at which it was understood. */
static void on_event(struct attempt *a, const char *line, size_t length, struct buf *kept)
{
	char time[TIME_SIZE];

	if (length < 2 || line[0] != '{')
		return;
	buf_format(kept, "{\"time\":\"%s\",\"attempt\":%lld%s", format_time(time, clock_real()),
		(long long)a->session->attempt, length > 2 ? "," : "");
	buf_add(kept, line + 1, length - 1);
	buf_char(kept, '\n');
	tally_event(&a->tally, (struct span){line, length});
	react(a);
}

/* jq writes one event at a time: a few milliseconds later there are several to read at once. */
static void on_mapper_out(struct attempt *a)
{
	AUTO_BUF struct buf kept = {0};
	char *line;
	size_t length;

	if (mapper_read(&a->mapper))
		while (lines_next(&a->mapper.lines, &line, &length))
			on_event(a, line, length, &kept);
	log_add(&a->events, kept.text, kept.length);
	a->mapper_rest = clock_after(MAPPER_REST);
}

static bool is_json(const char *line, size_t length)
{
	const char *what;
	size_t at;

	return jscan_check(line, length, &at, &what) == 0;
}

/* What a script prints is whatever a user wrote. */
static void on_meter(struct attempt *a)
{
	AUTO_BUF struct buf kept = {0};
	char *line;
	size_t length;

	if (meter_read(&a->meter))
		while (lines_next(&a->meter.lines, &line, &length))
			if (is_json(line, length))
				on_event(a, line, length, &kept);
	log_add(&a->events, kept.text, kept.length);
}

static void on_mapper_in(struct attempt *a)
{
	mapper_write(&a->mapper);
}

/* A command's last words, where nobody explains which of them are the message. */
static void keep_final(struct attempt *a, const char *bytes, size_t length)
{
	struct buf *final = &a->session->final;

	if (a->session->agent.map)
		return;
	buf_add(final, bytes, length);
	if (final->length > 2 * FINAL_MAX)
		buf_drop(final, final->length - FINAL_MAX);
}

void attempt_started(struct attempt *a)
{
	if (a->starting)
		lock_release(a->starting);
	a->starting = NULL;
}

/* Words on stderr go before those on stdout, where there should be none. */
static void keep_words(struct attempt *a, const char *line, size_t length)
{
	snprintf(a->ended.last_words, sizeof a->ended.last_words, "%.*s",
		(int)MIN(length, sizeof a->ended.last_words - 1), line);
}

static void on_out_line(struct attempt *a, const char *line, size_t length)
{
	a->ended.heard = true;
	attempt_started(a);
	if (!length || !a->session->agent.map)
		return;
	if (mapper_out(&a->mapper, line, length) || line[0] == '{')
		return;
	if (a->session->noise++ == 0 && !*a->ended.last_words)
		keep_words(a, line, length);
}

static void on_error_line(struct attempt *a, const char *line, size_t length)
{
	if (!length)
		return;
	if (!*a->ended.last_words || (*line != ' ' && *line != '\t'))
		keep_words(a, line, length); /* not where in its code, but what */
	mapper_error(&a->mapper, line, length);
}

/*
 * One read; closes the descriptor at its end. Whoever says much is let go on
 * for a moment: its pipe has room for it, and we are woken for more at once.
 */
static void hear(struct attempt *a, int *fd, struct lines *lines, struct log *log,
	void (*take)(struct attempt *, const char *, size_t))
{
	enum { ROOM = 256 << 10,
		MUCH = 4 << 10 };
	char *room = lines_room(lines, ROOM), *line;
	ssize_t n = io_read_some(*fd, room, ROOM);
	size_t length;
	int r;

	if (n == -EAGAIN)
		return;
	if (n <= 0) {
		close(*fd);
		*fd = -1;
		if (lines_rest(lines, &line, &length))
			take(a, line, length);
		return;
	}
	r = log_add(log, room, (size_t)n);
	if (r < 0)
		warn("%s/%s: %s; it is not kept any further", a->session->path, log->name,
			strerror(-r));
	if (fd == &a->out) {
		keep_final(a, room, (size_t)n);
		a->out_rest = n >= MUCH && n < ROOM ? clock_after(OUT_REST) : 0;
	}
	timing_heard(&a->timing);
	a->tally.retry_ns = 0;
	lines_fed(lines, (size_t)n);
	while (lines_next(lines, &line, &length))
		take(a, line, length);
}

static void on_out(struct attempt *a)
{
	hear(a, &a->out, &a->out_lines, &a->out_log, on_out_line);
	follow_step(a);
}

static void on_error(struct attempt *a)
{
	hear(a, &a->error, &a->error_lines, &a->error_log, on_error_line);
}

static void on_exit_of_child(struct attempt *a)
{
	if (waitpid(a->child.pid, &a->ended.wait_status, WNOHANG) == a->child.pid)
		a->exited = true;
}

/* Waits until something happens, a signal comes or the deadline passes, and handles it. */
void attempt_hear(struct attempt *a, int64_t deadline)
{
	int64_t now = clock_now();
	bool resting = a->mapper.out >= 0 && now < a->mapper_rest;
	bool waiting = a->out >= 0 && now < a->out_rest;
	const struct {
		int fd;
		short events;
		void (*ready)(struct attempt *);
	} sources[] = {
		{a->exited ? -1 : a->child.pidfd, POLLIN, on_exit_of_child},
		{waiting || a->mapper.queue.length > MAPPER_QUEUE_MAX ? -1 : a->out, POLLIN,
			on_out},
		{a->error, POLLIN, on_error},
		{a->mapper.queue.length ? a->mapper.in : -1, POLLOUT, on_mapper_in},
		{resting ? -1 : a->mapper.out, POLLIN, on_mapper_out},
		{a->meter.out, POLLIN, on_meter},
	};
	struct pollfd fds[countof(sources)];

	for (size_t i = 0; i < countof(fds); i++)
		fds[i] = (struct pollfd){.fd = sources[i].fd, .events = sources[i].events};
	if (resting)
		deadline = MIN(deadline, a->mapper_rest);
	if (waiting)
		deadline = MIN(deadline, a->out_rest);
	if (signals_poll(fds, countof(fds), deadline) <= 0)
		return;
	for (size_t i = 0; i < countof(fds); i++)
		if (fds[i].revents)
			sources[i].ready(a);
}
