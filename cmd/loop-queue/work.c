/*
 * work: claims item after item and runs a command for each. One loop sleeps on
 * signals, on the ends of commands, on the queue and on time.
 */
#include "loop-queue.h"

#include "breaker_redis.h"
#include "clock.h"
#include "daemon.h"
#include "die.h"
#include "io.h"
#include "job.h"
#include "mem.h"
#include "parse.h"
#include "room.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

static struct {
	int64_t jobs, count, idle, timeout, lease;
	const char *breaker, *delay;
	struct room room;
} options = {.jobs = 1, .idle = NS_FOREVER, .timeout = NS_FOREVER};

const struct opt work_options[] = {
	{.name = "jobs",
		.letter = 'j',
		.arg = "N",
		.help = "so many at once (1)",
		.number = &options.jobs,
		.min = 1,
		.max = 1000},
	{.name = "count",
		.letter = 'n',
		.arg = "N",
		.help = "end after so many items",
		.number = &options.count,
		.min = 1,
		.max = INT64_MAX},
	{.name = "idle-exit",
		.arg = "D",
		.help = "end when there was nothing for so long",
		.duration = &options.idle},
	{.name = "timeout",
		.letter = 't',
		.arg = "D",
		.help = "end a command that takes longer",
		.duration = &options.timeout},
	{.name = "lease",
		.letter = 'l',
		.arg = "D",
		.help = "of the claims; renewed three times in its life",
		.duration = &options.lease},
	{.name = "breaker",
		.letter = 'b',
		.arg = "NAME",
		.help = "ask this breaker before each claim",
		.string = &options.breaker},
	{.name = "error-delay",
		.arg = "D",
		.help = "how long what failed waits (by the tries)",
		.string = &options.delay},
	{.name = "min-disk",
		.arg = "SIZE",
		.help = "claim nothing while less than this is free (0)",
		.size = &options.room.disk},
	{.name = "min-memory",
		.arg = "SIZE",
		.help = "claim nothing while less memory is available (0)",
		.size = &options.room.memory},
	OPT_STORE,
	{0},
};

#define RETRY_TIME NS_PER_S /* a store that is away, a queue that nobody can watch */

struct work {
	struct queue *queue;
	struct work_how how;
	struct job *job;
	size_t jobs, busy;
	int64_t left; /* items that may be begun */
	int signals;
	int asked;   /* how often we were told to end */
	bool failed; /* nothing more can be claimed */
	bool guarded;
	struct breaker breaker;
	int64_t look, idle_since; /* clock_now: when to claim again, since when nothing is done */
	bool complained;
	bool held; /* there is something to do, and no room for it */
};

static struct job *free_job(struct work *w)
{
	for (size_t i = 0; i < w->jobs; i++)
		if (!w->job[i].busy)
			return &w->job[i];
	return NULL;
}

static int on_item(void *context, const struct item *item)
{
	struct work *w = context;
	struct job *j = free_job(w);

	job_start(j, w->queue, &w->how, item);
	w->busy += j->busy;
	w->left--;
	w->idle_since = clock_now();
	return 0;
}

/* Whether the breaker lets one more through; when to ask again where not. */
static bool allowed(struct work *w, struct permit *permit)
{
	struct err e = {0};
	int r;

	if (!w->guarded)
		return true;
	r = breaker_allow(&w->breaker, permit, &e);
	if (r < 0)
		warn("%s", e.text);
	if (r > 0)
		return true;
	w->look = clock_after(RETRY_TIME);
	if (r == 0 && permit->again != NS_FOREVER)
		w->look = clock_after(
			MIN(MAX(permit->again - clock_real(), NS_PER_MS), RETRY_TIME));
	return false;
}

/* When there may be something to claim again. */
static void plan_look(struct work *w)
{
	bool watched = w->queue->ops->watch(w->queue) >= 0;
	struct queue_stats s;
	struct err e = {0};

	w->look = clock_after(watched ? 10 * RETRY_TIME : RETRY_TIME);
	if (w->queue->ops->stats(w->queue, &s, &e) < 0) {
		w->look = clock_after(RETRY_TIME);
		return;
	}
	if (s.count[ITEM_READY] && !s.paused)
		w->look = clock_now(); /* it came while we were looking */
	else if (s.next != NS_FOREVER)
		w->look = MIN(w->look, clock_after(MAX(s.next - s.now, NS_PER_MS)));
}

static bool takes_more(const struct work *w)
{
	return !w->asked && !w->failed && w->left > 0 && w->busy < w->jobs;
}

/* What passes is tried again; what does not ends the worker when its commands have ended. */
static void store_failed(struct work *w, int r, const struct err *e)
{
	bool passes = r == -ENOTCONN || r == -ETIMEDOUT || r == -EAGAIN || r == -ENOSPC;

	if (!w->complained)
		warn("%s", e->text);
	w->complained = true;
	w->failed = !passes;
	w->look = clock_after(RETRY_TIME);
}

/* A human may have to make room: said once. */
static void hold(struct work *w, const char *why)
{
	AUTO_BUF struct buf data = {0};

	w->look = clock_after(RETRY_TIME);
	if (w->held)
		return;
	w->held = true;
	warn("queue %s: nothing is claimed: %s", w->queue->name, why);
	buf_format(&data, "{\"plan\":\"%s\",\"why\":", w->queue->name);
	buf_json(&data, why, strlen(why));
	buf_char(&data, '}');
	queue_emit("run.needs_human", HIGH, w->queue->name, &data);
}

/* Whether there is room for one more item, if there is one. */
static bool has_room(struct work *w)
{
	const struct state *state = queue_state(false);
	const char *const folders[] = {".", state ? state->path : NULL, NULL};
	struct err why = {0};

	if (!room_short(&options.room, folders, &why)) {
		w->held = false;
		return true;
	}
	plan_look(w);
	if (clock_now() >= w->look)
		hold(w, why.text);
	else
		w->held = false;
	return false;
}

static bool claim_one(struct work *w)
{
	const struct claim how = {.count = 1, .lease = w->how.lease};
	struct permit permit = {0};
	struct err e = {0};
	int64_t n;

	if (!has_room(w) || !allowed(w, &permit))
		return false;
	free_job(w)->permit = permit;
	n = w->queue->ops->claim(w->queue, &how, on_item, w, &e);
	if (n < 0) {
		store_failed(w, (int)n, &e);
		return false;
	}
	w->complained = false;
	if (n == 0)
		plan_look(w);
	return n > 0;
}

static void claim_more(struct work *w)
{
	while (takes_more(w) && clock_now() >= w->look)
		if (!claim_one(w))
			return;
}

static void record(struct work *w, const struct job *j, int status)
{
	enum outcome o = status == 0 ? OUTCOME_OK : OUTCOME_FAILED;
	struct err e = {0};

	if (j->given_up || j->lost)
		o = OUTCOME_IGNORED;
	if (w->guarded && breaker_record(&w->breaker, &j->permit, o, 0, &e) < 0)
		warn("%s", e.text);
}

static void finish_job(struct work *w, struct job *j)
{
	pid_t *spare = mem_new(w->jobs * sizeof *spare);
	size_t count = 0;
	int status;

	for (size_t i = 0; i < w->jobs; i++)
		if (w->job[i].busy && &w->job[i] != j)
			spare[count++] = w->job[i].child.pid;
	status = job_finish(j, w->queue, &w->how, spare, count);
	free(spare);
	w->busy--;
	w->look = clock_now();
	w->idle_since = clock_now();
	record(w, j, status);
}

/* The first signal lets the commands finish, the second ends them, the third kills them. */
static void on_signal(struct work *w)
{
	struct signalfd_siginfo info;

	while (io_read_some(w->signals, &info, sizeof info) == sizeof info) {
		w->asked++;
		for (size_t i = 0; i < w->jobs; i++) {
			if (!w->job[i].busy)
				continue;
			if (w->asked == 2)
				job_end(&w->job[i], true);
			if (w->asked > 2)
				w->job[i].child.kill_at = clock_now();
		}
	}
}

static int64_t next_deadline(const struct work *w)
{
	int64_t next = NS_FOREVER;

	for (size_t i = 0; i < w->jobs; i++)
		if (w->job[i].busy)
			next = MIN(next, job_next(&w->job[i]));
	if (takes_more(w))
		next = MIN(next, w->look);
	if (!w->busy && !w->held && options.idle != NS_FOREVER)
		next = MIN(next, w->idle_since + options.idle);
	return next;
}

static void sleep_once(struct work *w, struct pollfd *p)
{
	p[0] = (struct pollfd){.fd = w->signals, .events = POLLIN};
	p[1] = (struct pollfd){.fd = takes_more(w) ? w->queue->ops->watch(w->queue) : -1,
		.events = POLLIN};
	for (size_t i = 0; i < w->jobs; i++)
		p[2 + i] = (struct pollfd){
			.fd = w->job[i].busy ? w->job[i].child.pidfd : -1, .events = POLLIN};
	if (poll(p, 2 + w->jobs, clock_poll_timeout(next_deadline(w))) < 0 && errno != EINTR)
		die_errno(EXIT_OWN, "poll");
}

static bool is_over(const struct work *w)
{
	if (w->busy)
		return false;
	if (w->asked || w->failed || w->left <= 0)
		return true;
	return !w->held && options.idle != NS_FOREVER &&
		clock_now() >= w->idle_since + options.idle;
}

static void run(struct work *w)
{
	struct pollfd *p = mem_new((2 + w->jobs) * sizeof *p);

	for (claim_more(w); !is_over(w); claim_more(w)) {
		sleep_once(w, p);
		if (p[0].revents)
			on_signal(w);
		if (p[1].revents) {
			w->queue->ops->heard(w->queue);
			w->look = MIN(w->look, clock_now());
		}
		for (size_t i = 0; i < w->jobs; i++) {
			if (w->job[i].busy && p[2 + i].revents)
				finish_job(w, &w->job[i]);
			else if (w->job[i].busy)
				job_tick(&w->job[i], w->queue);
		}
	}
	free(p);
}

static void catch_signals(struct work *w)
{
	w->signals = daemon_signals();
	if (w->signals < 0)
		die(EXIT_OWN, "signals: %s", strerror(-w->signals));
}

static void open_breaker(struct work *w)
{
	struct err e = {0};

	if (!options.breaker)
		return;
	if (!name_valid(options.breaker))
		die_usage("--breaker: '%s' is no name", options.breaker);
	if (breaker_init(&w->breaker, queue_state(true), options.breaker,
		    &(struct breaker_settings){0}, &e) < 0)
		die(EXIT_OWN, "%s", e.text);
	if (!store_is_file() &&
		breaker_redis_open(
			&w->breaker, store_choose(place.store), place.patience, &e) < 0)
		die(EXIT_OWN, "%s", e.text);
	w->guarded = true;
}

static void check_options(const struct args *args, struct work *w)
{
	args_expect(args, 1, 1);
	if (!args->command || !args->command[0])
		die_usage("a command is needed behind --");
	if (options.lease && (options.lease < 10 * NS_PER_MS || options.lease > QUEUE_TIME_MAX))
		die_usage("--lease: from 10ms to ten years");
	w->how.command = args->command;
	w->how.lease = options.lease;
	w->how.timeout = options.timeout;
	w->how.error_delay = options.delay ? parse_delay(options.delay) : -1;
	w->jobs = (size_t)options.jobs;
	w->left = options.count ? options.count : INT64_MAX;
}

int work_main(const struct args *args)
{
	struct work w = {0};
	struct err e = {0};

	check_options(args, &w);
	if (proc_contain(&e) < 0)
		die(EXIT_OWN, "%s", e.text);
	catch_signals(&w);
	open_breaker(&w);
	w.queue = open_queue(args->item[0], true);
	if (store_is_file() && setenv("LOOP_DIR", queue_state(true)->path, 1) < 0)
		die_errno(EXIT_OWN, "environment");
	if (setenv("LOOP_STORE", store_choose(place.store), 1) < 0)
		die_errno(EXIT_OWN, "environment");
	(void)w.queue->ops->watch(w.queue);
	w.job = mem_zero(w.jobs, sizeof *w.job);
	w.look = w.idle_since = clock_now();
	run(&w);
	free(w.job);
	close(w.signals);
	breaker_redis_close(&w.breaker);
	close_queue(w.queue);
	return w.failed ? EXIT_OWN : EXIT_SUCCESS;
}
