/* Waits for what can happen, in one place: children's ends, signals, commands, times. */
#include "run.h"

#include "clock.h"
#include "die.h"
#include "io.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

static void reap(struct run *r)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct job *j = job_of(r, pid);

		if (j)
			job_reaped(r, j, status);
	}
}

/* The first asks everything to end, the second does not ask. */
static void take_signal(struct run *r, int signal)
{
	if (signal == SIGCHLD)
		return;
	r->killed = r->signal != 0;
	if (r->killed) {
		for (int64_t i = 0; i < r->options.jobs; i++)
			if (r->job[i].pid)
				job_end(r, &r->job[i], ENDS_CANCEL);
		return;
	}
	r->signal = signal;
	cancel_all(r);
}

static void read_signals(struct run *r)
{
	struct signalfd_siginfo info[16];
	ssize_t n = io_read_some(r->signals, info, sizeof info);

	for (ssize_t i = 0; i < n / (ssize_t)sizeof *info; i++)
		take_signal(r, (int)info[i].ssi_signo);
}

/* When something is due although nothing happens. */
static int64_t next_deadline(const struct run *r)
{
	const struct node *first = heap_top(&r->delayed);
	int64_t next = MIN(log_due(r), r->cancelling ? NS_FOREVER : r->deadline);

	next = MIN(next, gates_due(r));
	if (first && may_start(r))
		next = MIN(next, first->due);
	if (r->starved.count && may_start(r))
		next = MIN(next, r->starved_until);
	if (r->undo.begun && !r->undo.ended && !r->running && !r->paused)
		next = MIN(next, r->undo.due);
	if (r->ready.count)
		next = MIN(next, r->pace.next);
	if (r->hold.on)
		next = MIN(next, r->hold.next);
	for (int64_t i = 0; r->running && i < r->options.jobs; i++)
		if (r->job[i].pid)
			next = MIN(next, job_deadline(&r->job[i]));
	return next;
}

static void on_time(struct run *r)
{
	int64_t now = clock_now();
	struct node *n;

	pace_tick(&r->pace, r->ready.count > 0);
	if (r->hold.on)
		run_held(r);
	while ((n = heap_top(&r->delayed)) && n->due <= now) {
		heap_pop(&r->delayed);
		if (n->state == RETRYING || n->state == READY)
			heap_push(&r->ready, n);
	}
	for (int64_t i = 0; r->running && i < r->options.jobs; i++)
		if (r->job[i].pid && now >= job_deadline(&r->job[i]))
			job_tick(r, &r->job[i], now);
	if (now >= r->deadline && !r->cancelling) {
		warn("%s: the run's timeout has passed", r->id);
		cancel_all(r);
	}
}

/* Whether a place is free and only a token is missing. */
static bool wants_token(const struct run *r)
{
	return may_start(r) && r->ready.count && r->running < r->pace.now && !r->hold.on;
}

static void wait_for_something(struct run *r)
{
	struct pollfd fd[] = {{.fd = r->signals, .events = POLLIN},
		{.fd = r->control, .events = POLLIN},
		{.fd = wants_token(r) ? r->tokens.taker : -1, .events = POLLIN},
		{.fd = r->gates.count ? r->gates.watch : -1, .events = POLLIN}};
	int n = poll(fd, countof(fd), clock_poll_timeout(next_deadline(r)));

	if (n > 0 && fd[0].revents)
		read_signals(r);
	if (n > 0 && fd[1].revents)
		control_read(r);
	gates_look(r, n > 0 && fd[3].revents);
	on_time(r);
	reap(r);
	forecast(r);
}

/* Whether anything can still come of waiting. A paused run waits for its continue. */
static bool waits(const struct run *r)
{
	if (r->running)
		return true;
	if (r->broken || r->killed)
		return false;
	if (r->undo.begun && !r->undo.ended)
		return !r->cancelling;
	if (r->finishing)
		return r->ready.count + r->delayed.count + r->starved.count + r->gates.count > 0;
	return r->left > r->finals && !r->cancelling && !r->stopping;
}

/* When nothing more comes of the tasks: undoing, if that is asked for, then the final tasks. */
static bool next_phase(struct run *r)
{
	if (r->broken || r->killed)
		return false;
	if (r->undo.wanted && !r->undo.ended && !r->cancelling)
		return undo_begin(r);
	if (!r->finals || r->finishing)
		return false;
	begin_finals(r);
	return true;
}

static void go(struct run *r)
{
	if (r->undo.begun && !r->undo.ended)
		undo_step(r);
	else
		start_ready(r);
}

void run_loop(struct run *r)
{
	do {
		go(r);
		while (waits(r)) {
			log_flush(r, false);
			wait_for_something(r);
			if (r->broken && !r->cancelling)
				cancel_all(r);
			go(r);
		}
		gates_withdraw(r);
	} while (next_phase(r));
}

void run_write_out(struct run *r)
{
	r->hold.closing = true;
	log_flush(r, true);
	while (r->hold.on && hold_unwritten(r) && !r->broken && !r->signal)
		wait_for_something(r);
}
