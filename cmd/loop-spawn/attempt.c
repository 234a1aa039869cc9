/*
 * The end of an attempt is the end of its process: not the end of its output,
 * which a grandchild may hold open, and not its result line, after which
 * agents go on. What is left of its tree then is killed, and only then is it
 * judged.
 */
#include "attempt.h"

#include "budget.h"
#include "clock.h"
#include "io.h"
#include "limits.h"
#include "mem.h"
#include "parse.h"
#include "signals.h"

#include <fcntl.h>
#include <sys/wait.h>

#define HEARTBEAT (5 * NS_PER_S)
#define DRAIN_TIME (2 * NS_PER_S)
#define MAP_TIME (60 * NS_PER_S)
#define SWEEP_TIME (10 * NS_PER_S)
#define METER_TIME (10 * NS_PER_S)
#define OVERSLEPT (2 * NS_PER_S) /* so late, we did not wait but were stopped */

/* The agent's processes leave their group; the group is only the polite part. */
static void signal_group(const struct attempt *a, int sig)
{
	if (a->exited)
		return; /* it is reaped: its pid may be anybody's */
	kill(-a->child.pid, sig);
	kill(a->child.pid, sig);
}

static void climb(struct attempt *a)
{
	if (a->ladder == RUNNING) {
		signal_group(a, SIGTERM);
		signal_group(a, SIGCONT);
		a->ladder = ASKED;
		a->ladder_deadline = clock_after(a->timing.limits.grace);
	} else if (a->ladder == ASKED) {
		signal_group(a, SIGKILL);
		a->ladder = KILLED_IT;
		a->ladder_deadline = clock_after(SWEEP_TIME);
	} else {
		a->ladder = GIVEN_UP;
	}
}

void attempt_end(struct attempt *a, enum cause cause)
{
	if (a->ended.cause != STILL_NONE)
		return;
	a->ended.cause = cause;
	climb(a);
}

static int64_t tree_cpu(void *context)
{
	const struct attempt *a = context;

	return proc_tree_cpu(a->child.pid);
}

/* One line of fixed length, written over itself: a reader sees the old or the new. */
static void beat(struct attempt *a)
{
	enum { LENGTH = 320 };
	char time[TIME_SIZE], line[LENGTH + 1];
	AUTO_CLOSE int fd = io_open(a->session->folder, "heartbeat",
		O_WRONLY | O_CREAT | O_NOFOLLOW, 0600);
	int n = snprintf(line, sizeof line,
		"{\"time\":\"%s\",\"pid\":%d,\"step\":\"%s\",\"tool\":\"%.64s\",\"silent_ms\":%lld,"
		"\"cpu_ms\":%lld,\"memory\":%lld}",
		format_time(time, clock_real()), (int)a->child.pid, step_name(a->timing.step),
		tally_busy(&a->tally) ? a->tally.tool : "",
		(long long)(timing_silent(&a->timing) / NS_PER_MS),
		(long long)(proc_tree_cpu(a->child.pid) / NS_PER_MS),
		(long long)proc_tree_memory(a->child.pid));

	memset(line + n, ' ', (size_t)(LENGTH - n));
	line[LENGTH - 1] = '\n';
	a->heartbeat = clock_after(HEARTBEAT);
	if (fd >= 0 && pwrite(fd, line, LENGTH, 0) < 0)
		return; /* the disk may be full; the next one may succeed */
}

static void say_stalled(struct attempt *a)
{
	session_emit(a->session, "session.stalled", HIGH,
		json_pack("{s:s, s:I, s:s}", "clock", step_name(a->timing.step), "silent_ms",
			(json_int_t)(timing_silent(&a->timing) / NS_PER_MS), "step",
			a->timing.step == STEP_TOOL ? a->tally.tool : step_name(a->timing.step)));
}

static void look_at_clocks(struct attempt *a)
{
	enum expired e;

	if (a->ended.cause != STILL_NONE || a->exited)
		return;
	e = timing_expired(&a->timing, tree_cpu, a);
	a->ended.step = a->timing.step;
	a->ended.silent = timing_silent(&a->timing);
	if (e == EXPIRED_SILENCE) {
		say_stalled(a);
		attempt_end(a, ENDED_STALLED);
	} else if (e == EXPIRED_ATTEMPT) {
		attempt_end(a, ENDED_TIMEOUT);
	} else if (e == EXPIRED_LINGER) {
		attempt_end(a, ENDED_LINGERING);
	}
}

static int64_t next_moment(const struct attempt *a)
{
	int64_t next = MIN(a->heartbeat, a->meter.next);

	next = MIN(next, a->ladder == RUNNING ? timing_next(&a->timing) : a->ladder_deadline);
	return next;
}

/* Hears until something is due; if we were stopped meanwhile, no clock has run. */
static void hear(struct attempt *a)
{
	int64_t due = next_moment(a), late;

	attempt_hear(a, due);
	late = clock_now() - due;
	if (late > OVERSLEPT)
		timing_woke(&a->timing, late);
}

static void supervise(struct attempt *a)
{
	while (!a->exited && a->ladder != GIVEN_UP) {
		hear(a);
		if (clock_now() >= a->heartbeat)
			beat(a);
		if (clock_now() >= a->meter.next)
			meter_start(&a->meter, a->session);
		look_at_clocks(a);
		if (signals_caught()) {
			a->ended.signal = signals_caught();
			attempt_end(a, ENDED_BY_SIGNAL);
		}
		if (a->ladder == ASKED && signals_count() > 1)
			climb(a);
		else if (a->ladder != RUNNING && clock_now() >= a->ladder_deadline)
			climb(a);
	}
}

static void sweep(struct attempt *a)
{
	struct session *s = a->session;
	AUTO_FREE char *session = mem_format("LOOP_SESSION=%s", s->id);
	AUTO_FREE char *state = mem_format("LOOP_DIR=%s", s->state.path);
	const char *const marks[] = {session, state, NULL};
	pid_t spare = a->mapper.child.pid;
	struct sweep swept[2];

	if (s->config->keep_background && a->ended.cause == STILL_NONE)
		return;
	proc_sweep(NULL, &spare, 1, clock_after(SWEEP_TIME), &swept[0]);
	proc_sweep(marks, &spare, 1, clock_after(SWEEP_TIME), &swept[1]);
	for (size_t i = 0; i < countof(swept); i++) {
		if (!s->leaked.count && swept[i].killed)
			memcpy(s->leaked.first, swept[i].first, sizeof s->leaked.first);
		s->leaked.count += swept[i].killed;
	}
}

static void drain(struct attempt *a)
{
	int64_t deadline = clock_after(DRAIN_TIME);
	int status = a->ended.wait_status;

	while ((a->out >= 0 || a->error >= 0) && clock_now() < deadline)
		attempt_hear(a, deadline);
	mapper_end(&a->mapper, WIFEXITED(status) ? WEXITSTATUS(status) : 0,
		WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	deadline = clock_after(MAP_TIME);
	while (a->mapper.out >= 0 && clock_now() < deadline)
		attempt_hear(a, deadline);
}

/* Ended without a result, its stream has told only a part. */
static void settle_usage(struct attempt *a)
{
	int64_t deadline = clock_after(METER_TIME);

	if (a->tally.result)
		return;
	meter_start(&a->meter, a->session);
	while (a->meter.out >= 0 && clock_now() < deadline)
		attempt_hear(a, deadline);
}

static void close_all(struct attempt *a)
{
	if (a->mapper.child.pid > 0) {
		kill(a->mapper.child.pid, SIGKILL);
		proc_reap(a->mapper.child.pid);
	}
	attempt_started(a);
	mapper_clear(&a->mapper);
	meter_clear(&a->meter);
	child_close(&a->child);
	if (a->out >= 0)
		close(a->out);
	if (a->error >= 0)
		close(a->error);
	a->session->oversize += (int64_t)a->out_lines.oversize;
	lines_clear(&a->out_lines);
	lines_clear(&a->error_lines);
	log_close(&a->out_log);
	log_close(&a->error_log);
	log_close(&a->events);
	tally_clear(&a->tally);
}

static void say_started(struct attempt *a)
{
	struct session *s = a->session;
	json_t *data = json_pack("{s:s, s:I, s:i}", "agent", s->agent.name, "attempt",
		(json_int_t)s->attempt, "pid", (int)a->child.pid);

	if (s->config->model)
		json_object_set_new(data, "model", json_string(s->config->model));
	if (s->branch)
		json_object_set_new(data, "worktree", json_string(s->worktree));
	session_emit(s, "session.started", NORMAL, data);
	session_save(s, "running", &a->child.owner);
}

struct verdict attempt_run(struct session *s, const char *resume)
{
	struct attempt a = {.session = s, .out = -1, .error = -1};
	struct verdict v = {.reason = SPAWN_FAILED};
	struct err e = {0};
	int r;

	a.child = (struct child){.pid = -1, .pidfd = -1};
	a.tally.session = s;
	if (!resume) {
		s->conversation = (struct usage){0};
		s->prompt = s->prompt ? "prompt.md" : NULL;
	}
	a.tally.before = s->conversation;
	attempt_open_logs(&a);
	meter_init(&a.meter, &s->agent);
	timing_start(&a.timing, &s->agent.clocks);
	a.starting = limits_start(s);
	r = attempt_start(&a, resume, &e);
	if (r < 0) {
		v.own = proc_spawn_status(r);
		escape_text(v.message, sizeof v.message, e.text);
		close_all(&a);
		return v;
	}
	say_started(&a);
	beat(&a);
	supervise(&a);
	meter_clear(&a.meter);
	sweep(&a);
	drain(&a);
	settle_usage(&a);
	v = judge(s, &a.tally, &a.ended);
	s->acted = a.tally.acted;
	usage_add(&s->used, &a.tally.used);
	usage_add(&s->conversation, &a.tally.used);
	a.tally.used = (struct usage){0};
	attempt_say_usage(&a, true);
	close_all(&a);
	return v;
}
