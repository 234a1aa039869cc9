/* The loop: look at the queue, resize, sleep until a worker ends, a signal comes, time is up. */
#include "pool.h"

#include "breaker_redis.h"
#include "clock.h"
#include "daemon.h"
#include "die.h"
#include "io.h"
#include "mem.h"
#include "parse.h"
#include "queue_open.h"
#include "store.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/signalfd.h>

void pool_tell(struct pool *p, const char *type, const char *format, ...)
{
	AUTO_BUF struct buf data = {0};
	struct event event = {.type = type, .source = "/loop-pool", .subject = p->queue->name};
	char members[512];
	va_list args;

	va_start(args, format);
	vsnprintf(members, sizeof members, format, args);
	va_end(args);
	buf_format(&data, "{\"queue\":\"%s\"%s}", p->queue->name, members);
	event.data = (struct span){data.text, data.length};
	journal_emit(&p->journal, &event);
}

static void on_warning(void *context UNUSED, const char *text)
{
	warn("%s", text);
}

/* What one worker did a second of late, as far as what left the queue tells. */
static void measure(struct pool *p, const struct queue_stats *s)
{
	int64_t left = s->count[ITEM_READY] + s->count[ITEM_CLAIMED] + s->count[ITEM_DELAYED];
	int64_t now = clock_now(), workers = MAX(p->load.claimed, 1);
	double seconds = (double)(now - p->looked) / (double)NS_PER_S;
	double rate = (double)(p->done_before - left) / seconds / (double)workers;

	/* Puts hide what was done: only what is seen to shrink says something. */
	if (p->looked && rate > 0)
		p->load.rate = p->load.rate > 0 ? 0.7 * p->load.rate + 0.3 * rate : rate;
	p->done_before = left;
	p->looked = now;
}

static bool look(struct pool *p)
{
	struct queue_stats s;
	struct err e = {0};
	int r = p->queue->ops->stats(p->queue, &s, &e);

	if (r < 0) {
		warn("%s", e.text);
		return false;
	}
	measure(p, &s);
	p->load.now = clock_now();
	p->load.ready = s.paused ? 0 : s.count[ITEM_READY];
	p->load.claimed = s.count[ITEM_CLAIMED];
	p->load.age = s.oldest ? MAX(s.now - s.oldest, 0) : 0;
	return true;
}

/* While the breaker is open nobody claims; the workers stay, and are not made more. */
static bool is_open(struct pool *p)
{
	struct breaker_view view;
	struct err e = {0};
	bool open = p->guarded && breaker_read(&p->breaker, &view, &e) == 0 &&
		(view.state == BREAKER_OPEN || view.state == BREAKER_HELD);

	if (open != p->open)
		pool_tell(p, open ? "pool.paused" : "pool.resumed", ",\"breaker\":\"%s\"",
			p->breaker.name);
	p->open = open;
	return open;
}

static void decide(struct pool *p)
{
	int64_t workers = pool_count(p, SLOT_RUNNING) + pool_count(p, SLOT_WAITING);
	const char *why = "";
	int64_t want;

	p->next = clock_after(choices.every);
	if (p->draining)
		return;
	if (look(p) && !is_open(p)) {
		want = scale_want(&p->scale, &p->load, workers, &why);
		pool_resize(p, want, why);
	} else if (workers < choices.rules.min) {
		pool_resize(p, choices.rules.min, "min");
	}
	status_write(p);
}

static void on_signal(struct pool *p)
{
	struct signalfd_siginfo info;

	while (io_read_some(p->signals, &info, sizeof info) == sizeof info) {
		p->draining = true;
		if (p->asked++ == 0)
			pool_tell(p, "pool.draining", ",\"workers\":%lld",
				(long long)pool_count(p, SLOT_RUNNING));
		/* The second is the workers' second: they end what they run and give it back. */
		pool_end_all(p, SIGTERM);
	}
}

static int64_t next_deadline(const struct pool *p)
{
	int64_t next = p->draining ? NS_FOREVER : p->next;

	for (int64_t i = 0; i < choices.rules.max; i++)
		if (p->slot[i].state == SLOT_WAITING)
			next = MIN(next, p->slot[i].again);
	return next;
}

static bool has_child(const struct slot *s)
{
	return s->state == SLOT_RUNNING || s->state == SLOT_LEAVING;
}

static void sleep_once(struct pool *p, struct pollfd *polled)
{
	size_t max = (size_t)choices.rules.max;

	polled[0] = (struct pollfd){.fd = p->signals, .events = POLLIN};
	for (size_t i = 0; i < max; i++)
		polled[1 + i] = (struct pollfd){
			.fd = has_child(&p->slot[i]) ? p->slot[i].child.pidfd : -1,
			.events = POLLIN};
	if (poll(polled, 1 + max, clock_poll_timeout(next_deadline(p))) < 0 && errno != EINTR)
		die_errno(EXIT_OWN, "poll");
	if (polled[0].revents)
		on_signal(p);
	for (size_t i = 0; i < max; i++)
		if (polled[1 + i].revents)
			slot_ended(p, &p->slot[i]);
}

static void run(struct pool *p)
{
	struct pollfd *polled = mem_new((1 + (size_t)choices.rules.max) * sizeof *polled);

	decide(p);
	while (!p->draining || pool_count(p, SLOT_RUNNING) || pool_count(p, SLOT_LEAVING)) {
		sleep_once(p, polled);
		if (!p->draining)
			pool_tick(p);
		if (clock_now() >= p->next)
			decide(p);
	}
	free(polled);
}

static void open_all(struct pool *p, struct state *state, const char *name)
{
	struct queue_stats s;
	struct err e = {0};
	int r = state_open(state, &e);

	if (r == 0)
		r = queue_open(&p->queue, choices.store, state, name, true, choices.patience,
			on_warning, &e);
	/* What cannot even look is no pool: a password, a right may be missing. */
	if (r == 0)
		r = p->queue->ops->stats(p->queue, &s, &e);
	if (r == 0 && choices.breaker)
		r = breaker_init(&p->breaker, state, choices.breaker,
			&(struct breaker_settings){0}, &e);
	if (r == 0 && choices.breaker && !store_in_files(choices.store))
		r = breaker_redis_open(&p->breaker, choices.store, choices.patience, &e);
	if (r < 0)
		die(EXIT_OWN, "%s", e.text[0] ? e.text : strerror(-r));
	p->guarded = choices.breaker != NULL;
	p->state = state;
	journal_init(&p->journal, state);
	if (setenv("LOOP_DIR", state->path, 1) < 0)
		die_errno(EXIT_OWN, "environment");
}

static void catch_signals(struct pool *p)
{
	p->signals = daemon_signals();
	if (p->signals < 0)
		die(EXIT_OWN, "signals: %s", strerror(-p->signals));
}

static void check_choices(const struct args *args)
{
	args_expect(args, 1, 1);
	if (!args->command || !args->command[0])
		die_usage("a command is needed behind --");
	if (!name_valid(args->item[0]))
		die_usage("'%s' is not a queue's name", args->item[0]);
	if (choices.rules.min > choices.rules.max)
		die_usage("--min is above --max");
	if (choices.rules.down >= choices.rules.up)
		die_usage("--scale-down must be below --scale-up");
	if (choices.every < 10 * NS_PER_MS)
		die_usage("--every: from 10ms");
	choices.store = store_choose(choices.store);
}

int run_main(const struct args *args)
{
	static struct state state;
	struct pool p = {0};
	struct err e = {0};

	check_choices(args);
	if (proc_contain(&e) < 0)
		die(EXIT_OWN, "%s", e.text);
	catch_signals(&p);
	p.command = args->command;
	p.slot = mem_zero((size_t)choices.rules.max, sizeof *p.slot);
	scale_init(&p.scale, &choices.rules);
	open_all(&p, &state, args->item[0]);
	pool_tell(&p, "pool.started", ",\"min\":%lld,\"max\":%lld", (long long)choices.rules.min,
		(long long)choices.rules.max);
	run(&p);
	pool_tell(&p, "pool.ended", ",\"restarts\":%lld", (long long)p.restarts);
	status_write(&p);
	free(p.slot);
	breaker_redis_close(&p.breaker);
	p.queue->ops->close(p.queue);
	journal_close(&p.journal);
	state_close(&state);
	return EXIT_SUCCESS;
}
